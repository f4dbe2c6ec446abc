/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Small objects that are written many times
 *
 * Pattern
 *   E. Berger and others, Hoard, ASPLOS 2000: each CPU allocates an object,
 *   writes it many times, and frees it.
 *
 * Question
 *   Does an object of one CPU share a cache line with that of another one?
 *   Time tells in the parallel mode; the exact mode has what the operation
 *   executes on more CPUs.
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define OPS    64UL
#define WRITES 16U

static const __sz sizes[] = { 8, 0 };

static unsigned long cache_thrash(struct bench_run *run)
{
	return bench_pairs(run, OPS, WRITES);
}

const struct bench_workload bench_cache_thrash = {
	.name = "cache-thrash",
	.sizes = sizes,
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.scale = 1,
	.parallel = 1,
	.batch = cache_thrash,
};
