/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* One object, again and again
 *
 * Pattern
 *   malloc immediately followed by free: glibc's bench-malloc-simple,
 *   rptest with one block.
 *
 * Question
 *   How long is the fast path? The figure for 64 bytes is the headline of
 *   this benchmark.
 */

#include <uk/alloc.h>
#include <uk/essentials.h>

#include "bench.h"

#define PAIRS 512UL

static const __sz sizes[] = { 64, 0 };

static unsigned long pair(struct bench_run *run)
{
	return bench_pairs(run, PAIRS, 1);
}

const struct bench_workload bench_pair = {
	.name = "pair",
	.sizes = sizes,
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.parallel = 1,
	.scale = 1,
	.batch = pair,
};
