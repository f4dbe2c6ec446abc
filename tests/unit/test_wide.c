/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of wide.h, for all levels that the processor has
 *
 * Slots lie between two pages that nobody may access, at all places relative
 * to a register's length that a slot can have: what is read outside faults if
 * it is there, what is written outside is seen.
 *
 * links: lib/ukallocrnd/sizeclass.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "sizeclass.h"

#ifdef __SSE2__

#include "wide.h"

#define WIDE_TEST(name, fn, level)                                             \
	{                                                                      \
		name, fn, NULL, NULL, level                                    \
	}

/* Every length up to this one, then those of slots */
#define LEN_ALL 1104UL

#define PAGE_LEN 4096UL
#define ROOM_LEN ALIGN_UP(RND_SLOT_LEN_MAX + 2 * PAGE_LEN, PAGE_LEN)

/* Registers of one length, and the lengths of slots that they are for */
struct level {
	enum rnd_wide level;
	__sz first, last;
	void (*zero)(void *p, __sz len);
	__bool (*is_zero)(const void *p, __sz len);
};

static void __noinline zero_32(void *p, __sz len)
{
	rnd_wide_zero(p, len, RND_WIDE_32);
}

static __bool __noinline is_zero_32(const void *p, __sz len)
{
	return rnd_wide_is_zero(p, len, RND_WIDE_32);
}

static void __noinline zero_short(void *p, __sz len)
{
	rnd_wide_zero_short(p, len);
}

static __bool __noinline is_zero_short(const void *p, __sz len)
{
	return rnd_wide_is_zero_short(p, len);
}

static void __noinline zero_64(void *p, __sz len)
{
	rnd_wide_zero(p, len, RND_WIDE_64);
}

static __bool __noinline is_zero_64(const void *p, __sz len)
{
	return rnd_wide_is_zero(p, len, RND_WIDE_64);
}

#define LONG_FIRST (RND_WIDE_LEN_MIN + RND_SLOT_ALIGN)

static struct level level_32 = { RND_WIDE_32, LONG_FIRST, RND_SLOT_LEN_MAX,
				 zero_32, is_zero_32 };
static struct level level_64 = { RND_WIDE_64, LONG_FIRST, RND_SLOT_LEN_MAX,
				 zero_64, is_zero_64 };
static struct level level_short = { RND_WIDE_32, RND_SLOT_ALIGN,
				    RND_WIDE_LEN_MIN, zero_short,
				    is_zero_short };

/* Between the pages without access */
static __u8 *room;

