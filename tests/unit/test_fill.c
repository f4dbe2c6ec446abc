/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of fill.h and fill.c: every length of the small slots, every byte,
 * and the lengths of all classes
 *
 * links: lib/ukallocrnd/sizeclass.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fill.h"
#include "fill_saved.h"
#include "sizeclass.h"
#include "wide_registers.h"

/* Every length up to this one, then those of slots */
#define LEN_ALL 1104UL
#define BORDER	(4 * RND_FILL_UNIT)

static __u8 memory[BORDER + RND_SLOT_LEN_MAX + BORDER] __align(16);
static __u8 *const slot = memory + BORDER;

static __sz next_len(__sz len)
{
	__u32 sc;

	if (len < LEN_ALL)
		return len + RND_FILL_UNIT;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		if (rnd_sizeclass[sc].slot_len > len)
			return rnd_sizeclass[sc].slot_len;

	return 0;
}

/* Positions of a slot: all up to LEN_ALL, then all at the ends and some
 * between
 */
static __sz next_position(__sz at, __sz len)
{
	if (len <= LEN_ALL || at < 300 || at + 300 > len)
		return at + 1;

	return at + 37;
}

enum clearing {
	CLEAR_ANY,
	CLEAR_SHORT,
	CLEAR_SAVED,
	CLEAR_WIDE,
};

static void clear(__sz len, enum clearing how)
{
	if (how == CLEAR_SHORT)
		rnd_fill_zero_short(slot, len);
	else if (how == CLEAR_SAVED)
		rnd_fill_word_saved((char *)slot, len, 0);
	else if (how == CLEAR_WIDE)
		rnd_fill_word_wide((char *)slot, len, 0);
	else
		rnd_fill_zero(slot, len);
}

/* The answer of all functions for a length, which must agree */
static __bool is_zero(__sz len)
{
	__bool answer = rnd_fill_is_zero(slot, len);

	if (len <= RND_FILL_SHORT_LEN)
		assert_int_equal(answer, rnd_fill_is_zero_short(slot, len));
	else
		assert_int_equal(answer, rnd_fill_is_zero_long(slot, len));
	if (len >= FILL_SAVED_LEN)
		assert_int_equal(answer,
				 rnd_fill_is_zero_saved((char *)slot, len));
	if (len >= FILL_WIDE_LEN / 2 && has_wide_registers())
		assert_int_equal(answer,
				 rnd_fill_is_zero_wide((char *)slot, len));
	if (len >= FILL_LONG_LEN && has_wide_registers())
		assert_int_equal(answer,
				 rnd_fill_is_zero_wide_long((char *)slot, len));

	return answer;
}

static void check_zero(__sz len, enum clearing how)
{
	__sz i;

	memset(memory, 0xff, BORDER + len + BORDER);
	clear(len, how);
	for (i = 0; i < len; i++)
		assert_int_equal(0, slot[i]);
	for (i = 0; i < BORDER; i++) {
		assert_int_equal(0xff, memory[i]);
		assert_int_equal(0xff, slot[len + i]);
	}
}

static void fill_zero_clears_the_slot_and_nothing_else(void **state)
{
	__sz len;

	(void)state;
	for (len = RND_FILL_UNIT; len; len = next_len(len)) {
		check_zero(len, CLEAR_ANY);
		if (len <= RND_FILL_SHORT_LEN)
			check_zero(len, CLEAR_SHORT);
		if (len >= FILL_SAVED_LEN)
			check_zero(len, CLEAR_SAVED);
		if (len >= FILL_WIDE_LEN / 2 && has_wide_registers())
			check_zero(len, CLEAR_WIDE);
	}
}

static void fill_is_zero_accepts_zero_between_other_bytes(void **state)
{
	__sz len;

	(void)state;
	for (len = RND_FILL_UNIT; len; len = next_len(len)) {
		memset(memory, 0xff, BORDER + len + BORDER);
		memset(slot, 0, len);
		assert_true(is_zero(len));
		assert_null(rnd_fill_find_nonzero(slot, len));
	}
}

static void check_dirty(__sz at, __sz len, __u8 value)
{
	slot[at] = value;
	if (is_zero(len))
		fail_msg("byte %lu of %lu", at, len);
	if (len <= LEN_ALL && rnd_fill_find_nonzero(slot, len) != &slot[at])
		fail_msg("find %lu of %lu", at, len);
	slot[at] = 0;
}

static void fill_is_zero_sees_every_byte(void **state)
{
	__sz len, at;

	(void)state;
	memset(memory, 0, sizeof(memory));
	for (len = RND_FILL_UNIT; len; len = next_len(len))
		for (at = 0; at < len; at = next_position(at, len)) {
			check_dirty(at, len, 1);
			check_dirty(at, len, 0x80);
		}
}

