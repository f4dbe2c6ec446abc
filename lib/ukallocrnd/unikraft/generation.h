/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_UNIKRAFT_GENERATION_H__
#define __UKALLOCRND_UNIKRAFT_GENERATION_H__

/* Generations: when has every CPU forgotten an old translation?
 *
 * How
 *   Whoever wants to know starts a new generation. Each CPU publishes the
 *   newest one that it has flushed its TLB for; it looks for a new one in
 *   the slow paths of the allocator and while it waits for a lock. When all
 *   CPUs have passed a generation, what was unmapped before it is forgotten.
 *   Who cannot wait interrupts those that have not come by.
 *
 * Invariants
 *   N1 A CPU publishes a generation only after it has flushed for it.
 *   N2 What was unmapped before a generation started is remembered by no CPU
 *      that has passed it.
 *
 * Source
 *   Linux's tlb_gen and LATR (ASPLOS 2018).
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "glue.h"

struct rnd_generation_cpu {
	/** Newest generation that the CPU has flushed for */
	__u64 seen;
} __align(64);

extern __u64 rnd_generation;
extern struct rnd_generation_cpu rnd_generation_cpus[RND_GLUE_CPUS];

/** Flushes and publishes. Any context. */
void rnd_generation_ack(void);

/** Flushes and publishes if there is a new generation. Any context. */
static inline void rnd_generation_poll(void)
{
#if RND_GLUE_SMP
	struct rnd_generation_cpu *own = &rnd_generation_cpus[rnd_glue_cpu()];

	/* Relaxed: rnd_generation_ack() loads it again */
	if (unlikely(__atomic_load_n(&rnd_generation, __ATOMIC_RELAXED) !=
		     __atomic_load_n(&own->seen, __ATOMIC_RELAXED)))
		rnd_generation_ack();
#endif
}

/**
 * Starts a generation, for everything that the caller, or anybody before it
 * under the same lock, has unmapped.
 *
 * @return
 *   Its number
 */
__u64 rnd_generation_start(void);

/** True if all CPUs have passed a generation. */
__bool rnd_generation_passed(__u64 gen);

/**
 * Waits until all CPUs have passed a generation, and interrupts those that
 * have not. Any context; the caller may hold locks of the library, because who
 * waits for one polls.
 */
void rnd_generation_wait(__u64 gen);

#endif /* __UKALLOCRND_UNIKRAFT_GENERATION_H__ */
