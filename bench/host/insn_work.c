/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Counted workloads of one thread
 *
 *   pair    malloc, free
 *   calloc  the same, cleared
 *   lifo    a batch of objects, freed from the last to the first
 *   random  a batch of objects, freed in an order that is drawn anew
 *   churn   of 10000 live objects one drawn at random is replaced; without a
 *           size, sizes are drawn uniformly from 16 to 1024
 *   mixed   a window of 1000 objects of mixed sizes; the oldest is replaced
 */

#include "insn.h"

#define WINDOW	    1000U
#define CHURN_LEAST 16U
#define CHURN_MOST  1024U

#define always static inline __attribute__((always_inline))

size_t insn_size;
void *insn_objects[INSN_LIVE];
static uint64_t seed = HOST_SEED;

always void pair(bool real, unsigned long ops)
{
	for (; ops; ops--)
		insn_put(real, insn_get(real, insn_size));
}

always void zeroed(bool real, unsigned long ops)
{
	for (; ops; ops--) {
		void *ptr = real ? calloc(1, insn_size) : insn_objects;

		__asm__ __volatile__("" : "+r"(ptr) : : "memory");
		if (!ptr)
			host_fail("out of memory");
		insn_put(real, ptr);
	}
}

always void fill_batch(bool real)
{
	unsigned int i;

	for (i = 0; i < INSN_BATCH; i++)
		insn_objects[i] = insn_get(real, insn_size);
}

always void last_first(bool real, unsigned long ops)
{
	unsigned int i;

	for (; ops >= INSN_BATCH; ops -= INSN_BATCH) {
		fill_batch(real);
		for (i = INSN_BATCH; i; i--)
			insn_put(real, insn_objects[i - 1]);
	}
}

always void any_order(bool real, unsigned long ops)
{
	static uint32_t order[INSN_BATCH];
	unsigned int i;

	for (; ops >= INSN_BATCH; ops -= INSN_BATCH) {
		for (i = 0; i < INSN_BATCH; i++) {
			uint32_t at = host_below(&seed, i + 1);

			order[i] = order[at];
			order[at] = i;
		}
		fill_batch(real);
		for (i = 0; i < INSN_BATCH; i++)
			insn_put(real, insn_objects[order[i]]);
	}
}

static inline size_t churn_size(void)
{
	if (insn_size)
		return insn_size;
	return CHURN_LEAST + host_below(&seed, CHURN_MOST - CHURN_LEAST + 1);
}

always void replace_any(bool real, unsigned long ops)
{
	unsigned int i;

	for (i = 0; i < INSN_LIVE && !insn_objects[i]; i++)
		insn_objects[i] = insn_get(real, churn_size());
	for (; ops; ops--) {
		uint32_t at = host_below(&seed, INSN_LIVE);

		insn_put(real, insn_objects[at]);
		insn_objects[at] = insn_get(real, churn_size());
	}
}

always void replace_oldest(bool real, unsigned long ops)
{
	static unsigned int at;

	for (; ops; ops--) {
		/* None yet: nothing is freed */
		insn_put(real, insn_objects[at]);
		insn_objects[at] = insn_get(real, host_mixed_size(&seed));
		at = at + 1 < WINDOW ? at + 1 : 0;
	}
}

INSN_WORKLOAD(pair, pair);
INSN_WORKLOAD(calloc, zeroed);
INSN_WORKLOAD(lifo, last_first);
INSN_WORKLOAD(random, any_order);
INSN_WORKLOAD(churn, replace_any);
INSN_WORKLOAD(mixed, replace_oldest);
