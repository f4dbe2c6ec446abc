/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Race test of leases: threads come and go, more than there are CPU states
 *
 * Waves of short-lived threads pass objects on to later threads, which free
 * them after the allocating thread has ended and another one has taken over
 * its state. In the last test more threads live at once than states exist, so
 * that some share one.
 *
 * links: tests/model/object.c
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uk/allocrnd.h>

#include "config.h"
#include "object.h"

#define OPS (TEST_TSAN ? 100 : 1000)

#define SMALL_WAVE  8U
#define SMALL_CNT   20U
#define CROWD	    (RND_CPU_COUNT + 15U)
#define PLACES	    256U
#define THREADS_MAX (CROWD > SMALL_WAVE ? CROWD : SMALL_WAVE)

static struct uk_alloc *heap;
static struct object *places[PLACES];
static pthread_barrier_t *together;

/* Leaves o at a random place; returns what was there */
static struct object *swap(struct random *random, struct object *o)
{
	return __atomic_exchange_n(&places[random_below(random, PLACES)], o,
				   __ATOMIC_ACQ_REL);
}

static void consume(struct object *o)
{
	if (!o)
		return;
	object_check(o, "passed on");
	uk_free(heap, o->ptr);
	free(o);
}

static void *thread_run(void *arg)
{
	struct random random = { test_seed + (uintptr_t)arg };
	struct object *o;
	unsigned int i;

	/* All leases of the wave are held at the same time */
	uk_free(heap, uk_malloc(heap, 1));
	if (together)
		pthread_barrier_wait(together);

	for (i = 0; i < OPS; i++) {
		o = calloc(1, sizeof(*o));
		EXPECT(o);
		o->size = random_size(&random, 12);
		o->align = 16;
		o->ptr = uk_malloc(heap, o->size);
		EXPECT(o->ptr);
		object_fill(o, &random);
		consume(swap(&random, o));
	}
	return NULL;
}

static void run_wave(unsigned int first, unsigned int n)
{
	pthread_t threads[THREADS_MAX];
	unsigned int i;

	for (i = 0; i < n; i++)
		EXPECT(!pthread_create(&threads[i], NULL, thread_run,
				       (void *)(uintptr_t)(first + i)));
	for (i = 0; i < n; i++)
		EXPECT(!pthread_join(threads[i], NULL));
	EXPECT(uk_allocrnd_check(heap) == 0);
}

static void assert_all_returned(void)
{
	struct uk_allocrnd_stats stats;
	unsigned int i;

	for (i = 0; i < PLACES; i++) {
		consume(places[i]);
		places[i] = NULL;
	}
	assert_true(uk_allocrnd_check(heap) == 0);
	uk_allocrnd_stats_get(heap, &stats);
	assert_true(stats.live_slots == 0);
}

static int setup(void **state)
{
	(void)state;
	if (!uk_alloc_get_default())
		EXPECT(uk_allocrnd_init(NULL, 0));
	together = NULL;
	heap = uk_allocrnd_init(NULL, 0);
	return heap ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return uk_allocrnd_destroy(heap);
}

static void lease_passes_from_thread_to_thread(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < SMALL_CNT; i++)
		run_wave(i * SMALL_WAVE, SMALL_WAVE);
	assert_all_returned();
}

static void lease_of_an_ended_thread_loses_nothing(void **state)
{
	unsigned int i;

	(void)state;

	/* One thread at a time: each frees what its predecessors, which had
	 * the same state, have left
	 */
	for (i = 0; i < SMALL_CNT; i++)
		run_wave(1000 + i, 1);
	assert_all_returned();
}

static void lease_is_shared_when_there_are_none_left(void **state)
{
	pthread_barrier_t barrier;

	(void)state;
	assert_int_equal(0, pthread_barrier_init(&barrier, NULL, CROWD));
	together = &barrier;
	run_wave(2000, CROWD);
	together = NULL;
	pthread_barrier_destroy(&barrier);
	assert_all_returned();
}

#define RACE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RACE_TEST(lease_passes_from_thread_to_thread),
		RACE_TEST(lease_of_an_ended_thread_loses_nothing),
		RACE_TEST(lease_is_shared_when_there_are_none_left),
	};

	test_seed_init(argc, argv);
	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
