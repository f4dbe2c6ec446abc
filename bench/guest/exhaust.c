/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* All memory, and back
 *
 * Pattern
 *   Memory is taken until there is none; everything is freed; then a part of
 *   it is taken again, in objects of another size.
 *
 * Question
 *   Does an allocator say that there is none, instead of stopping, and can
 *   all that was freed be had again, in other sizes?
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define SIZE_FIRST  65536UL
#define SIZE_SECOND 8192UL
/* Of what was there at first, in bytes: a quarter */
#define AGAIN_SHIFT 2

struct object {
	struct object *next;
};

static struct object *first;

static unsigned long take(struct uk_alloc *a, __sz size, unsigned long max)
{
	struct object *obj;
	unsigned long n;

	for (n = 0; n < max; n++) {
		obj = uk_malloc(a, size);
		if (!obj)
			break;
		obj->next = first;
		first = obj;
	}
	return n;
}

static void give(struct uk_alloc *a)
{
	struct object *obj = first, *next;

	first = __NULL;
	for (; obj; obj = next) {
		next = obj->next;
		uk_free(a, obj);
	}
}

/* Without recovery there are no operations, and so no result */
static unsigned long exhaust(struct bench_run *run)
{
	unsigned long n = take(run->a, SIZE_FIRST, ~0UL), again, want;

	give(run->a);
	want = n * (SIZE_FIRST / SIZE_SECOND) >> AGAIN_SHIFT;
	again = take(run->a, SIZE_SECOND, want);
	give(run->a);
	return again < want ? 0 : n + again;
}

const struct bench_workload bench_exhaust = {
	.name = "exhaust",
	.cpus_min = 1,
	.cpus_max = 1,
	.exact = 1,
	.needs = BENCH_NEEDS_ENOMEM,
	.batch = exhaust,
};
