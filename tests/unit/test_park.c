/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of park.c
 *
 * links: tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "park.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

static struct rnd_park park;

static int setup(void **state)
{
	(void)state;
	memset(&park, 0, sizeof(park));
	return 0;
}

static __bool put(__sz pages, __uptr addr)
{
	struct rnd_parked pk = { .addr = addr, .pages = pages };
	__bool done = rnd_park_put(&park, &pk);

	assert_true(rnd_park_is_valid(&park));
	return done;
}

/* Address of what is taken; 0: nothing fits */
static __uptr take(__sz pages, __sz align)
{
	struct rnd_parked pk = { .addr = 0 };

	if (!rnd_park_take(&park, pages, align, &pk))
		assert_true(pk.addr == 0);
	assert_true(rnd_park_is_valid(&park));
	return pk.addr;
}

static __uptr evict(__sz most)
{
	struct rnd_parked pk = { .addr = 0 };

	if (!rnd_park_evict(&park, most, &pk))
		assert_true(pk.addr == 0);
	assert_true(rnd_park_is_valid(&park));
	return pk.addr;
}

static void park_takes_the_best_fit(void **state)
{
	(void)state;
	assert_true(put(125, 0x1000));
	assert_true(put(110, 0x2000));
	assert_true(put(99, 0x3000));
	assert_true(put(120, 0x4000));
	assert_true(take(100, RND_PAGE_LEN) == 0x2000);
	assert_true(take(100, RND_PAGE_LEN) == 0x4000);
	assert_true(take(100, RND_PAGE_LEN) == 0x1000);
	assert_true(take(100, RND_PAGE_LEN) == 0);
	assert_true(take(99, RND_PAGE_LEN) == 0x3000);
	assert_int_equal(0, park.cnt);
}

/* One that is too long by more than a quarter stays for another object */
static void park_does_not_waste_pages(void **state)
{
	(void)state;
	assert_true(put(126, 0x1000));
	assert_true(take(100, RND_PAGE_LEN) == 0);
	assert_true(take(101, RND_PAGE_LEN) == 0x1000);
	assert_true(put(5, 0x1000));
	assert_true(take(3, RND_PAGE_LEN) == 0);
	assert_true(take(4, RND_PAGE_LEN) == 0x1000);
}

static void park_keeps_to_alignments(void **state)
{
	(void)state;
	assert_true(put(10, 0x11000));
	assert_true(put(11, 0x30000));
	assert_true(take(10, 0x20000) == 0);
	assert_true(take(10, 0x10000) == 0x30000);
	assert_true(take(10, 0x1000) == 0x11000);
}

static void park_is_bounded_k2(void **state)
{
	__uptr i;

	(void)state;
	for (i = 1; i <= RND_PARK_LEN; i++)
		assert_true(put(10, i * RND_PAGE_LEN));
	assert_false(put(10, i * RND_PAGE_LEN));
	/* The oldest leave first, until few enough are there */
	for (i = 1; i <= RND_PARK_LEN / 2; i++)
		assert_true(evict(10UL * RND_PARK_LEN / 2) == i * RND_PAGE_LEN);
	assert_true(evict(10UL * RND_PARK_LEN / 2) == 0);
	assert_int_equal(RND_PARK_LEN / 2, park.cnt);
	for (; i <= RND_PARK_LEN; i++)
		assert_true(evict(0) == i * RND_PAGE_LEN);
	assert_true(evict(0) == 0);
}

static void park_lets_go_of_what_nobody_wants(void **state)
{
	unsigned int i;

	(void)state;
	assert_true(put(10, 0x1000));
	for (i = 0; i < RND_PARK_AGE; i++) {
		assert_true(evict(~0UL) == 0);
		assert_true(take(100, RND_PAGE_LEN) == 0);
	}
	assert_true(put(10, 0x2000));
	assert_true(evict(~0UL) == 0x1000);
	assert_true(evict(~0UL) == 0);
}

static void park_is_valid_finds_damage_k2(void **state)
{
	(void)state;
	assert_true(put(10, 0x1000));
	park.pages++;
	assert_false(rnd_park_is_valid(&park));
	park.pages--;
	park.cnt = RND_PARK_LEN + 1;
	assert_false(rnd_park_is_valid(&park));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(park_takes_the_best_fit),
		UNIT_TEST(park_does_not_waste_pages),
		UNIT_TEST(park_keeps_to_alignments),
		UNIT_TEST(park_is_bounded_k2),
		UNIT_TEST(park_lets_go_of_what_nobody_wants),
		UNIT_TEST(park_is_valid_finds_damage_k2),
	};

	return cmocka_run_group_tests_name("park", tests, NULL, NULL);
}
