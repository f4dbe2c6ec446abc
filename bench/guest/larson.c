/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Objects that outlive the CPU that made them
 *
 * Pattern
 *   P. Larson and M. Krishnan, Memory allocation for long-running server
 *   applications, ISMM 1998. Each CPU replaces random objects of a bank; from
 *   time to time the banks change hands, as connections do in a server, so
 *   that most objects are freed on another CPU than the one that made them.
 *
 * Question
 *   What do remote frees cost, and does memory drift to one CPU?
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/essentials.h>

#include "bench.h"

#define LIVE 256U
#define OPS  256UL

/* One more than CPUs: there is always one to change for */
#define BANKS (BENCH_CPUS + 1)

struct bank {
	void *live[LIVE];
};

static struct bank banks[BANKS];

/* The bank that nobody works on */
static struct bank *spare;
/* Bank of each CPU */
static struct bank *own[BENCH_CPUS];

/* 16 to 527 bytes, as in the paper's server */
static __sz draw_size(struct bench_run *run)
{
	return 16 + (bench_draw(run) & 511);
}

static int larson_setup(const struct bench_run *run)
{
	struct bench_run draw = *run;
	unsigned int bank, i;

	spare = &banks[run->cpus];
	for (bank = 0; bank <= run->cpus; bank++) {
		if (bank < run->cpus)
			own[bank] = &banks[bank];
		for (i = 0; i < LIVE; i++) {
			banks[bank].live[i] =
				uk_malloc(run->a, draw_size(&draw));
			if (!banks[bank].live[i])
				return -ENOMEM;
		}
	}
	return 0;
}

static unsigned long larson(struct bench_run *run)
{
	struct bank *bank = own[run->cpu];
	unsigned long n;

	for (n = 0; n < OPS; n++) {
		void **slot = &bank->live[bench_draw(run) % LIVE];

		uk_free(run->a, *slot);
		*slot = uk_malloc(run->a, draw_size(run));
		if (unlikely(!*slot))
			return n;
		bench_touch(*slot);
	}

	/* Acq_rel: what was stored in the bank goes with it. Pairs with itself
	 * on the CPU that takes the bank next.
	 */
	own[run->cpu] = __atomic_exchange_n(&spare, bank, __ATOMIC_ACQ_REL);
	return OPS;
}

static void larson_teardown(const struct bench_run *run)
{
	unsigned int bank, i;

	for (bank = 0; bank < BANKS; bank++) {
		for (i = 0; i < LIVE; i++) {
			uk_free(run->a, banks[bank].live[i]);
			banks[bank].live[i] = __NULL;
		}
	}
}

const struct bench_workload bench_larson = {
	.name = "larson",
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.parallel = 1,
	.scale = 1,
	.setup = larson_setup,
	.batch = larson,
	.teardown = larson_teardown,
};
