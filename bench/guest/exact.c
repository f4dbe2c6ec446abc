/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The exact mode: guest instructions per operation
 *
 * How
 *   Under QEMU's -icount shift=0 the time stamp counter counts the
 *   instructions that the guest has executed. Each workload runs on the boot
 *   CPU: some batches to warm up, then batches that are counted, until there
 *   are enough operations. The loop of the workload itself is part of the
 *   figure; for the pair it is measured on its own and subtracted.
 *
 *   Together with a fixed seed of all random numbers (debugseed on the
 *   command line) the figures are the same in every run.
 */

#include <stdio.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

/* Operations of small objects that are counted; fewer if they are dear */
#define OPS_MIN	 8192UL
#define INSN_MAX 6000000UL
#define WARM_OPS 4096UL

/* A loop of two instructions, so many times, tells whether they are counted */
#define PROBE_ROUNDS 1000UL

static inline __u64 rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}

/* What reading the counter twice adds */
static __u64 rdtsc_cost(void)
{
	__u64 start = rdtsc();

	return rdtsc() - start;
}

static int counts_instructions(void)
{
	unsigned long n = PROBE_ROUNDS;
	__u64 start = rdtsc(), delta;

	__asm__ __volatile__("1: dec %0; jnz 1b" : "+r"(n) : : "cc");
	delta = rdtsc() - start;
	return delta >= 2 * PROBE_ROUNDS && delta < 2 * PROBE_ROUNDS + 20;
}

/* Tenths of an instruction per operation of the pair's loop without calls */
static __u64 pair_loop(void)
{
	__u64 start = rdtsc(), word;
	void *ptr = &word;
	unsigned long i;

	for (i = 0; i < PROBE_ROUNDS; i++) {
		/* The compiler must think that a new object comes */
		__asm__ __volatile__("" : "+r"(ptr) : : "memory");
		bench_touch(ptr);
	}
	return (rdtsc() - start - rdtsc_cost()) * 10 / PROBE_ROUNDS;
}

static void print_result(const struct bench_workload *w,
			 const struct bench_alloc *ba, __sz size, __u64 tenths,
			 unsigned long ops, const char *unit)
{
	printf("{\"type\":\"bench\",\"mode\":\"exact\",\"name\":\"%s\","
	       "\"size\":%lu,\"cpus\":1,\"alloc\":\"%s\",\"unit\":\"%s\","
	       "\"value\":%lu.%lu,\"ops\":%lu}\n",
	       w->name, size, ba->name, unit, tenths / 10, tenths % 10, ops);
}

static unsigned long run_ops(const struct bench_workload *w,
			     struct bench_run *run, unsigned long ops_min,
			     __u64 insn_max, __u64 *insn)
{
	unsigned long ops = 0, n = 1;

	*insn = 0;
	while (n && ops < ops_min && *insn < insn_max) {
		__u64 start = rdtsc();

		n = w->batch(run);
		*insn += rdtsc() - start - rdtsc_cost();
		ops += n;
	}
	return ops;
}

static int measure(const struct bench_workload *w, const struct bench_alloc *ba,
		   __sz size, const char *unit)
{
	struct bench_run run = {
		.a = ba->a, .size = size, .seed = 1 + size, .cpu = 0, .cpus = 1
	};
	unsigned long ops = 0;
	__u64 insn, tenths;
	int rc = w->setup ? w->setup(&run) : 0;

	if (!rc) {
		run_ops(w, &run, WARM_OPS, INSN_MAX, &insn);
		ops = run_ops(w, &run, OPS_MIN, INSN_MAX, &insn);
	}
	if (w->teardown)
		w->teardown(&run);
	if (!ops) {
		printf("bench: %s of %lu on %s: out of memory\n", w->name, size,
		       ba->name);
		return 1;
	}

	tenths = insn * 10 / ops;
	if (w == &bench_pair)
		tenths -= MIN(tenths, pair_loop());
	print_result(w, ba, size, tenths, ops, unit);
	return 0;
}

int bench_exact(void)
{
	static const __sz drawn[] = { 0 };
	const char *unit = "ticks/op";
	struct bench_alloc allocs[BENCH_ALLOCS_MAX];
	unsigned int cnt = bench_allocs_get(allocs), i, j;
	int failed = 0;

	if (counts_instructions())
		unit = "instructions/op";
	else
		puts("bench: the time stamp counter does not count "
		     "instructions; boot with -icount shift=0");

	for (i = 0; bench_workloads[i]; i++) {
		const struct bench_workload *w = bench_workloads[i];
		const __sz *size = w->sizes ? w->sizes : drawn;

		if (!w->exact)
			continue;
		printf("bench: %s\n", w->name);
		do {
			for (j = 0; j < cnt; j++)
				failed |= measure(w, &allocs[j], *size, unit);
		} while (*size && *++size);
	}
	return failed;
}
