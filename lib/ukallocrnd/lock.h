/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_LOCK_H__
#define __UKALLOCRND_LOCK_H__

/* Spinlocks with a rank
 *
 * Why
 *   Locks are taken on slow paths only and held for short times, also by
 *   interrupt handlers. When CPUs are virtual and fewer run than exist, a
 *   queue would make everybody wait for one that does not run.
 *
 * How
 *   Test-and-test-and-set: waiters read until the lock looks free, then one
 *   of them wins the exchange. Interrupts are off while the lock is held and
 *   as the caller had them while it waits, so that a waiting CPU still
 *   answers the others.
 *
 * Invariants
 *   L1  A context takes a lock only while every lock it holds has a smaller
 *       rank (lockrank.h). Tested with CONFIG_LIBUKALLOCRND_DEBUG_LOCKS where
 *       the port has a variable per context; clang tests on top that each
 *       function holds what it says (-Wthread-safety).
 *   L2  Between acquire and release nothing waits, prints, or calls out of
 *       the library, except for the port functions that port.h allows.
 */

#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/essentials.h>

#include "atomic.h"
#include "config.h"
#include "lockrank.h"
#include "port.h"

#ifdef __clang__
#define RND_ATTR(...) __attribute__((__VA_ARGS__))
#else
#define RND_ATTR(...)
#endif

/** The function returns with the lock held */
#define RND_ACQUIRES(lock) RND_ATTR(acquire_capability(lock))
/** The function gives the lock back */
#define RND_RELEASES(lock) RND_ATTR(release_capability(lock))
/** The caller holds the lock */
#define RND_REQUIRES(lock) RND_ATTR(requires_capability(lock))
/** The caller does not hold the lock */
#define RND_EXCLUDES(lock) RND_ATTR(locks_excluded(lock))
/** The body is beyond the analysis, its attributes hold nevertheless */
#define RND_UNANALYZED	   RND_ATTR(no_thread_safety_analysis)

/* A port that can name a storage class for variables of each context has its
 * ranks checked
 */
#if RND_OPT_DEBUG_LOCKS && defined(RND_PORT_PER_CONTEXT)
#define RND_LOCK_RANKED 1
/* Set of the ranks that the context holds, one bit each. Weak: the one variable
 * of all files that include this header
 */
__weak RND_PORT_PER_CONTEXT __u32 rnd_lock_held;
#else
#define RND_LOCK_RANKED 0
#endif

/* Looks at a taken lock before the host's scheduler is asked for help: the
 * owner may have lost its processor
 */
#define RND_LOCK_SPINS 100

/** A lock. Field markings: (c) constant after init, (a) atomic */
struct RND_ATTR(capability("mutex")) rnd_lock {
	/** (a) 0 free, 1 taken */
	__u32 taken;

	/** (c) One of enum rnd_rank */
	__u32 rank;
};

#define RND_LOCK_INIT(lock_rank)                                               \
	{                                                                      \
		.taken = 0, .rank = (lock_rank)                                \
	}

/** Initializes a free lock */
static inline void rnd_lock_init(struct rnd_lock *l, enum rnd_rank rank)
{
	l->taken = 0;
	l->rank = rank;
}

/* The context is about to take l: L1 */
static inline void rnd_lock_rank_enter(const struct rnd_lock *l)
{
	(void)l;
#if RND_LOCK_RANKED
	UK_ASSERT(l->rank > RND_RANK_NONE && l->rank <= RND_RANK_REPORT);
	UK_ASSERT(!(rnd_lock_held >> l->rank));
	rnd_lock_held |= 1U << l->rank;
#endif
}

static inline void rnd_lock_rank_leave(const struct rnd_lock *l)
{
	(void)l;
#if RND_LOCK_RANKED
	UK_ASSERT(rnd_lock_held & (1U << l->rank));
	rnd_lock_held &= ~(1U << l->rank);
#endif
}

/**
 * Takes a lock, waiting as long as necessary, and turns interrupts off.
 *
 * Context: any CPU, interrupts on or off, no lock of the same or a higher
 * rank held.
 *
 * @param l
 *   The lock
 *
 * @return
 *   Interrupt state of the caller, for rnd_lock_release()
 */
static inline unsigned long rnd_lock_acquire(struct rnd_lock *l)
	RND_ACQUIRES(l) RND_UNANALYZED
{
	rnd_lock_rank_enter(l);
	for (;;) {
		unsigned long flags = rnd_port_irq_save();
		unsigned int spins;

		/* Acquire: the previous owner's writes are visible. Pairs with
		 * the release in rnd_lock_release()
		 */
		if (likely(!rnd_xchg_acquire(&l->taken, 1)))
			return flags;

		rnd_port_irq_restore(flags);
		for (spins = 1; rnd_load_relaxed(&l->taken); spins++) {
			rnd_port_pause();
			if (spins % RND_LOCK_SPINS == 0)
				rnd_port_yield(spins / RND_LOCK_SPINS - 1);
		}
	}
}

/**
 * Gives a lock back and restores the interrupt state.
 *
 * @param l
 *   The lock, held by the caller
 * @param flags
 *   What rnd_lock_acquire() returned
 */
static inline void rnd_lock_release(struct rnd_lock *l, unsigned long flags)
	RND_RELEASES(l) RND_UNANALYZED
{
	rnd_lock_rank_leave(l);

	/* Release: publishes the writes of the critical section. Pairs with the
	 * acquire in rnd_lock_acquire()
	 */
	rnd_store_release(&l->taken, 0);
	rnd_port_irq_restore(flags);
}

/** Tells whether anybody holds the lock at this moment; for assertions */
static inline __bool rnd_lock_is_taken(const struct rnd_lock *l)
{
	return rnd_load_relaxed(&l->taken) != 0;
}

#endif /* __UKALLOCRND_LOCK_H__ */
