/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/arch/lcpu.h>
#include <uk/assert.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/random.h>
#include <uk/plat/time.h>
#include <uk/spinlock.h>

#include "entropy.h"
#include "random.h"
#include "rng.h"
#include "vmgenid.h"

/* RANDOM_SECONDS while nobody knows how fast the clock is */
#define PERIOD_UNKNOWN (1UL << 37)

#define GENID_WORDS (VMGENID_LEN / sizeof(__u64))

/** (o) its CPU, or the lock */
struct random_gen {
	/** (o) */
	struct plat_rng rng;
	/** (o) Bytes that may be drawn until it is reseeded */
	__u64 left;
	/** (o) Time stamp of the last time, and how often that was */
	__u64 stamp;
	__u64 reseeds;
} __align(128);

static struct uk_spinlock random_lock = UK_SPINLOCK_INITIALIZER();
/* Under the lock; all others are made of it */
static struct random_gen first;
static struct random_gen gens[CONFIG_UKPLAT_LCPU_MAXCOUNT];
/* (a) CPUs have their %gs */
static __u32 gens_on;
__u32 random_epoch = 1;

/* (c) What the seed is worth */
static int random_strong, random_fixed;

/* (c) The generation id, or __NULL; (a) what it was, changed under the lock */
static const volatile __u64 *genid;
static __u64 genid_seen[GENID_WORDS];

static __u32 epoch_now(void)
{
	/* Acquire: what came with it is in `first`. Pairs with the release in
	 * epoch_begin()
	 */
	return __atomic_load_n(&random_epoch, __ATOMIC_ACQUIRE);
}

/*
 * Seeding
 */

static void gen_fresh(struct random_gen *g, __u32 epoch)
{
	if (likely(!random_fixed))
		entropy_fresh(&g->rng);
	g->left = RANDOM_BYTES;
	g->stamp = ukarch_rdtsc();
	g->rng.epoch = epoch;
	g->reseeds++;
}

static int gen_is_due(const struct random_gen *g, __sz len)
{
	__u64 hz = ukplat_tsc_hz();
	__u64 period = likely(hz) ? hz * RANDOM_SECONDS : PERIOD_UNKNOWN;

	return g->rng.epoch != epoch_now() || g->left < len ||
	       ukarch_rdtsc() - g->stamp >= period;
}

/* Draws from the first generator; under the lock */
static void first_bytes(void *buf, __sz len)
{
	if (unlikely(gen_is_due(&first, len)))
		gen_fresh(&first, epoch_now());
	first.left -= MIN(len, first.left);
	plat_rng_bytes(&first.rng, buf, len);
}

/* Interrupts are disabled */
static void __noinline gen_reseed(struct random_gen *g)
{
	__u8 key[PLAT_CHACHA_KEY_LEN];
	__u32 epoch;

	uk_spin_lock(&random_lock);
	epoch = epoch_now();
	first_bytes(key, sizeof(key));
	uk_spin_unlock(&random_lock);
	plat_rng_mix(&g->rng, key, sizeof(key));
	memset(key, 0, sizeof(key));
	barrier();
	gen_fresh(g, epoch);
}

void random_init(const __u8 *key, unsigned int bits, unsigned int flags)
{
	random_fixed = !!(flags & ENTROPY_FIXED);
	random_strong = !random_fixed && bits >= ENTROPY_STRONG;
	plat_rng_mix(&first.rng, key, PLAT_CHACHA_KEY_LEN);
	gen_fresh(&first, random_epoch);
	if (entropy_judge(bits, flags))
		ukplat_terminate(UKPLAT_EXIT_CRASH);
}

void random_cpu_init(void)
{
	__u32 idx = ukplat_lcpu_idx();

	UK_ASSERT(ukplat_lcpu_irqs_disabled());
	/* Relaxed: the other CPUs are started later */
	__atomic_store_n(&gens_on, 1, __ATOMIC_RELAXED);
	/* In this order: what is seeded later is in no older epoch */
	random_epoch_init();
	gen_reseed(&gens[idx]);
}

/*
 * Epochs
 */

