/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Threads that come and go, keep some objects and pass on others
 *
 * usage: mstress threads rounds
 *
 * Pattern
 *   The stress test of D. Leijen's mimalloc: in each round new threads
 *   allocate arrays of words, mostly small ones, sometimes a hundred times as
 *   large; a part is freed soon, a part is kept to the end of the round, and
 *   a part is exchanged with a table that all threads share, so that it is
 *   freed by another thread, perhaps rounds later.
 *
 * Question
 *   How does an allocator reuse the memory of threads that have ended?
 *
 * What is touched: every word. Each holds a cookie, which is verified when the
 * object is freed, so that the program also finds lost writes.
 */

#include "threads.h"

#define SHARED	 1000U
#define KEPT	 4096U
#define STEPS	 30000U
#define WORDS	 64U
#define LARGE_BY 100U
#define COOKIE	 0xb5ad4eceda1ce2a9UL

/* Words of an object, the number of words first */
static uint64_t *shared[SHARED];

static uint64_t *make(uint64_t *seed)
{
	size_t words, i;
	uint64_t *object;

	/* Half the objects have at most a quarter of the words */
	words = 2 + host_below(seed, WORDS);
	words = 2 + host_below(seed, (uint32_t)words);
	if (!host_below(seed, 1000))
		words *= LARGE_BY;
	object = host_malloc(words * sizeof(*object));
	object[0] = words;
	for (i = 1; i < words; i++)
		object[i] = COOKIE ^ (words - i);
	return object;
}

static void verify_and_free(uint64_t *object)
{
	uint64_t words, i;

	if (!object)
		return;
	words = object[0];
	for (i = 1; i < words; i++) {
		if (object[i] != (COOKIE ^ (words - i)))
			host_fail("an object has lost its contents");
	}
	free(object);
}

static void work(struct host_thread *self)
{
	uint64_t **kept = calloc(KEPT, sizeof(*kept));
	unsigned int i, at;

	if (!kept)
		host_fail("out of memory");
	for (i = 0; i < STEPS; i++) {
		uint64_t *object = make(&self->seed);
		uint32_t dice = host_below(&self->seed, 100);

		if (dice < 25) {
			at = host_below(&self->seed, SHARED);
			/* Acq_rel: contents. Pairs with itself elsewhere */
			object = __atomic_exchange_n(&shared[at], object,
						     __ATOMIC_ACQ_REL);
		} else if (dice < 75) {
			uint64_t **slot = &kept[host_below(&self->seed, KEPT)];
			uint64_t *old = *slot;

			*slot = object;
			object = old;
		}
		verify_and_free(object);
	}
	for (i = 0; i < KEPT; i++)
		verify_and_free(kept[i]);
	free(kept);
}

int main(int argc, char *argv[])
{
	unsigned int threads = (unsigned int)host_arg(argc, argv, 1, 2);
	unsigned long rounds = host_arg(argc, argv, 2, 10), round;
	double seconds = 0;
	unsigned int i;

	for (round = 0; round < rounds; round++) {
		seconds += host_run(threads, work);
		/* Every other object is dropped by a thread that stays */
		for (i = (unsigned int)(round % 2); i < SHARED; i += 2) {
			verify_and_free(shared[i]);
			shared[i] = NULL;
		}
	}
	host_result(seconds, rounds * STEPS);
	return EXIT_SUCCESS;
}
