/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The exact mode: guest instructions per operation
 *
 * How
 *   Under QEMU's -icount shift=0 the time stamp counter counts the
 *   instructions that the guest has executed. Each workload runs on the only
 *   CPU (scale.c has several): batches to warm up, until caches and
 *   quarantines are full, then batches that are counted, until there are
 *   enough operations. The loop of the workload itself is part of the
 *   figure; for the pair it is measured on its own and subtracted.
 *
 *   Then it runs once more through the probe, which looks at each single call
 *   and at memory.
 *
 *   Together with a fixed seed of all random numbers (debugseed on the
 *   command line) the figures are the same in every run.
 */

#include <stdio.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#ifdef CONFIG_LIBUKALLOCRND
#include <uk/allocrnd.h>
#endif
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>

#include "bench.h"
#include "counter.h"
#include "events.h"
#include "mark.h"
#include "probe.h"
#include "subject.h"

/* Instructions of small objects; dear operations end sooner */
#define INSN_PER_OP 700UL

/* A loop of two instructions, so many times, tells whether they are counted */
#define PROBE_ROUNDS 1000UL

/** One line of the results */
struct result {
	__u64 tenths;
	unsigned long ops;
	struct bench_events events;
	struct bench_probe probe;
	__sz metadata;
	__sz mapped_start, mapped_peak, kept;
	__bool is_probed;
};

static struct bench_subject subjects[BENCH_ALLOCS_MAX];
static const char *unit = "ticks/op";

static int counts_instructions(void)
{
	unsigned long n = PROBE_ROUNDS;
	__u64 start = bench_counter(), delta;

	__asm__ __volatile__("1: dec %0; jnz 1b" : "+r"(n) : : "cc");
	delta = bench_counter() - start;
	return delta >= 2 * PROBE_ROUNDS && delta < 2 * PROBE_ROUNDS + 20;
}

__u64 bench_pair_loop(void)
{
	__u64 start = bench_counter(), word;
	void *ptr = &word;
	unsigned long i;

	for (i = 0; i < PROBE_ROUNDS; i++) {
		/* The compiler must think that a new object comes */
		__asm__ __volatile__("" : "+r"(ptr) : : "memory");
		bench_touch(ptr);
	}
	return (bench_counter() - start - bench_counter_cost()) * 10 /
	       PROBE_ROUNDS;
}

static void print_costs(const char *name, const struct bench_costs *c)
{
	printf(",\"%s\":{\"p50\":%lu,\"p99\":%lu,\"p999\":%lu,\"max\":%lu}",
	       name, c->p50, c->p99, c->p999, c->max);
}

static void print_probe(const struct result *r)
{
	const struct bench_probe *p = &r->probe;
	__sz more = r->mapped_peak - MIN(r->mapped_peak, p->live_peak);

	print_costs("malloc", &p->malloc);
	print_costs("free", &p->free);
	printf(",\"slow_permille\":%lu,\"slow_mean\":%lu,"
	       "\"live_peak\":%lu,\"live_objects\":%lu,"
	       "\"mapped_start\":%lu,\"mapped_peak\":%lu,\"kept\":%lu,"
	       "\"overhead_per_object\":%lu",
	       p->slow_permille, p->slow_mean, p->live_peak, p->live_objects,
	       r->mapped_start, r->mapped_peak, r->kept,
	       p->live_objects ? more / p->live_objects : 0);
	if (r->metadata)
		printf(",\"metadata\":%lu", r->metadata);
}

static void print_result(const struct bench_workload *w, const char *alloc,
			 __sz size, const struct result *r)
{
	printf("{\"type\":\"bench\",\"mode\":\"exact\",\"name\":\"%s\","
	       "\"size\":%lu,\"live\":%lu,\"cpus\":1,\"alloc\":\"%s\","
	       "\"unit\":\"%s\",\"value\":%lu.%lu,\"ops\":%lu",
	       w->name, size, w->live, alloc, unit, r->tenths / 10,
	       r->tenths % 10, r->ops);
	if (r->is_probed)
		print_probe(r);
	printf(",\"faults\":%lu,\"invalidations\":%lu,\"ipis\":%lu,"
	       "\"shootdowns\":%lu}\n",
	       r->events.faults, r->events.invalidations, r->events.ipis,
	       r->events.shootdowns);
}

static unsigned long run_ops(const struct bench_workload *w,
			     struct bench_run *run, unsigned long ops_min,
			     __u64 *insn)
{
	unsigned long ops = 0, n = 1;
	__u64 start;

	*insn = 0;
	while (n && ops < ops_min && *insn < INSN_PER_OP * ops_min) {
		start = bench_counter();
		n = w->batch(run);
		*insn += bench_counter() - start - bench_counter_cost();
		ops += n;
	}
	return ops;
}

static struct bench_run run_of(const struct bench_workload *w,
			       struct uk_alloc *a, __sz size)
{
	return (struct bench_run){ .a = a,
				   .size = size,
				   .seed = 1 + size,
				   .live = w->live,
				   .cpu = 0,
				   .cpus = 1 };
}

