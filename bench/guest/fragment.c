/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* A heap that shrinks to a tenth and grows again
 *
 * Pattern
 *   bench/host/fragment.c, and the fragmentation tests of jemalloc and redis:
 *   many objects are made, sizes uniform on a logarithmic scale from 16 to
 *   2048 bytes; 90 % of them, drawn at random, are freed; then the heap grows
 *   to the same number of objects again, with other sizes.
 *
 * Question
 *   Are the holes used again? Compare the peaks of mapped and of live memory.
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define OBJECTS	  8192UL
#define KEEP_PCT  10U
#define MIN_BITS  4U
#define DOUBLINGS 7U

static void *objects[OBJECTS];

static __sz draw_size(struct bench_run *run)
{
	__sz least = 1UL << (MIN_BITS + bench_below(run, DOUBLINGS));

	return least + bench_below(run, least + 1);
}

/* Fills the gaps; returns how many */
static unsigned long grow(struct bench_run *run)
{
	unsigned long i, n = 0;

	for (i = 0; i < OBJECTS; i++) {
		if (objects[i])
			continue;
		objects[i] = uk_malloc(run->a, draw_size(run));
		if (unlikely(!objects[i]))
			break;
		bench_touch(objects[i]);
		n++;
	}
	return n;
}

static void shrink(struct bench_run *run)
{
	unsigned long i;

	for (i = 0; i < OBJECTS; i++)
		if (bench_below(run, 100) >= KEEP_PCT) {
			uk_free(run->a, objects[i]);
			objects[i] = __NULL;
		}
}

static unsigned long fragment(struct bench_run *run)
{
	unsigned long n = grow(run);

	shrink(run);
	return n;
}

static void fragment_teardown(const struct bench_run *run)
{
	unsigned long i;

	for (i = 0; i < OBJECTS; i++) {
		uk_free(run->a, objects[i]);
		objects[i] = __NULL;
	}
}

const struct bench_workload bench_fragment = {
	.name = "fragment",
	.cpus_min = 1,
	.cpus_max = 1,
	.exact = 1,
	.live = OBJECTS,
	.batch = fragment,
	.teardown = fragment_teardown,
};
