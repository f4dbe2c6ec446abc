/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Race test of frees between threads: many producers, many consumers
 *
 * Producers allocate and fill, consumers verify and free, through queues of
 * one place. Every object is thus freed by a thread that does not own its
 * slab. What TSan has to agree with: contents travel from the user's write
 * over the batch, the remote bits and the inbox to the next user of the slot.
 *
 * links: tests/model/object.c
 */

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uk/allocrnd.h>

#include "object.h"

#define PAIRS 3UL

#define OBJECTS (TEST_TSAN ? 10000U : 100000U)

struct lane {
	pthread_t producer, consumer;
	unsigned int idx;
	struct object slots[16];
	struct object *full[16]; /* produced, not consumed yet */
};

static struct lane lanes[PAIRS];
static struct uk_alloc *heap;
static int churn;     /* consumers allocate as well */
static int one_owner; /* one producer serves all consumers */

/* Puts object i of a lane into its place as soon as that is empty */
static void put(struct lane *l, unsigned int i, struct random *random)
{
	struct object *o = &l->slots[i % 16];

	while (__atomic_load_n(&l->full[i % 16], __ATOMIC_ACQUIRE))
		sched_yield();

	o->size = random_size(random, 9);
	o->align = 16;
	o->ptr = uk_malloc(heap, o->size);
	EXPECT(o->ptr);
	object_fill(o, random);
	__atomic_store_n(&l->full[i % 16], o, __ATOMIC_RELEASE);
}

static void *produce(void *arg)
{
	struct lane *l = arg;
	struct random random = { test_seed * 100 + l->idx };
	unsigned int i;

	for (i = 0; i < OBJECTS; i++)
		put(l, i, &random);
	return NULL;
}

/* Serves all lanes, so that all consumers free slots of one owner */
static void *produce_all(void *arg)
{
	struct random random = { test_seed * 100 + 99 };
	unsigned int i, n;

	for (i = 0; i < OBJECTS; i++)
		for (n = 0; n < PAIRS; n++)
			put(&lanes[n], i, &random);
	return arg;
}

static void *consume(void *arg)
{
	struct lane *l = arg;
	struct object *o, own = { .align = 16 };
	struct random random = { test_seed * 100 + 50 + l->idx };
	unsigned int i;

	for (i = 0; i < OBJECTS; i++) {
		do {
			o = __atomic_load_n(&l->full[i % 16], __ATOMIC_ACQUIRE);
			if (!o)
				sched_yield();
		} while (!o);

		object_check(o, "consumed");
		uk_free(heap, o->ptr);
		__atomic_store_n(&l->full[i % 16], NULL, __ATOMIC_RELEASE);

		if (churn) {
			own.size = random_size(&random, 9);
			own.ptr = uk_malloc(heap, own.size);
			EXPECT(own.ptr);
			object_fill(&own, &random);
			object_check(&own, "own");
			uk_free(heap, own.ptr);
		}
	}
	return NULL;
}

static void run_lanes(void)
{
	pthread_t single;
	unsigned int i;

	for (i = 0; i < PAIRS; i++) {
		lanes[i].idx = i;
		EXPECT(!pthread_create(&lanes[i].consumer, NULL, consume,
				       &lanes[i]));
		if (!one_owner)
			EXPECT(!pthread_create(&lanes[i].producer, NULL,
					       produce, &lanes[i]));
	}
	if (one_owner) {
		EXPECT(!pthread_create(&single, NULL, produce_all, NULL));
		EXPECT(!pthread_join(single, NULL));
	}
	for (i = 0; i < PAIRS; i++) {
		if (!one_owner)
			EXPECT(!pthread_join(lanes[i].producer, NULL));
		EXPECT(!pthread_join(lanes[i].consumer, NULL));
	}
}

static void assert_all_returned(void)
{
	struct uk_allocrnd_stats stats;

	assert_true(uk_allocrnd_check(heap) == 0);
	uk_allocrnd_stats_get(heap, &stats);
	assert_true(stats.live_slots == 0);
	assert_true(stats.live_bytes == 0);
	assert_true(stats.remote_frees >= PAIRS * OBJECTS);

	/* Slots that were handed out once would need far more than this */
	print_message("%lu KiB committed for %lu objects\n",
		      stats.committed >> 10, PAIRS * OBJECTS);
	assert_true(stats.committed < 64UL << 20);
}

static int setup(void **state)
{
	(void)state;
	churn = 0;
	one_owner = 0;
	if (!uk_alloc_get_default())
		EXPECT(uk_allocrnd_init(NULL, 0));
	heap = uk_allocrnd_init(NULL, 0);
	return heap ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return uk_allocrnd_destroy(heap);
}

static void remote_frees_return_to_their_owners(void **state)
{
	(void)state;
	run_lanes();
	assert_all_returned();
}

static void remote_frees_mix_with_own_ones(void **state)
{
	(void)state;
	churn = 1;
	run_lanes();
	assert_all_returned();
}

static void remote_frees_of_many_meet_at_one_owner(void **state)
{
	(void)state;
	one_owner = 1;
	run_lanes();
	assert_all_returned();
}

#define RACE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RACE_TEST(remote_frees_return_to_their_owners),
		RACE_TEST(remote_frees_mix_with_own_ones),
		RACE_TEST(remote_frees_of_many_meet_at_one_owner),
	};

	test_seed_init(argc, argv);
	return cmocka_run_group_tests_name("remote", tests, NULL, NULL);
}
