/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/random.h>
#include <uk/essentials.h>

#include "../entropy.h"

#define CPUID_FEATURES	   1
#define CPUID_FEATURES_EXT 7

static int has_rdrand(void)
{
	return !!(ukarch_cpuid(CPUID_FEATURES, 0).ecx & X86_CPUID1_ECX_RDRAND);
}

static int has_rdseed(void)
{
	return ukarch_cpuid(0, 0).eax >= CPUID_FEATURES_EXT &&
	       ukarch_cpuid(CPUID_FEATURES_EXT, 0).ebx & X86_CPUID7_EBX_RDSEED;
}

unsigned int entropy_cpu_sources(void)
{
	return (has_rdseed() ? ENTROPY_RDSEED : 0) |
	       (has_rdrand() ? ENTROPY_RDRAND : 0);
}

int entropy_cpu_word(unsigned int source, __u64 *word)
{
	return source == ENTROPY_RDSEED ? ukarch_random_seed_u64(word) :
					  ukarch_random_u64(word);
}

__u64 entropy_cpu_stamp(void)
{
	/* Serialises: takes a varying time in a guest */
	(void)ukarch_cpuid(0, 0);
	return ukarch_rdtsc();
}
