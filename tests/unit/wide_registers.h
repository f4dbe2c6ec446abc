/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_WIDE_REGISTERS_H__
#define __TEST_WIDE_REGISTERS_H__

#include <cpuid.h>

/** Tells whether there is what fill_saved.h needs for registers of 32 bytes:
 * AVX2, and XGETBV with 1, which valgrind does not have.
 */
static inline int has_wide_registers(void)
{
	unsigned int a, b, c, d;

	return __builtin_cpu_supports("avx2") &&
	       __get_cpuid_count(13, 1, &a, &b, &c, &d) && a & 4;
}

#endif /* __TEST_WIDE_REGISTERS_H__ */
