/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of health.c
 *
 * links: plat/common/health.c tests/unit/fake_assert.c
 *
 * Cutoffs are compared with binomial sums in floating point of higher
 * precision, and with figures that are published. Sources are a generator with
 * a fixed seed, so that the error rates stated below are those of a choice of
 * the seed.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <uk/essentials.h>

#include "health.h"

#ifdef RND_TEST_SLOW
#define GOOD_SAMPLES 200000U
#define H_STEP	     7U
#else
#define GOOD_SAMPLES 4000000U
#define H_STEP	     1U
#endif

static __u64 state;

static int setup(void **unused)
{
	(void)unused;
	state = 0x853c49e6748fea9bUL;
	return 0;
}

static __u64 draw(void)
{
	__u64 z;

	state += 0x9e3779b97f4a7c15UL;
	z = (state ^ state >> 30) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
	return z ^ z >> 31;
}

static void rct_cutoffs_are_those_of_the_formula(void **unused)
{
	(void)unused;
	/* 1 + ceil(20 / 1) is the example of 4.4.1 */
	assert_int_equal(21, health_rct_cutoff(HEALTH_H_UNIT, 20));
	assert_int_equal(31, health_rct_cutoff(HEALTH_H_UNIT, 30));
	assert_int_equal(61, health_rct_cutoff(HEALTH_H_UNIT / 2, 30));
	assert_int_equal(9, health_rct_cutoff(4 * HEALTH_H_UNIT, 30));
	assert_int_equal(2, health_rct_cutoff(32 * HEALTH_H_UNIT, 30));
	/* Rounded up */
	assert_int_equal(5, health_rct_cutoff(8 * HEALTH_H_UNIT, 30));
	assert_int_equal(241, health_rct_cutoff(1, 30));
}

/* Smallest count that is reached with a probability of at most 2^-alpha */
static __u32 cutoff_by_sum(double h, __u32 alpha, __u32 n)
{
	const long double p = powl(2, -(long double)h);
	long double tail = 0, term;
	__u32 c;

	for (c = n; c; c--) {
		term = lgammal(n + 1.0L) - lgammal(c + 1.0L) -
		       lgammal((long double)(n - c) + 1) + c * logl(p) +
		       (n - c) * log1pl(-p);
		tail += expl(term);
		if (tail > powl(2, -(long double)alpha))
			break;
	}
	return c + 1;
}

static void apt_cutoffs_are_those_of_the_binomial_sum(void **unused)
{
	__u32 h;

	(void)unused;
	for (h = 1; h <= HEALTH_H_MAX; h += H_STEP) {
		double bits = (double)h / HEALTH_H_UNIT;

		assert_int_equal(cutoff_by_sum(bits, 30, HEALTH_WINDOW),
				 health_apt_cutoff(h, 30, HEALTH_WINDOW));
		assert_int_equal(cutoff_by_sum(bits, 20, 1024),
				 health_apt_cutoff(h, 20, 1024));
	}
}

/* What other programs have tables of, for 512 samples and 2^-30 */
static void apt_cutoffs_are_the_published_ones(void **unused)
{
	(void)unused;
	assert_int_equal(325, health_apt_cutoff(8, 30, HEALTH_WINDOW));
	assert_int_equal(422, health_apt_cutoff(4, 30, HEALTH_WINDOW));
	assert_int_equal(477, health_apt_cutoff(2, 30, HEALTH_WINDOW));
	assert_int_equal(502, health_apt_cutoff(1, 30, HEALTH_WINDOW));
}

static void apt_cutoff_may_be_out_of_reach(void **unused)
{
	(void)unused;
	/* Ten samples of a bit are equal once in 1024 times */
	assert_int_equal(11, health_apt_cutoff(HEALTH_H_UNIT, 30, 10));
	assert_int_equal(1, health_apt_cutoff(HEALTH_H_MAX, 1, 1));
}

/* Feeds samples that are v in `share` of 256 cases; when it fails, or 0 */
static __u32 feed_biased(struct health *h, __u32 share, __u32 cnt)
{
	__u32 i;
	__u64 word;

	for (i = 1; i <= cnt; i++) {
		word = draw();
		if (!health_feed(h, (word & 0xff) < share ? 42 : word >> 8))
			return i;
	}
	return 0;
}

static void a_stuck_source_fails_at_the_cutoff(void **unused)
{
	struct health h;
	__u32 i;

	(void)unused;
	health_init(&h, HEALTH_H_UNIT);
	for (i = 1; i < 31; i++)
		assert_true(health_feed(&h, 7));
	assert_false(health_feed(&h, 7));
	/* For good */
	assert_false(health_feed(&h, 8));
	assert_true(h.failed);
}

