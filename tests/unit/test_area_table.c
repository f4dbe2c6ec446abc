/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the places of areas in the upper half
 *
 * links: plat/common/area_table.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "area_table.h"
#include "fixture_draw.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#ifdef RND_TEST_SLOW
#define ROUNDS 20000U
#else
#define ROUNDS 1000000U
#endif

#define AREAS  32U
#define SLICES 64U
#define PLACES 16U
#define DRAWS  64000U
#define HALF   (AREA_LIMIT - AREA_FIRST)

static struct area tab[AREAS];
static unsigned int cnt;
static __u64 seed;

static int setup(void **state)
{
	(void)state;
	memset(tab, 0, sizeof(tab));
	cnt = 0;
	seed = 1;
	return 0;
}

static void add(__vaddr_t base, __sz len)
{
	assert_true(cnt < AREAS);
	area_set(&tab[cnt++], "area", base, len);
}

/* Places the next area */
static int place(__sz len, __sz align, area_uniform_fn *uniform,
		 __vaddr_t *base)
{
	int rc = area_table_place(tab, cnt, len, align, uniform, &seed, base);

	if (!rc)
		add(*base, len);
	return rc;
}

/* The rule in numbers that cannot overflow */
static int is_too_near(__vaddr_t base, __sz len, const struct area *other)
{
	__int128 start = base, end = start + len;
	__int128 other_start = other->base,
		 other_end = other_start + other->len;

	return start < other_end + (__int128)AREA_GAP &&
	       other_start < end + (__int128)AREA_GAP;
}

static void assert_collides(int expected, __vaddr_t base, __sz len)
{
	assert_int_equal(area_table_collides(tab, cnt, base, len), expected);
}

static void areas_have_a_gap_on_both_sides(void **state)
{
	const __vaddr_t at = AREA_FIXED_FIRST;

	(void)state;
	add(at, 0x5000);
	assert_collides(0, at + 0x5000 + AREA_GAP, 0x1000);
	assert_collides(1, at + 0x5000 + AREA_GAP - 1, 0x1000);
	assert_collides(0, at - AREA_GAP - 0x1000, 0x1000);
	assert_collides(1, at - AREA_GAP - 0x1000 + 1, 0x1000);
	assert_collides(1, at + 0x1000, 0x1000);
	assert_collides(1, at - 0x100000000, 0x200000000);
}

/* The gap behind it ends where there are no more addresses */
static void last_place_has_a_gap_like_others(void **state)
{
	(void)state;
	add(AREA_LIMIT - 0x1000, 0x1000);
	assert_collides(1, AREA_LIMIT - 0x1000, 0x1000);
	assert_collides(1, AREA_LIMIT - 0x2000, 0x1000);
	assert_collides(0, AREA_LIMIT - 0x2000 - AREA_GAP, 0x1000);
	setup(state);
	add(AREA_LIMIT - 0x8000, 0x1000);
	assert_collides(1, AREA_LIMIT - 0x1000, 0x1000);
}

static void area_of_the_lower_half_is_in_nobodys_way(void **state)
{
	(void)state;
	add(0x7fff00000000, 0x1000);
	assert_collides(0, AREA_FIRST, 0x1000);
	assert_collides(0, AREA_LIMIT - 0x1000, 0x1000);
}

static void collisions_match_the_rule(void **state)
{
	unsigned int i, hits = 0;
	__vaddr_t base;
	__sz len, other;
	int rc;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		cnt = 0;
		/* Near the end in half of the rounds */
		base = i % 2 ? AREA_LIMIT : AREA_FIXED_FIRST + (8UL << 20);
		other = (1 + fixture_uniform(&seed, 1024)) << 12;
		len = (1 + fixture_uniform(&seed, 1024)) << 12;
		add(base - other - (fixture_uniform(&seed, 512) << 12), other);
		base -= len + (fixture_uniform(&seed, 2048) << 12);
		rc = is_too_near(base, len, tab);
		assert_collides(rc, base, len);
		hits += rc != 0;
	}
	assert_true(hits > ROUNDS / 10 && hits < ROUNDS / 10 * 9);
}

/* Room for 16 places, first and last one included */
static void all_places_are_drawn_alike(void **state)
{
	unsigned int counts[PLACES] = { 0 }, i;
	const __sz align = 1UL << 21;
	__vaddr_t base;
	double chi2;

	(void)state;
	print_message("seed %lu\n", seed);
	for (i = 0; i < DRAWS; i++) {
		assert_int_equal(
			area_table_place(tab, 0, HALF - (PLACES - 1) * align,
					 align, fixture_uniform, &seed, &base),
			0);
		assert_int_equal((base - AREA_FIRST) % align, 0);
		assert_true((base - AREA_FIRST) / align < PLACES);
		counts[(base - AREA_FIRST) / align]++;
	}
	chi2 = fixture_chi2(counts, PLACES);
	print_message("chi2 %.1f, limit %.1f\n", chi2, CHI2_LIMIT_15);
	assert_true(chi2 < CHI2_LIMIT_15);
}

