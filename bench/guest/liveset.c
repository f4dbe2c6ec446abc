/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Sizes from two distributions, with a live set of a thousand and more
 *
 * Pattern
 *   alloc-test and shbench with other numbers: a table of live objects; each
 *   operation replaces one drawn at random. Sizes are uniform from 8 to 512
 *   bytes, or lognormal as in many programs: half of them below 64 bytes, a
 *   long tail.
 *
 * Question
 *   What does the size of the heap add? A hundred thousand objects fit in no
 *   cache of free slots.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define LIVE_MAX 100000UL
#define OPS	 256UL

#define UNIFORM_MIN 8U
#define UNIFORM_MAX 512U

/* exp(log 64 + 1.2 z) where z has i/32 of the normal distribution below it;
 * the ends at 0.02/32
 */
static const __u16 lognormal[] = {
	8,   8,	  10,  13,  16,	 19,  22,  25,	28,  32,  36,
	39,  44,  48,  53,  58,	 64,  70,  77,	85,  94,  104,
	115, 128, 144, 162, 186, 215, 255, 311, 403, 598, 3076,
};

static void *live[LIVE_MAX];

static __sz draw_uniform(struct bench_run *run)
{
	return UNIFORM_MIN + bench_below(run, UNIFORM_MAX - UNIFORM_MIN + 1);
}

/* Uniform between two neighbours of the table */
static __sz draw_lognormal(struct bench_run *run)
{
	unsigned long i = bench_below(run, ARRAY_SIZE(lognormal) - 1);
	__u16 from = lognormal[i], to = lognormal[i + 1];

	return from + bench_below(run, to - from + 1U);
}

static int fill(const struct bench_run *run,
		__sz (*draw)(struct bench_run *run))
{
	struct bench_run own = *run;
	unsigned long i;

	for (i = 0; i < run->live; i++) {
		live[i] = uk_malloc(run->a, draw(&own));
		if (!live[i])
			return -ENOMEM;
		bench_touch(live[i]);
	}
	return 0;
}

static int setup_uniform(const struct bench_run *run)
{
	return fill(run, draw_uniform);
}

static int setup_lognormal(const struct bench_run *run)
{
	return fill(run, draw_lognormal);
}

static inline unsigned long replace(struct bench_run *run,
				    __sz (*draw)(struct bench_run *run))
{
	unsigned long n;

	for (n = 0; n < OPS; n++) {
		void **slot = &live[bench_below(run, run->live)];

		uk_free(run->a, *slot);
		*slot = uk_malloc(run->a, draw(run));
		if (unlikely(!*slot))
			return n;
		bench_touch(*slot);
	}
	return OPS;
}

static unsigned long replace_uniform(struct bench_run *run)
{
	return replace(run, draw_uniform);
}

static unsigned long replace_lognormal(struct bench_run *run)
{
	return replace(run, draw_lognormal);
}

static void teardown(const struct bench_run *run)
{
	unsigned long i;

	for (i = 0; i < run->live; i++) {
		uk_free(run->a, live[i]);
		live[i] = __NULL;
	}
}

/* clang-format off */
#define LIVESET(var, distribution, text, number)                               \
	const struct bench_workload var = {                                    \
		.name = (text),                                                \
		.cpus_min = 1,                                                 \
		.cpus_max = 1,                                                 \
		.exact = 1,                                                    \
		.live = (number),                                              \
		.setup = setup_##distribution,                                 \
		.batch = replace_##distribution,                               \
		.teardown = teardown,                                          \
	}
/* clang-format on */

LIVESET(bench_uniform_1k, uniform, "uniform-1k", 1000);
LIVESET(bench_uniform_10k, uniform, "uniform-10k", 10000);
LIVESET(bench_uniform_100k, uniform, "uniform-100k", LIVE_MAX);
LIVESET(bench_lognormal_1k, lognormal, "lognorm-1k", 1000);
LIVESET(bench_lognormal_10k, lognormal, "lognorm-10k", 10000);
LIVESET(bench_lognormal_100k, lognormal, "lognorm-100k", LIVE_MAX);
