/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The exact mode on several CPUs: does an operation get dearer?
 *
 * How
 *   Under -icount one host thread runs the CPUs by turns, and one counter
 *   counts for all of them: the figure is what all CPUs together execute for
 *   an operation, waiting included. A CPU gives its turn away with PAUSE, at
 *   the latest after each batch; CPUs that take no part sleep. So it is the
 *   same in every run with the same number of CPUs, and says what sharing
 *   costs in instructions, not in moved cache lines.
 */

#include <errno.h>
#include <stdio.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/tlb.h>

#include "bench.h"
#include "counter.h"
#include "events.h"
#include "mark.h"

/* Batches without an operation until it is thought that none will come */
#define PATIENCE 100000UL

static const unsigned int cpu_counts[] = { 1, 2, 4, 8 };

static struct bench_run runs[BENCH_CPUS];
static const struct bench_workload *workload;
static unsigned long ops_wanted;
static unsigned int next_run, arrived, stuck;
static unsigned long ops_done __align(128);

static void meet(unsigned int cpus)
{
	__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < cpus) {
		ukplat_tlb_poll();
		__builtin_ia32_pause();
	}
}

static void work(struct __regs *regs __unused, void *user __unused)
{
	struct bench_run *run;
	unsigned long n, idle = 0;

	run = &runs[__atomic_fetch_add(&next_run, 1, __ATOMIC_RELAXED)];
	meet(run->cpus);
	while (__atomic_load_n(&ops_done, __ATOMIC_RELAXED) < ops_wanted) {
		n = workload->batch(run);
		__atomic_fetch_add(&ops_done, n, __ATOMIC_RELAXED);
		idle = n ? 0 : idle + 1;
		if (idle > PATIENCE) {
			__atomic_store_n(&stuck, 1, __ATOMIC_RELAXED);
			break;
		}
		__builtin_ia32_pause();
	}
}

/* All together until there are so many operations; returns the counter's
 * difference
 */
static __u64 run_on(unsigned int cpus, unsigned long ops)
{
	struct ukplat_lcpu_func func = { .fn = work, .user = __NULL };
	__u32 idx[BENCH_CPUS];
	unsigned int i, num = 0;
	__u64 start;

	for (i = 0; i < CONFIG_UKPLAT_LCPU_MAXCOUNT && num < cpus - 1; i++)
		if (i != ukplat_lcpu_idx() && ukplat_lcpu_is_online(i))
			idx[num++] = i;
	next_run = arrived = 0;
	ops_done = 0;
	ops_wanted = ops;
	start = bench_counter();
	if (num && ukplat_lcpu_run(idx, &num, &func, 0))
		stuck = 1;
	else
		work(__NULL, __NULL);
	if (num && !stuck && ukplat_lcpu_wait(idx, &num, 0))
		stuck = 1;
	return bench_counter() - start;
}

static void print_result(const char *alloc, unsigned int cpus, __u64 tenths,
			 const struct bench_events *events)
{
	printf("{\"type\":\"bench\",\"mode\":\"exact\",\"name\":\"%s\","
	       "\"size\":%lu,\"live\":%lu,\"cpus\":%u,\"alloc\":\"%s\","
	       "\"unit\":\"instructions/op of all CPUs\","
	       "\"value\":%lu.%lu,\"ops\":%lu,\"faults\":%lu,"
	       "\"invalidations\":%lu,\"ipis\":%lu,\"shootdowns\":%lu}\n",
	       workload->name, runs[0].size, workload->live, cpus, alloc,
	       tenths / 10, tenths % 10, ops_done, events->faults,
	       events->invalidations, events->ipis, events->shootdowns);
}

static int measure(const struct bench_alloc *ba, unsigned int cpus)
{
	__sz size = workload->sizes ? workload->sizes[0] : 0;
	struct bench_events events = { .faults = 0 };
	unsigned int i;
	__u64 insn = 0;

	for (i = 0; i < cpus; i++)
		runs[i] = (struct bench_run){ .a = ba->a,
					      .size = size,
					      .seed = 1 + i,
					      .live = workload->live,
					      .cpu = i,
					      .cpus = cpus };
	stuck = workload->setup && workload->setup(&runs[0]);
	if (!stuck) {
		run_on(cpus, bench_warm_ops() * cpus);
		bench_events_get(&events);
		bench_mark_start();
		insn = run_on(cpus, bench_ops() * cpus);
		if (!stuck)
			bench_mark_stop();
		bench_events_since(&events);
	}
	if (workload->teardown)
		workload->teardown(&runs[0]);
	if (stuck) {
		bench_left_out(workload, ba, size, "out of memory");
		return 0;
	}
	print_result(ba->name, cpus, insn * 10 / ops_done, &events);
	return 0;
}

/* One that has nothing from before */
static int measure_new(const struct bench_alloc *ba, unsigned int cpus)
{
	struct bench_alloc own = *ba;
	int failed;

	if (own.renew)
		own.a = own.renew();
	if (!own.a) {
		printf("bench: no new %s\n", ba->name);
		return 1;
	}
	failed = measure(&own, cpus);
	if (own.drop)
		own.drop(own.a);
	return failed;
}

int bench_scale(const struct bench_workload *w)
{
	struct bench_alloc allocs[BENCH_ALLOCS_MAX];
	unsigned int cnt = bench_allocs_get(allocs), i, j;
	unsigned int online = ukplat_lcpu_count();
	int failed = 0;

	workload = w;
	for (j = 0; j < ARRAY_SIZE(cpu_counts); j++) {
		if (cpu_counts[j] > online || cpu_counts[j] < w->cpus_min ||
		    cpu_counts[j] > w->cpus_max)
			continue;
		for (i = 0; i < cnt; i++)
			failed |= measure_new(&allocs[i], cpu_counts[j]);
	}
	return failed;
}