static __sz metadata_get(struct uk_alloc *a)
{
#ifdef CONFIG_LIBUKALLOCRND
	struct uk_allocrnd_stats stats;

	if (a && a->malloc == uk_alloc_get_default()->malloc) {
		uk_allocrnd_stats_get(a, &stats);
		return stats.metadata;
	}
#endif
	(void)a;
	return 0;
}

/* The figure; 0 if there is not enough memory */
static unsigned long run_plain(const struct bench_workload *w,
			       struct uk_alloc *a, __sz size, struct result *r)
{
	struct bench_run run = run_of(w, a, size);
	__u64 insn = 0;

	r->ops = 0;
	if (!w->setup || !w->setup(&run)) {
		run_ops(w, &run, bench_warm_ops(), &insn);
		bench_events_get(&r->events);
		bench_mark_start();
		r->ops = run_ops(w, &run, bench_ops(), &insn);
		if (r->ops)
			bench_mark_stop();
		bench_events_since(&r->events);
		r->metadata = metadata_get(a);
	}
	if (w->teardown)
		w->teardown(&run);
	if (!r->ops)
		return 0;
	r->tenths = insn * 10 / r->ops;
	if (w == &bench_pair)
		r->tenths -= MIN(r->tenths, bench_pair_loop());
	return r->ops;
}

/* Each call, and memory */
static void run_probed(const struct bench_workload *w, struct uk_alloc *a,
		       __sz size, struct result *r)
{
	struct bench_run run = run_of(w, bench_probe_start(a), size);
	__u64 insn;

	if (!w->setup || !w->setup(&run)) {
		run_ops(w, &run, bench_ops() / 2, &insn);
		bench_probe_record(1);
		run_ops(w, &run, bench_ops(), &insn);
		bench_probe_record(0);
	}
	if (w->teardown)
		w->teardown(&run);
	bench_probe_finish(&r->probe);
	r->is_probed = 1;
}

/* Both runs; tells why there is no result, or __NULL */
static const char *run_both(const struct bench_workload *w,
			    struct bench_subject *s, __sz size,
			    struct result *r)
{
	r->mapped_start = bench_subject_mapped(s);
	if (!run_plain(w, s->ba.a, size, r))
		return w->needs & BENCH_NEEDS_ENOMEM ?
			       "does not get again what was freed" :
			       "out of memory";
	if (!(w->needs & (BENCH_NEEDS_IRQ | BENCH_NEEDS_NOTHING)))
		run_probed(w, s->ba.a, size, r);
	r->mapped_peak = bench_subject_mapped_at(s, r->probe.available_min);
	r->kept = bench_subject_mapped(s);
	return __NULL;
}

static int print_all(const struct bench_workload *w,
		     const struct bench_subject *s, __sz size,
		     const struct result *r)
{
	print_result(w, s->ba.name, size, r);
	if (r->probe.lost)
		printf("bench: %lu operations were not recorded\n",
		       r->probe.lost);
	return r->probe.lost != 0;
}

static int measure(const struct bench_workload *w, struct bench_subject *s,
		   __sz size)
{
	struct result r = { .is_probed = 0 };
	const char *why = bench_why_not(w, &s->ba);
	int failed = 0;

	if (!why) {
		if (bench_subject_begin(s)) {
			printf("bench: no new %s\n", s->ba.name);
			return 1;
		}
		why = run_both(w, s, size, &r);
		failed = bench_subject_end(s);
	}
	if (why)
		bench_left_out(w, &s->ba, size, why);
	else
		failed |= print_all(w, s, size, &r);
	return failed;
}

static unsigned int subjects_get(void)
{
	struct bench_alloc allocs[BENCH_ALLOCS_MAX];
	unsigned int cnt = bench_allocs_get(allocs), i;

	for (i = 0; i < cnt; i++)
		subjects[i].ba = allocs[i];
	return cnt;
}

static int measure_all(const struct bench_workload *w, unsigned int cnt)
{
	static const __sz drawn[] = { 0 };
	static const struct bench_alloc none = { .name = "none" };
	const __sz *size = w->sizes ? w->sizes : drawn;
	struct bench_subject nobody = { .ba = none };
	unsigned int i;
	int failed = 0;

	do {
		if (w->needs & BENCH_NEEDS_NOTHING)
			failed |= measure(w, &nobody, *size);
		else
			for (i = 0; i < cnt; i++)
				failed |= measure(w, &subjects[i], *size);
	} while (*size && *++size);
	return failed;
}

int bench_exact(void)
{
	unsigned int cnt = subjects_get(), i;
	int failed = 0;

	if (counts_instructions())
		unit = "instructions/op";
	else
		puts("bench: the time stamp counter does not count "
		     "instructions; boot with -icount shift=0");
	bench_known_events();

	for (i = 0; bench_workloads[i]; i++) {
		const struct bench_workload *w = bench_workloads[i];

		if (!bench_is_wanted(w))
			continue;
		printf("bench: %s\n", w->name);
		if (w->exact && ukplat_lcpu_count() == 1)
			failed |= measure_all(w, cnt);
		if (w->scale && ukplat_lcpu_count() > 1)
			failed |= bench_scale(w);
	}
	return failed;
}
