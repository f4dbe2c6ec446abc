/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Waves of blocks over a wide range of sizes
 *
 * Pattern
 *   The benchmark of M. Jansson's rpmalloc: each CPU holds a table of blocks.
 *   In a wave it frees a share of random places of the table and fills them
 *   with blocks of 16 to 16000 bytes, small ones more often. Every fourth
 *   wave the fresh blocks are not kept but linked into a list and left to the
 *   next CPU, which frees them.
 *
 * Question
 *   Cost over a wide range of sizes, and of batches of remote frees. On one
 *   CPU the next one is the same one.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define BLOCKS 400U
#define WAVE   80U
#define LEAST  16U
#define MOST   16000U
#define CROSS  4U

struct block {
	struct block *next;
};

/* On cache lines of its own */
static struct table {
	void *blocks[BLOCKS];
	unsigned long waves;
	struct block *inbox; /* from the CPU before, for this one */
} __align(128) tables[BENCH_CPUS];

/* A product of two uniform numbers: half the sizes are below 3 KiB */
static void *make(struct bench_run *run)
{
	__sz size =
		LEAST + bench_below(run, 1 + bench_below(run, MOST - LEAST));
	void *ptr = uk_malloc(run->a, size);

	if (likely(ptr))
		bench_touch(ptr);
	return ptr;
}

static int rptest_setup(const struct bench_run *run)
{
	struct bench_run own = *run;
	unsigned int cpu, i;

	for (cpu = 0; cpu < run->cpus; cpu++)
		for (i = 0; i < BLOCKS; i++) {
			tables[cpu].blocks[i] = make(&own);
			if (!tables[cpu].blocks[i])
				return -ENOMEM;
		}
	return 0;
}

static void receive(struct uk_alloc *a, struct table *t)
{
	/* Acquire: the links. Pairs with the release in send(). */
	struct block *b =
		__atomic_exchange_n(&t->inbox, __NULL, __ATOMIC_ACQUIRE);
	struct block *next;

	for (; b; b = next) {
		next = b->next;
		uk_free(a, b);
	}
}

static void send(struct table *to, struct block *first, struct block *last)
{
	last->next = __atomic_load_n(&to->inbox, __ATOMIC_RELAXED);
	/* Release: the links. Pairs with the acquire in receive(). */
	while (!__atomic_compare_exchange_n(&to->inbox, &last->next, first, 1,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		__builtin_ia32_pause();
}

static unsigned long wave_kept(struct bench_run *run, struct table *t)
{
	unsigned long n;

	for (n = 0; n < WAVE; n++) {
		void **slot = &t->blocks[bench_below(run, BLOCKS)];

		uk_free(run->a, *slot);
		*slot = make(run);
		if (unlikely(!*slot))
			break;
	}
	return n;
}

static unsigned long wave_left(struct bench_run *run, struct table *to)
{
	struct block *first = __NULL, *last = __NULL, *b;
	unsigned long n;

	for (n = 0; n < WAVE; n++) {
		b = make(run);
		if (unlikely(!b))
			break;
		b->next = first;
		first = b;
		if (!last)
			last = b;
	}
	if (last)
		send(to, first, last);
	return n;
}

static unsigned long rptest(struct bench_run *run)
{
	struct table *t = &tables[run->cpu];

	receive(run->a, t);
	if (++t->waves % CROSS)
		return wave_kept(run, t);
	return wave_left(run, &tables[(run->cpu + 1) % run->cpus]);
}

static void rptest_teardown(const struct bench_run *run)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < BENCH_CPUS; cpu++) {
		receive(run->a, &tables[cpu]);
		tables[cpu].waves = 0;
		for (i = 0; i < BLOCKS; i++) {
			uk_free(run->a, tables[cpu].blocks[i]);
			tables[cpu].blocks[i] = __NULL;
		}
	}
}

const struct bench_workload bench_rptest = {
	.name = "rptest",
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.scale = 1,
	.live = BLOCKS,
	.setup = rptest_setup,
	.batch = rptest,
	.teardown = rptest_teardown,
};
