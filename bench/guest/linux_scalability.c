/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Pairs of 512 bytes on all CPUs
 *
 * Pattern
 *   linux-scalability of C. Lever and D. Boreham, malloc() performance in a
 *   multithreaded Linux environment, 2000: each CPU allocates and frees an
 *   object of 512 bytes, again and again.
 *
 * Question
 *   Does the fast path share anything?
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define PAIRS 256UL

static const __sz sizes[] = { 512, 0 };

static unsigned long scalability(struct bench_run *run)
{
	return bench_pairs(run, PAIRS, 1);
}

const struct bench_workload bench_linux_scalability = {
	.name = "linux-scal",
	.sizes = sizes,
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.scale = 1,
	.batch = scalability,
};
