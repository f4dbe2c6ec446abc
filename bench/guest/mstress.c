/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Rounds of objects of which some change hands
 *
 * Pattern
 *   The stress test of D. Leijen's mimalloc: in each round a CPU allocates
 *   arrays of words, mostly small ones, sometimes a hundred times as large; a
 *   part is freed soon, a part is kept to the end of the round, and a part is
 *   exchanged with a table that all share, so that another one frees it,
 *   perhaps rounds later. CPUs do not end as the threads of the original do.
 *
 * Question
 *   What do mixed lifetimes cost, when some frees are remote?
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define SHARED	 256U
#define KEPT	 256U
#define STEPS	 512UL
#define WORDS	 64U
#define LARGE_BY 100U

static void *shared[SHARED];
static void *kept[BENCH_CPUS][KEPT];

/* Half the objects have at most a quarter of the words */
static void *make(struct bench_run *run)
{
	__sz words = 2 + bench_below(run, 2 + bench_below(run, WORDS));
	void *ptr;

	if (!bench_below(run, 1000))
		words *= LARGE_BY;
	ptr = uk_malloc(run->a, words * sizeof(__u64));
	if (likely(ptr))
		bench_touch(ptr);
	return ptr;
}

static void *exchange(struct bench_run *run, void *ptr)
{
	/* Acq_rel: the object's contents go with it. Pairs with itself on
	 * another CPU.
	 */
	return __atomic_exchange_n(&shared[bench_below(run, SHARED)], ptr,
				   __ATOMIC_ACQ_REL);
}

static unsigned long mstress(struct bench_run *run)
{
	void **keep = kept[run->cpu];
	unsigned long n;
	unsigned int cnt = 0, i;

	for (n = 0; n < STEPS; n++) {
		void *ptr = make(run);

		if (unlikely(!ptr))
			break;
		if (cnt < KEPT && bench_below(run, 2)) {
			keep[cnt++] = ptr;
			continue;
		}
		if (!bench_below(run, 4))
			ptr = exchange(run, ptr);
		uk_free(run->a, ptr);
	}
	for (i = 0; i < cnt; i++)
		uk_free(run->a, keep[i]);
	return n;
}

static void mstress_teardown(const struct bench_run *run)
{
	unsigned int i;

	for (i = 0; i < SHARED; i++) {
		uk_free(run->a, shared[i]);
		shared[i] = __NULL;
	}
}

const struct bench_workload bench_mstress = {
	.name = "mstress",
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.scale = 1,
	.batch = mstress,
	.teardown = mstress_teardown,
};
