/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>

#include "generation.h"

/* Turns of a wait after which CPUs are interrupted once more: one that had
 * not started when the first interrupt was sent never saw it
 */
#define INTERRUPT_TURNS (1U << 16)

/* Turns until a CPU gets an NMI: it has interrupts disabled and does not poll,
 * and may wait for the one that waits here
 */
#define NMI_TURNS (1U << 18)

__u64 rnd_generation;
struct rnd_generation_cpu rnd_generation_cpus[RND_GLUE_CPUS];

void rnd_generation_ack(void)
{
	struct rnd_generation_cpu *own = &rnd_generation_cpus[rnd_glue_cpu()];
	__u64 gen;

	/* Acquire: the page tables are seen as they were when it started.
	 * Pairs with the addition in rnd_generation_start()
	 */
	gen = __atomic_load_n(&rnd_generation, __ATOMIC_ACQUIRE);
	rnd_glue_forget_all();
	/* Release: flushed before it is published. An interrupt in between
	 * may have published a newer one, which is only lost: somebody waits
	 * longer. Pairs with the load in cpu_passed()
	 */
	__atomic_store_n(&own->seen, gen, __ATOMIC_RELEASE);
}

__u64 rnd_generation_start(void)
{
	/* Orders the changes of page tables before the loads of who is
	 * started in cpu_passed(): a CPU that starts later sees
	 * them. Pairs with the load in rnd_generation_ack()
	 */
	return __atomic_add_fetch(&rnd_generation, 1, __ATOMIC_SEQ_CST);
}

#if RND_GLUE_SMP

static __bool cpu_passed(__u32 cpu, __u64 gen)
{
	/* Acquire: the CPU has flushed. Pairs with the store in
	 * rnd_generation_ack()
	 */
	return __atomic_load_n(&rnd_generation_cpus[cpu].seen,
			       __ATOMIC_ACQUIRE) >= gen ||
	       !rnd_glue_cpu_is_started(cpu);
}

__bool rnd_generation_passed(__u64 gen)
{
	__u32 cpu;

	for (cpu = 0; cpu < RND_GLUE_CPUS; cpu++)
		if (!cpu_passed(cpu, gen))
			return 0;
	return 1;
}

static void others_foreach(__u64 gen, void (*fn)(__u32 cpu))
{
	__u32 own = rnd_glue_cpu(), cpu;

	for (cpu = 0; cpu < RND_GLUE_CPUS; cpu++)
		if (cpu != own && !cpu_passed(cpu, gen))
			fn(cpu);
}

void rnd_generation_wait(__u64 gen)
{
	unsigned int turns;

	for (turns = 0; !rnd_generation_passed(gen); turns++) {
		if (turns % INTERRUPT_TURNS == 0)
			others_foreach(gen, rnd_glue_cpu_interrupt);
		if (turns % NMI_TURNS == NMI_TURNS - 1)
			others_foreach(gen, rnd_glue_cpu_nmi);
		rnd_generation_poll();
		__builtin_ia32_pause();
	}
}

#else

__bool rnd_generation_passed(__u64 gen __unused)
{
	return 1;
}

void rnd_generation_wait(__u64 gen __unused) {}

#endif
