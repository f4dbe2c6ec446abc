/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* links: plat/common/memregion.c */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/essentials.h>

#include "fixture_draw.h"
#include "memregion.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

/* The model test works on this many pages, and looks at quarters of them */
#define MODEL_PAGES   64
#define MODEL_QUARTER (PAGE_SIZE / 4)
#define MODEL_ROUNDS  300
#define MODEL_REGIONS 12
#define MODEL_SEED    1

#define DRAW_PLACES 64
#define DRAWS	    64000

static struct memregion_list list;

void uk_assert_fail(const char *cond, const char *file, int line)
{
	fail_msg("%s:%d: %s", file, line, cond);
	abort();
}

static int setup(void **state)
{
	(void)state;
	memset(&list, 0, sizeof(list));
	return 0;
}

static void add(__paddr_t start, __sz len, enum memregion_type type)
{
	assert_int_equal(memregion_add(&list, start, len, type), 0);
}

static void normalise(void)
{
	assert_int_equal(memregion_normalise(&list), 0);
	assert_true(memregion_is_valid(&list));
}

static void assert_region(unsigned int i, __paddr_t start, __paddr_t end,
			  enum memregion_type type)
{
	assert_true(i < list.cnt);
	assert_int_equal(list.r[i].start, start);
	assert_int_equal(list.r[i].end, end);
	assert_int_equal(list.r[i].type, type);
}

static void memregion_ignores_empty(void **state)
{
	(void)state;
	add(0x1000, 0, MEMREGION_FREE);
	assert_int_equal(list.cnt, 0);
}

static void memregion_cuts_at_end_of_address_space(void **state)
{
	(void)state;
	add(__PADDR_MAX - 0x3000, __SZ_MAX, MEMREGION_RESERVED);
	add(__PADDR_MAX, 1, MEMREGION_RESERVED);
	normalise();

	assert_int_equal(list.cnt, 1);
	assert_region(0, (__PADDR_MAX - 0x3000) & PAGE_MASK,
		      __PADDR_MAX & PAGE_MASK, MEMREGION_RESERVED);
}

static void memregion_refuses_more_than_fits(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < MEMREGION_MAX; i++)
		add(i * PAGE_SIZE, PAGE_SIZE, MEMREGION_FREE);

	assert_int_equal(memregion_add(&list, 0, PAGE_SIZE, MEMREGION_FREE),
			 -ENOSPC);
}

static void memregion_sorts_and_merges(void **state)
{
	(void)state;
	add(0x5000, 0x1000, MEMREGION_FREE);
	add(0x1000, 0x2000, MEMREGION_FREE);
	add(0x3000, 0x2000, MEMREGION_FREE);
	normalise();

	assert_int_equal(list.cnt, 1);
	assert_region(0, 0x1000, 0x6000, MEMREGION_FREE);
}

static void memregion_stronger_type_wins(void **state)
{
	(void)state;
	add(0x1000, 0x9000, MEMREGION_FREE);
	add(0x3000, 0x2000, MEMREGION_RESERVED);
	add(0x4000, 0x3000, MEMREGION_USED);
	normalise();

	assert_int_equal(list.cnt, 4);
	assert_region(0, 0x1000, 0x3000, MEMREGION_FREE);
	assert_region(1, 0x3000, 0x5000, MEMREGION_RESERVED);
	assert_region(2, 0x5000, 0x7000, MEMREGION_USED);
	assert_region(3, 0x7000, 0xa000, MEMREGION_FREE);
}

static void memregion_partial_page_is_not_free(void **state)
{
	(void)state;
	add(0x1001, 0x2fff, MEMREGION_FREE);
	add(0x3fff, 1, MEMREGION_RESERVED);
	normalise();

	assert_int_equal(list.cnt, 2);
	assert_region(0, 0x2000, 0x3000, MEMREGION_FREE);
	assert_region(1, 0x3000, 0x4000, MEMREGION_RESERVED);
}

static void memregion_less_than_a_page_vanishes(void **state)
{
	(void)state;
	add(0x1001, 0xffe, MEMREGION_FREE);
	normalise();

	assert_int_equal(list.cnt, 0);
}

static void memregion_failure_changes_nothing(void **state)
{
	struct memregion_list before;
	unsigned int i;

	(void)state;
	/* Holes in one large region: twice as many pieces as regions */
	add(0, MEMREGION_MAX * 4UL * PAGE_SIZE, MEMREGION_FREE);
	for (i = 1; i < MEMREGION_MAX; i++)
		add(i * 2UL * PAGE_SIZE, PAGE_SIZE, MEMREGION_RESERVED);
	before = list;

	assert_int_equal(memregion_normalise(&list), -ENOSPC);
	assert_memory_equal(&list, &before, sizeof(list));
}

