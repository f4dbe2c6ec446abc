/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_PORT_INLINE_H__
#define __UKALLOCRND_PORT_INLINE_H__

/* The inlined part of the port to Unikraft: a context is a CPU */

#include <uk/arch/types.h>
#include <uk/config.h>

#include "generation.h"
#include "glue.h"

/* There is no fork: whoever looks at all states sees to quiescence */
#define RND_PORT_CAN_STOP 0

/* Fresh pages cost no more than moving old ones */
#define RND_PORT_MOVE_PAYS 0

#define RND_PORT_KNOWS_BACKED 0

/* Pages have frames from commit to decommit */
#define RND_PORT_DISCARDS 0

/* A commit takes frames for all of its pages at once: what is only there to
 * choose from costs memory, so there is less of it
 */
#define RND_PORT_CHOICE_BYTES (64UL * 1024)

/* So is what waits: long slots share a part of the stage that others have */
#define RND_PORT_BULK_PART 4

/* Threads use vector registers: who puts them back may use them */
#define RND_PORT_LENDS_SSE 1

/* The counters of ukalloc are for one CPU without interrupts */
#define RND_PORT_COUNTS_RACE 1

/** Registers of 32 bytes are not lent: they depend on the configuration */
static inline __bool rnd_port_lends_avx(void)
{
	return 0;
}

/** Sets errno, where the calling context has one */
static inline void rnd_port_errno(int number)
{
	rnd_glue_errno(number);
}

/**
 * Index of the calling context's per-CPU state; 0 is the shared one. An
 * interrupt handler gets the index of the CPU it interrupted and finds its
 * state busy if it came at the wrong moment.
 */
static inline __u32 rnd_port_cpu(void)
{
	__u32 cpu = rnd_glue_cpu() + 1;

#if RND_GLUE_CPUS >= CONFIG_LIBUKALLOCRND_CPUS
	if (unlikely(cpu >= CONFIG_LIBUKALLOCRND_CPUS))
		return 0;
#endif
	return cpu;
}

/* Unikraft does not say when a machine was resumed */
#define RND_PORT_HAS_EPOCH 0

static inline __u32 rnd_port_epoch(void)
{
	return 0;
}

/** Lets the other CPUs go on that wait for this one */
static inline void rnd_port_poll(void)
{
	rnd_generation_poll();
}

/**
 * Tells the CPU that it waits for another one. That one may wait for a TLB
 * shootdown, so every turn of a waiting loop answers what is outstanding.
 */
static inline void rnd_port_pause(void)
{
	rnd_generation_poll();
	__builtin_ia32_pause();
}

/* Stack that is used while a lock is held, at most */
#define RND_STACK_NEEDED 2048

/* A stack of ukvmem gets its pages when they are touched, by a fault that takes
 * locks of memory management: not below one of them, or of ours
 */
static inline void rnd_port_stack_touch(void)
{
	__asm__ __volatile__("testb $0, -%c0(%%rsp)"
			     :
			     : "i"(RND_STACK_NEEDED)
			     : "cc", "memory");
}

/** Disables interrupts; the result is for rnd_port_irq_restore() */
static inline unsigned long rnd_port_irq_save(void)
{
	rnd_port_stack_touch();
	return rnd_glue_irq_save();
}

/** Enables interrupts if they were enabled before */
static inline void rnd_port_irq_restore(unsigned long flags)
{
	rnd_glue_irq_restore(flags);
}

#endif /* __UKALLOCRND_PORT_INLINE_H__ */
