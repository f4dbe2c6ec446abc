/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/random.h>
#include <uk/essentials.h>

#include "../random.h"

#define CPUID_FEATURES	   1
#define CPUID_FEATURES_EXT 7

/* Time stamps that go into one word */
#define JITTER_SAMPLES 32

static int has_rdrand(void)
{
	return !!(ukarch_cpuid(CPUID_FEATURES, 0).ecx & X86_CPUID1_ECX_RDRAND);
}

static int has_rdseed(void)
{
	return ukarch_cpuid(0, 0).eax >= CPUID_FEATURES_EXT &&
	       ukarch_cpuid(CPUID_FEATURES_EXT, 0).ebx & X86_CPUID7_EBX_RDSEED;
}

int entropy_hardware(__u64 *words, unsigned int cnt)
{
	int seed = has_rdseed(), rand = has_rdrand();
	unsigned int i;
	int good = seed || rand;
	int ok;

	for (i = 0; i < cnt; i++) {
		words[i] = 0;
		ok = seed && ukarch_random_seed_u64(&words[i]);
		/* The source may be exhausted for a while, RDRAND is not */
		if (!ok)
			ok = rand && ukarch_random_u64(&words[i]);
		/* There are processors that return the same word for ever */
		if (!ok || (i && words[i] == words[i - 1]))
			good = 0;
	}
	return good;
}

void entropy_jitter(__u64 *words, unsigned int cnt)
{
	unsigned int i, k;
	__u64 mix;

	for (i = 0; i < cnt; i++) {
		mix = 0;
		for (k = 0; k < JITTER_SAMPLES; k++) {
			mix = (mix << 5 | mix >> 59) ^ ukarch_rdtsc();
			/* Serialises: takes a varying time in a guest */
			(void)ukarch_cpuid(0, 0);
		}
		words[i] = mix;
	}
}
