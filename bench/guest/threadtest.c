/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Many small objects of one CPU
 *
 * Pattern
 *   E. Berger and others, Hoard, ASPLOS 2000: each CPU allocates many objects
 *   of 8 bytes and then frees them in the same order.
 *
 * Question
 *   Do CPUs that share nothing leave each other alone? From one to eight CPUs
 *   an operation should cost the same.
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define OBJECTS 512UL

static const __sz sizes[] = { 8, 0 };

static void *objects[BENCH_CPUS][OBJECTS];

static unsigned long threadtest(struct bench_run *run)
{
	void **obj = objects[run->cpu];
	unsigned long n, i;

	for (n = 0; n < OBJECTS; n++) {
		obj[n] = uk_malloc(run->a, run->size);
		if (unlikely(!obj[n]))
			break;
		bench_touch(obj[n]);
	}
	for (i = 0; i < n; i++)
		uk_free(run->a, obj[i]);
	return n;
}

const struct bench_workload bench_threadtest = {
	.name = "threadtest",
	.sizes = sizes,
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.scale = 1,
	.live = OBJECTS,
	.batch = threadtest,
};
