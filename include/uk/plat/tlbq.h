/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_TLBQ_H__
#define __UK_PLAT_TLBQ_H__

/* Unmap quarantine: what was unmapped and may still be remembered
 *
 * Why
 *   Asking all CPUs to forget a page costs hundreds of instructions on each
 *   of them, for every page that is freed. Waiting costs memory, of which a
 *   MiB is nothing.
 *
 * How
 *   A queue collects ranges in its open batch. A batch that is full is closed,
 *   which starts a generation of <uk/plat/tlb.h>, and waits in line. Whoever
 *   closes a batch looks whether the oldest ones have been passed by all CPUs
 *   meanwhile, and has them reaped: their frames and addresses are free.
 *
 *      add --> [ open ]   [ closed, g+1 ] [ closed, g ] --> reap
 *
 *   Only a queue that is full, in batches or in pages, interrupts the CPUs
 *   that have not come by (ukplat_tlb_sync()).
 *
 * Invariants
 *   Q1 head <= tail < head + UKPLAT_TLBQ_DEPTH unless a batch is just being
 *      closed; the batches [head, tail) are closed, in the order of their
 *      generations, batch[tail] is open.
 *   Q2 `pages` is the sum over all closed batches.
 *   Q3 A range is in exactly one batch until it is reaped.
 *   Q4 `credit` is UKPLAT_TLBQ_RANGES minus the pages of the open batch: as no
 *      range is empty, there is room for one more while it is positive.
 *
 * Concurrency
 *   One lock a queue. Its owner, a CPU, tries it with interrupts enabled; if
 *   somebody has it, an interrupted thread of this CPU or another CPU that is
 *   short of memory, the owner does without the queue. Others wait for it, but
 *   never in an interrupt handler: the lock may be what it interrupted, here
 *   or on a CPU that waits in turn; and not for ever with interrupts disabled
 *   (pt_lazy.c). Who holds the lock may wait for other CPUs, because who waits
 *   for the lock polls.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/tlb.h>
#include <uk/spinlock.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Batches of a queue, a page each. With a MiB a batch, 7 MiB wait at most. */
#define UKPLAT_TLBQ_DEPTH 8U

/* Ranges of a batch, and pages after which it is closed: a MiB */
#define UKPLAT_TLBQ_RANGES 253U

struct ukplat_tlbq_range {
	__vaddr_t vaddr;
	unsigned long pages;
};

struct ukplat_tlbq_batch {
	/** Generation that all CPUs must have passed; 0: open */
	__u64 gen;
	/** Number of ranges, and of their pages; 0: open */
	unsigned int cnt;
	unsigned int pages;
	/** Belongs to whoever reaps: a list of frames, for example */
	__paddr_t frames;
	unsigned long frames_cnt;
	struct ukplat_tlbq_range range[UKPLAT_TLBQ_RANGES];
};

UK_CTASSERT(sizeof(struct ukplat_tlbq_batch) <= 4096);

struct ukplat_tlbq;

/** What a queue does with its batches; both run under its lock */
struct ukplat_tlbq_ops {
	/**
	 * Adds what else the generation shall be for, before it starts.
	 * __NULL: nothing.
	 *
	 * @return
	 *   1 if the calling CPU has flushed its own TLB for that
	 */
	int (*close)(struct ukplat_tlbq *q, struct ukplat_tlbq_batch *batch);

	/** All CPUs have passed: frees what is in the batch. */
	void (*reap)(struct ukplat_tlbq_batch *batch);
};

/** Counters of a queue */
struct ukplat_tlbq_stats {
	/** Ranges and pages added to batches that are closed */
	__u64 ranges;
	__u64 pages;
	/** Batches closed, and those that had to be waited for */
	__u64 batches;
	__u64 syncs;
	/** Generations that started between close and reap, at most */
	__u64 age_max;
	/** Most pages that ever were in closed batches */
	__u64 pages_peak;
};

struct ukplat_tlbq {
	struct uk_spinlock lock;
	/** Where the next range goes, and how many pages still may */
	struct ukplat_tlbq_range *cur;
	long credit;
	/** Numbers of the oldest closed batch and of the open one */
	unsigned int head, tail;
	/** In closed batches, and at most */
	unsigned long pages, pages_max;
	/** Not __NULL: initialized */
	const struct ukplat_tlbq_ops *ops;
	struct ukplat_tlbq_batch *batch[UKPLAT_TLBQ_DEPTH];
	struct ukplat_tlbq_stats stats;
} __align(128);

/**
 * Makes an empty queue.
 *
 * @param mem
 *   UKPLAT_TLBQ_DEPTH pages, owned by the queue from now on
 * @param pages_max
 *   Pages in closed batches above which the other CPUs are interrupted
 * @param ops
 *   What happens to batches
 */
void ukplat_tlbq_init(struct ukplat_tlbq *q, void *mem, unsigned long pages_max,
		      const struct ukplat_tlbq_ops *ops);

/**
 * Closes the open batch if there is anything in it, and reaps what all CPUs
 * have passed. The caller holds the lock.
 *
 * @param own
 *   1: all ranges were flushed on the calling CPU, because it is the owner
 */
void ukplat_tlbq_close(struct ukplat_tlbq *q, int own);

/** Reaps what all CPUs have passed. The caller holds the lock. */
void ukplat_tlbq_reap(struct ukplat_tlbq *q);

/* The slow half of ukplat_tlbq_add(): the open batch is full */
void ukplat_tlbq_turn(struct ukplat_tlbq *q);

/**
 * Adds a range that the caller, the owner of the queue, has unmapped, and has
 * flushed from its own TLB.
 *
 * **Context:** owner CPU, thread or interrupt; may wait for other CPUs as
 * ukplat_tlb_sync() does
 *
 * @param vaddr
 *   First address, page aligned
 * @param pages
 *   Number of pages, at least 1
 *
 * @return
 *   1 if the range is in the queue; 0 if somebody else has the queue: the
 *   caller must wait for all CPUs itself
 */
static inline int ukplat_tlbq_add(struct ukplat_tlbq *q, __vaddr_t vaddr,
				  unsigned long pages)
{
	struct ukplat_tlbq_range *range;
	int is_taken, is_full;

	/* A trylock that takes two instructions less than the exchange of
	 * uk_spin_trylock(). Locked, hence acquire: pairs with the release in
	 * uk_spin_unlock()
	 */
	__asm__ __volatile__("lock btsl $0, %0"
			     : "+m"(q->lock.locked), "=@ccc"(is_taken)
			     :
			     : "memory");
	if (unlikely(is_taken))
		return 0;
	range = q->cur++;
	range->vaddr = vaddr;
	range->pages = pages;
	/* The compiler would test for what the subtraction has told */
	__asm__("subq %2, %0"
		: "+m"(q->credit), "=@ccle"(is_full)
		: "er"(pages));
	if (unlikely(is_full))
		ukplat_tlbq_turn(q);
	uk_spin_unlock(&q->lock);
	return 1;
}

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_TLBQ_H__ */
