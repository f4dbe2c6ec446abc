/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vma_place.c: gaps, hints, alignment, randomness
 *
 * links: lib/ukvmem/vas.c lib/ukvmem/vma_pool.c lib/ukvmem/vma_tree.c
 *        lib/ukvmem/vma_hole.c lib/ukvmem/vma_place.c lib/ukvmem/vma_split.c
 *        lib/ukvmem/vma_range.c lib/ukvmem/vma_page.c lib/ukvmem/vma_map.c
 *        lib/ukvmem/vma_replace.c lib/ukvmem/vma_unmap.c
 *        lib/ukvmem/vma_attr.c lib/ukvmem/vma_advise.c
 *        lib/ukvmem/vma_fault.c lib/ukvmem/pagefault.c
 *        lib/ukvmem/vma_rsvd.c lib/ukvmem/vma_anon.c
 *        lib/ukvmem/vma_stack.c lib/ukvmem/vma_dma.c lib/ukvmem/vma_file.c
 *        tests/unit/fake_paging.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/vma_types.h>
#include <uk/vmem.h>

#define FRAMES	256UL
#define GAP_MAX ((__sz)CONFIG_LIBUKVMEM_GAP_PAGES_MAX)
#define LEN	(2 * PAGE_SIZE)

#include "fixture_vas.h"

/* Leaves a hole of so many pages at base, nothing else */
static void leave_hole(__sz pages)
{
	__vaddr_t vaddr = UK_VAS_START;

	assert_int_equal(uk_vma_reserve(&vas, &vaddr, base - UK_VAS_START), 0);
	vaddr = base + pages * PAGE_SIZE;
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, UK_VAS_END - vaddr), 0);
}

static void areas_keep_their_distance(void **state)
{
	__sz first[2 * GAP_MAX + 2] = { 0 };
	__sz i, places = 0, pages = 2 * GAP_MAX + LEN / PAGE_SIZE;

	(void)state;
	leave_hole(pages);
	for (i = 0; i < 2000; i++) {
		__vaddr_t vaddr = __VADDR_ANY;
		__sz place;

		assert_int_equal(uk_vma_reserve(&vas, &vaddr, LEN), 0);
		place = (vaddr - base) / PAGE_SIZE;
		assert_in_range(place, GAP_MAX ? 1 : 0,
				2 * GAP_MAX - (GAP_MAX ? 1 : 0));
		places += !first[place]++;
		assert_int_equal(uk_vma_unmap(&vas, vaddr, LEN, 0), 0);
	}
	/* Each place is possible; the rarest ones, at both ends, take a gap of
	 * one page on one side and any on the other: more than 1 / (GAP_MAX *
	 * 2 * GAP_MAX) each, so that 2000 draws miss one in 2 of 100 cases.
	 * The seed is fixed.
	 */
	assert_int_equal(places, GAP_MAX ? 2 * GAP_MAX - 1 : 1);
}

static void full_space_has_no_gaps(void **state)
{
	__vaddr_t vaddr = __VADDR_ANY;

	(void)state;
	leave_hole(LEN / PAGE_SIZE);
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, LEN + PAGE_SIZE),
			 -ENOMEM);
	assert_int_equal(vaddr, __VADDR_ANY);
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, LEN), 0);
	assert_int_equal(vaddr, base);
	vaddr = __VADDR_ANY;
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, PAGE_SIZE), -ENOMEM);
	/* Frames would not help */
	assert_int_equal(fake.reclaims, 0);
}

/* Without room for gaps all places are still as likely: 2 places, 4000 draws,
 * chi-square with 1 degree of freedom exceeds 10.83 with probability 0.001;
 * the seed is fixed
 */
static void tight_places_are_uniform(void **state)
{
	unsigned int hits[2] = { 0 }, i;
	double diff;

	(void)state;
	leave_hole(2);
	for (i = 0; i < 4000; i++) {
		__vaddr_t vaddr = __VADDR_ANY;

		assert_int_equal(uk_vma_reserve(&vas, &vaddr, PAGE_SIZE), 0);
		hits[(vaddr - base) / PAGE_SIZE]++;
		assert_int_equal(uk_vma_unmap(&vas, vaddr, PAGE_SIZE, 0), 0);
	}
	diff = (double)hits[0] - 2000;
	assert_true(2 * diff * diff / 2000 < 10.83);
}

