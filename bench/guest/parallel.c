/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The parallel mode: operations per second on several CPUs
 *
 * How
 *   All CPUs that take part start together and run batches until the time is
 *   up. Repetitions of the allocators alternate, so that a disturbance of the
 *   machine hits them all alike. Median, least and most are reported.
 *
 *   These figures depend on the machine and on what else runs there. With
 *   more CPUs than the host has, they say that it works, not how fast.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#include <uk/plat/tlb.h>

#include "bench.h"

#define REPS 5U

/* Nanoseconds of one repetition */
#define SLICE 100000000UL

static const unsigned int cpu_counts[] = { 1, 2, 4, 8 };

/* What one CPU does; on cache lines of its own */
struct worker {
	struct bench_run run;
	unsigned long ops;
	__nsec time;
} __align(128);

static struct worker workers[BENCH_CPUS];
static const struct bench_workload *workload;
static unsigned int next_worker;
static unsigned int arrived;

/* All begin together: a spin until the last one is there */
static void work(struct __regs *regs __unused, void *user __unused)
{
	struct worker *w;
	__nsec start, now;
	unsigned int cpus;

	w = &workers[__atomic_fetch_add(&next_worker, 1, __ATOMIC_RELAXED)];
	cpus = w->run.cpus;
	__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < cpus) {
		ukplat_tlb_poll();
		__builtin_ia32_pause();
	}

	start = ukplat_monotonic_clock();
	do {
		w->ops += workload->batch(&w->run);
		now = ukplat_monotonic_clock();
	} while (now - start < SLICE);
	w->time = now - start;
}

static int start_workers(unsigned int cpus)
{
	struct ukplat_lcpu_func func = { .fn = work, .user = __NULL };
	__u32 idx[BENCH_CPUS];
	unsigned int i, num = 0;

	for (i = 0; i < CONFIG_UKPLAT_LCPU_MAXCOUNT && num < cpus - 1; i++)
		if (i != ukplat_lcpu_idx() && ukplat_lcpu_is_online(i))
			idx[num++] = i;

	if (num && ukplat_lcpu_run(idx, &num, &func, 0))
		return -EIO;
	work(__NULL, __NULL);
	return num ? ukplat_lcpu_wait(idx, &num, 0) : 0;
}

/* Operations per second of one repetition, 0 on failure */
static __u64 repetition(const struct bench_workload *w, struct uk_alloc *a,
			__sz size, unsigned int cpus, unsigned int rep)
{
	__u64 ops = 0, longest = 1;
	unsigned int i;
	int rc;

	for (i = 0; i < BENCH_CPUS; i++)
		workers[i] =
			(struct worker){ .run = { .a = a,
						  .size = size,
						  .seed = 7919 * rep + i + 1,
						  .live = w->live,
						  .cpu = i,
						  .cpus = cpus } };
	workload = w;
	next_worker = 0;
	arrived = 0;
	rc = w->setup ? w->setup(&workers[0].run) : 0;
	if (!rc)
		rc = start_workers(cpus);
	if (w->teardown)
		w->teardown(&workers[0].run);
	if (rc)
		return 0;

	for (i = 0; i < cpus; i++) {
		ops += workers[i].ops;
		longest = MAX(longest, workers[i].time);
	}
	return ops * 1000000000UL / longest;
}

static void sort(__u64 *values, unsigned int cnt)
{
	unsigned int i, j;

	for (i = 1; i < cnt; i++) {
		__u64 v = values[i];

		for (j = i; j > 0 && values[j - 1] > v; j--)
			values[j] = values[j - 1];
		values[j] = v;
	}
}

static int print_result(const struct bench_workload *w, const char *alloc,
			__sz size, unsigned int cpus, __u64 *values)
{
	sort(values, REPS);
	printf("{\"type\":\"bench\",\"mode\":\"parallel\","
	       "\"name\":\"%s\",\"size\":%lu,\"cpus\":%u,"
	       "\"alloc\":\"%s\",\"unit\":\"ops/s\",\"value\":%lu,"
	       "\"min\":%lu,\"max\":%lu,\"reps\":%u}\n",
	       w->name, size, cpus, alloc, values[REPS / 2], values[0],
	       values[REPS - 1], REPS);
	return !values[0];
}

static int measure(const struct bench_workload *w, unsigned int cpus)
{
	static __u64 values[BENCH_ALLOCS_MAX][REPS];
	struct bench_alloc allocs[BENCH_ALLOCS_MAX];
	unsigned int cnt = bench_allocs_get(allocs), i, rep;
	__sz size = w->sizes ? w->sizes[0] : 0;
	int failed = 0;

	printf("bench: %s on %u CPUs\n", w->name, cpus);
	for (rep = 0; rep < REPS; rep++)
		for (i = 0; i < cnt; i++)
			values[i][rep] =
				repetition(w, allocs[i].a, size, cpus, rep);
	for (i = 0; i < cnt; i++)
		failed |=
			print_result(w, allocs[i].name, size, cpus, values[i]);
	return failed;
}

int bench_parallel(void)
{
	unsigned int online = ukplat_lcpu_count(), i, j;
	int failed = 0;

	for (i = 0; bench_workloads[i]; i++) {
		const struct bench_workload *w = bench_workloads[i];

		for (j = 0; w->parallel && bench_is_wanted(w) &&
			    j < ARRAY_SIZE(cpu_counts);
		     j++)
			if (cpu_counts[j] <= online &&
			    cpu_counts[j] >= w->cpus_min &&
			    cpu_counts[j] <= w->cpus_max)
				failed |= measure(w, cpu_counts[j]);
	}
	return failed;
}
