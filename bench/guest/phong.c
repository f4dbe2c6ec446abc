/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Bursts of objects whose life ends at a time that is known before
 *
 * Pattern
 *   The simulation of K.-P. Vo, Vmalloc, Software: Practice and Experience
 *   1996: time goes in steps. At each step objects with a size and a lifetime
 *   drawn at random are made, and those whose time has come are freed. Here
 *   the number at a step is drawn, too, so that bursts follow pauses.
 *
 * Question
 *   What do peaks cost, and does memory follow them?
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define STEPS	 64UL /* a lifetime at most */
#define BURST	 64U
#define SIZE_MIN 16U
#define SIZE_MAX 1024U

/* Freed at the step that it hangs on */
struct object {
	struct object *next;
};

static struct object *due[BENCH_CPUS][STEPS];
static unsigned long now[BENCH_CPUS];

static void free_list(struct uk_alloc *a, struct object **list)
{
	struct object *obj = *list, *next;

	*list = __NULL;
	for (; obj; obj = next) {
		next = obj->next;
		uk_free(a, obj);
	}
}

/* One burst in four is large */
static unsigned long draw_burst(struct bench_run *run)
{
	return 1 + bench_below(run, bench_draw(run) & 3 ? BURST / 8 : BURST);
}

static unsigned long phong(struct bench_run *run)
{
	unsigned long step = ++now[run->cpu], n = draw_burst(run), i;
	struct object **list, *obj;

	free_list(run->a, &due[run->cpu][step % STEPS]);
	for (i = 0; i < n; i++) {
		obj = uk_malloc(run->a, SIZE_MIN + bench_below(run, SIZE_MAX));
		if (unlikely(!obj))
			return i;
		list = &due[run->cpu]
			   [(step + 1 + bench_below(run, STEPS - 1)) % STEPS];
		obj->next = *list;
		*list = obj;
	}
	return n;
}

static void phong_teardown(const struct bench_run *run)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < BENCH_CPUS; cpu++)
		for (i = 0; i < STEPS; i++)
			free_list(run->a, &due[cpu][i]);
}

const struct bench_workload bench_phong = {
	.name = "phong",
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.scale = 1,
	.batch = phong,
	.teardown = phong_teardown,
};
