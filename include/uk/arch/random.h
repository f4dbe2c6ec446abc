/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_ARCH_RANDOM_H__
#define __UK_ARCH_RANDOM_H__

/* Random instructions of the processor
 *
 * Both may fail for a while; the manual asks for ten tries of RDRAND. They
 * trap on processors without them: ask CPUID first.
 *
 * Source
 *   SDM 1 7.3.17
 */

#include <uk/arch/types.h>

#define UKARCH_RANDOM_TRIES 10

/**
 * Draws from the generator of the processor.
 *
 * @return
 *   1 if *val was filled, 0 if the generator had nothing
 */
/* NOLINTNEXTLINE(readability-non-const-parameter): the asm writes to it */
static inline int ukarch_random_u64(__u64 *val)
{
	unsigned char ok = 0;
	int i;

	/* cppcheck-suppress knownConditionTrueFalse; the asm writes to ok */
	for (i = 0; i < UKARCH_RANDOM_TRIES && !ok; i++)
		__asm__ __volatile__("rdrand %0; setc %1"
				     : "=r"(*val), "=qm"(ok)
				     :
				     : "cc");
	return ok;
}

/** As ukarch_random_u64(), from the entropy source itself. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the asm writes to it */
static inline int ukarch_random_seed_u64(__u64 *val)
{
	unsigned char ok = 0;
	int i;

	/* cppcheck-suppress knownConditionTrueFalse; the asm writes to ok */
	for (i = 0; i < UKARCH_RANDOM_TRIES && !ok; i++)
		__asm__ __volatile__("rdseed %0; setc %1"
				     : "=r"(*val), "=qm"(ok)
				     :
				     : "cc");
	return ok;
}

#endif /* __UK_ARCH_RANDOM_H__ */
