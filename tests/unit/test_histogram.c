/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of bench/guest/histogram.c against a sorted array
 *
 * links: bench/guest/histogram.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "../../bench/guest/histogram.h"

#define COSTS 1000U

static struct bench_histogram h;
static __u64 sorted[COSTS];

static int compare(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Half of the costs are dear */
static void fill(unsigned int cnt)
{
	__u64 state = 12345;
	unsigned int i;

	bench_histogram_reset(&h);
	for (i = 0; i < cnt; i++) {
		state = state * 6364136223846793005UL + 1442695040888963407UL;
		sorted[i] = (state >> 33) % (2UL * HISTOGRAM_DIRECT);
		bench_histogram_add(&h, sorted[i]);
	}
	bench_histogram_finish(&h);
	qsort(sorted, cnt, sizeof(*sorted), compare);
}

static void percentiles_are_those_of_the_array(void **state __unused)
{
	static const unsigned int counts[] = { 1, 2, 7, 100, 999, COSTS };
	unsigned int i, permille;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		fill(counts[i]);
		for (permille = 1; permille <= 1000; permille++) {
			unsigned long costs = counts[i];
			unsigned long rank =
				DIV_ROUND_UP(costs * permille, 1000);

			assert_int_equal(bench_histogram_rank(&h, permille),
					 sorted[rank - 1]);
		}
	}
}

static void costs_above_a_threshold_add_up(void **state __unused)
{
	static const __u64 thresholds[] = { 0, 5, HISTOGRAM_DIRECT - 1,
					    HISTOGRAM_DIRECT,
					    3 * HISTOGRAM_DIRECT / 2 };
	unsigned int i, j;

	fill(COSTS);
	for (i = 0; i < ARRAY_SIZE(thresholds); i++) {
		__u64 want = 0, sum;
		unsigned long cnt = 0;

		for (j = 0; j < COSTS; j++)
			if (sorted[j] > thresholds[i]) {
				want += sorted[j];
				cnt++;
			}
		assert_int_equal(bench_histogram_above(&h, thresholds[i], &sum),
				 cnt);
		assert_int_equal(sum, want);
	}
}

static void empty_has_no_percentiles(void **state __unused)
{
	__u64 sum;

	fill(0);
	assert_int_equal(bench_histogram_rank(&h, 500), 0);
	assert_int_equal(bench_histogram_above(&h, 0, &sum), 0);
	assert_int_equal(sum, 0);
}

static void a_full_list_counts_what_it_loses(void **state __unused)
{
	unsigned int i;

	bench_histogram_reset(&h);
	for (i = 0; i < HISTOGRAM_BEYOND + 3; i++)
		bench_histogram_add(&h, HISTOGRAM_DIRECT);
	assert_int_equal(h.lost, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_those_of_the_array),
		cmocka_unit_test(costs_above_a_threshold_add_up),
		cmocka_unit_test(empty_has_no_percentiles),
		cmocka_unit_test(a_full_list_counts_what_it_loses),
	};

	return cmocka_run_group_tests(tests, __NULL, __NULL);
}
