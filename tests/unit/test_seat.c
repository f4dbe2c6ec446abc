/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of seat.h: where objects may sit, and the pattern around them
 *
 * links: none
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "seat.h"

#define PAGE RND_PAGE_LEN
#define WORD 0xf1e3d5c7b9a90b0dUL

static void seat_pages_leave_room_for_the_canary(void **state)
{
	__sz req, len;

	(void)state;
	for (req = 1; req < 5 * PAGE; req++) {
		len = rnd_seat_pages(RND_SEAT_START, req) * PAGE;
		assert_true(len == req || len >= req + RND_CANARY_LEN);
		assert_true(len < req + RND_CANARY_LEN + PAGE);

		len = rnd_seat_pages(RND_SEAT_RANDOM, req) * PAGE;
		assert_in_range(len - req, PAGE / 2, PAGE / 2 + PAGE - 1);

		len = rnd_seat_pages(RND_SEAT_RIGHT, req) * PAGE;
		assert_in_range(len - req, 0, PAGE - 1);
	}
}

/* Every place of every size is in bounds; the last one is as well */
static void seat_places_are_in_bounds_t1(void **state)
{
	static const __sz aligns[] = { 16, 64, 256, 1024, 2048 };
	__sz req, len, choices, n, offset, i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(aligns); i++)
		for (req = 1; req < 3 * PAGE; req += 3) {
			len = rnd_seat_pages(RND_SEAT_RANDOM, req) * PAGE;
			choices = rnd_seat_choices(RND_SEAT_RANDOM, req,
						   aligns[i]);
			assert_true(choices);
			for (n = 0; n < choices; n++) {
				offset = rnd_seat_offset(RND_SEAT_RANDOM, req,
							 aligns[i], n);
				assert_int_equal(0, offset % aligns[i]);
				assert_true(offset < PAGE);
				assert_true(offset + req + RND_CANARY_LEN <=
					    len);
				assert_true(offset + req > len - PAGE);
			}
		}
}

static void seat_random_has_seven_bits(void **state)
{
	__sz req, choices;

	(void)state;
	for (req = 65537; req < 65537 + 2 * PAGE; req++) {
		choices = rnd_seat_choices(RND_SEAT_RANDOM, req, 16);
		assert_in_range(choices, 127, 256);
	}
}

static void seat_fixed_places(void **state)
{
	__sz req, align, offset;

	(void)state;
	for (align = 16; align < PAGE; align *= 2)
		for (req = 1; req < 3 * PAGE; req++) {
			assert_int_equal(1, rnd_seat_choices(RND_SEAT_START,
							     req, align));
			assert_int_equal(0, rnd_seat_offset(RND_SEAT_START, req,
							    align, 0));
			assert_int_equal(1, rnd_seat_choices(RND_SEAT_RIGHT,
							     req, align));
			offset = rnd_seat_offset(RND_SEAT_RIGHT, req, align, 0);
			assert_int_equal(0, offset % align);
			assert_true(offset < PAGE);
			assert_in_range(rnd_seat_pages(RND_SEAT_RIGHT, req) *
							PAGE -
						req - offset,
					0, align - 1);
		}
	assert_int_equal(0, rnd_seat_offset(RND_SEAT_RIGHT, 70000, PAGE, 0));
}

/* Every range of a few words; the bytes around it stay */
static void seat_pattern_covers_exactly_its_range(void **state)
{
	__u8 buf[64] __align(8), copy[64];
	unsigned int from, to, i;
	__uptr at = (__uptr)buf;

	(void)state;
	for (from = 8; from < 40; from++)
		for (to = from; to < 40; to++) {
			memset(buf, 0, sizeof(buf));
			rnd_seat_write(WORD, at + from, at + to);
			for (i = 0; i < sizeof(buf); i++)
				assert_int_equal(i >= from && i < to ?
							 (__u8)(WORD >>
								i % 8 * 8) :
							 0,
						 buf[i]);
			assert_null(
				rnd_seat_find_bad(WORD, at + from, at + to));
			memcpy(copy, buf, sizeof(buf));
			for (i = from; i < to; i++) {
				buf[i] ^= 0x40;
				assert_ptr_equal(&buf[i],
						 rnd_seat_find_bad(WORD,
								   at + from,
								   at + to));
				/* The first one counts */
				buf[to - 1] ^= 1;
				assert_ptr_equal(&buf[i],
						 rnd_seat_find_bad(WORD,
								   at + from,
								   at + to));
				memcpy(buf, copy, sizeof(buf));
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seat_pages_leave_room_for_the_canary),
		cmocka_unit_test(seat_places_are_in_bounds_t1),
		cmocka_unit_test(seat_random_has_seven_bits),
		cmocka_unit_test(seat_fixed_places),
		cmocka_unit_test(seat_pattern_covers_exactly_its_range),
	};

	return cmocka_run_group_tests_name("seat", tests, NULL, NULL);
}