static void fill_is_zero_sees_every_bit(void **state)
{
	unsigned int bit;
	__sz len, at;

	(void)state;
	memset(memory, 0, sizeof(memory));
	for (len = RND_FILL_UNIT; len <= 3 * RND_FILL_SHORT_LEN;
	     len += RND_FILL_UNIT)
		for (at = 0; at < len; at++)
			for (bit = 1; bit < 256; bit *= 2)
				check_dirty(at, len, (__u8)bit);
}

/* Equal bits in two units must not cancel each other out */
static void fill_is_zero_sees_dirt_that_is_alike(void **state)
{
	__sz len, at, stride;

	(void)state;
	memset(memory, 0, sizeof(memory));
	for (len = 2 * RND_FILL_UNIT; len <= LEN_ALL; len += RND_FILL_UNIT)
		for (stride = 8; stride < len; stride *= 2) {
			for (at = 3; at < len; at += stride)
				slot[at] = 0x5a;
			assert_false(is_zero(len));
			memset(slot, 0, len);
		}
}

/* Functions that fill with a word, and the shortest slots they are for */
static void word_any(char *p, __sz len, __u64 word)
{
	rnd_fill_word(p, len, word);
}

static void word_long(char *p, __sz len, __u64 word)
{
	rnd_fill_word_long(p, len, word);
}

static const struct filler {
	void (*fill)(char *p, __sz len, __u64 word);
	__sz len_min;
	int needs_wide;
} fillers[] = {
	{ word_any, 0, 0 },
	{ word_long, RND_FILL_SHORT_LEN + RND_FILL_UNIT, 0 },
	{ rnd_fill_word_saved, FILL_SAVED_LEN, 0 },
	{ rnd_fill_word_wide, FILL_WIDE_LEN / 2, 1 },
	{ rnd_fill_word_wide_long, FILL_LONG_LEN, 1 },
};

static __bool is_word(__sz len, __u64 word)
{
	__bool answer = rnd_fill_is_word(slot, len, word);

	if (len > RND_FILL_SHORT_LEN)
		assert_int_equal(answer,
				 rnd_fill_is_word_long(slot, len, word));
	if (len >= FILL_SAVED_LEN)
		assert_int_equal(answer, rnd_fill_is_word_saved((char *)slot,
								len, word));
	if (len >= FILL_WIDE_LEN / 2 && has_wide_registers())
		assert_int_equal(answer, rnd_fill_is_word_wide((char *)slot,
							       len, word));
	return answer;
}

#define WORD 0x0b01ff5d83a7c9efUL

static void check_word(const struct filler *f, __sz len)
{
	__sz i;

	memset(memory, 0xff, BORDER + len + BORDER);
	f->fill((char *)slot, len, WORD);
	for (i = 0; i < len; i++)
		assert_int_equal((__u8)(WORD >> i % 8 * 8), slot[i]);
	for (i = 0; i < BORDER; i++) {
		assert_int_equal(0xff, memory[i]);
		assert_int_equal(0xff, slot[len + i]);
	}
	assert_true(is_word(len, WORD));
}

static void fill_word_fills_the_slot_and_nothing_else(void **state)
{
	const struct filler *f;
	__sz len;

	(void)state;
	for (f = fillers; f < fillers + ARRAY_SIZE(fillers); f++) {
		if (f->needs_wide && !has_wide_registers())
			continue;
		for (len = f->len_min; len <= 3 * LEN_ALL; len += RND_FILL_UNIT)
			check_word(f, len);
	}
}

/* Bits that were set and bits that were not */
static void fill_is_word_sees_every_bit(void **state)
{
	unsigned int bit;
	__sz len, at;

	(void)state;
	for (len = RND_FILL_UNIT; len <= 5 * RND_FILL_SHORT_LEN;
	     len += RND_FILL_UNIT) {
		rnd_fill_word(slot, len, WORD);
		for (at = 0; at < len; at++) {
			bit = 1U << (at + len / RND_FILL_UNIT) % 8;
			slot[at] ^= (__u8)bit;
			if (is_word(len, WORD))
				fail_msg("byte %lu of %lu", at, len);
			slot[at] ^= (__u8)bit;
		}
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
		cmocka_unit_test(fill_is_zero_sees_every_byte),
		cmocka_unit_test(fill_is_zero_sees_every_bit),
		cmocka_unit_test(fill_is_zero_sees_dirt_that_is_alike),
		cmocka_unit_test(fill_word_fills_the_slot_and_nothing_else),
		cmocka_unit_test(fill_is_word_sees_every_bit),
		cmocka_unit_test(fill_find_nonzero_finds_the_first),
	};

	return cmocka_run_group_tests_name("fill", tests, NULL, NULL);
}
