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

/* RFC 8439, A.1, vector 1, and the same with 8 rounds */
static const __u8 zero_20[] = {
	0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a,
	0xe5, 0x53, 0x86, 0xbd, 0x28, 0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d,
	0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7, 0xda,
	0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f,
	0xb8, 0xd8, 0x4a, 0x37, 0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1,
	0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86
};
static const __u8 zero_8[] = { 0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6,
			       0x7f, 0x5b, 0xb8, 0xe8, 0x1f, 0x09, 0xa5, 0xa1 };

static void blocks_are_those_that_were_published(void **state)
{
	__u8 key[PLAT_CHACHA_KEY_LEN] = { 0 }, out[PLAT_CHACHA_BLOCK_LEN];

	(void)state;
	plat_chacha_block(key, 0, 20, out);
	assert_memory_equal(out, zero_20, sizeof(zero_20));
	plat_chacha_block(key, 0, 8, out);
	assert_memory_equal(out, zero_8, sizeof(zero_8));
}

static __u32 rotl(__u32 v, unsigned int n)
{
	return v << n | v >> (32 - n);
}

/* Quarter round of words a, b, c, d, by the book */
static void quarter(__u32 *x, const __u8 *w)
{
	static const unsigned int by[] = { 16, 12, 8, 7 };
	unsigned int i;
	__u32 *a, *b, *d;

	for (i = 0; i < 4; i++) {
		a = &x[w[i % 2 ? 2 : 0]];
		b = &x[w[i % 2 ? 3 : 1]];
		d = &x[w[i % 2 ? 1 : 3]];
		*a += *b;
		*d = rotl(*d ^ *a, by[i]);
	}
}

static void block_by_the_book(const __u8 *key, __u64 counter,
			      unsigned int rounds, __u32 *out)
{
	static const __u8 words[8][4] = { { 0, 4, 8, 12 },  { 1, 5, 9, 13 },
					  { 2, 6, 10, 14 }, { 3, 7, 11, 15 },
					  { 0, 5, 10, 15 }, { 1, 6, 11, 12 },
					  { 2, 7, 8, 13 },  { 3, 4, 9, 14 } };
	__u32 in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	unsigned int i;

	memcpy(&in[4], key, PLAT_CHACHA_KEY_LEN);
	memcpy(&in[12], &counter, sizeof(counter));
	memcpy(out, in, sizeof(in));
	for (i = 0; i < rounds * 4; i++)
		quarter(out, words[i % 8]);
	for (i = 0; i < 16; i++)
		out[i] += in[i];
}

/* Any key, rounds and counter; the block may take the place of the key */
static void blocks_are_those_of_the_book(void **state)
{
	__u8 buf[PLAT_CHACHA_BLOCK_LEN];
	__u32 expected[16];
	unsigned int i, rounds;
	__u64 counter = 0;

	(void)state;
	memset(buf, 0x5a, sizeof(buf));
	for (i = 0; i < 1000; i++) {
		rounds = i % 3 == 2 ? 20 : 8 + i % 3 * 4;
		block_by_the_book(buf, counter, rounds, expected);
		plat_chacha_block(buf, counter, rounds, buf);
		assert_memory_equal(buf, expected, sizeof(buf));
		memcpy(&counter, buf + 32, sizeof(counter));
	}
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
		cmocka_unit_test(blocks_are_those_that_were_published),
		cmocka_unit_test(blocks_are_those_of_the_book),
		UNIT_TEST(a_stream_does_not_depend_on_how_it_is_drawn),
		UNIT_TEST(every_byte_of_a_seed_counts),
		UNIT_TEST(mixing_drops_what_was_drawn_ahead),
		UNIT_TEST(what_was_drawn_is_wiped),
		UNIT_TEST(numbers_are_uniform),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
