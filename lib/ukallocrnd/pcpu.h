/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_PCPU_H__
#define __UKALLOCRND_PCPU_H__

/* Per-CPU state of a heap: who is inside, and frees between CPUs
 *
 * Why
 *   A CPU (guest) or thread (Linux) works on its own state without a lock. It
 *   must not be entered twice, by an interrupt; and what it frees of others
 *   must reach them at the cost of a batch.
 *
 * How
 *   Entering sets a busy flag, an ordinary store. A context that finds its
 *   flag set (an interrupt handler) or that has no state of its own uses the
 *   shared state, index 0, under a lock.
 *   A slot of another CPU's slab goes to the outgoing batch. A full batch is
 *   flushed: each slot's remote bit is set in its slab, and each slab touched
 *   is put into its owner's inbox, once. The owner empties the inbox when it
 *   refills a pool. Nothing here allocates, so nothing here can fail.
 *
 *      CPU A frees slots of B             CPU B
 *      out[64] --full--> remote bits --.
 *                        inbox of B <--+--> on refill: bits -> quarantine
 *
 * Invariants
 *   C1  Only the context that set busy touches what is marked (p).
 *   C2  A slab with remote bits set has a visitor or is in its owner's inbox.
 *   C3  A slab is purged only without visitor and outside the inbox.
 *
 * Concurrency
 *   rnd_world_stop() sets a flag and waits for all busy flags. On ports that
 *   use it, entering sets busy first and then looks at the flag; the order is
 *   enforced from the other side by rnd_port_fence_all().
 *
 * Source
 *   Batches of remote frees as in snmalloc (MIT); here out of line.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "atomic.h"
#include "lock.h"
#include "pagemap.h"
#include "pclass.h"
#include "port.h"
#include "sample.h"

/* 1: the port's contexts look at rnd_world_stopped when they enter */
#ifndef RND_PORT_CAN_STOP
#define RND_PORT_CAN_STOP 0
#endif

#if !RND_PORT_CAN_STOP
/* Contexts need not know each other: the world is quiescent before it stops */
static inline __uptr rnd_port_context(void)
{
	return 0;
}
#endif

/* Slots of other CPUs that are freed together */
#define RND_OUT_LEN 64U

/** A slot on its way to another CPU */
struct rnd_out {
	struct rnd_slab *slab;
	__u32 slot;
};

/**
 * Field markings: (c) constant after init, (p) the context inside, (a) atomic
 */
struct rnd_pcpu {
	/** (a) 1: a context is inside */
	__u32 busy;
	/** (c) CPU index */
	__u32 idx;
	/** (p) Outgoing batch */
	__u32 out_cnt;
	/** (p) Size class that rnd_pcpu_age() visits next */
	__u32 age_next;
	/** (a) Bits of the size classes whose part is made; set by the context
	 * inside. Who goes through all of them does not touch the pages of
	 * those that nobody uses
	 */
	__u64 made;
	/** (p) Slots freed that others own, so far */
	__u64 remote_frees;
	/** (p) Source of all random choices of this CPU */
	struct rnd_rng rng;
	/** (p) Requests until the next sample */
	struct rnd_countdown countdown;
	/** (p) */
	struct rnd_out out[RND_OUT_LEN];
	/** (a) Slabs with remote bits; pushed by any CPU, taken by the owner.
	 * On a cache line of its own
	 */
	struct rnd_slab *inbox __align(128);
	/** (p) Quarantine of all long slots */
	struct rnd_bulk bulk;
	/** (p) One part of every size class, made when it is first used */
	struct rnd_pclass cls[RND_CLASS_COUNT] __align(128);
};

/** What a heap shares between its CPUs. Field markings as above */
struct rnd_cpus {
	/** (a) State by CPU index; RND_PCPU_NONE where none exists yet */
	struct rnd_pcpu *table[RND_CPU_COUNT];
	/** (c) The state of index 0, and the lock of all its users */
	struct rnd_pcpu *shared;
	struct rnd_lock shared_lock;
	/** (a) 1: somebody was inside it. Before that its generator is not
	 * seeded, and its pages are not touched; set under the lock
	 */
	__u32 shared_used;
	/** (a) The context inside it, on ports that stop the world; 0: none.
	 * Set under the lock
	 */
	__uptr shared_owner;
	/** (c) For making states */
	const struct rnd_pagemap *pm;
	struct rnd_vspace *vs;
	/** (c) Reservation of all states */
	__uptr area;
};

/* Stands where no state exists: its first word says busy for ever, so that
 * the fast path needs no test of its own
 */