/* An area in the lower part: the rest is cut into slices of one size */
static void free_places_are_drawn_alike(void **state)
{
	unsigned int counts[SLICES] = { 0 }, i;
	__vaddr_t base, first;
	double chi2;

	(void)state;
	print_message("seed %lu\n", seed);
	add(AREA_FIRST, HALF / 4);
	first = AREA_FIRST + HALF / 4 + AREA_GAP;
	for (i = 0; i < DRAWS; i++) {
		assert_int_equal(area_table_place(tab, cnt, 0x1000, 0x1000,
						  fixture_uniform, &seed,
						  &base),
				 0);
		assert_true(base >= first && base <= AREA_LIMIT - 0x1000);
		counts[(base - first) / ((AREA_LIMIT - first) / SLICES + 1)]++;
	}
	chi2 = fixture_chi2(counts, SLICES);
	print_message("chi2 %.1f, limit %.1f\n", chi2, CHI2_LIMIT_63);
	assert_true(chi2 < CHI2_LIMIT_63);
}

/* Areas of a TiB, which come into each other's way */
static void areas_are_apart_wherever_they_are(void **state)
{
	unsigned int i, k, round;
	__vaddr_t base;

	for (round = 0; round < 100; round++) {
		setup(state);
		seed = round;
		for (i = 0; i < 16; i++)
			assert_int_equal(place(1UL << 40, 1UL << 21,
					       fixture_uniform, &base),
					 0);
		for (i = 0; i < cnt; i++) {
			assert_int_equal(tab[i].base % (1UL << 21), 0);
			assert_true(tab[i].base >= AREA_FIRST);
			assert_true(tab[i].base + tab[i].len <= AREA_LIMIT);
			for (k = 0; k < i; k++)
				assert_false(is_too_near(tab[i].base,
							 tab[i].len, &tab[k]));
		}
	}
}

static void what_does_not_fit_has_no_place(void **state)
{
	__vaddr_t base;

	(void)state;
	assert_int_equal(place(HALF + 0x1000, 0x1000, fixture_uniform, &base),
			 -ENOSPC);
	assert_int_equal(place(__SZ_MAX, 0x1000, fixture_uniform, &base),
			 -ENOSPC);
	assert_int_equal(place(HALF + 0x1000, 0x1000, __NULL, &base), -ENOSPC);
	assert_int_equal(place(HALF, 0x1000, fixture_uniform, &base), 0);
	assert_int_equal(base, AREA_FIRST);
	assert_int_equal(place(0x1000, 0x1000, fixture_uniform, &base),
			 -ENOSPC);
	assert_int_equal(place(0x1000, 0x1000, __NULL, &base), -ENOSPC);
}

static void lowest_places_follow_each_other(void **state)
{
	__vaddr_t base;

	(void)state;
	add(0x7fff00000000, 0x1000);
	add(AREA_FIRST, 0x1000);
	assert_int_equal(place(0x1000, 0x1000, __NULL, &base), 0);
	assert_int_equal(base, AREA_FIXED_FIRST);
	assert_int_equal(place(0x1000, 0x1000, __NULL, &base), 0);
	assert_int_equal(base, AREA_FIXED_FIRST + 0x1000 + AREA_GAP);
	assert_int_equal(place(0x1000, 1UL << 30, __NULL, &base), 0);
	assert_int_equal(base, AREA_FIXED_FIRST + (1UL << 30));
	/* A hole is filled if what comes has room in it */
	assert_int_equal(place(1UL << 30, 0x1000, __NULL, &base), 0);
	assert_int_equal(base,
			 AREA_FIXED_FIRST + (1UL << 30) + 0x1000 + AREA_GAP);
	assert_int_equal(place(0x5000, 0x1000, __NULL, &base), 0);
	assert_int_equal(base, AREA_FIXED_FIRST + 2 * (0x1000 + AREA_GAP));
}

/* Behind the last area there are no more addresses, not the first ones */
static void lowest_place_is_not_behind_the_end(void **state)
{
	const __sz rest = AREA_LIMIT - AREA_FIXED_FIRST;
	__vaddr_t base;

	(void)state;
	assert_int_equal(place(rest, 0x1000, __NULL, &base), 0);
	assert_int_equal(base, AREA_FIXED_FIRST);
	assert_int_equal(place(0x1000, 0x1000, __NULL, &base), -ENOSPC);
}

static void names_are_cut(void **state)
{
	(void)state;
	area_set(tab, "0123456789012345678901234567890123456789", 1, 2);
	assert_string_equal(tab[0].name, "0123456789012345678901234567890");
	area_set(tab, "short", 0x1000, 0x2000);
	assert_string_equal(tab[0].name, "short");
	assert_int_equal(tab[0].base, 0x1000);
	assert_int_equal(tab[0].len, 0x2000);
	assert_false(tab[0].owned || tab[0].image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(areas_have_a_gap_on_both_sides),
		UNIT_TEST(last_place_has_a_gap_like_others),
		UNIT_TEST(area_of_the_lower_half_is_in_nobodys_way),
		UNIT_TEST(collisions_match_the_rule),
		UNIT_TEST(all_places_are_drawn_alike),
		UNIT_TEST(free_places_are_drawn_alike),
		UNIT_TEST(areas_are_apart_wherever_they_are),
		UNIT_TEST(what_does_not_fit_has_no_place),
		UNIT_TEST(lowest_places_follow_each_other),
		UNIT_TEST(lowest_place_is_not_behind_the_end),
		UNIT_TEST(names_are_cut),
	};

	return cmocka_run_group_tests_name("area_table", tests, NULL, NULL);
}
