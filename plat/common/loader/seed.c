/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/print.h>

#include "../random.h"
#include "loader.h"
#include "seed.h"

#define SEED_WORDS	   16
#define SEED_DIGITS_STRONG 32

static unsigned int seed_mix(struct plat_rng *rng, const char *val)
{
	unsigned int n = 0;

	while (val[n] && val[n] != ' ')
		n++;
	plat_rng_mix(rng, val, n);
	return n;
}

__u32 seed_gather(struct plat_rng *rng)
{
	__u64 words[SEED_WORDS];
	const char *val;
	int strong = 0;

	if (ukplat_cmdline_find("seed", &val))
		strong = seed_mix(rng, val) >= SEED_DIGITS_STRONG;
	if (ukplat_cmdline_find("debugseed", &val)) {
		plat_rng_mix(rng, "debugseed", sizeof("debugseed"));
		return 0;
	}
	if (entropy_hardware(words, SEED_WORDS))
		strong = 1;
	plat_rng_mix(rng, words, sizeof(words));
	entropy_jitter(words, SEED_WORDS);
	plat_rng_mix(rng, words, sizeof(words));
	plat_rng_mix(rng, &boot_info, sizeof(boot_info));
	memset(words, 0, sizeof(words));
	barrier();
	return strong ? 256 : 0;
}