extern const __u32 rnd_pcpu_busy;
#define RND_PCPU_NONE ((struct rnd_pcpu *)(__uptr) & rnd_pcpu_busy)

/* (a) 1: nobody may enter */
extern __u32 rnd_world_stopped __attribute__((visibility("hidden")));

/** State of a CPU index, complete, or RND_PCPU_NONE. Any context. */
static inline struct rnd_pcpu *rnd_cpus_get(const struct rnd_cpus *cpus,
					    __u32 idx)
{
	/* Acquire: pairs with the release in pcpu_create() */
	return idx ? rnd_load_acquire(&cpus->table[idx]) : cpus->shared;
}

/**
 * The same for who only wants to know what there is: RND_PCPU_NONE also for the
 * shared state, if nobody was ever inside.
 */
static inline struct rnd_pcpu *rnd_cpus_used(const struct rnd_cpus *cpus,
					     __u32 idx)
{
	/* Relaxed: who gets in at the same time may be seen or not */
	if (!idx && !rnd_load_relaxed(&cpus->shared_used))
		return RND_PCPU_NONE;

	return rnd_cpus_get(cpus, idx);
}

UK_CTASSERT(RND_CLASS_COUNT <= 64);

/** Tells whether the part of a size class is made. Any context. */
static inline __bool rnd_pcpu_has(const struct rnd_pcpu *pc, unsigned int sc)
{
	/* Acquire: pairs with the release in rnd_pcpu_class() */
	return rnd_load_acquire(&pc->made) >> sc & 1;
}

/** A context inside the library */
struct rnd_ctx {
	struct rnd_pcpu *pc;
	unsigned long flags; /* of the shared lock, if pc is the shared one */
};

/** Leaves the state that rnd_pcpu_enter() returned */
static inline void rnd_pcpu_leave(struct rnd_pcpu *pc)
{
	barrier();
	/* Release: all changes are done. Pairs with the acquire in
	 * rnd_cpus_wait()
	 */
	rnd_store_release(&pc->busy, 0);
}

/** State of the calling CPU, or RND_PCPU_NONE; to be entered */
static rnd_always_inline struct rnd_pcpu *
rnd_cpus_own(struct rnd_pcpu *const *table)
{
	return rnd_load_pointer(&table[rnd_port_cpu()]);
}

/**
 * Enters the state of the calling CPU, if it has one and is not inside yet.
 *
 * @param pc
 *   What rnd_cpus_own() returned in this context
 *
 * @return
 *   1 if entered; 0: use rnd_ctx_enter()
 */
static rnd_always_inline __bool rnd_pcpu_enter(struct rnd_pcpu *pc)
{
	if (unlikely(rnd_load_is_set(&pc->busy)))
		return 0;

	rnd_store_relaxed(&pc->busy, 1);
	barrier();
#if RND_PORT_CAN_STOP
	if (unlikely(rnd_load_is_set(&rnd_world_stopped))) {
		rnd_pcpu_leave(pc);
		return 0;
	}
#endif

	return 1;
}

/**
 * Enters the best state there is for the calling context: its own, one that
 * it leases now, or the shared one, whose lock is then held (interrupts off).
 * Never fails.
 */
struct rnd_ctx rnd_ctx_enter(struct rnd_cpus *cpus);

/** Leaves what rnd_ctx_enter() entered */
void rnd_ctx_leave(struct rnd_cpus *cpus, struct rnd_ctx ctx);

/**
 * Initializes the states of a heap: none but the shared one.
 *
 * @return
 *   - (0): Ready
 *   - (-ENOMEM): No memory; nothing changed
 */
int rnd_cpus_init(struct rnd_cpus *cpus, const struct rnd_pagemap *pm,
		  struct rnd_vspace *vs);

/** Gives the memory of all states back */
void rnd_cpus_destroy(struct rnd_cpus *cpus);

/**
 * Tells whether the calling context has interrupted an operation of its own
 * inside a state, as a signal handler does. Only while the world is stopped.
 *
 * @param idx
 *   CPU index, 0 for the shared state
 */
__bool rnd_cpus_is_interrupted(const struct rnd_cpus *cpus, __u32 idx);

/**
 * Waits until no context is inside, but for operations that the caller has
 * interrupted; only while the world is stopped.
 *
 * @param turns
 *   How often rnd_port_yield() is called for one of them, at most
 *
 * @return
 *   1; 0 if somebody still was inside then
 */
__bool rnd_cpus_wait(struct rnd_cpus *cpus, unsigned int turns);

