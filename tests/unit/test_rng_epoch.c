/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of rng.c on a port with epochs
 *
 * links: tests/unit/epoch_rng.c lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c tests/unit/fake_assert.c
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

#include "epoch_rng.h"

static struct rnd_rng rng;
static __u32 epoch;
static __u8 entropy_byte;
static unsigned int entropy_calls;
/* The epoch begins while entropy is drawn */
static int epoch_is_late;

__u32 rnd_port_epoch(void)
{
	return epoch;
}

void rnd_port_entropy(void *buf, __sz len)
{
	memset(buf, entropy_byte, len);
	entropy_calls++;
	if (epoch_is_late) {
		epoch_is_late = 0;
		epoch++;
	}
}

static int setup(void **state)
{
	static const __u8 seed[RND_CHACHA_KEY_LEN] = { 7 };

	(void)state;
	epoch = 1;
	epoch_is_late = 0;
	entropy_byte = 0x5a;
	rnd_rng_init(&rng, seed);
	rnd_rng_follow(&rng);
	entropy_calls = 0;
	return 0;
}

static void a_new_generator_follows_at_once(void **state)
{
	static const __u8 seed[RND_CHACHA_KEY_LEN] = { 7 };

	(void)state;
	rnd_rng_init(&rng, seed);
	rnd_rng_follow(&rng);
	assert_int_equal(1, entropy_calls);
	rnd_rng_follow(&rng);
	assert_int_equal(1, entropy_calls);
}

static void a_new_epoch_drops_the_buffer(void **state)
{
	__u8 before[RND_RNG_YIELD];

	(void)state;
	memcpy(before, rng.buf, sizeof(before));
	rng.left = 100;
	rnd_rng_follow(&rng);
	assert_int_equal(100, rng.left);
	epoch++;
	rnd_rng_follow(&rng);
	assert_int_equal(1, entropy_calls);
	assert_int_equal(RND_RNG_YIELD, rng.left);
	assert_memory_not_equal(before, rng.buf, 16);
	assert_memory_not_equal(before + RND_RNG_YIELD - 16,
				rng.buf + RND_RNG_YIELD - 16, 16);
}

static void a_refill_follows(void **state)
{
	(void)state;
	rnd_rng_refill(&rng);
	assert_int_equal(0, entropy_calls);
	epoch++;
	rnd_rng_refill(&rng);
	assert_int_equal(1, entropy_calls);
}

static void an_epoch_that_begins_meanwhile_is_not_lost(void **state)
{
	(void)state;
	epoch++;
	epoch_is_late = 1;
	rnd_rng_follow(&rng);
	assert_int_equal(2, entropy_calls);
	rnd_rng_follow(&rng);
	assert_int_equal(2, entropy_calls);
}

/* As a handler does it between two instructions of the owner */
static void renewal_leaves_nothing_and_takes_nothing(void **state)
{
	unsigned int i;

	(void)state;
	rng.left = 100;
	entropy_byte = 0xa5;
	rnd_rng_renew(&rng);
	for (i = 0; i < RND_RNG_YIELD; i++)
		assert_int_equal(0xa5, rng.buf[i]);
	for (i = 0; i < sizeof(rng.key); i++)
		assert_int_equal(0xa5, rng.key[i]);
	assert_int_equal(100, rng.left);
}

/* The owner was about to fill the buffer out of its old key */
static void renewal_in_the_middle_of_a_refill_is_noticed(void **state)
{
	__u8 key[RND_CHACHA_KEY_LEN], stale[RND_RNG_YIELD];

	(void)state;
	memcpy(key, rng.key, sizeof(key));
	rnd_rng_refill(&rng);
	memcpy(stale, rng.buf, sizeof(stale));

	memcpy(rng.key, key, sizeof(key));
	epoch++;
	rnd_rng_renew(&rng);
	memcpy(rng.key, key, sizeof(key));
	rnd_rng_refill(&rng);
	assert_memory_not_equal(stale, rng.buf, 16);
}

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(a_new_generator_follows_at_once),
		UNIT_TEST(a_new_epoch_drops_the_buffer),
		UNIT_TEST(a_refill_follows),
		UNIT_TEST(an_epoch_that_begins_meanwhile_is_not_lost),
		UNIT_TEST(renewal_leaves_nothing_and_takes_nothing),
		UNIT_TEST(renewal_in_the_middle_of_a_refill_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
