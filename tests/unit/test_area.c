/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the areas, beside a list of pages with the area of each
 *
 * links: lib/ukallocrnd/unikraft/area.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "area.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#define PAGE  4096UL
#define BASE  0x400000000000UL
#define PAGES 256U

/* Entries in the random test: sometimes too few */
#define CAP 48U

#define MANY 65536U

#ifdef RND_TEST_SLOW
#define STEPS 20000U
#else
#define STEPS 200000U
#endif

static struct rnd_area area[MANY];
static struct rnd_areas set;
/* Per page: number of the insertion it is from, 0 if it is not reserved */
static __u32 owner[PAGES];
static __u64 seed;

static __u32 roll(__u32 bound)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (__u32)((seed >> 32) * bound >> 32);
}

static int setup(void **state)
{
	(void)state;
	/* Junk: nothing may depend on what is in new memory */
	memset(area, 0x5a, sizeof(area));
	memset(owner, 0, sizeof(owner));
	rnd_areas_init(&set, area);
	set.cap = CAP;
	seed = 0x6a09e667f3bcc908UL;
	return 0;
}

static __uptr at(unsigned long page)
{
	return BASE + page * PAGE;
}

static int insert(unsigned long start, unsigned long end)
{
	return rnd_areas_insert(&set, at(start), at(end), roll(__U32_MAX));
}

static int take(unsigned long start, unsigned long end)
{
	return rnd_areas_remove(&set, at(start), at(end), roll(__U32_MAX));
}

/* Visits areas in the order of addresses (A2); returns the depth */
static unsigned int tree_visit(__u32 link, __u32 prio,
			       void (*fn)(const struct rnd_area *a))
{
	const struct rnd_area *a;
	unsigned int low, high;

	if (!link)
		return 0;
	assert_true(link <= set.cnt);
	a = &area[link - 1];
	assert_true(a->prio <= prio);
	low = tree_visit(a->low, a->prio, fn);
	fn(a);
	high = tree_visit(a->high, a->prio, fn);

	return 1 + MAX(low, high);
}

/* The visit so far: nothing below this address is left to be seen */
static __uptr seen_end;
static __u32 seen_cnt;

/* A1: not empty, behind the one before it */
static void area_see(const struct rnd_area *a)
{
	assert_true(a->start >= seen_end);
	assert_true(a->end > a->start);
	seen_end = a->end;
	seen_cnt++;
}

/* The same, and the list of pages says so, too: of one insertion, which ends
 * where the area ends
 */
static void area_compare(const struct rnd_area *a)
{
	unsigned long i = (seen_end - BASE) / PAGE;
	unsigned long first = (a->start - BASE) / PAGE;
	unsigned long last = (a->end - BASE) / PAGE - 1;

	area_see(a);
	for (; i < first; i++)
		assert_int_equal(owner[i], 0);
	assert_true(owner[first]);
	for (; i <= last; i++)
		assert_int_equal(owner[i], owner[first]);
	assert_true(!first || owner[first - 1] != owner[first]);
}

/* A3; returns the depth */
static unsigned int check(void (*fn)(const struct rnd_area *a))
{
	unsigned int depth;
	__u32 link, n = 0;

	seen_end = BASE;
	seen_cnt = 0;
	depth = tree_visit(set.root, __U32_MAX, fn);
	for (link = set.free; link; link = area[link - 1].low) {
		assert_true(link <= set.cnt);
		n++;
		assert_true(n <= set.cnt);
	}
	assert_int_equal(seen_cnt + n, set.cnt);
	assert_true(set.cnt <= set.cap);
	assert_int_equal(rnd_areas_is_full(&set), seen_cnt == set.cap);

	return depth;
}

static void check_pages(void)
{
	unsigned long i;

	(void)check(area_compare);
	for (i = (seen_end - BASE) / PAGE; i < PAGES; i++)
		assert_int_equal(owner[i], 0);
}

