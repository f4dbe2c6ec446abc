/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the platform's rng.c
 *
 * links: plat/common/rng.c plat/common/chacha.c
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

#include <uk/essentials.h>

#include "../../plat/common/rng.h"

static struct plat_rng rng;

static int setup(void **state)
{
	(void)state;
	memset(&rng, 0, sizeof(rng));
	return 0;
}

static void a_stream_does_not_depend_on_how_it_is_drawn(void **state)
{
	__u8 whole[2000], parts[2000];
	__sz pos, len = 1;

	(void)state;
	plat_rng_mix(&rng, "seed", 4);
	plat_rng_bytes(&rng, whole, sizeof(whole));
	setup(NULL);
	plat_rng_mix(&rng, "seed", 4);
	for (pos = 0; pos < sizeof(parts); pos += len, len = len % 97 + 1) {
		len = MIN(len, sizeof(parts) - pos);
		plat_rng_bytes(&rng, parts + pos, len);
	}
	assert_memory_equal(whole, parts, sizeof(whole));
}

/* Each 32 bytes of a seed count, also those that are mixed in later */
static void every_byte_of_a_seed_counts(void **state)
{
	__u8 seed[100] = { 0 }, first[32], other[32];
	__sz i;

	(void)state;
	plat_rng_mix(&rng, seed, sizeof(seed));
	plat_rng_bytes(&rng, first, sizeof(first));
	for (i = 0; i < sizeof(seed); i++) {
		setup(NULL);
		seed[i] = 1;
		plat_rng_mix(&rng, seed, sizeof(seed));
		seed[i] = 0;
		plat_rng_bytes(&rng, other, sizeof(other));
		assert_memory_not_equal(first, other, sizeof(first));
	}
}

static void mixing_drops_what_was_drawn_ahead(void **state)
{
	__u8 before[PLAT_RNG_BUF_LEN], byte;

	(void)state;
	plat_rng_mix(&rng, "seed", 4);
	plat_rng_bytes(&rng, &byte, 1);
	memcpy(before, rng.buf, sizeof(before));
	plat_rng_mix(&rng, "more", 4);
	assert_int_equal(PLAT_CHACHA_KEY_LEN, rng.pos);
	assert_memory_not_equal(before + 40, rng.buf + 40, 16);
	assert_memory_not_equal(before, rng.buf, PLAT_CHACHA_KEY_LEN);
}

static void what_was_drawn_is_wiped(void **state)
{
	__u8 drawn[50];
	__sz i;

	(void)state;
	plat_rng_mix(&rng, "seed", 4);
	plat_rng_bytes(&rng, drawn, sizeof(drawn));
	for (i = 0; i < sizeof(drawn); i++)
		assert_int_equal(0, rng.buf[PLAT_CHACHA_KEY_LEN + i]);
}

/* 64 degrees of freedom less one: 127.6 is passed once in 2^20 seeds */
static void numbers_are_uniform(void **state)
{
	unsigned int cnt[64] = { 0 }, i;
	double chi = 0, mean = 2000;

	(void)state;
	plat_rng_mix(&rng, "seed", 4);
	for (i = 0; i < 64 * 2000; i++)
		cnt[plat_rng_uniform32(&rng, 64)]++;
	for (i = 0; i < 64; i++)
		chi += (cnt[i] - mean) * (cnt[i] - mean) / mean;
	assert_true(chi < 127.6);
	for (i = 0; i < 1000; i++)
		assert_in_range(plat_rng_uniform64(&rng, 3), 0, 2);
}

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(a_stream_does_not_depend_on_how_it_is_drawn),
		UNIT_TEST(every_byte_of_a_seed_counts),
		UNIT_TEST(mixing_drops_what_was_drawn_ahead),
		UNIT_TEST(what_was_drawn_is_wiped),
		UNIT_TEST(numbers_are_uniform),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
