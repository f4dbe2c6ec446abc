/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of rng.c
 *
 * The port's entropy is a fake that counts its calls.
 *
 * links: lib/ukallocrnd/chacha.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "port.h"
#include "rng.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#define YIELD_LEN (RND_RNG_BUF_LEN - RND_CHACHA_KEY_LEN)

static const __u8 seed[RND_CHACHA_KEY_LEN] = { 7 };
static struct rnd_rng rng;
static unsigned int entropy_calls;
static __u8 entropy_byte;

void rnd_port_entropy(void *buf, __sz len)
{
	assert_true(len >= RND_CHACHA_KEY_LEN);
	memset(buf, entropy_byte, len);
	entropy_calls++;
}

static int setup(void **state)
{
	(void)state;
	rnd_rng_init(&rng, seed);
	entropy_calls = 0;
	entropy_byte = 0x5a;
	return 0;
}

/* Puts four bytes in front of everything that will be drawn */
static void queue_u32(__u32 word)
{
	if (rng.pos < sizeof(word))
		rnd_rng_refill(&rng);
	rng.pos -= (__u32)sizeof(word);
	memcpy(&rng.buf[rng.pos], &word, sizeof(word));
}

static void queue_u64(__u64 word)
{
	queue_u32((__u32)(word >> 32));
	queue_u32((__u32)word);
}

static void rng_repeats_for_the_same_seed(void **state)
{
	struct rnd_rng other;
	__u8 a[2000], b[2000];

	(void)state;
	rnd_rng_init(&other, seed);
	rnd_rng_bytes(&rng, a, sizeof(a));
	rnd_rng_bytes(&other, b, sizeof(b));
	assert_memory_equal(a, b, sizeof(a));
}

static void rng_differs_for_another_seed(void **state)
{
	const __u8 seed2[RND_CHACHA_KEY_LEN] = { 8 };
	struct rnd_rng other;

	(void)state;
	rnd_rng_init(&other, seed2);
	assert_true(rnd_rng_u64(&rng) != rnd_rng_u64(&other));
}

static void rng_sequence_does_not_depend_on_draw_sizes(void **state)
{
	struct rnd_rng other;
	__u8 a[3 * YIELD_LEN], b[3 * YIELD_LEN];
	__sz n = 0, step = 1;

	(void)state;
	rnd_rng_init(&other, seed);
	rnd_rng_bytes(&rng, a, sizeof(a));
	while (n < sizeof(b)) {
		step = MIN(step, sizeof(b) - n);
		rnd_rng_bytes(&other, b + n, step);
		n += step++;
	}
	assert_memory_equal(a, b, sizeof(a));

	rnd_rng_init(&other, seed);
	for (n = 0; n < sizeof(a); n++)
		assert_int_equal(a[n], rnd_rng_u8(&other));
}

/* The first 32 bytes of the stream are the next key, the rest is drawn */
static void rng_erases_its_key(void **state)
{
	__u8 stream[RND_RNG_BUF_LEN], next[RND_RNG_BUF_LEN];
	__u8 drawn[2 * YIELD_LEN];

	(void)state;
	rnd_chacha_blocks(seed, 0, stream, sizeof(stream) / 64);
	rnd_chacha_blocks(stream, 0, next, sizeof(next) / 64);

	rnd_rng_bytes(&rng, drawn, sizeof(drawn));

	assert_memory_equal(stream + RND_CHACHA_KEY_LEN, drawn, YIELD_LEN);
	assert_memory_equal(next + RND_CHACHA_KEY_LEN, drawn + YIELD_LEN,
			    YIELD_LEN);
	assert_memory_equal(next, rng.buf, RND_CHACHA_KEY_LEN);
}

static void rng_wipes_what_it_hands_out(void **state)
{
	__u8 zero[RND_RNG_BUF_LEN] = { 0 };
	__u8 drawn[100];

	(void)state;
	rnd_rng_bytes(&rng, drawn, sizeof(drawn));
	rnd_rng_u8(&rng);
	assert_int_equal(RND_CHACHA_KEY_LEN + 101, rng.pos);
	assert_memory_equal(zero, &rng.buf[RND_CHACHA_KEY_LEN], 101);
}

