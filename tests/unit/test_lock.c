/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of lock.h: exclusion, and the order with its checks switched on
 *
 * cflags: -DCONFIG_LIBUKALLOCRND_DEBUG_LOCKS=1
 *         -DCONFIG_LIBUKDEBUG_ENABLE_ASSERT=1
 * links: tests/unit/fake_assert.c
 */

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lock.h"

#define THREADS 4
#define ROUNDS	20000

UK_CTASSERT(RND_LOCK_RANKED);

static struct rnd_lock low = RND_LOCK_INIT(RND_RANK_LARGE);
static struct rnd_lock high = RND_LOCK_INIT(RND_RANK_REGION);

/* Protected by low */
static unsigned long counter;

/* Turns of the wait that yielded last */
static unsigned int yields;

void rnd_port_yield(unsigned int turn)
{
	__atomic_store_n(&yields, turn + 1, __ATOMIC_RELAXED);
	sched_yield();
}

static void *count(void *arg)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		unsigned long flags = rnd_lock_acquire(&low);

		counter++;
		/* Lets the others find the lock taken */
		if (i % 100 == 0)
			sched_yield();
		rnd_lock_release(&low, flags);
	}

	return arg;
}

static void lock_admits_one_at_a_time(void **state)
{
	pthread_t threads[THREADS];
	unsigned int i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, count,
						   NULL));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	assert_int_equal(THREADS * ROUNDS, counter);
	assert_false(rnd_lock_is_taken(&low));
}

static void *take_low(void *arg)
{
	rnd_lock_release(&low, rnd_lock_acquire(&low));
	return arg;
}

static void lock_waiter_yields_to_a_preempted_owner(void **state)
{
	unsigned long flags = rnd_lock_acquire(&low);
	pthread_t waiter;

	(void)state;
	yields = 0;
	assert_int_equal(0, pthread_create(&waiter, NULL, take_low, NULL));
	/* Turns are counted */
	while (rnd_load_relaxed(&yields) < 3)
		sched_yield();
	rnd_lock_release(&low, flags);
	pthread_join(waiter, NULL);
}

static void lock_init_gives_a_free_lock(void **state)
{
	struct rnd_lock l = { .taken = 1 };

	(void)state;
	rnd_lock_init(&l, RND_RANK_VSPACE);
	assert_false(rnd_lock_is_taken(&l));
	assert_int_equal(RND_RANK_VSPACE, l.rank);
}

static void lock_order_may_ascend(void **state)
{
	unsigned long outer, inner;

	(void)state;
	outer = rnd_lock_acquire(&low);
	inner = rnd_lock_acquire(&high);
	assert_true(rnd_lock_is_taken(&low) && rnd_lock_is_taken(&high));
	rnd_lock_release(&high, inner);
	rnd_lock_release(&low, outer);
	assert_int_equal(0, rnd_lock_held);
}

/* What follows misuses locks: the compiler is not to find that out first */

RND_UNANALYZED static void lock_order_must_not_descend(void **state)
{
	unsigned long flags;

	(void)state;
	flags = rnd_lock_acquire(&high);
	expect_assert_failure(rnd_lock_acquire(&low));
	rnd_lock_release(&high, flags);
	assert_false(rnd_lock_is_taken(&low));
}

RND_UNANALYZED static void lock_rank_is_held_once(void **state)
{
	struct rnd_lock same = RND_LOCK_INIT(RND_RANK_LARGE);
	unsigned long flags;

	(void)state;
	flags = rnd_lock_acquire(&low);
	expect_assert_failure(rnd_lock_acquire(&same));
	rnd_lock_release(&low, flags);
}

RND_UNANALYZED static void lock_release_needs_the_lock(void **state)
{
	(void)state;
	expect_assert_failure(rnd_lock_release(&low, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_admits_one_at_a_time),
		cmocka_unit_test(lock_waiter_yields_to_a_preempted_owner),
		cmocka_unit_test(lock_init_gives_a_free_lock),
		cmocka_unit_test(lock_order_may_ascend),
		cmocka_unit_test(lock_order_must_not_descend),
		cmocka_unit_test(lock_rank_is_held_once),
		cmocka_unit_test(lock_release_needs_the_lock),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
