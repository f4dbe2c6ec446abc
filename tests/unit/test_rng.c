/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of rng.c
 *
 * The port's entropy is a fake that counts its calls.
 *
 * links: lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c tests/unit/fake_assert.c
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_DEFINED(addr, len) ((void)(addr), (void)(len))
#endif

#include "port.h"
#include "rng.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

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

/* Puts bytes in front of everything that will be drawn */
static void queue(const void *src, __u32 len)
{
	if (rng.left > RND_RNG_YIELD - len)
		rng.left = RND_RNG_YIELD / 2;
	memcpy(&rng.buf[rng.left], src, len);
	rng.left += len;
}

static void queue_u16(__u32 word)
{
	const __u8 low_high[2] = { (__u8)word, (__u8)(word >> 8) };

	queue(low_high, sizeof(low_high));
}

static void queue_u32(__u32 word)
{
	queue(&word, sizeof(word));
}

static void queue_u64(__u64 word)
{
	queue(&word, sizeof(word));
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

/* The generator that the other one must be: a buffer, and the key behind it */
static struct {
	__u8 stream[RND_RNG_BUF_LEN];
	__u32 left;
} model;

static void model_fill(const __u8 *key)
{
	__u8 next[RND_RNG_BUF_LEN];

	rnd_chacha_blocks(key, 0, next, sizeof(next) / RND_CHACHA_BLOCK_LEN);
	memcpy(model.stream, next, sizeof(next));
	model.left = RND_RNG_YIELD;
}

/* Takes what one draw gets at most, from the end */
static const __u8 *model_take(__u32 len)
{
	model.left -= len;
	return &model.stream[model.left];
}

static void model_bytes(__u8 *dst, __u32 len)
{
	__u32 part;

	for (; len; len -= part, dst += part) {
		if (!model.left)
			model_fill(&model.stream[RND_RNG_YIELD]);
		part = MIN(len, model.left);
		memcpy(dst, model_take(part), part);
	}
}

/* Every byte of the stream but those of the keys is handed out once, whatever
 * the sizes of the draws; 16 bits come from one buffer
 */
static void rng_hands_each_byte_out_once(void **state)
{
	__u8 drawn[700], expected[700];
	unsigned int i;
	__u32 len, word;

	(void)state;
	model_fill(seed);
	for (i = 0; i < 5000; i++) {
		len = i * 7 % 100 == 3 ? 700 : i * i % 11;
		switch (i % 5) {
		case 0:
			model_bytes(expected, 1);
			assert_int_equal(expected[0], rnd_rng_u8(&rng));
			break;
		case 1:
			if (model.left < 2)
				model_fill(&model.stream[RND_RNG_YIELD]);
			memcpy(expected, model_take(2), 2);
			word = expected[0] | (__u32)expected[1] << 8;
			assert_int_equal(word, rnd_rng_u16(&rng));
			break;
		case 2:
			model_bytes(expected, sizeof(word));
			word = rnd_rng_u32(&rng);
			assert_memory_equal(expected, &word, sizeof(word));
			break;
		default:
			model_bytes(expected, len);
			rnd_rng_bytes(&rng, drawn, len);
			assert_memory_equal(expected, drawn, len);
		}
		assert_int_equal(model.left, rng.left);
		/* The model knows no entropy */
		rng.drawn = 0;
	}
}

static void rng_has16_says_what_take16_needs(void **state)
{
	(void)state;
	for (rng.left = 0; rng.left <= RND_RNG_YIELD; rng.left++)
		assert_int_equal(rng.left >= 2, rnd_rng_has16(&rng));

	/* Every even and odd address, and the very last bytes */
	for (rng.left = RND_RNG_YIELD; rng.left >= 2; rng.left++) {
		__u32 left = rng.left;
		__u32 word = rng.buf[left - 2] | (__u32)rng.buf[left - 1] << 8;

		assert_int_equal(word, rnd_rng_take16(&rng));
		assert_int_equal(left - 2, rng.left);
	}
}

/* The last 32 bytes of the stream are the next key, the rest is drawn */
static void rng_erases_its_key(void **state)
{
	__u8 stream[RND_RNG_BUF_LEN], next[RND_RNG_BUF_LEN];
	__u8 drawn[RND_RNG_YIELD];

	(void)state;
	rnd_chacha_blocks(seed, 0, stream, sizeof(stream) / 64);
	rnd_chacha_blocks(stream + RND_RNG_YIELD, 0, next, sizeof(next) / 64);

	assert_int_equal(RND_RNG_YIELD, rng.left);
	assert_memory_equal(stream + RND_RNG_YIELD, rng.key, sizeof(rng.key));
	rnd_rng_bytes(&rng, drawn, sizeof(drawn));
	assert_memory_equal(stream, drawn, sizeof(drawn));
	rnd_rng_bytes(&rng, drawn, sizeof(drawn));
	assert_memory_equal(next, drawn, sizeof(drawn));
	assert_memory_equal(next + RND_RNG_YIELD, rng.key, sizeof(rng.key));
}

static void rng_wipes_bytes_that_it_hands_out(void **state)
{
	const __u8 zero[RND_RNG_YIELD] = { 0 };
	__u8 before[RND_RNG_YIELD], drawn[100];

	(void)state;
	memcpy(before, rng.buf, sizeof(before));
	rnd_rng_bytes(&rng, drawn, sizeof(drawn));
	assert_int_equal(RND_RNG_YIELD - 100, rng.left);
	assert_memory_equal(zero, &rng.buf[rng.left], 100);
	assert_memory_equal(before, rng.buf, rng.left);
	rnd_rng_u64(&rng);
	assert_memory_equal(zero, &rng.buf[rng.left], 108);
	assert_memory_equal(before, rng.buf, rng.left);
}

/* What was drawn otherwise is gone with the next fill, and so is the key: all
 * that is left depends on the new stream only
 */
static void rng_refill_leaves_nothing(void **state)
{
	__u8 key[RND_CHACHA_KEY_LEN], expected[RND_RNG_BUF_LEN];
	unsigned int i;

	(void)state;
	for (i = 0; i < RND_RNG_YIELD / 2; i++)
		rnd_rng_u16(&rng);
	assert_int_equal(0, rng.left);
	memcpy(key, rng.key, sizeof(key));
	rnd_chacha_blocks(key, 0, expected, sizeof(expected) / 64);

	rnd_rng_refill(&rng);

	assert_int_equal(RND_RNG_YIELD, rng.left);
	assert_memory_equal(expected, rng.buf, RND_RNG_YIELD);
	assert_memory_equal(expected + RND_RNG_YIELD, rng.key, sizeof(key));
	assert_int_equal(0, entropy_calls);
}

static void rng_reseed_mixes_key_and_entropy(void **state)
{
	__u8 key[RND_CHACHA_KEY_LEN], expected[RND_RNG_BUF_LEN];
	unsigned int i;

	(void)state;
	rnd_rng_u64(&rng);
	for (i = 0; i < sizeof(key); i++)
		key[i] = rng.key[i] ^ 0x5a;
	rnd_chacha_blocks(key, 0, expected, sizeof(expected) / 64);

	rnd_rng_reseed(&rng);

	assert_int_equal(1, entropy_calls);
	assert_int_equal(RND_RNG_YIELD, rng.left);
	assert_memory_equal(expected, rng.buf, RND_RNG_YIELD);
	assert_memory_equal(expected + RND_RNG_YIELD, rng.key, sizeof(key));
}

static void rng_reseeds_after_its_limit_and_not_earlier(void **state)
{
	const __sz buffers = DIV_ROUND_UP(RND_RNG_RESEED_LEN, RND_RNG_YIELD);
	__u8 drawn[RND_RNG_YIELD];
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

/* A byte that is left over does not make 16 bits together with one of the
 * next buffer, and the limit counts buffers
 */
static void rng_draws_of_16_bits_reseed_as_well(void **state)
{
	const __sz buffers = DIV_ROUND_UP(RND_RNG_RESEED_LEN, RND_RNG_YIELD);
	__sz i, n;

	(void)state;
	for (i = 0; i < buffers; i++) {
		assert_int_equal(0, entropy_calls);
		assert_int_equal(RND_RNG_YIELD, rng.left);
		rnd_rng_u8(&rng);
		for (n = 0; n < (RND_RNG_YIELD - 1) / 2; n++)
			rnd_rng_u16(&rng);
		assert_int_equal(1, rng.left);
		rnd_rng_u16(&rng);
		assert_int_equal(RND_RNG_YIELD - 2, rng.left);
		/* As if that had not been: only fills count */
		rng.left = RND_RNG_YIELD;
	}
	assert_int_equal(1, entropy_calls);
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

#define STACK_LEN 262144UL

static char thread_stack[STACK_LEN] __align(4096);

static void *start_and_refill(void *arg)
{
	rnd_rng_start(arg);
	rnd_rng_refill(arg);
	return arg;
}

/* Tells whether 8 bytes of a secret lie on the stack of the thread that ended.
 * Not for ASan, which knows frames there
 */
__attribute__((no_sanitize("address"))) static int stack_has(const __u8 *secret,
							     __sz len)
{
	__sz at, i, same;

	for (at = 0; at + 8 <= STACK_LEN; at++)
		for (i = 0; i + 8 <= len; i += 8) {
			for (same = 0; same < 8; same++)
				if (thread_stack[at + same] !=
				    (char)secret[i + same])
					break;
			if (same == 8)
				return 1;
		}
	return 0;
}

/* Neither the seed, nor the key, nor what is still to be drawn is left where
 * later functions have their variables
 */
static void rng_leaves_nothing_on_the_stack(void **state)
{
	__u8 entropy[RND_CHACHA_KEY_LEN];
	struct rnd_rng other;
	pthread_attr_t attr;
	pthread_t thread;

	(void)state;
	memset(entropy, entropy_byte, sizeof(entropy));
	assert_int_equal(0, pthread_attr_init(&attr));
	assert_int_equal(0,
			 pthread_attr_setstack(&attr, thread_stack, STACK_LEN));
	assert_int_equal(0, pthread_create(&thread, &attr, start_and_refill,
					   &other));
	assert_int_equal(0, pthread_join(thread, NULL));
	pthread_attr_destroy(&attr);
	VALGRIND_MAKE_MEM_DEFINED(thread_stack, STACK_LEN);

	assert_int_equal(entropy_calls, 1);
	assert_false(stack_has(entropy, sizeof(entropy)));
	assert_false(stack_has(other.key, sizeof(other.key)));
	assert_false(stack_has(other.buf, other.left));
	/* The search finds what there is */
	memcpy(thread_stack + 1001, other.key + 8, 8);
	assert_true(stack_has(other.key, sizeof(other.key)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(rng_repeats_for_the_same_seed),
		UNIT_TEST(rng_differs_for_another_seed),
		UNIT_TEST(rng_hands_each_byte_out_once),
		UNIT_TEST(rng_has16_says_what_take16_needs),
		UNIT_TEST(rng_erases_its_key),
		UNIT_TEST(rng_wipes_bytes_that_it_hands_out),
		UNIT_TEST(rng_refill_leaves_nothing),
		UNIT_TEST(rng_reseed_mixes_key_and_entropy),
		UNIT_TEST(rng_reseeds_after_its_limit_and_not_earlier),
		UNIT_TEST(rng_draws_of_16_bits_reseed_as_well),
		UNIT_TEST(rng_uniform_maps_words_in_order),
		UNIT_TEST(rng_uniform_rejects_surplus_words),
		UNIT_TEST(rng_uniform64_rejects_surplus_words),
		UNIT_TEST(rng_uniform16_maps_words_in_order),
		UNIT_TEST(rng_uniform16_rejects_surplus_words),
		UNIT_TEST(rng_draws_are_uniform),
		UNIT_TEST(rng_leaves_nothing_on_the_stack),
	};

	return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
