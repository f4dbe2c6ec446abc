/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_PORT_INLINE_H__
#define __UKALLOCRND_PORT_INLINE_H__

/* The inlined part of the guest port: a context is a CPU */

#include <errno.h>

#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/random.h>
#include <uk/plat/tlb.h>

/* The guest has no fork: whoever looks at all states sees to quiescence */
#define RND_PORT_CAN_STOP 0

/* All CPUs that run would have to be interrupted for each object */
#define RND_PORT_MOVE_PAYS 0

/* Pages without frames are zero, and which they are is known at once: long
 * slots of which few pages were touched are cleared where they were
 */
#define RND_PORT_KNOWS_BACKED 1

/* A page keeps its frame until decommit */
#define RND_PORT_DISCARDS 0

/* The guest is compiled without vector registers, and no interrupt saves them:
 * who puts them back may use them, in handlers, too
 */
#define RND_PORT_LENDS_SSE 1

/* ukalloc counts for itself */
#define RND_PORT_COUNTS_RACE 0

/** Tells whether registers of 32 bytes are lent: on every CPU or on none */
static inline __bool rnd_port_lends_avx(void)
{
	return ukplat_lcpu_has_avx();
}

/** Sets errno, where the calling context has one */
static inline void rnd_port_errno(int number)
{
	errno = number;
}

/* What is there to choose from is touched in time and then costs memory, so
 * there is less of it
 */
#define RND_PORT_CHOICE_BYTES (64UL * 1024)

/* So is what waits: long slots share a part of the stage that others have */
#define RND_PORT_BULK_PART 4

/**
 * Index of the calling context's per-CPU state; 0 is the shared one. An
 * interrupt handler gets the index of the CPU it interrupted and finds its
 * state busy if it came at the wrong moment.
 */
static inline __u32 rnd_port_cpu(void)
{
	__u32 cpu = ukplat_lcpu_idx() + 1;

#if CONFIG_UKPLAT_LCPU_MAXCOUNT >= CONFIG_LIBUKALLOCRND_CPUS
	if (unlikely(cpu >= CONFIG_LIBUKALLOCRND_CPUS))
		return 0;
#endif
	return cpu;
}

/* A virtual machine can be copied while it runs */
#define RND_PORT_HAS_EPOCH 1

/**
 * Number of the epoch, never 0: another one means that somebody else may know
 * what was drawn ahead. Slow paths ask for it.
 */
static inline __u32 rnd_port_epoch(void)
{
	return ukplat_random_epoch();
}

/** Lets the other CPUs go on that wait for this one: three instructions */
static inline void rnd_port_poll(void)
{
	ukplat_tlb_poll();
}

/**
 * Tells the CPU that it waits for another one. That one may wait for a TLB
 * shootdown, so every turn of a waiting loop answers what is outstanding.
 */
static inline void rnd_port_pause(void)
{
	ukplat_tlb_poll();
	__builtin_ia32_pause();
}

/** Disables interrupts; the result is for rnd_port_irq_restore() */
static inline unsigned long rnd_port_irq_save(void)
{
	return ukplat_lcpu_save_irqf();
}

/** Enables interrupts if they were enabled before */
static inline void rnd_port_irq_restore(unsigned long flags)
{
	ukplat_lcpu_restore_irqf(flags);
}

#endif /* __UKALLOCRND_PORT_INLINE_H__ */