static void memregion_finds_highest_that_fits(void **state)
{
	(void)state;
	add(0x10000, 0x10000, MEMREGION_FREE);
	add(0x40000, 0x3000, MEMREGION_FREE);
	add(0x50000, 0x10000, MEMREGION_RESERVED);
	normalise();

	assert_int_equal(memregion_find(&list, 0x3000, 0x1000, 0, __PADDR_MAX),
			 0x40000);
	assert_int_equal(memregion_find(&list, 0x4000, 0x1000, 0, __PADDR_MAX),
			 0x1c000);
	assert_int_equal(memregion_find(&list, 0x4000, 0x8000, 0, __PADDR_MAX),
			 0x18000);
	assert_int_equal(memregion_find(&list, 0x1000, 0x1000, 0, 0x12000),
			 0x11000);
	assert_int_equal(memregion_find(&list, 0x1000, 0x1000, 0x42000,
					0x100000),
			 0x42000);
}

static void memregion_finds_nothing_that_is_not_there(void **state)
{
	(void)state;
	add(0x10000, 0x10000, MEMREGION_FREE);
	normalise();

	assert_int_equal(memregion_find(&list, 0x11000, 0x1000, 0, __PADDR_MAX),
			 __PADDR_INV);
	assert_int_equal(memregion_find(&list, 0x1000, 0x20000, 0, __PADDR_MAX),
			 __PADDR_INV);
	assert_int_equal(memregion_find(&list, 0x2000, 0x1000, 0x1f000,
					__PADDR_MAX),
			 __PADDR_INV);
}

static void memregion_is_invalid_if_not_normalised(void **state)
{
	(void)state;
	add(0x2000, 0x1000, MEMREGION_FREE);
	assert_true(memregion_is_valid(&list));
	add(0x3000, 0x1000, MEMREGION_FREE);
	assert_false(memregion_is_valid(&list));
	list.r[1].start = 0x2000;
	assert_false(memregion_is_valid(&list));
	list.r[1].start = 0x3800;
	assert_false(memregion_is_valid(&list));
}

/* Returns how many places there are, and takes the one that it was told */
static __u64 take_nth(void *arg, __u64 bound)
{
	__u64 *n = arg, place = *n;

	*n = bound;
	return place < bound ? place : 0;
}

static void memregion_joins_weak_neighbours(void **state)
{
	__paddr_t start = 0, end = 0;
	unsigned int next = 0;

	(void)state;
	/* A hole behind the first two, something strong behind the next two */
	add(0, PAGE_SIZE, MEMREGION_FREE);
	add(PAGE_SIZE, PAGE_SIZE, MEMREGION_TABLES);
	add(3 * PAGE_SIZE, PAGE_SIZE, MEMREGION_LOADER);
	add(4 * PAGE_SIZE, PAGE_SIZE, MEMREGION_FREE);
	add(5 * PAGE_SIZE, PAGE_SIZE, MEMREGION_USED);
	add(6 * PAGE_SIZE, PAGE_SIZE, MEMREGION_RESERVED);
	normalise();

	assert_true(
		memregion_next(&list, &next, MEMREGION_TABLES, &start, &end));
	assert_int_equal(start, 0);
	assert_int_equal(end, 2 * PAGE_SIZE);
	assert_true(
		memregion_next(&list, &next, MEMREGION_TABLES, &start, &end));
	assert_int_equal(start, 3 * PAGE_SIZE);
	assert_int_equal(end, 5 * PAGE_SIZE);
	assert_false(
		memregion_next(&list, &next, MEMREGION_TABLES, &start, &end));

	next = 0;
	assert_true(
		memregion_next(&list, &next, MEMREGION_LOADER, &start, &end));
	assert_int_equal(end, PAGE_SIZE);
	assert_true(
		memregion_next(&list, &next, MEMREGION_LOADER, &start, &end));
	assert_int_equal(start, 3 * PAGE_SIZE);
	assert_int_equal(end, 5 * PAGE_SIZE);
	assert_false(
		memregion_next(&list, &next, MEMREGION_LOADER, &start, &end));
}

/* Every place that is one is drawn for a number of its own, in their order */
static void memregion_draws_every_place(void **state)
{
	static const __paddr_t places[] = { 0x12000, 0x14000, 0x44000,
					    0x46000 };
	unsigned int i;
	__u64 n;

	(void)state;
	add(0x10000, 0x7000, MEMREGION_FREE);
	add(0x20000, 0x10000, MEMREGION_LOADER);
	add(0x31000, 0x3000, MEMREGION_FREE); /* too short, once aligned */
	add(0x43000, 0x20000, MEMREGION_FREE);
	normalise();
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		n = i;
		assert_int_equal(memregion_draw(&list, 0x3000, 0x2000, 0x11000,
						0x49000, take_nth, &n),
				 places[i]);
		assert_int_equal(n, ARRAY_SIZE(places));
	}
}