/** Sends the outgoing batch to the owners; the caller is inside pc */
void rnd_pcpu_flush_out(struct rnd_cpus *cpus, struct rnd_pcpu *pc);

/**
 * Frees a slot of another CPU: it is REMOTE already and zero. The caller is
 * inside pc.
 */
static inline void rnd_pcpu_free_remote(struct rnd_cpus *cpus,
					struct rnd_pcpu *pc, struct rnd_slab *s,
					__u32 slot)
{
	pc->out[pc->out_cnt].slab = s;
	pc->out[pc->out_cnt].slot = slot;
	pc->remote_frees++;
	if (unlikely(++pc->out_cnt == RND_OUT_LEN))
		rnd_pcpu_flush_out(cpus, pc);
}

/** Part of a size class, made now if it is new; the caller is inside pc */
static inline struct rnd_pclass *
rnd_pcpu_class(struct rnd_cpus *cpus, struct rnd_pcpu *pc, unsigned int sc)
{
	struct rnd_pclass *pl = &pc->cls[sc];

	if (likely(pl->region))
		return pl;

	rnd_pclass_init(pl, rnd_pagemap_region(cpus->pm, sc), &cpus->pm->key,
			cpus->vs, &pc->rng, pc->idx);
	if (RND_OPT_QUARANTINE && pl->slot_len > RND_BULK_SLOT_MIN)
		rnd_pclass_join(pl, &pc->bulk);
	/* Release: the part is complete. Pairs with the acquire in
	 * rnd_pcpu_has()
	 */
	rnd_store_release(&pc->made, pc->made | 1UL << sc);

	return pl;
}

/** Part of the short class with slots of len bytes; the caller is inside */
static rnd_always_inline struct rnd_pclass *
rnd_pcpu_part_short(struct rnd_pcpu *pc, __uptr len)
{
#ifdef __x86_64__
	__uptr off;

	UK_CTASSERT(sizeof(*pc->cls) % RND_SLOT_ALIGN == 0);

	/* The index is a multiple already: one instruction less */
	__asm__("imulq %2, %1, %0"
		: "=r"(off)
		: "r"(len), "i"(sizeof(*pc->cls) / RND_SLOT_ALIGN)
		: "cc");
	return (struct rnd_pclass *)((char *)pc->cls + off);
#else
	return &pc->cls[len / RND_SLOT_ALIGN];
#endif
}

/** Part of a size class, whether it is in use or not; the caller is inside */
static rnd_always_inline struct rnd_pclass *rnd_pcpu_part(struct rnd_pcpu *pc,
							  __uptr sc)
{
#ifdef __x86_64__
	/* One instruction, where compilers prefer several shifts */
	__asm__("imulq %1, %0, %0" : "+r"(sc) : "i"(sizeof(*pc->cls)) : "cc");
	return (struct rnd_pclass *)((char *)pc->cls + sc);
#else
	return &pc->cls[sc];
#endif
}

/**
 * Takes what others freed into quarantine; the caller is inside pc.
 *
 * @return
 *   Number of slots taken
 */
__u32 rnd_pcpu_drain_inbox(struct rnd_pcpu *pc);

/**
 * Purges free slabs of one size class that were not needed for long, each time
 * of another class, unless there are more of the same: part of what happens now
 * and then. The caller is inside pc and holds no lock but the shared one.
 */
static inline void rnd_pcpu_age(struct rnd_pcpu *pc)
{
	pc->age_next = (pc->age_next ? pc->age_next : RND_CLASS_COUNT) - 1;
	if (rnd_pcpu_has(pc, pc->age_next))
		pc->age_next += rnd_pclass_age(&pc->cls[pc->age_next]);
}

/** Bytes of slots that users have, or other CPUs on the way back; the caller is
 * inside pc
 */
__sz rnd_pcpu_live(const struct rnd_pcpu *pc);

/** Empties pools, quarantines, batch and inbox; the caller is inside */
void rnd_pcpu_flush(struct rnd_cpus *cpus, struct rnd_pcpu *pc);

/**
 * Purges free slabs until they are enough. The others are as good as old: the
 * next slow paths go on with them, so that those get the memory who do not find
 * it here. The caller is inside pc.
 *
 * @param want
 *   Bytes that are enough
 *
 * @return
 *   Number of bytes given back; less than want: there were no more
 */
__sz rnd_pcpu_trim(struct rnd_pcpu *pc, __sz want);

/** Purges free slabs of all classes; the caller is inside pc */
__sz rnd_pcpu_purge(struct rnd_pcpu *pc);

#endif /* __UKALLOCRND_PCPU_H__ */
