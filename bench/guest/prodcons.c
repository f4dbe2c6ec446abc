/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* One CPU allocates, another one frees
 *
 * Pattern
 *   C. Lever and D. Boreham, malloc() performance in a multithreaded Linux
 *   environment, 2000 (xmalloc-test of mimalloc-bench): network stacks hand
 *   buffers from the receiving to the consuming side.
 *
 * Question
 *   What does the way back of a slot to its owner cost when every free is
 *   remote?
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define RING 256UL

/* How often an end looks at a full or empty ring before it returns */
#define PATIENCE 200U

static const __sz sizes[] = { 64, 0 };

static void *ring[RING];
/* Each counter has one writer, and a cache line of its own */
static unsigned long head __align(128); /* put so far, by CPU 0 */
static unsigned long tail __align(128); /* taken so far, by CPU 1 */

static unsigned long produce(struct bench_run *run)
{
	unsigned long n = head;
	unsigned int patience = PATIENCE;
	void *ptr;

	/* Acquire: the consumer has read the slots. Pairs with the release in
	 * consume().
	 */
	while (n - __atomic_load_n(&tail, __ATOMIC_ACQUIRE) == RING) {
		if (!--patience)
			return 0;
		__builtin_ia32_pause();
	}

	ptr = uk_malloc(run->a, run->size);
	if (unlikely(!ptr))
		return 0;
	bench_touch(ptr);
	ring[n % RING] = ptr;
	/* Release: the slot is set. Pairs with the acquire in consume(). */
	__atomic_store_n(&head, n + 1, __ATOMIC_RELEASE);

	/* The consumer counts the operation */
	return 0;
}

static unsigned long consume(struct bench_run *run)
{
	unsigned long n = tail;
	unsigned int patience = PATIENCE;

	/* Acquire: pairs with the release in produce() */
	while (__atomic_load_n(&head, __ATOMIC_ACQUIRE) == n) {
		if (!--patience)
			return 0;
		__builtin_ia32_pause();
	}

	uk_free(run->a, ring[n % RING]);
	/* Release: the slot was read. Pairs with the acquire in produce(). */
	__atomic_store_n(&tail, n + 1, __ATOMIC_RELEASE);
	return 1;
}

/* Several of them before the clock is looked at again */
static unsigned long prodcons(struct bench_run *run)
{
	unsigned long i, done = 0;

	for (i = 0; i < RING; i++)
		done += run->cpu ? consume(run) : produce(run);
	return done;
}

static void prodcons_teardown(const struct bench_run *run)
{
	for (; tail != head; tail++)
		uk_free(run->a, ring[tail % RING]);
}

const struct bench_workload bench_prodcons = {
	.name = "prodcons",
	.sizes = sizes,
	.cpus_min = 2,
	.cpus_max = 2,
	.parallel = 1,
	.scale = 1,
	.batch = prodcons,
	.teardown = prodcons_teardown,
};
