/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of sizeclass.c, by trying everything there is
 *
 * links: lib/ukallocrnd/sizeclass.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bulk.h"
#include "sizeclass.h"

/* The request and its canary */
static __sz need(__sz size)
{
	return size + RND_CANARY_LEN;
}

static void sizeclass_lengths_ascend_in_steps_of_16_z1(void **state)
{
	__u32 sc;

	(void)state;
	assert_int_equal(RND_SLOT_ALIGN, rnd_sizeclass[0].slot_len);
	for (sc = 1; sc < RND_CLASS_COUNT; sc++) {
		assert_int_equal(0,
				 rnd_sizeclass[sc].slot_len % RND_SLOT_ALIGN);
		if (sc > 1)
			assert_true(rnd_sizeclass[sc].slot_len >
				    rnd_sizeclass[sc - 1].slot_len);
	}
	assert_int_equal(RND_SLOT_LEN_MAX, rnd_sizeclass[sc - 1].slot_len);
}

static void sizeclass_bulk_is_where_slots_are_too_long(void **state)
{
	(void)state;
	assert_true(rnd_sizeclass[RND_CLASS_BULK].slot_len > RND_BULK_SLOT_MIN);
	assert_true(rnd_sizeclass[RND_CLASS_BULK - 1].slot_len <=
		    RND_BULK_SLOT_MIN);
}

static void sizeclass_is_the_smallest_that_fits(void **state)
{
	unsigned int sc;
	__sz size;

	(void)state;
	for (size = 1; size <= RND_SMALL_MAX; size++) {
		sc = rnd_sizeclass_of(size);
		assert_in_range(sc, 1, RND_CLASS_COUNT - 1);
		assert_true(need(size) <= rnd_sizeclass[sc].slot_len);
		assert_true(sc == 1 ||
			    need(size) > rnd_sizeclass[sc - 1].slot_len);
	}
}

static void sizeclass_wastes_no_more_than_a_fifth_z2(void **state)
{
	__sz size, len;

	(void)state;
	for (size = 1; size <= RND_SMALL_MAX; size++) {
		len = rnd_sizeclass[rnd_sizeclass_of(size)].slot_len;
		if (need(size) > 128)
			assert_true((len - need(size)) * 5 <= len);
		else
			assert_true(len - need(size) < RND_SLOT_ALIGN);
	}
}

/* Above the steps of 16 */
static void sizeclass_neighbours_differ_by_3_of_13_at_most_z2(void **state)
{
	__u32 sc;

	(void)state;
	for (sc = RND_SHORT_LEN / RND_SLOT_ALIGN; sc < RND_CLASS_COUNT - 1;
	     sc++)
		assert_true(rnd_sizeclass[sc + 1].slot_len * 13 <=
			    rnd_sizeclass[sc].slot_len * 16);
}

static void sizeclass_short_is_a_shift_away(void **state)
{
	__u32 sc;
	__sz size;

	(void)state;
	for (sc = 1; sc <= RND_SHORT_LEN / RND_SLOT_ALIGN; sc++)
		assert_int_equal(sc * 16, rnd_sizeclass[sc].slot_len);
	for (size = 1; size <= RND_SHORT_MAX; size++)
		assert_int_equal(rnd_sizeclass_of(size),
				 rnd_sizeclass_short_len(size) /
					 RND_SLOT_ALIGN);
	assert_int_equal(
		RND_SHORT_LEN,
		rnd_sizeclass[rnd_sizeclass_of(RND_SHORT_MAX)].slot_len);
	assert_true(
		rnd_sizeclass[rnd_sizeclass_of(RND_SHORT_MAX + 1)].slot_len >
		RND_SHORT_LEN);
}

static void sizeclass_slabs_are_whole_pages_z3(void **state)
{
	const struct rnd_sizeclass *geo;
	__u64 len;
	__u32 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		geo = &rnd_sizeclass[sc];
		assert_int_equal(1U << geo->slot_shift, geo->slots);
		assert_in_range(geo->slots, 8, RND_SLAB_SLOT_MAX);
		len = (__u64)geo->slots * geo->slot_len;
		assert_true(len % 4096 == 0);
		assert_in_range(len, 4096, RND_SLAB_LEN_MAX);
	}
}

static void assert_divides(const struct rnd_sizeclass *geo, __u64 x)
{
	unsigned __int128 product = (unsigned __int128)x * geo->inverse;

	assert_true((__u64)(product >> 64) == x / geo->slot_len);
}

static void sizeclass_inverse_is_the_smallest_factor_z4(void **state)
{
	unsigned __int128 product;
	__u32 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		product = (unsigned __int128)rnd_sizeclass[sc].inverse *
			  rnd_sizeclass[sc].slot_len;
		assert_true(product >> 64 == 1);
		assert_true((__u64)product < rnd_sizeclass[sc].slot_len);
	}
}

static void sizeclass_inverse_divides_small_numbers_z4(void **state)
{
	__u64 x;
	__u32 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		for (x = 0; x < 3UL * RND_SLOT_LEN_MAX; x++)
			assert_divides(&rnd_sizeclass[sc], x);
}

/* The error grows with the quotient, and with the remainder: what is wrong
 * anywhere is wrong just below the last multiples
 */
static void sizeclass_inverse_divides_large_numbers_z4(void **state)
{
	const struct rnd_sizeclass *geo;
	unsigned int bit, i;
	__u64 x;
	__u32 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		geo = &rnd_sizeclass[sc];
		for (i = 1; i <= 3 * RND_SLOT_LEN_MAX; i++)
			assert_divides(geo, (1UL << 48) - i);
		for (bit = 16; bit < 48; bit++)
			for (i = 0; i < 64; i++) {
				x = (1UL << bit) / geo->slot_len + i;
				assert_divides(geo, x * geo->slot_len - 1);
				assert_divides(geo, x * geo->slot_len);
				assert_divides(geo, x * geo->slot_len + 1);
			}
	}
}

static void sizeclass_aligned_is_the_smallest_aligned_one(void **state)
{
	unsigned int sc, found, bits;
	__sz size, align;

	(void)state;
	for (bits = 0; bits <= 20; bits++) {
		align = 1UL << bits;
		for (size = 1; size <= RND_SMALL_MAX; size += 7) {
			found = 0;
			for (sc = RND_CLASS_COUNT - 1; sc; sc--)
				if (rnd_sizeclass[sc].slot_len >= need(size) &&
				    rnd_sizeclass[sc].slot_len % align == 0)
					found = sc;
			assert_int_equal(found,
					 rnd_sizeclass_aligned(size, align));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizeclass_lengths_ascend_in_steps_of_16_z1),
		cmocka_unit_test(sizeclass_bulk_is_where_slots_are_too_long),
		cmocka_unit_test(sizeclass_is_the_smallest_that_fits),
		cmocka_unit_test(sizeclass_wastes_no_more_than_a_fifth_z2),
		cmocka_unit_test(
			sizeclass_neighbours_differ_by_3_of_13_at_most_z2),
		cmocka_unit_test(sizeclass_short_is_a_shift_away),
		cmocka_unit_test(sizeclass_slabs_are_whole_pages_z3),
		cmocka_unit_test(sizeclass_inverse_is_the_smallest_factor_z4),
		cmocka_unit_test(sizeclass_inverse_divides_small_numbers_z4),
		cmocka_unit_test(sizeclass_inverse_divides_large_numbers_z4),
		cmocka_unit_test(sizeclass_aligned_is_the_smallest_aligned_one),
	};

	return cmocka_run_group_tests_name("sizeclass", tests, NULL, NULL);
}