static void hint_is_honoured_if_free(void **state)
{
	const __vaddr_t bad[] = { 0, base + 5, UK_VAS_START - PAGE_SIZE,
				  UK_VAS_END, UK_VAS_END - PAGE_SIZE };
	__vaddr_t vaddr = base;
	unsigned int i;

	(void)state;
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, LEN, PAGE_ATTR_PROT_RW,
					 UK_VMA_MAP_HINT, NULL),
			 0);
	assert_int_equal(vaddr, base);
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, LEN, PAGE_ATTR_PROT_RW,
					 UK_VMA_MAP_HINT, NULL),
			 0);
	assert_int_not_equal(vaddr, base);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		vaddr = bad[i];
		assert_int_equal(uk_vma_map_anon(&vas, &vaddr, LEN,
						 PAGE_ATTR_PROT_RW,
						 UK_VMA_MAP_HINT, NULL),
				 0);
		assert_int_not_equal(vaddr, bad[i]);
		assert_in_range(vaddr, UK_VAS_START, UK_VAS_END - LEN);
	}
	vaddr = base;
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, LEN, PAGE_ATTR_PROT_RW,
					 0, NULL),
			 -EEXIST);
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, LEN, PAGE_ATTR_PROT_RW,
					 UK_VMA_MAP_HINT | UK_VMA_MAP_REPLACE,
					 NULL),
			 -EINVAL);
}

static void size_aligns_areas(void **state)
{
	static const unsigned long orders[] = { 12, 21, 30 };
	unsigned int i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		const __sz size = 1UL << orders[i];
		unsigned long flags = UK_VMA_MAP_SIZE(orders[i]);
		__vaddr_t vaddr, bits = 0;

		for (j = 0; j < 64; j++) {
			vaddr = __VADDR_ANY;
			assert_int_equal(uk_vma_map_anon(&vas, &vaddr, size,
							 PAGE_ATTR_PROT_RW,
							 flags, NULL),
					 0);
			bits |= vaddr;
		}
		assert_int_equal(bits & (size - 1), 0);
		assert_int_not_equal(bits & size, 0);
		vaddr = base + PAGE_SIZE;
		assert_int_equal(uk_vma_map_anon(&vas, &vaddr, size,
						 PAGE_ATTR_PROT_RW, flags,
						 NULL),
				 i ? -EINVAL : 0);
		vaddr = __VADDR_ANY;
		assert_int_equal(uk_vma_map_anon(&vas, &vaddr, PAGE_SIZE,
						 PAGE_ATTR_PROT_RW, flags,
						 NULL),
				 i ? -EINVAL : 0);
	}
	assert_int_equal(uk_vma_map_anon(&vas, &(__vaddr_t){ base }, PAGE_SIZE,
					 PAGE_ATTR_PROT_RW,
					 UK_VMA_MAP_SIZE(13UL), NULL),
			 -EINVAL);
}

#define DRAWS 51200U
#define BINS  256U

/* DRAWS places in BINS equal parts of the whole space: chi-square with 255
 * degrees of freedom exceeds 330.5 with probability 0.001. Bits 12 to 46 of
 * the address: a bit's count of ones is more than 4.5 standard deviations off
 * with probability 7e-6, one of 35 with 2.4e-4. The seed is fixed. The space
 * begins at 2^36 instead of 0, which moves the high bits by 0.1 deviations.
 */
static void places_are_uniform(void **state)
{
	const __sz pages = (UK_VAS_END - UK_VAS_START) / PAGE_SIZE;
	unsigned int hits[BINS] = { 0 }, ones[64] = { 0 }, i, bit;
	double chi = 0, diff;

	(void)state;
	/* At least 34 bits */
	assert_true(pages >= 1UL << 34);
	for (i = 0; i < DRAWS; i++) {
		__vaddr_t vaddr = __VADDR_ANY;

		assert_int_equal(uk_vma_reserve(&vas, &vaddr, PAGE_SIZE), 0);
		hits[(vaddr - UK_VAS_START) / PAGE_SIZE * BINS / pages]++;
		for (bit = 0; bit < 64; bit++)
			ones[bit] += !!(vaddr >> bit & 1);
		assert_int_equal(uk_vma_unmap(&vas, vaddr, PAGE_SIZE, 0), 0);
	}
	for (i = 0; i < BINS; i++) {
		diff = (double)hits[i] - (double)DRAWS / BINS;
		chi += diff * diff / ((double)DRAWS / BINS);
	}
	assert_true(chi < 330.5);
	for (bit = 0; bit < 64; bit++) {
		if (bit < 12 || bit > 46) {
			assert_int_equal(ones[bit], 0);
			continue;
		}
		/* Variance of a sum of DRAWS fair bits: DRAWS / 4 */
		diff = (double)ones[bit] - DRAWS / 2.0;
		assert_true(diff * diff < 4.5 * 4.5 * DRAWS / 4);
	}
}

#define PLACE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(areas_keep_their_distance),
		PLACE_TEST(full_space_has_no_gaps),
		PLACE_TEST(tight_places_are_uniform),
		PLACE_TEST(hint_is_honoured_if_free),
		PLACE_TEST(size_aligns_areas),
		PLACE_TEST(places_are_uniform),
	};

	return cmocka_run_group_tests_name("vma_place", tests, NULL, NULL);
}
