/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Mixed sizes with a live set
 *
 * Pattern
 *   shbench (sh6bench) and alloc-test: a table of live objects of many sizes;
 *   each operation replaces one drawn at random.
 *
 * Question
 *   What does an operation cost in a heap that has been in use, when neither
 *   size nor order can be predicted?
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/essentials.h>

#include "bench.h"

#define LIVE 512U
#define OPS  256UL

static void *live[BENCH_CPUS][LIVE];

static int mixed_setup(const struct bench_run *run)
{
	struct bench_run own = *run;
	unsigned int cpu, i;

	for (cpu = 0; cpu < run->cpus; cpu++) {
		for (i = 0; i < LIVE; i++) {
			live[cpu][i] = uk_malloc(run->a, bench_draw_size(&own));
			if (!live[cpu][i])
				return -ENOMEM;
		}
	}
	return 0;
}

static unsigned long mixed(struct bench_run *run)
{
	unsigned long n;

	for (n = 0; n < OPS; n++) {
		void **slot = &live[run->cpu][bench_draw(run) % LIVE];

		uk_free(run->a, *slot);
		*slot = uk_malloc(run->a, bench_draw_size(run));
		if (unlikely(!*slot))
			return n;
		bench_touch(*slot);
	}
	return OPS;
}

static void mixed_teardown(const struct bench_run *run)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < BENCH_CPUS; cpu++) {
		for (i = 0; i < LIVE; i++) {
			uk_free(run->a, live[cpu][i]);
			live[cpu][i] = __NULL;
		}
	}
}

const struct bench_workload bench_mixed = {
	.name = "mixed",
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.parallel = 1,
	.scale = 1,
	.live = LIVE,
	.setup = mixed_setup,
	.batch = mixed,
	.teardown = mixed_teardown,
};