static int group_setup(void **state)
{
	__u8 *all = mmap(NULL, ROOM_LEN + 2 * PAGE_LEN, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	if (all == MAP_FAILED)
		return -1;
	room = all + PAGE_LEN;
	return mprotect(room, ROOM_LEN, PROT_READ | PROT_WRITE);
}

static const struct level *level_of(void **state)
{
	const struct level *level = *state;

	if (rnd_wide_level() < level->level)
		skip();
	return level;
}

static __sz next_len(const struct level *level, __sz len)
{
	__u32 sc;

	if (len == level->last)
		return 0;
	if (len < LEN_ALL)
		return len + RND_SLOT_ALIGN;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		if (rnd_sizeclass[sc].slot_len > len)
			return rnd_sizeclass[sc].slot_len;

	return 0;
}

#define FOR_EACH_LEN(len)                                                      \
	for ((len) = level->first; (len); (len) = next_len(level, len))

/* Positions of a slot: all up to LEN_ALL, then all at the ends and some
 * between
 */
static __sz next_position(__sz at, __sz len)
{
	if (len <= LEN_ALL || at < 700 || at + 700 > len)
		return at + 1;

	return at + 37;
}

/* Calls fn for a slot at either end, and for slots in the middle at all
 * multiples of 16 within 64 bytes
 */
static void for_each_place(const struct level *level, __sz len,
			   void (*fn)(const struct level *level, __u8 *slot,
				      __sz len))
{
	__sz off;

	fn(level, room, len);
	fn(level, room + ROOM_LEN - len, len);
	for (off = 0; off < 64; off += RND_SLOT_ALIGN)
		fn(level, room + PAGE_LEN + off, len);
}

/* The first bytes outside, or those up to the page without access */
static void assert_outside(const __u8 *slot, __sz len, __u8 value)
{
	const __u8 *p;

	for (p = slot; p > room && p > slot - 600; p--)
		assert_int_equal(value, p[-1]);
	for (p = slot + len; p < room + ROOM_LEN && p < slot + len + 600; p++)
		assert_int_equal(value, *p);
}

static void check_zero(const struct level *level, __u8 *slot, __sz len)
{
	__sz i;

	memset(room, 0xff, ROOM_LEN);
	level->zero(slot, len);
	for (i = 0; i < len; i++)
		assert_int_equal(0, slot[i]);
	assert_outside(slot, len, 0xff);
}

static void zero_clears_the_slot_and_nothing_else(void **state)
{
	const struct level *level = level_of(state);
	__sz len;

	FOR_EACH_LEN(len)
	for_each_place(level, len, check_zero);
}

static void check_accepts(const struct level *level, __u8 *slot, __sz len)
{
	memset(room, 0xff, ROOM_LEN);
	memset(slot, 0, len);
	assert_true(level->is_zero(slot, len));
	assert_outside(slot, len, 0xff);
}

static void is_zero_accepts_zero_between_other_bytes(void **state)
{
	const struct level *level = level_of(state);
	__sz len;

	FOR_EACH_LEN(len)
	for_each_place(level, len, check_accepts);
}

static void check_dirty(const struct level *level, __u8 *slot, __sz at,
			__sz len, __u8 value)
{
	slot[at] = value;
	if (level->is_zero(slot, len))
		fail_msg("byte %lu of %lu", at, len);
	if (slot[at] != value)
		fail_msg("wrote to byte %lu of %lu", at, len);
	slot[at] = 0;
}

static void check_sees_bytes(const struct level *level, __u8 *slot, __sz len)
{
	__sz at;

	memset(slot, 0, len);
	for (at = 0; at < len; at = next_position(at, len)) {
		check_dirty(level, slot, at, len, 1);
		check_dirty(level, slot, at, len, 0x80);
	}
	assert_true(level->is_zero(slot, len));
}

static void is_zero_sees_every_byte(void **state)
{
	const struct level *level = level_of(state);
	__sz len;

	memset(room, 0, ROOM_LEN);
	FOR_EACH_LEN(len)
	for_each_place(level, len, check_sees_bytes);
}

static void is_zero_sees_every_bit(void **state)
{
	const struct level *level = level_of(state);
	unsigned int bit;
	__sz len, at;

	memset(room, 0, ROOM_LEN);
	for (len = level->first; len <= MIN(640UL, level->last);
	     len += RND_SLOT_ALIGN)
		for (at = 0; at < len; at++)
			for (bit = 1; bit < 256; bit *= 2)
				check_dirty(level, room + 16, at, len,
					    (__u8)bit);
}

/* Equal bits in two registers must not cancel each other out */
static void is_zero_sees_dirt_that_is_alike(void **state)
{
	const struct level *level = level_of(state);
	__sz len, at, stride;

	memset(room, 0, ROOM_LEN);
	FOR_EACH_LEN(len)
	for (stride = 8; stride < len; stride *= 2) {
		for (at = 3; at < len; at += stride)
			room[at] = 0x5a;
		assert_false(level->is_zero(room, len));
		memset(room, 0, len);
	}
}

/* What the compiler's library says of processor and system */
static void wide_level_is_that_of_the_processor(void **state)
{
	enum rnd_wide expected = RND_WIDE_NONE;

	(void)state;
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2"))
		expected = RND_WIDE_32;
	if (__builtin_cpu_supports("avx2") &&
	    __builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512vbmi2"))
		expected = RND_WIDE_64;
	print_message("level %d\n", (int)expected);
	assert_int_equal(expected, rnd_wide_level());
}

static void wide_serves_every_class_that_is_not_short(void **state)
{
	__u32 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		assert_int_equal(rnd_sizeclass[sc].slot_len > RND_SHORT_LEN,
				 rnd_sizeclass[sc].slot_len > RND_WIDE_LEN_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wide_level_is_that_of_the_processor),
		cmocka_unit_test(wide_serves_every_class_that_is_not_short),
		WIDE_TEST("wide_32_zero_clears_the_slot_and_nothing_else",
			  zero_clears_the_slot_and_nothing_else, &level_32),
		WIDE_TEST("wide_32_is_zero_accepts_zero_between_other_bytes",
			  is_zero_accepts_zero_between_other_bytes, &level_32),
		WIDE_TEST("wide_32_is_zero_sees_every_byte",
			  is_zero_sees_every_byte, &level_32),
		WIDE_TEST("wide_32_is_zero_sees_every_bit",
			  is_zero_sees_every_bit, &level_32),
		WIDE_TEST("wide_32_is_zero_sees_dirt_that_is_alike",
			  is_zero_sees_dirt_that_is_alike, &level_32),
		WIDE_TEST("wide_short_zero_clears_the_slot_and_nothing_else",
			  zero_clears_the_slot_and_nothing_else, &level_short),
		WIDE_TEST("wide_short_is_zero_accepts_zero_between_other_bytes",
			  is_zero_accepts_zero_between_other_bytes,
			  &level_short),
		WIDE_TEST("wide_short_is_zero_sees_every_byte",
			  is_zero_sees_every_byte, &level_short),
		WIDE_TEST("wide_short_is_zero_sees_every_bit",
			  is_zero_sees_every_bit, &level_short),
		WIDE_TEST("wide_short_is_zero_sees_dirt_that_is_alike",
			  is_zero_sees_dirt_that_is_alike, &level_short),
		WIDE_TEST("wide_64_zero_clears_the_slot_and_nothing_else",
			  zero_clears_the_slot_and_nothing_else, &level_64),
		WIDE_TEST("wide_64_is_zero_accepts_zero_between_other_bytes",
			  is_zero_accepts_zero_between_other_bytes, &level_64),
		WIDE_TEST("wide_64_is_zero_sees_every_byte",
			  is_zero_sees_every_byte, &level_64),
		WIDE_TEST("wide_64_is_zero_sees_every_bit",
			  is_zero_sees_every_bit, &level_64),
		WIDE_TEST("wide_64_is_zero_sees_dirt_that_is_alike",
			  is_zero_sees_dirt_that_is_alike, &level_64),
	};

	return cmocka_run_group_tests_name("wide", tests, group_setup, NULL);
}

#else /* !__SSE2__ */

int main(void)
{
	puts("the compiler may use no vector registers");
	return 77;
}

#endif