static void rng_reseed_mixes_key_and_entropy(void **state)
{
	__u8 key[RND_CHACHA_KEY_LEN], expected[RND_RNG_BUF_LEN];
	unsigned int i;

	(void)state;
	rnd_rng_u64(&rng);
	for (i = 0; i < sizeof(key); i++)
		key[i] = rng.buf[i] ^ 0x5a;
	rnd_chacha_blocks(key, 0, expected, sizeof(expected) / 64);

	rnd_rng_reseed(&rng);

	assert_int_equal(1, entropy_calls);
	assert_int_equal(RND_CHACHA_KEY_LEN, rng.pos);
	assert_memory_equal(expected, rng.buf, sizeof(expected));
}

static void rng_reseeds_after_its_limit_and_not_earlier(void **state)
{
	const __sz buffers = DIV_ROUND_UP(RND_RNG_RESEED_LEN, YIELD_LEN);
	__u8 drawn[YIELD_LEN];
	unsigned int seeds;
	__sz i;

	(void)state;
	for (seeds = 0; seeds < 3; seeds++) {
		for (i = 0; i < buffers; i++)
			rnd_rng_bytes(&rng, drawn, sizeof(drawn));

		/* The buffer is empty, only the next draw takes entropy */
		assert_int_equal(seeds, entropy_calls);
	}
	rnd_rng_u8(&rng);
	assert_int_equal(seeds, entropy_calls);
}

static void rng_uniform_maps_words_in_order(void **state)
{
	(void)state;

	/* For a power of two nothing is rejected */
	queue_u32(0);
	assert_int_equal(0, rnd_rng_uniform(&rng, 8));
	queue_u32(0x1fffffff);
	assert_int_equal(0, rnd_rng_uniform(&rng, 8));
	queue_u32(0x20000000);
	assert_int_equal(1, rnd_rng_uniform(&rng, 8));
	queue_u32(0xffffffff);
	assert_int_equal(7, rnd_rng_uniform(&rng, 8));

	queue_u32(0xffffffff);
	assert_int_equal(0, rnd_rng_uniform(&rng, 1));
	queue_u32(0xffffffff);
	assert_int_equal(0xfffffffe, rnd_rng_uniform(&rng, 0xffffffff));
}

/* 2^32 mod 3 is 1: exactly one word is too many, the one with low part 0 */
static void rng_uniform_rejects_surplus_words(void **state)
{
	(void)state;
	queue_u32(0xffffffff);
	queue_u32(0);
	assert_int_equal(2, rnd_rng_uniform(&rng, 3));
	queue_u32(1);
	assert_int_equal(0, rnd_rng_uniform(&rng, 3));

	/* 2^32 mod (2^31 + 1) is 2^31 - 1: nearly half of all words */
	queue_u32(0x80000000);
	queue_u32(0);
	assert_int_equal(0x40000000, rnd_rng_uniform(&rng, 0x80000001));
}

static void rng_uniform64_rejects_surplus_words(void **state)
{
	(void)state;
	queue_u64(~0UL);
	queue_u64(0);
	assert_true(rnd_rng_uniform64(&rng, 3) == 2);
	queue_u64(~0UL);
	assert_true(rnd_rng_uniform64(&rng, 1UL << 40) == (1UL << 40) - 1);
	queue_u64((1UL << 63) + 1);
	assert_true(rnd_rng_uniform64(&rng, 1000) == 500);
	queue_u64(~0UL);
	assert_true(rnd_rng_uniform64(&rng, 1) == 0);
}

static void queue_u16(__u32 word)
{
	rng.pos -= 2;
	rng.buf[rng.pos] = (__u8)word;
	rng.buf[rng.pos + 1] = (__u8)(word >> 8);
}

