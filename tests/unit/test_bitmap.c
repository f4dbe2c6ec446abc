/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of bitmap.h against loops that look at every bit
 *
 * links: none
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bitmap.h"

#define ROUNDS 2000

static __u64 seq;

/* xorshift64* */
static __u64 next_word(void)
{
	seq ^= seq >> 12;
	seq ^= seq << 25;
	seq ^= seq >> 27;
	return seq * 0x2545f4914f6cdd1dUL;
}

static int setup(void **state)
{
	(void)state;
	seq = 88172645463325252UL;
	return 0;
}

static unsigned int naive_count(__u64 w)
{
	unsigned int i, cnt = 0;

	for (i = 0; i < 64; i++)
		cnt += (unsigned int)(w >> i) & 1U;

	return cnt;
}

static void check_word(__u64 w)
{
	unsigned int i, n = 0;

	assert_int_equal(naive_count(w), rnd_word_count(w));
	for (i = 0; i < 64; i++)
		if ((w >> i) & 1)
			assert_int_equal(i, rnd_word_select(w, n++));
}

static void bitmap_words_of_few_or_many_bits(void **state)
{
	unsigned int i, j;

	(void)state;
	assert_int_equal(0, rnd_word_count(0));
	check_word(~0UL);
	for (i = 0; i < 64; i++) {
		check_word(1UL << i);
		check_word(~(1UL << i));
		check_word((1UL << i) - 1);
		check_word(~0UL << i);
		for (j = 0; j < i; j++)
			check_word(1UL << i | 1UL << j);
	}
}

static void bitmap_every_byte_at_every_place(void **state)
{
	unsigned int byte, at;

	(void)state;
	for (byte = 0; byte < 256; byte++)
		for (at = 0; at < 64; at += 8) {
			check_word((__u64)byte << at);
			check_word(~((__u64)byte << at));
		}
}

/* Words of about 1/8, 1/4, 1/2, 3/4 and 7/8 set bits */
static void bitmap_random_words_of_every_density(void **state)
{
	__u64 a, b, c;
	unsigned int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		a = next_word();
		b = next_word();
		c = next_word();
		check_word(a & b & c);
		check_word(a & b);
		check_word(a);
		check_word(a | b);
		check_word(a | b | c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bitmap_words_of_few_or_many_bits, setup),
		cmocka_unit_test_setup(bitmap_every_byte_at_every_place, setup),
		cmocka_unit_test_setup(bitmap_random_words_of_every_density,
				       setup),
	};

	return cmocka_run_group_tests_name("bitmap", tests, NULL, NULL);
}