/* Number of the insertion that all pages are from, 0: there is none */
static __u32 owner_of(unsigned long start, unsigned long end)
{
	unsigned long i;

	for (i = start; i < end; i++)
		if (owner[i] != owner[start])
			return 0;
	return owner[start];
}

static __bool any_owned(unsigned long start, unsigned long end)
{
	while (start < end)
		if (owner[start++])
			return 1;
	return 0;
}

static void owner_set(unsigned long start, unsigned long end, __u32 number)
{
	while (start < end)
		owner[start++] = number;
}

static void step_insert(unsigned long start, unsigned long end)
{
	static __u32 number;
	__bool any = any_owned(start, end);

	assert_int_equal(rnd_areas_hit(&set, at(start), at(end)), any);
	if (rnd_areas_is_full(&set))
		return;
	assert_int_equal(insert(start, end), any ? -EEXIST : 0);
	if (!any)
		owner_set(start, end, ++number);
}

/* Which of the ways it goes is for the numbers to say: all of them occur */
static unsigned int refusals, middles;
static void step_take(unsigned long start, unsigned long end)
{
	__u32 number = owner_of(start, end);
	__bool is_middle = number && start && owner[start - 1] == number &&
			   end < PAGES && owner[end] == number;
	int rc = 0;

	if (!number)
		rc = -ENOENT;
	else if (is_middle && rnd_areas_is_full(&set))
		rc = -ENOMEM;
	assert_int_equal(take(start, end), rc);
	refusals += rc == -ENOMEM;
	middles += is_middle && !rc;
	if (!rc)
		owner_set(start, end, 0);
}

/* A range of an area, or any other one */
static void step_take_some(void)
{
	unsigned long start = roll(PAGES), end = start + 1, first = start;

	while (end < PAGES && owner[end] == owner[start])
		end++;
	while (first && owner[first - 1] == owner[start])
		first--;
	switch (roll(5)) {
	case 0:
		step_take(first, end);
		break;
	case 1:
		step_take(first, start + 1);
		break;
	case 2:
		step_take(start, end);
		break;
	case 3:
		step_take(start, start + 1 + roll((__u32)(end - start)));
		break;
	default:
		step_take(start, start + 1 + roll((__u32)(PAGES - start)));
	}
}

static void set_does_what_a_list_of_pages_does(void **state)
{
	unsigned long start, len;
	unsigned int i;

	(void)state;
	print_message("seed 0x%lx\n", seed);
	for (i = 0; i < STEPS; i++) {
		start = roll(PAGES);
		len = 1 + roll(roll(8) ? 8 : 32);
		if (roll(2))
			step_insert(start, MIN(start + len, PAGES));
		else
			step_take_some();
		if (i % 8 == 0)
			check_pages();
	}
	print_message("%u refusals, %u middles\n", refusals, middles);
	assert_true(refusals > STEPS / 1000 && middles > STEPS / 1000);
}

static void area_next_to_another_is_none_of_it(void **state)
{
	(void)state;
	assert_int_equal(insert(10, 20), 0);
	assert_int_equal(insert(20, 30), 0);
	assert_int_equal(insert(5, 10), 0);
	assert_int_equal(insert(19, 20), -EEXIST);
	assert_int_equal(insert(9, 31), -EEXIST);
	assert_int_equal(insert(0, 6), -EEXIST);
	assert_false(rnd_areas_hit(&set, at(30), at(31)));
	assert_false(rnd_areas_hit(&set, at(0), at(5)));
	assert_true(rnd_areas_hit(&set, at(30) - 1, at(30)));
	assert_int_equal(take(19, 21), -ENOENT);
	assert_int_equal(take(4, 6), -ENOENT);
	(void)check(area_see);
	assert_int_equal(seen_cnt, 3);
}

