/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Objects of one size, freed in different orders
 *
 * Pattern
 *   The classic microbenchmark of tcmalloc, mimalloc-bench (alloc-test) and
 *   jemalloc: allocate n objects, free all of them, last first (LIFO), first
 *   first (FIFO) or in a random order.
 *
 * Question
 *   What does an operation cost, by size, and how much does it depend on the
 *   order? A free list likes LIFO, a slab whose slots are drawn at random
 *   should not care.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

/* Bytes that are live at a time at most, and objects */
#define LIVE_BYTES   (8UL << 20)
#define LIVE_OBJECTS 256UL

const __sz bench_sizes[] = { 16,    64,	    256,     1024,    4096, 16384,
			     65536, 262144, 1048576, 4194304, 0 };

static void *objects[BENCH_CPUS][LIVE_OBJECTS];

static unsigned long batch_fill(struct bench_run *run)
{
	unsigned long n = MIN(LIVE_BYTES / run->size, LIVE_OBJECTS), i;
	void **obj = objects[run->cpu];

	for (i = 0; i < n; i++) {
		obj[i] = uk_malloc(run->a, run->size);
		if (unlikely(!obj[i]))
			return i;
		bench_touch(obj[i]);
	}
	return n;
}

static unsigned long lifo(struct bench_run *run)
{
	unsigned long n = batch_fill(run), i;
	void **obj = objects[run->cpu];

	for (i = n; i > 0; i--)
		uk_free(run->a, obj[i - 1]);
	return n;
}

static unsigned long fifo(struct bench_run *run)
{
	unsigned long n = batch_fill(run), i;
	void **obj = objects[run->cpu];

	for (i = 0; i < n; i++)
		uk_free(run->a, obj[i]);
	return n;
}

/* Draws the next object to free among those that are left */
static unsigned long random_order(struct bench_run *run)
{
	unsigned long n = batch_fill(run), i;
	void **obj = objects[run->cpu];

	for (i = n; i > 0; i--) {
		unsigned long j = (bench_draw(run) & 0xffffffff) * i >> 32;

		uk_free(run->a, obj[j]);
		obj[j] = obj[i - 1];
	}
	return n;
}

const struct bench_workload bench_lifo = {
	.name = "lifo",
	.sizes = bench_sizes,
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.batch = lifo,
};

const struct bench_workload bench_fifo = {
	.name = "fifo",
	.sizes = bench_sizes,
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.batch = fifo,
};

const struct bench_workload bench_random = {
	.name = "random",
	.sizes = bench_sizes,
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.batch = random_order,
};
