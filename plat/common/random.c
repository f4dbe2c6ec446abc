/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/random.h>
#include <uk/print.h>
#include <uk/spinlock.h>

#include "bootinfo.h"
#include "random.h"
#include "rng.h"

#define SEED_WORDS	 16
#define SEED_BITS_STRONG 128

static struct uk_spinlock random_lock = UK_SPINLOCK_INITIALIZER();
static struct plat_rng random_rng;
static int random_strong;

void random_init(const __u8 *key, __u32 bits)
{
	__u64 words[SEED_WORDS];
	const char *val;

	random_strong = bits >= SEED_BITS_STRONG;
	plat_rng_mix(&random_rng, key, BOOT_KEY_LEN);
	if (ukplat_cmdline_find("debugseed", &val)) {
		uk_pr_warn("random: debugseed: all addresses are fixed\n");
		return;
	}
	(void)entropy_hardware(words, SEED_WORDS);
	plat_rng_mix(&random_rng, words, sizeof(words));
	memset(words, 0, sizeof(words));
	barrier();
	if (!random_strong)
		uk_pr_warn("random: no RDRAND, no RDSEED, no seed=: random "
			   "addresses rest on timing jitter alone\n");
}

int ukplat_random_is_strong(void)
{
	return random_strong;
}

void ukplat_random_bytes(void *buf, __sz len)
{
	unsigned long irqf;

	irqf = uk_spin_lock_irqsave(&random_lock);
	plat_rng_bytes(&random_rng, buf, len);
	uk_spin_unlock_irqrestore(&random_lock, irqf);
}

__u64 ukplat_random_uniform(__u64 bound)
{
	unsigned long irqf;
	__u64 val;

	UK_ASSERT(bound);
	irqf = uk_spin_lock_irqsave(&random_lock);
	val = plat_rng_uniform64(&random_rng, bound);
	uk_spin_unlock_irqrestore(&random_lock, irqf);
	return val;
}

void plat_rng_fork(struct plat_rng *rng)
{
	__u8 key[PLAT_CHACHA_KEY_LEN];

	ukplat_random_bytes(key, sizeof(key));
	plat_rng_mix(rng, key, sizeof(key));
	memset(key, 0, sizeof(key));
	barrier();
}