static void zero_as_first_sample_is_no_repetition(void **unused)
{
	struct health h;

	(void)unused;
	health_init(&h, HEALTH_H_MAX);
	assert_true(health_feed(&h, 0));
	assert_true(health_feed(&h, 1));
	assert_false(health_feed(&h, 1));
}

static void a_source_of_two_values_fails_in_its_window(void **unused)
{
	struct health h;
	__u32 i;

	(void)unused;
	/* Alternates: no repetition, but each value half of the time, where 4
	 * bits are claimed
	 */
	health_init(&h, 4 * HEALTH_H_UNIT);
	for (i = 1; health_feed(&h, i & 1) && i < HEALTH_WINDOW; i++)
		;
	assert_int_equal(2 * health_apt_cutoff(4 * HEALTH_H_UNIT, 30, 512) - 1,
			 i);
}

static void windows_are_counted_on_their_own(void **unused)
{
	struct health h;
	__u32 i, cutoff;

	(void)unused;
	health_init(&h, 4 * HEALTH_H_UNIT);
	cutoff = h.apt_cutoff;
	/* One less than the cutoff in each of three windows, never two in a
	 * row; the rest is new each time
	 */
	for (i = 0; i < 3 * HEALTH_WINDOW; i++) {
		__u32 pos = i % HEALTH_WINDOW;
		int is_ref = pos % 2 == 0 && pos / 2 < cutoff - 1;

		assert_true(health_feed(&h, is_ref ? 3 : 1000 + i));
	}
}

/* The first sample of a window is the value that comes too often in half of
 * the windows, so that a biased source is found within some of them
 */
static void biased_sources_fail(void **unused)
{
	static const struct {
		__u32 h, share;
	} sources[] = {
		{ 8 * HEALTH_H_UNIT, 32 },
		{ 4 * HEALTH_H_UNIT, 96 },
		{ HEALTH_H_UNIT, 200 },
		{ HEALTH_H_UNIT / 2, 240 },
	};
	struct health h;
	__sz i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		health_init(&h, sources[i].h);
		assert_in_range(feed_biased(&h, sources[i].share,
					    64 * HEALTH_WINDOW),
				1, 64 * HEALTH_WINDOW);
	}
}

/* A source of exactly what is claimed fails at most once in 2^30 samples by
 * either test: here with a probability below 1 %
 */
static void good_sources_pass(void **unused)
{
	static const __u32 bits[] = { 1, 2, 4, 8, 16 };
	struct health h;
	__u32 i, k;

	(void)unused;
	for (k = 0; k < ARRAY_SIZE(bits); k++) {
		health_init(&h, bits[k] * HEALTH_H_UNIT);
		for (i = 0; i < GOOD_SAMPLES / 4; i++)
			(void)health_feed(&h, draw() >> (64 - bits[k]));
		assert_false(h.failed);
	}
}

/* With an error rate that can be seen the tests fail as often as they say: the
 * repetitions of a bit, 2^-10 a sample, within 5 standard deviations
 */
static void failures_are_as_rare_as_claimed(void **unused)
{
	const __u32 cutoff = health_rct_cutoff(HEALTH_H_UNIT, 10);
	const double mean = GOOD_SAMPLES / 2048.0;
	__u32 i, fails = 0, run = 0;
	__u64 bit, last = 2;

	(void)unused;
	for (i = 0; i < GOOD_SAMPLES; i++) {
		bit = draw() >> 63;
		run = bit == last ? run + 1 : 1;
		last = bit;
		fails += run == cutoff;
	}
	/* A run of 11 begins at a change: half of 2^-10 */
	assert_true(fabs(fails - mean) < 5 * sqrt(mean));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(rct_cutoffs_are_those_of_the_formula,
				       setup),
		cmocka_unit_test_setup(
			apt_cutoffs_are_those_of_the_binomial_sum, setup),
		cmocka_unit_test_setup(apt_cutoffs_are_the_published_ones,
				       setup),
		cmocka_unit_test_setup(apt_cutoff_may_be_out_of_reach, setup),
		cmocka_unit_test_setup(a_stuck_source_fails_at_the_cutoff,
				       setup),
		cmocka_unit_test_setup(zero_as_first_sample_is_no_repetition,
				       setup),
		cmocka_unit_test_setup(
			a_source_of_two_values_fails_in_its_window, setup),
		cmocka_unit_test_setup(windows_are_counted_on_their_own, setup),
		cmocka_unit_test_setup(biased_sources_fail, setup),
		cmocka_unit_test_setup(good_sources_pass, setup),
		cmocka_unit_test_setup(failures_are_as_rare_as_claimed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
