/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Growth and zeroing
 *
 * Pattern
 *   A string or vector that grows by realloc, by half of its size at a time
 *   (redis' sds, most vector classes); arrays by calloc.
 *
 * Question
 *   How much is copied, and how often does an object stay where it is? Does
 *   calloc clear what is clear already?
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define GROW_FROM 16UL
#define GROW_TO	  (64UL << 10)

#define CALLOCS 32UL

static const __sz calloc_sizes[] = { 64, 1024, 16384, 0 };

/* One operation is one realloc */
static unsigned long grow(struct bench_run *run)
{
	void *ptr = __NULL;
	unsigned long n = 0;
	__sz size;

	for (size = GROW_FROM; size <= GROW_TO; size += size / 2) {
		void *next = uk_realloc(run->a, ptr, size);

		if (unlikely(!next))
			break;
		ptr = next;
		bench_touch(ptr);
		n++;
	}
	uk_free(run->a, ptr);
	return n;
}

static unsigned long clear(struct bench_run *run)
{
	unsigned long i;

	for (i = 0; i < CALLOCS; i++) {
		void *ptr = uk_calloc(run->a, 1, run->size);

		if (unlikely(!ptr))
			return i;
		bench_touch(ptr);
		uk_free(run->a, ptr);
	}
	return CALLOCS;
}

const struct bench_workload bench_grow = {
	.name = "grow",
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.batch = grow,
};

const struct bench_workload bench_calloc = {
	.name = "calloc",
	.sizes = calloc_sizes,
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.batch = clear,
};
