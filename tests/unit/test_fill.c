/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of fill.h: every length of the small classes, every byte
 *
 * links: none
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fill.h"

/* Longer than what any of the ways to fill is for */
#define LEN_MAX (2 * RND_FILL_LOOP_LEN)

#define BORDER RND_FILL_UNIT

static __u8 memory[BORDER + LEN_MAX + BORDER] __align(16);
static __u8 *const slot = memory + BORDER;

/* All bytes outside the slot have their value from memset() */
static void assert_border(__sz len, __u8 value)
{
	__sz i;

	for (i = 0; i < BORDER; i++) {
		assert_int_equal(value, memory[i]);
		assert_int_equal(value, slot[len + i]);
	}
}

static void fill_zero_clears_the_slot_and_nothing_else(void **state)
{
	__sz len, i;

	(void)state;
	for (len = RND_FILL_UNIT; len <= LEN_MAX; len += RND_FILL_UNIT) {
		memset(memory, 0xff, sizeof(memory));
		rnd_fill_zero(slot, len);
		for (i = 0; i < len; i++)
			assert_int_equal(0, slot[i]);
		assert_border(len, 0xff);
	}
}

static void fill_is_zero_accepts_zero_between_other_bytes(void **state)
{
	__sz len;

	(void)state;
	for (len = RND_FILL_UNIT; len <= LEN_MAX; len += RND_FILL_UNIT) {
		memset(memory, 0xff, sizeof(memory));
		memset(slot, 0, len);
		assert_true(rnd_fill_is_zero(slot, len));
		assert_null(rnd_fill_find_nonzero(slot, len));
	}
}

static void fill_is_zero_sees_every_bit(void **state)
{
	unsigned int bit;
	__sz len, i;

	(void)state;
	memset(memory, 0, sizeof(memory));
	for (len = RND_FILL_UNIT; len <= LEN_MAX; len += RND_FILL_UNIT)
		for (i = 0; i < len; i++)
			for (bit = 1; bit < 256; bit *= 16) {
				slot[i] = (__u8)bit;
				if (rnd_fill_is_zero(slot, len))
					fail_msg("byte %lu of %lu", i, len);
				if (rnd_fill_find_nonzero(slot, len) !=
				    &slot[i])
					fail_msg("find %lu of %lu", i, len);
				slot[i] = 0;
			}
}

static void fill_find_nonzero_finds_the_first(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	slot[17] = 1;
	slot[40] = 1;
	assert_ptr_equal(&slot[17], rnd_fill_find_nonzero(slot, 64));
	assert_null(rnd_fill_find_nonzero(slot, 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fill_zero_clears_the_slot_and_nothing_else),
		cmocka_unit_test(fill_is_zero_accepts_zero_between_other_bytes),
		cmocka_unit_test(fill_is_zero_sees_every_bit),
		cmocka_unit_test(fill_find_nonzero_finds_the_first),
	};

	return cmocka_run_group_tests_name("fill", tests, NULL, NULL);
}