/* Under the lock */
static void epoch_begin(const void *seed, __sz len)
{
	__u32 epoch = random_epoch + 1;

	plat_rng_mix(&first.rng, seed, len);
	if (unlikely(!epoch))
		epoch = 1;
	gen_fresh(&first, epoch);
	/* Release: pairs with the acquire in epoch_now() */
	__atomic_store_n(&random_epoch, epoch, __ATOMIC_RELEASE);
}

static int genid_has_changed(void)
{
	unsigned int i;
	__u64 diff = 0;

	if (!genid)
		return 0;
	for (i = 0; i < GENID_WORDS; i++)
		diff |= genid[i] ^
			__atomic_load_n(&genid_seen[i], __ATOMIC_RELAXED);
	return diff != 0;
}

static void genid_note(void)
{
	unsigned int i;

	for (i = 0; i < GENID_WORDS; i++)
		__atomic_store_n(&genid_seen[i], genid[i], __ATOMIC_RELAXED);
}

static void __noinline genid_follow(void)
{
	unsigned long irqf = uk_spin_lock_irqsave(&random_lock);
	int is_new = genid_has_changed();

	/* Another CPU may have been faster */
	if (is_new) {
		genid_note();
		epoch_begin(genid_seen, sizeof(genid_seen));
	}
	uk_spin_unlock_irqrestore(&random_lock, irqf);
	if (is_new)
		random_announce();
}

void random_genid_poll(void)
{
	if (unlikely(genid_has_changed()))
		genid_follow();
}

void random_genid_init(const volatile void *id)
{
	unsigned long irqf = uk_spin_lock_irqsave(&random_lock);

	genid = id;
	genid_note();
	plat_rng_mix(&first.rng, genid_seen, sizeof(genid_seen));
	uk_spin_unlock_irqrestore(&random_lock, irqf);
}

void ukplat_random_resumed(const void *seed, __sz len)
{
	unsigned long irqf = uk_spin_lock_irqsave(&random_lock);

	epoch_begin(seed, len);
	uk_spin_unlock_irqrestore(&random_lock, irqf);
	random_announce();
}

__u32 ukplat_random_epoch(void)
{
	random_genid_poll();
	return epoch_now();
}

/*
 * Drawing
 */

/* Generator of this CPU, or __NULL; interrupts are disabled */
static struct random_gen *gen_own(void)
{
	struct random_gen *g;

	if (unlikely(!__atomic_load_n(&gens_on, __ATOMIC_RELAXED)))
		return __NULL;
	g = &gens[ukplat_lcpu_idx()];
	return likely(g->rng.epoch) ? g : __NULL;
}

__u64 ukplat_random_reseeds(void)
{
	return gens[ukplat_lcpu_idx()].reseeds;
}

int ukplat_random_is_strong(void)
{
	return random_strong;
}

void ukplat_random_bytes(void *buf, __sz len)
{
	unsigned long irqf = ukplat_lcpu_save_irqf();
	struct random_gen *g = gen_own();

	random_genid_poll();
	if (likely(g)) {
		if (unlikely(gen_is_due(g, len)))
			gen_reseed(g);
		g->left -= MIN(len, g->left);
		plat_rng_bytes(&g->rng, buf, len);
	} else {
		uk_spin_lock(&random_lock);
		first_bytes(buf, len);
		uk_spin_unlock(&random_lock);
	}
	ukplat_lcpu_restore_irqf(irqf);
}

__u64 ukplat_random_uniform(__u64 bound)
{
	__u64 min = (0UL - bound) % bound;
	__u64 word;

	UK_ASSERT(bound);
	/* Smaller words would make small results more frequent */
	do {
		ukplat_random_bytes(&word, sizeof(word));
	} while (unlikely(word < min));
	return word % bound;
}

void plat_rng_fork(struct plat_rng *rng)
{
	__u32 epoch = ukplat_random_epoch();
	__u8 key[PLAT_CHACHA_KEY_LEN];

	ukplat_random_bytes(key, sizeof(key));
	plat_rng_mix(rng, key, sizeof(key));
	rng->epoch = epoch;
	memset(key, 0, sizeof(key));
	barrier();
}
