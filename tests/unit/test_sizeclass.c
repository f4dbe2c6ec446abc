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

static void sizeclass_reciprocal_finds_every_slot_z3(void **state)
{
	const struct rnd_sizeclass *geo;
	__u64 start, k;
	__u32 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		geo = &rnd_sizeclass[sc];
		for (k = 0; k < geo->slots; k++) {
			start = k * geo->slot_len;
			assert_true((start * geo->recip) >> 32 == k);
		}
	}
}

/* What rnd_pagemap_find() does with every other address of a slab: whatever
 * slot comes out, multiplied back it is not that address
 */
static void sizeclass_reciprocal_accepts_starts_only_z3(void **state)
{
	const struct rnd_sizeclass *geo;
	__u64 in, k;
	__u32 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		geo = &rnd_sizeclass[sc];
		for (in = 0; in < 1UL << geo->slab_shift; in++) {
			k = (in * geo->recip) >> 32;
			assert_true((k * geo->slot_len == in) ==
				    (in % geo->slot_len == 0));
			assert_true(k <= geo->slots);
		}
	}
}

static void sizeclass_slabs_hold_their_slots(void **state)
{
	const struct rnd_sizeclass *geo;
	__u64 rest;
	__u32 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		geo = &rnd_sizeclass[sc];
		assert_in_range(geo->slots, 15, RND_SLAB_SLOT_MAX);
		assert_in_range(1UL << geo->slab_shift, 4096, RND_SLAB_LEN_MAX);
		rest = (1UL << geo->slab_shift) -
		       (__u64)geo->slots * geo->slot_len;
		assert_true(rest < geo->slot_len);
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
		cmocka_unit_test(sizeclass_is_the_smallest_that_fits),
		cmocka_unit_test(sizeclass_wastes_no_more_than_a_fifth_z2),
		cmocka_unit_test(sizeclass_reciprocal_finds_every_slot_z3),
		cmocka_unit_test(sizeclass_reciprocal_accepts_starts_only_z3),
		cmocka_unit_test(sizeclass_slabs_hold_their_slots),
		cmocka_unit_test(sizeclass_aligned_is_the_smallest_aligned_one),
	};

	return cmocka_run_group_tests_name("sizeclass", tests, NULL, NULL);
}