static void memregion_draws_nothing_that_is_not_there(void **state)
{
	__u64 n = 0;

	(void)state;
	add(0x10000, 0x10000, MEMREGION_FREE);
	add(0x30000, 0x100000, MEMREGION_TABLES);
	normalise();
	assert_int_equal(memregion_draw(&list, 0x11000, 0x1000, 0, __PADDR_MAX,
					take_nth, &n),
			 __PADDR_INV);
	assert_int_equal(memregion_draw(&list, 0x1000, 0x20000, 0, __PADDR_MAX,
					take_nth, &n),
			 __PADDR_INV);
	assert_int_equal(memregion_draw(&list, 0x1000, 0x1000, 0x20000,
					__PADDR_MAX, take_nth, &n),
			 __PADDR_INV);
	assert_int_equal(memregion_draw(&list, 0x1000, 0x1000, 0, 0x10fff,
					take_nth, &n),
			 __PADDR_INV);
	/* Memory at the end of all addresses, which alignment takes to 0 */
	setup(state);
	add(__PADDR_MAX - 0x7fff, 0x7fff, MEMREGION_FREE);
	normalise();
	assert_int_equal(memregion_draw(&list, 0x1000, 0x200000, 0, __PADDR_MAX,
					take_nth, &n),
			 __PADDR_INV);
}

static void memregion_draws_all_places_alike(void **state)
{
	static unsigned int counts[DRAW_PLACES];
	__u64 seed = MODEL_SEED;
	unsigned int i;
	__paddr_t at;
	double chi2;

	(void)state;
	print_message("seed %d\n", MODEL_SEED);
	/* 10 places here, 54 there */
	add(0, 12 * PAGE_SIZE, MEMREGION_FREE);
	add(100 * PAGE_SIZE, 56 * PAGE_SIZE, MEMREGION_FREE);
	normalise();
	for (i = 0; i < DRAWS; i++) {
		at = memregion_draw(&list, 3 * PAGE_SIZE, PAGE_SIZE, 0,
				    __PADDR_MAX, fixture_uniform, &seed) /
		     PAGE_SIZE;
		assert_true(at < 10 || (at >= 100 && at < 154));
		counts[at < 10 ? at : at - 90]++;
	}
	chi2 = fixture_chi2(counts, DRAW_PLACES);
	print_message("chi2 %.1f, limit %.1f\n", chi2, CHI2_LIMIT_63);
	assert_true(chi2 < CHI2_LIMIT_63);
}

static unsigned int model_state;

static unsigned int model_rand(unsigned int bound)
{
	model_state = model_state * 1664525U + 1013904223U;
	return (unsigned int)((__u64)model_state * bound >> 32);
}

/* Type of every quarter of a page, as the regions have it */
static void model_expect(unsigned int page, const unsigned int *quarters)
{
	unsigned int type = 0, least = MEMREGION_FREE, i, found = 0;

	for (i = 0; i < 4; i++) {
		if (quarters[i] > type)
			type = quarters[i];
		if (quarters[i] < least)
			least = quarters[i];
	}
	if (type == MEMREGION_FREE && least < MEMREGION_FREE)
		type = 0;
	for (i = 0; i < list.cnt; i++)
		if (page * PAGE_SIZE >= list.r[i].start &&
		    page * PAGE_SIZE < list.r[i].end)
			found = list.r[i].type;
	assert_int_equal(found, type);
}

static void memregion_matches_model(void **state)
{
	unsigned int model[MODEL_PAGES * 4];
	unsigned int round, i, k, start, len, type;

	model_state = MODEL_SEED;
	print_message("seed %d\n", MODEL_SEED);
	for (round = 0; round < MODEL_ROUNDS; round++) {
		setup(state);
		memset(model, 0, sizeof(model));
		for (i = 0; i < MODEL_REGIONS; i++) {
			/* Whole pages for free memory: two halves of a page
			 * in two regions are not joined
			 */
			type = 1 + model_rand(3);
			start = model_rand(MODEL_PAGES * 4 - 64);
			len = model_rand(64);
			if (type == MEMREGION_FREE) {
				start &= ~3U;
				len &= ~3U;
			}
			add(start * MODEL_QUARTER, len * MODEL_QUARTER,
			    (enum memregion_type)type);
			for (k = start; k < start + len; k++)
				if (model[k] < type)
					model[k] = type;
		}
		normalise();
		for (i = 0; i < MODEL_PAGES; i++)
			model_expect(i, &model[(size_t)i * 4]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(memregion_ignores_empty),
		UNIT_TEST(memregion_cuts_at_end_of_address_space),
		UNIT_TEST(memregion_refuses_more_than_fits),
		UNIT_TEST(memregion_sorts_and_merges),
		UNIT_TEST(memregion_stronger_type_wins),
		UNIT_TEST(memregion_partial_page_is_not_free),
		UNIT_TEST(memregion_less_than_a_page_vanishes),
		UNIT_TEST(memregion_failure_changes_nothing),
		UNIT_TEST(memregion_finds_highest_that_fits),
		UNIT_TEST(memregion_finds_nothing_that_is_not_there),
		UNIT_TEST(memregion_is_invalid_if_not_normalised),
		UNIT_TEST(memregion_joins_weak_neighbours),
		UNIT_TEST(memregion_draws_every_place),
		UNIT_TEST(memregion_draws_nothing_that_is_not_there),
		UNIT_TEST(memregion_draws_all_places_alike),
		UNIT_TEST(memregion_matches_model),
	};

	return cmocka_run_group_tests_name("memregion", tests, NULL, NULL);
}