static void rng_uniform16_maps_words_in_order(void **state)
{
	(void)state;
	queue_u16(0x1fff);
	assert_int_equal(0, rnd_rng_uniform16(&rng, 8));
	queue_u16(0x2000);
	assert_int_equal(1, rnd_rng_uniform16(&rng, 8));
	queue_u16(0xffff);
	assert_int_equal(7, rnd_rng_uniform16(&rng, 8));
	queue_u16(0xffff);
	assert_int_equal(0, rnd_rng_uniform16(&rng, 1));
	queue_u16(0xfffe);
	assert_int_equal(0xfffe, rnd_rng_uniform16(&rng, 0x10000));
}

/* 2^16 mod 3 is 1, 2^16 mod (2^15 + 1) is 2^15 - 1 */
static void rng_uniform16_rejects_surplus_words(void **state)
{
	(void)state;
	queue_u16(0xffff);
	queue_u16(0);
	assert_int_equal(2, rnd_rng_uniform16(&rng, 3));
	queue_u16(1);
	assert_int_equal(0, rnd_rng_uniform16(&rng, 3));
	queue_u16(0x8000);
	queue_u16(0);
	assert_int_equal(0x4000, rnd_rng_uniform16(&rng, 0x8001));
}

/* Draws from [0, bound) as often as makes 1000 each; chi-square against the
 * quantile of alpha = 1e-6 in Wilson and Hilferty's approximation. The seed
 * is fixed, so the test passes always or never.
 */
static void assert_uniform(unsigned int bound,
			   __u32 (*draw)(struct rnd_rng *rng, __u32 bound))
{
	unsigned int counts[256] = { 0 };
	double free_params = bound - 1, chi2 = 0, limit, root, d;
	unsigned int i;

	for (i = 0; i < bound * 1000; i++)
		counts[draw(&rng, bound)]++;
	for (i = 0; i < bound; i++) {
		d = counts[i] - 1000.0;
		chi2 += d * d / 1000.0;
	}

	/* (1 - 2/9k + z sqrt(2/9k))^3 with z = 4.753; the square root by
	 * Newton's method saves the mathematical library
	 */
	d = 2.0 / (9.0 * free_params);
	for (root = 1, i = 0; i < 30; i++)
		root = (root + d / root) / 2;
	limit = 1 - d + 4.753 * root;
	limit = free_params * limit * limit * limit;

	print_message("bound %u: chi2 %.1f, limit %.1f\n", bound, chi2, limit);
	assert_true(chi2 < limit);
}

static __u32 draw_u8(struct rnd_rng *from, __u32 bound)
{
	assert_int_equal(256, bound);
	return rnd_rng_u8(from);
}

static void rng_draws_are_uniform(void **state)
{
	(void)state;
	assert_uniform(256, draw_u8);
	assert_uniform(2, rnd_rng_uniform);
	assert_uniform(3, rnd_rng_uniform);
	assert_uniform(255, rnd_rng_uniform);
	assert_uniform(2, rnd_rng_uniform16);
	assert_uniform(51, rnd_rng_uniform16);
	assert_uniform(255, rnd_rng_uniform16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(rng_repeats_for_the_same_seed),
		UNIT_TEST(rng_differs_for_another_seed),
		UNIT_TEST(rng_sequence_does_not_depend_on_draw_sizes),
		UNIT_TEST(rng_erases_its_key),
		UNIT_TEST(rng_wipes_what_it_hands_out),
		UNIT_TEST(rng_reseed_mixes_key_and_entropy),
		UNIT_TEST(rng_reseeds_after_its_limit_and_not_earlier),
		UNIT_TEST(rng_uniform_maps_words_in_order),
		UNIT_TEST(rng_uniform_rejects_surplus_words),
		UNIT_TEST(rng_uniform64_rejects_surplus_words),
		UNIT_TEST(rng_uniform16_maps_words_in_order),
		UNIT_TEST(rng_uniform16_rejects_surplus_words),
		UNIT_TEST(rng_draws_are_uniform),
	};

	return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