static void empty_set_has_nothing(void **state)
{
	(void)state;
	assert_false(rnd_areas_hit(&set, 0, __U64_MAX));
	assert_int_equal(take(1, 2), -ENOENT);
	assert_int_equal(insert(1, 2), 0);
	assert_int_equal(take(1, 2), 0);
	assert_int_equal(set.root, 0);
	assert_int_equal(take(1, 2), -ENOENT);
	check_pages();
}

static void full_set_keeps_what_it_cannot_divide(void **state)
{
	struct rnd_areas old;

	(void)state;
	set.cap = 1;
	assert_int_equal(insert(0, 10), 0);
	assert_true(rnd_areas_is_full(&set));
	old = set;
	assert_int_equal(take(3, 7), -ENOMEM);
	assert_memory_equal(&old, &set, sizeof(old));
	assert_int_equal(area[0].start, at(0));
	assert_int_equal(area[0].end, at(10));

	/* What leaves one part does */
	assert_int_equal(take(0, 3), 0);
	assert_int_equal(take(7, 10), 0);
	assert_int_equal(take(4, 5), -ENOMEM);
	set.cap = 2;
	assert_int_equal(take(4, 5), 0);
	(void)check(area_see);
	assert_int_equal(seen_cnt, 2);
	assert_int_equal(area[0].end, at(4));
	assert_int_equal(area[1].start, at(5));
	assert_int_equal(area[1].end, at(7));
}

static void entry_is_used_again(void **state)
{
	unsigned int i;

	(void)state;
	set.cap = 2;
	for (i = 0; i < 100; i++) {
		assert_int_equal(insert(i, i + 1), 0);
		assert_int_equal(insert(i + 1, i + 2), 0);
		assert_int_equal(take(i + i % 2, i + 1 + i % 2), 0);
		assert_int_equal(take(i + 1 - i % 2, i + 2 - i % 2), 0);
	}
	assert_int_equal(set.cnt, 2);
	(void)check(area_see);
}

static void equal_priorities_are_no_harm(void **state)
{
	unsigned long i, page;

	(void)state;
	for (i = 0; i < CAP; i++) {
		page = 2 * (i * 7 % CAP);
		assert_int_equal(
			rnd_areas_insert(&set, at(page), at(page + 1), 5), 0);
	}
	(void)check(area_see);
	assert_int_equal(seen_cnt, CAP);
	for (i = 0; i < CAP; i++) {
		page = 2 * (i * 5 % CAP);
		assert_int_equal(take(page, page + 1), 0);
	}
	assert_int_equal(set.root, 0);
}

/* A tree of 2^16 that was built at random is 43 deep on average; one that
 * degenerates would be a list
 */
static void depth_is_logarithmic(void **state)
{
	unsigned int depth;
	__u32 i;

	(void)state;
	set.cap = MANY;
	for (i = 0; i < MANY; i++)
		assert_int_equal(insert(2UL * i, 2UL * i + 1), 0);
	depth = check(area_see);
	print_message("ascending: depth %u\n", depth);
	assert_in_range(depth, 17, 64);
	assert_true(rnd_areas_is_full(&set));

	for (i = 0; i < MANY; i++)
		if (i % 64)
			assert_int_equal(take(2UL * i, 2UL * i + 1), 0);
	depth = check(area_see);
	print_message("after removals: depth %u\n", depth);
	assert_in_range(depth, 11, 48);
}

static void misuse_is_asserted(void **state)
{
	(void)state;
	expect_assert_failure((void)insert(5, 5));
	expect_assert_failure((void)take(5, 5));
	set.cap = 0;
	expect_assert_failure((void)insert(5, 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(set_does_what_a_list_of_pages_does),
		UNIT_TEST(area_next_to_another_is_none_of_it),
		UNIT_TEST(empty_set_has_nothing),
		UNIT_TEST(full_set_keeps_what_it_cannot_divide),
		UNIT_TEST(entry_is_used_again),
		UNIT_TEST(equal_priorities_are_no_harm),
		UNIT_TEST(depth_is_logarithmic),
		UNIT_TEST(misuse_is_asserted),
	};

	return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
