/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Objects that were made together, for different CPUs
 *
 * Pattern
 *   E. Berger and others, Hoard, ASPLOS 2000: one CPU makes an object for
 *   each of the others. They free it, and from then on allocate one of the
 *   same size, write it many times, and free it.
 *
 * Question
 *   Do CPUs inherit neighbours on one cache line? As for cache-thrash, time
 *   tells in the parallel mode.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define OPS    64UL
#define WRITES 16U

static const __sz sizes[] = { 8, 0 };

static void *inherited[BENCH_CPUS];

static int scratch_setup(const struct bench_run *run)
{
	unsigned int i;

	for (i = 0; i < run->cpus; i++) {
		inherited[i] = uk_malloc(run->a, run->size);
		if (!inherited[i])
			return -ENOMEM;
	}
	return 0;
}

static unsigned long cache_scratch(struct bench_run *run)
{
	uk_free(run->a, inherited[run->cpu]);
	inherited[run->cpu] = __NULL;
	return bench_pairs(run, OPS, WRITES);
}

static void scratch_teardown(const struct bench_run *run)
{
	unsigned int i;

	for (i = 0; i < BENCH_CPUS; i++) {
		uk_free(run->a, inherited[i]);
		inherited[i] = __NULL;
	}
}

const struct bench_workload bench_cache_scratch = {
	.name = "cache-scratch",
	.sizes = sizes,
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.scale = 1,
	.parallel = 1,
	.setup = scratch_setup,
	.batch = cache_scratch,
	.teardown = scratch_teardown,
};
