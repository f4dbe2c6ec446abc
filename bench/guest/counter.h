/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTBENCH_COUNTER_H__
#define __GUESTBENCH_COUNTER_H__

/* The counter of the exact mode: under QEMU's -icount shift=0 the time stamp
 * counter counts the instructions that all CPUs have executed.
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/types.h>

/** Instructions so far. */
static inline __u64 bench_counter(void)
{
	return ukarch_rdtsc();
}

/** What reading the counter twice adds to a difference. */
static inline __u64 bench_counter_cost(void)
{
	__u64 start = bench_counter();

	return bench_counter() - start;
}

#endif /* __GUESTBENCH_COUNTER_H__ */
