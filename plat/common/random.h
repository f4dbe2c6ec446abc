/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_RANDOM_PRIV_H__
#define __UKPLAT_RANDOM_PRIV_H__

/* The platform's generators; their use is <uk/plat/random.h>
 *
 * How
 *   There is one generator for the boot, under a lock, and one for each CPU,
 *   which only its CPU touches, with interrupts off. That of a CPU is made of
 *   32 bytes of the first one and fresh words of the CPU. It is reseeded in
 *   the same way after RANDOM_BYTES bytes, after RANDOM_SECONDS, and when the
 *   epoch has changed; the first one from fresh words alone.
 *
 *   The epoch is a number that changes when this machine may have become two,
 *   by a snapshot that was resumed twice: whatever was drawn ahead before is
 *   known to the other one. Generators that others own follow it, see
 *   plat_rng_follow().
 *
 * Invariants
 *   G1 a generator whose epoch is not 0 was seeded
 *   G2 what is drawn after an epoch was noticed depends on what came with it
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "rng.h"

/* A generator is reseeded after as much, whichever comes first */
#define RANDOM_BYTES   (256UL * 1024)
#define RANDOM_SECONDS 60UL

/** (a) Number of the epoch, never 0 */
extern __u32 random_epoch;

/**
 * Seeds the first generator from what somebody else has collected, and from
 * fresh words of the processor. Prints a warning if that is not good enough,
 * or ends the guest where a strong seed is required. Called once, first of
 * all, on the boot CPU.
 *
 * @param key
 *   PLAT_CHACHA_KEY_LEN bytes; the caller wipes them
 * @param bits
 *   What entropy_collect() returned
 * @param flags
 *   What it said about the sources
 */
void random_init(const __u8 *key, unsigned int bits, unsigned int flags);

/**
 * Gives the calling CPU its generator. Until then it uses the first one.
 *
 * **Context:** %gs is set, interrupts are disabled
 */
void random_cpu_init(void);

/**
 * Takes note of a new generation id, before other CPUs start.
 *
 * @param id
 *   VMGENID_LEN bytes that whoever runs this machine changes when it has
 *   become another one; mapped for good
 */
void random_genid_init(const volatile void *id);

/**
 * Starts a new epoch if the generation id has changed. Any context but NMI.
 */
void random_genid_poll(void);

/**
 * Tells all CPUs about a new epoch. In random_epoch.c; called without the lock
 * of the first generator. Any context but NMI.
 */
void random_announce(void);

/** Notes the epoch in which the calling CPU starts. */
void random_epoch_init(void);

/**
 * Has the calling CPU drop what it has drawn ahead if the epoch is new to it.
 * Interrupt handlers call it; interrupts are disabled.
 */
void random_epoch_irq(void);

/** Makes the next draw of a generator of the platform use the new epoch. */
static inline void plat_rng_follow(struct plat_rng *rng)
{
	/* Relaxed: who needs to see it at once has noticed it himself */
	if (unlikely(rng->epoch !=
		     __atomic_load_n(&random_epoch, __ATOMIC_RELAXED)))
		plat_rng_fork(rng);
}

#endif /* __UKPLAT_RANDOM_PRIV_H__ */
