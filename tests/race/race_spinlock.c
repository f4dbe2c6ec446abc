/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Spinlock under ThreadSanitizer: with a weaker order in lock or unlock the
 * plain counter below is a data race.
 *
 * links: only
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uk/spinlock.h>

#define THREADS 4
#define ROUNDS	20000

static struct uk_spinlock lock = UK_SPINLOCK_INITIALIZER();

/* Protected by the lock */
static unsigned long total;

static void *count_by_lock(void *arg)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		uk_spin_lock(&lock);
		total++;
		uk_spin_unlock(&lock);
	}
	return arg;
}

static void *count_by_trylock(void *arg)
{
	unsigned long flags;
	unsigned int i = 0;

	while (i < ROUNDS) {
		if (!uk_spin_trylock_irqsave(&lock, &flags))
			continue;
		total++;
		uk_spin_unlock_irqrestore(&lock, flags);
		i++;
	}
	return arg;
}

static void run(void *(*fn)(void *arg))
{
	pthread_t threads[THREADS];
	unsigned int i;

	total = 0;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fn, NULL),
				 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(total, THREADS * ROUNDS);
}

static void spinlock_excludes_others(void **state)
{
	(void)state;
	run(count_by_lock);
}

static void spinlock_trylock_excludes_others(void **state)
{
	(void)state;
	run(count_by_trylock);
}

static void spinlock_trylock_fails_while_held(void **state)
{
	unsigned long flags;

	(void)state;
	flags = uk_spin_lock_irqsave(&lock);
	assert_false(uk_spin_trylock(&lock));
	uk_spin_unlock_irqrestore(&lock, flags);
	assert_true(uk_spin_trylock(&lock));
	uk_spin_unlock(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spinlock_excludes_others),
		cmocka_unit_test(spinlock_trylock_excludes_others),
		cmocka_unit_test(spinlock_trylock_fails_while_held),
	};

	return cmocka_run_group_tests_name("spinlock", tests, NULL, NULL);
}
