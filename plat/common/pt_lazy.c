/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The unmap quarantine of each CPU, for zombies and empty tables
 *
 * Why, how and locks are in <uk/plat/tlbq.h>. What is special here: tables
 * that have become empty belong to no CPU. They wait in pt->empty, and whoever
 * closes a batch takes them all along.
 */

#include <errno.h>
#include <string.h>

#include <uk/arch/lcpu.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/tlb.h>
#include <uk/plat/tlbq.h>

#include "pt.h"

/* Of all memory, what may be in closed batches of all CPUs together; and for
 * one CPU not less than a batch and not more than 8 MiB
 */
#define LAZY_SHARE     16
#define LAZY_PAGES_MIN 256UL
#define LAZY_PAGES_MAX 2048UL

/* A quarter of a batch has so many pages, as a power of two. Less would make a
 * CPU that is alone faster than others by more than a tenth
 */
#define EARLY_SHIFT 6

/* Rounds of waiting for a queue that another CPU works on: longer than it takes
 * to reap a full one
 */
#define LOCK_SPINS (1U << 18)

/* Those that are not prepared have no batches */
static struct ukplat_tlbq queues[CONFIG_UKPLAT_LCPU_MAXCOUNT];

static unsigned long pages_max(const struct uk_pagetable *pt)
{
	__sz pages = pt->fa->total_memory >> PAGE_SHIFT;
	unsigned long max = pages / LAZY_SHARE / ukplat_lcpu_count();

	max = MIN(max, LAZY_PAGES_MAX);
	return MAX(max, LAZY_PAGES_MIN);
}

/* Takes the empty tables along. The calling CPU may remember them even if it
 * has flushed the pages: it may have walked them since.
 */
static int lazy_close(struct ukplat_tlbq *q, struct ukplat_tlbq_batch *batch)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	struct pt_frames tables = pt_tables_take(pt, 0);

	batch->frames = tables.head;
	batch->frames_cnt = tables.cnt;
	q->pages_max = pages_max(pt);
	return !batch->frames_cnt;
}

static void lazy_reap(struct ukplat_tlbq_batch *batch)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	struct pt_frames tables = { batch->frames, batch->frames_cnt, 1 };
	unsigned int i;

	for (i = 0; i < batch->cnt; i++)
		pt_range_collect(pt, batch->range[i].vaddr,
				 batch->range[i].pages, X86_PTE_LAZY, 0);
	pt_frames_free(&tables);
}

static const struct ukplat_tlbq_ops lazy_ops = {
	.close = lazy_close,
	.reap = lazy_reap,
};

int ukplat_page_cpu_prepare(__u32 lcpuidx)
{
	struct ukplat_tlbq *q = &queues[lcpuidx];
	__vaddr_t mem;
	int rc;

	if (q->ops)
		return 0;
	rc = ukplat_area_map("unmap quarantine", __PADDR_ANY, UKPLAT_TLBQ_DEPTH,
			     PAGE_ATTR_PROT_RW, &mem);
	if (rc)
		return rc;
	ukplat_tlbq_init(q, (void *)mem, LAZY_PAGES_MIN, &lazy_ops);
	return 0;
}

/* Queue of the calling CPU, __NULL if it has none */
static struct ukplat_tlbq *queue_own(void)
{
	struct ukplat_tlbq *q = &queues[ukplat_lcpu_idx()];

	return likely(q->ops) ? q : __NULL;
}

/* Not if another CPU works on it: the next call closes it then */
static void own_close(struct ukplat_tlbq *q)
{
	if (uk_spin_trylock(&q->lock)) {
		ukplat_tlbq_close(q, 1);
		uk_spin_unlock(&q->lock);
	}
}

/* Who is alone need not wait until a batch is full: what all others have passed
 * is reaped a quarter of a batch at a time, so that no call is long
 */
static void __noinline early_close(struct ukplat_tlbq *q)
{
	if (ukplat_tlb_is_alone())
		own_close(q);
}

int pt_lazy_add(__vaddr_t va, unsigned long pages)
{
	struct ukplat_tlbq *q = queue_own();
	long before, after;

	if (unlikely(!q))
		return 0;
	/* Relaxed: whoever drains the queue meanwhile reaps what there is */
	before = __atomic_load_n(&q->credit, __ATOMIC_RELAXED);
	after = before - (long)pages;
	if (unlikely((before ^ after) >> EARLY_SHIFT))
		early_close(q);
	return ukplat_tlbq_add(q, va, pages);
}

void pt_lazy_tables(void)
{
	struct ukplat_tlbq *q = queue_own();

	/* Who does not get it now comes again with the next table */
	if (q)
		own_close(q);
}

/* Takes the lock of a queue. Who has interrupts disabled may hold a lock that
 * a handler waits for, and that handler may have interrupted the owner of the
 * queue: after a while the queue is passed over.
 */
static int queue_lock(struct ukplat_tlbq *q)
{
	unsigned int spins = 0;

	while (!uk_spin_trylock(&q->lock)) {
		if (ukplat_lcpu_irqs_disabled() && ++spins == LOCK_SPINS)
			return 0;
		ukplat_tlb_poll();
		ukarch_spinwait();
	}
	return 1;
}

/* A CPU that starts late makes its queue while others look for memory */
static int queue_is_ready(const struct ukplat_tlbq *q)
{
	/* Acquire: all of it. Pairs with the release in ukplat_tlbq_init() */
	return __atomic_load_n(&q->ops, __ATOMIC_ACQUIRE) != __NULL;
}

static void queues_foreach(void (*fn)(struct ukplat_tlbq *q, int own))
{
	struct ukplat_tlbq *q;

	for (q = queues; q < &queues[CONFIG_UKPLAT_LCPU_MAXCOUNT]; q++) {
		if (!queue_is_ready(q) || !queue_lock(q))
			continue;
		fn(q, 0);
		uk_spin_unlock(&q->lock);
	}
}

static void queue_reap(struct ukplat_tlbq *q, int own __unused)
{
	ukplat_tlbq_reap(q);
}

void pt_lazy_drain(struct uk_pagetable *pt)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		queues_foreach(ukplat_tlbq_close);
		/* All batches that are closed are older */
		ukplat_tlb_sync(
			__atomic_load_n(&ukplat_tlb_gen, __ATOMIC_SEQ_CST));
		queues_foreach(queue_reap);
		if (!pt->empty_cnt)
			break;
	}
}

unsigned long pt_lazy_pages(void)
{
	unsigned long pages = 0;
	__u32 i;

	for (i = 0; i < CONFIG_UKPLAT_LCPU_MAXCOUNT; i++)
		pages += __atomic_load_n(&queues[i].pages, __ATOMIC_RELAXED);
	return pages;
}

void ukplat_page_lazy_stats_get(__u32 lcpuidx, struct ukplat_tlbq_stats *stats)
{
	const struct ukplat_tlbq_stats *s;
	__u32 i;

	memset(stats, 0, sizeof(*stats));
	for (i = 0; i < CONFIG_UKPLAT_LCPU_MAXCOUNT; i++) {
		if (i != lcpuidx && lcpuidx < CONFIG_UKPLAT_LCPU_MAXCOUNT)
			continue;
		s = &queues[i].stats;
		stats->ranges += s->ranges;
		stats->pages += s->pages;
		stats->batches += s->batches;
		stats->syncs += s->syncs;
		stats->age_max = MAX(stats->age_max, s->age_max);
		stats->pages_peak = MAX(stats->pages_peak, s->pages_peak);
	}
}
