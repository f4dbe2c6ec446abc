/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of lib/ukalloc/stats.c
 *
 * Includes the file instead of linking it: statistics are off by default.
 * With the 3 stripes chosen here some CPUs have to share one.
 *
 * links: tests/unit/fake_assert.c
 */

#include <uk/config.h>

#ifndef CONFIG_LIBUKALLOC_IFSTATS
#define CONFIG_LIBUKALLOC_IFSTATS	  1
#define CONFIG_LIBUKALLOC_IFSTATS_STRIPES 3
#endif
#ifndef CONFIG_LIBUKALLOC_IFSTATS_GLOBAL
#define CONFIG_LIBUKALLOC_IFSTATS_GLOBAL 1
#endif

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* NOLINTNEXTLINE(bugprone-suspicious-include): see above */
#include "../../lib/ukalloc/stats.c"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#define THREADS 5
#ifdef RND_TEST_SLOW
#define ROUNDS 500
#else
#define ROUNDS 20000
#endif

/* Allocations that a thread holds at most, and their largest size */
#define HELD	40
#define LARGEST 3000

static struct uk_alloc fake;
static const int object;

static int setup(void **state)
{
	(void)state;
	uk_alloc_stats_reset(&fake);
	memset(&stats_global, 0, sizeof(stats_global));
	return 0;
}

static void count_alloc(__sz size)
{
	uk_alloc_stats_count_alloc(&fake, &object, size);
}

static void count_free(__sz size)
{
	uk_alloc_stats_count_free(&fake, &object, size);
}

static void nothing_counted_is_all_zero(void **state)
{
	static const struct uk_alloc_stats zero;
	struct uk_alloc_stats st;

	(void)state;
	uk_alloc_stats_get(&fake, &st);
	assert_memory_equal(&st, &zero, sizeof(st));
}

static void totals_and_sizes_are_exact(void **state)
{
	struct uk_alloc_stats st;

	(void)state;
	count_alloc(100);
	count_alloc(7);
	count_alloc(300);
	count_free(7);
	uk_alloc_stats_count_enomem(&fake, 1000000);
	uk_alloc_stats_count_free(&fake, __NULL, 50);
	uk_alloc_stats_count_palloc(&fake, &object, 2);

	uk_alloc_stats_get(&fake, &st);

	assert_int_equal(st.tot_nb_allocs, 4);
	assert_int_equal(st.tot_nb_frees, 1);
	assert_int_equal(st.cur_nb_allocs, 3);
	assert_int_equal(st.cur_mem_use, 400 + 2 * UK_ALLOC_PAGE_LEN);
	assert_int_equal(st.nb_enomem, 1);
	assert_int_equal(st.min_alloc_size, 7);
	assert_int_equal(st.max_alloc_size, 2 * UK_ALLOC_PAGE_LEN);
	assert_int_equal(st.last_alloc_size, 2 * UK_ALLOC_PAGE_LEN);
}

static void smallest_size_may_be_zero(void **state)
{
	struct uk_alloc_stats st;

	(void)state;
	count_alloc(5);
	count_alloc(0);

	uk_alloc_stats_get(&fake, &st);

	assert_int_equal(st.min_alloc_size, 0);
	assert_int_equal(st.max_alloc_size, 5);
}

static void peak_is_missed_by_less_than_the_drift(void **state)
{
	struct uk_alloc_stats st;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		count_alloc(1000);
	for (i = 0; i < 1000; i++)
		count_free(1000);

	uk_alloc_stats_get(&fake, &st);

	assert_int_equal(st.cur_nb_allocs, 0);
	assert_int_equal(st.cur_mem_use, 0);
	assert_in_range(st.max_nb_allocs, 1000 - UK_ALLOC_STATS_DRIFT_NB, 1000);
	assert_in_range(st.max_mem_use, 1000000 - UK_ALLOC_STATS_DRIFT_MEM,
			1000000);
}

static void reading_samples_the_peak(void **state)
{
	struct uk_alloc_stats st;

	(void)state;
	count_alloc(10);
	count_alloc(20);
	uk_alloc_stats_get(&fake, &st);
	count_free(10);

	uk_alloc_stats_get(&fake, &st);

	assert_int_equal(st.cur_nb_allocs, 1);
	assert_int_equal(st.max_nb_allocs, 2);
	assert_int_equal(st.max_mem_use, 30);
}

static void *churn(void *arg)
{
	__sz sizes[HELD] = { 0 };
	__sz seed = (__sz)arg + 1;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		if (i >= HELD)
			count_free(sizes[i % HELD]);
		seed = seed * 6364136223846793005UL + 1442695040888963407UL;
		sizes[i % HELD] = 1 + (seed >> 33) % LARGEST;
		count_alloc(sizes[i % HELD]);
		if (i % 1000 == 0)
			uk_alloc_stats_count_enomem(&fake, 1);
	}
	for (i = 0; i < HELD; i++)
		count_free(sizes[i]);

	return NULL;
}

static void totals_are_exact_after_many_cpus(void **state)
{
	struct uk_alloc_stats st, global;
	pthread_t threads[THREADS];
	__sz i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, churn, (void *)i), 0);
	for (i = 0; i < 100; i++) {
		uk_alloc_stats_get(&fake, &st);
		assert_true(st.max_nb_allocs <=
			    THREADS * (HELD + 1) + UK_ALLOC_STATS_DRIFT_NB);
	}
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	uk_alloc_stats_get(&fake, &st);
	uk_alloc_stats_get_global(&global);

	assert_int_equal(st.tot_nb_allocs, THREADS * ROUNDS);
	assert_int_equal(st.tot_nb_frees, THREADS * ROUNDS);
	assert_int_equal(st.cur_nb_allocs, 0);
	assert_int_equal(st.cur_mem_use, 0);
	assert_int_equal(st.nb_enomem, THREADS * ((ROUNDS + 999) / 1000));
	assert_in_range(st.min_alloc_size, 1, 50);
	assert_in_range(st.max_alloc_size, LARGEST - 50, LARGEST);
	assert_int_equal(global.tot_nb_allocs, st.tot_nb_allocs);
	assert_int_equal(global.cur_mem_use, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(nothing_counted_is_all_zero),
		UNIT_TEST(totals_and_sizes_are_exact),
		UNIT_TEST(smallest_size_may_be_zero),
		UNIT_TEST(peak_is_missed_by_less_than_the_drift),
		UNIT_TEST(reading_samples_the_peak),
		UNIT_TEST(totals_are_exact_after_many_cpus),
	};

	return cmocka_run_group_tests_name("ukalloc_stats", tests, NULL, NULL);
}
