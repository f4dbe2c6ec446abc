/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vspace.c
 *
 * links: lib/ukallocrnd/rng.c lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c
 *	tests/unit/fake_port.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "config.h"
#include "fake_port.h"
#include "vspace.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define PAGE RND_PAGE_LEN

static struct rnd_vspace vs;

static int setup(void **state)
{
	(void)state;
	fake_port_reset(1);
	rnd_vspace_init(&vs, __SZ_MAX);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_port_reset(1);
	return 0;
}

/* Lets the space have so many pages from a start that is not round */
static void set_range(__sz pages)
{
	fake_port.va_start += 5 * PAGE;
	fake_port.va_end = fake_port.va_start + pages * PAGE;
	rnd_vspace_init(&vs, __SZ_MAX);
}

static void vspace_takes_entropy_of_the_port(void **state)
{
	struct rnd_vspace other;

	(void)state;
	assert_int_equal(1, fake_port.entropy_calls);
	rnd_vspace_init(&other, __SZ_MAX);
	assert_int_equal(2, fake_port.entropy_calls);
	assert_true(rnd_vspace_draw(&vs, 1UL << 60) !=
		    rnd_vspace_draw(&other, 1UL << 60));
}

static void vspace_reserves_what_was_asked_for(void **state)
{
	__uptr addr = 0;
	__sz sum = 0, n;

	(void)state;
	for (n = 1; n <= 100; n++) {
		assert_int_equal(0, rnd_vspace_reserve(&vs, n * PAGE, PAGE, 0,
						       &addr));
		assert_true(fake_port_is_reserved(addr, n * PAGE));
		sum += n * PAGE;
	}
	assert_true(fake_port.reserved == sum);
	assert_int_equal(0, fake_port.committed);
}

/* Every alignment up to 1 GiB with every offset before it up to 8 pages */
static void vspace_aligns_behind_what_precedes(void **state)
{
	__sz align, pre;
	__uptr addr;

	(void)state;
	for (align = PAGE; align <= 1UL << 30; align <<= 1)
		for (pre = 0; pre < 8 * PAGE; pre += PAGE) {
			assert_int_equal(0,
					 rnd_vspace_reserve(&vs, 9 * PAGE,
							    align, pre, &addr));
			assert_int_equal(0, (addr + pre) % align);
			rnd_port_release(addr, 9 * PAGE);
		}
}

/* The word that was drawn before chooses among 61 places, of which each has as
 * many words as others: those that are too many give way to another draw
 */
static void vspace_uses_the_word_that_was_drawn(void **state)
{
	static const __u64 words[] = { 60, 61, __U64_MAX / 2, __U64_MAX };
	static const __sz places[] = { 0, 0, 30, 60 };
	__uptr addr, other;
	unsigned int i, hits = 0;

	(void)state;
	if (!RND_OPT_RANDOM_BASES)
		return;
	set_range(62);
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		assert_int_equal(0,
				 rnd_vspace_reserve_drawn(&vs, 2 * PAGE, PAGE,
							  0, words[i], &addr));
		assert_true(addr == fake_port.va_start + places[i] * PAGE);
		/* Taken: another one */
		assert_int_equal(0,
				 rnd_vspace_reserve_drawn(&vs, 2 * PAGE, PAGE,
							  0, words[i], &other));
		assert_true(other != addr);
		rnd_port_release(addr, 2 * PAGE);
		rnd_port_release(other, 2 * PAGE);
	}
	/* 2^64 % 61 is 16: a word of 0 is one of those */
	for (i = 0; i < 200; i++) {
		assert_int_equal(0, rnd_vspace_reserve_drawn(
					    &vs, 2 * PAGE, PAGE, 0, 0, &addr));
		hits += addr == fake_port.va_start;
		rnd_port_release(addr, 2 * PAGE);
	}
	assert_in_range(hits, 0, 20);
}

static void vspace_draws_both_numbers(void **state)
{
	unsigned int seen[3] = { 0 }, i;
	__u64 word, all = 0, last = 0;

	(void)state;
	for (i = 0; i < 300; i++) {
		seen[rnd_vspace_draw_both(&vs, 3, &word)]++;
		assert_true(word != last);
		last = word;
		all |= word;
	}
	for (i = 0; i < 3; i++)
		assert_in_range(seen[i], 50, 150);
	assert_true(all == __U64_MAX);
}

/* 61 places, drawn 1000 times each */
static void vspace_places_are_uniform(void **state)
{
	unsigned int cnt[61] = { 0 }, i;
	__uptr addr;
	double chi2 = 0, d;

	(void)state;
	if (!RND_OPT_RANDOM_BASES)
		skip();
	set_range(64);
	for (i = 0; i < 61000; i++) {
		assert_int_equal(0, rnd_vspace_reserve(&vs, 4 * PAGE, PAGE, 0,
						       &addr));
		rnd_port_release(addr, 4 * PAGE);
		cnt[(addr - fake_port.va_start) / PAGE]++;
	}
	for (i = 0; i < 61; i++) {
		d = cnt[i] - 1000.0;
		chi2 += d * d / 1000.0;
	}
	print_message("chi2 %.1f, 60 degrees of freedom\n", chi2);
	/* 1 - 1e-6 quantile */
	assert_true(chi2 < 122.8);
}

static void vspace_reaches_both_ends_of_the_range(void **state)
{
	__uptr addr, low = ~0UL, high = 0;
	unsigned int i;

	(void)state;
	if (!RND_OPT_RANDOM_BASES)
		skip();
	set_range(8);
	for (i = 0; i < 300; i++) {
		assert_int_equal(0, rnd_vspace_reserve(&vs, 2 * PAGE, PAGE,
						       PAGE, &addr));
		rnd_port_release(addr, 2 * PAGE);
		low = MIN(low, addr);
		high = MAX(high, addr);
	}
	assert_true(low == fake_port.va_start);
	assert_true(high + 2 * PAGE == fake_port.va_end);
}

static void vspace_takes_the_only_place(void **state)
{
	__uptr addr = 0;

	(void)state;
	set_range(7);
	assert_int_equal(0, rnd_vspace_reserve(&vs, 7 * PAGE, PAGE, 0, &addr));
	assert_true(addr == fake_port.va_start);
	assert_int_equal(-ENOMEM,
			 rnd_vspace_reserve(&vs, PAGE, PAGE, 0, &addr));
}

static void vspace_goes_around_what_exists(void **state)
{
	__uptr addr = 0, start;
	unsigned int i;

	(void)state;
	/* Fixed places go on in steps of the length, and may step over it */
	if (!RND_OPT_RANDOM_BASES)
		skip();
	set_range(16);
	start = fake_port.va_start;
	/* All but pages 3 and 4, and page 8, which is too short */
	fake_port_occupy(start, 3 * PAGE);
	fake_port_occupy(start + 5 * PAGE, 3 * PAGE);
	fake_port_occupy(start + 9 * PAGE, 7 * PAGE);
	for (i = 0; i < 10; i++) {
		rnd_vspace_init(&vs, __SZ_MAX);
		assert_int_equal(0, rnd_vspace_reserve(&vs, 2 * PAGE, PAGE, 0,
						       &addr));
		assert_true(addr == start + 3 * PAGE);
		rnd_port_release(addr, 2 * PAGE);
	}
}

static void vspace_fails_if_nothing_can_fit_v2(void **state)
{
	__uptr addr = 42;

	(void)state;
	set_range(16);
	assert_int_equal(-ENOMEM,
			 rnd_vspace_reserve(&vs, 17 * PAGE, PAGE, 0, &addr));
	assert_int_equal(-ENOMEM, rnd_vspace_reserve(&vs, 16 * PAGE, 1UL << 46,
						     0, &addr));
	assert_int_equal(0, fake_port.calls[FAKE_RESERVE]);
	fake_port_occupy(fake_port.va_start, 16 * PAGE);
	assert_int_equal(-ENOMEM,
			 rnd_vspace_reserve(&vs, PAGE, PAGE, 0, &addr));
	assert_true(addr == 42);
	assert_int_equal(0, fake_port.reserved);
}

static void vspace_does_not_insist_if_the_system_refuses_v2(void **state)
{
	__uptr addr = 42;

	(void)state;
	fake_port_fail_at(FAKE_RESERVE, 1);
	assert_int_equal(-ENOMEM,
			 rnd_vspace_reserve(&vs, PAGE, PAGE, 0, &addr));
	assert_int_equal(1, fake_port.calls[FAKE_RESERVE]);
	assert_true(addr == 42);
}

static void vspace_metadata_is_between_guards(void **state)
{
	__uptr addr;

	(void)state;
	assert_int_equal(0, rnd_vspace_reserve_meta(&vs, 3 * PAGE, &addr));
	assert_true(fake_port_is_reserved(addr - PAGE, 5 * PAGE));
	assert_true(fake_port.reserved == 5 * PAGE);

	assert_int_equal(0, rnd_vspace_commit(&vs, addr, 3 * PAGE,
					      RND_BACKING_META));
	assert_true(fake_port_can_write((void *)addr));
	assert_true(fake_port_can_write((void *)(addr + 3 * PAGE - 1)));
	assert_false(fake_port_can_read((void *)(addr - 1)));
	assert_false(fake_port_can_read((void *)(addr + 3 * PAGE)));

	rnd_vspace_release_meta(addr, 3 * PAGE);
	assert_int_equal(0, fake_port.reserved);
	assert_int_equal(0, fake_port.committed);
}

static void vspace_counts_by_purpose(void **state)
{
	__uptr addr;

	(void)state;
	assert_int_equal(0, rnd_vspace_reserve(&vs, 9 * PAGE, PAGE, 0, &addr));
	assert_int_equal(0,
			 rnd_vspace_commit(&vs, addr, PAGE, RND_BACKING_USER));
	assert_int_equal(0, rnd_vspace_commit(&vs, addr + PAGE, 2 * PAGE,
					      RND_BACKING_META));
	assert_int_equal(1, vs.user);
	assert_int_equal(2, vs.meta);
	rnd_vspace_decommit(&vs, addr + PAGE, 2 * PAGE, RND_BACKING_META);
	assert_int_equal(1, vs.user);
	assert_int_equal(0, vs.meta);
	rnd_vspace_decommit(&vs, addr, PAGE, RND_BACKING_USER);
	assert_int_equal(0, vs.user);
	assert_int_equal(0, fake_port.committed);
}

static void vspace_budget_holds_v1(void **state)
{
	__uptr addr;

	(void)state;
	rnd_vspace_init(&vs, 10);
	assert_int_equal(0, rnd_vspace_reserve(&vs, 20 * PAGE, PAGE, 0, &addr));
	assert_int_equal(0, rnd_vspace_commit(&vs, addr, 4 * PAGE,
					      RND_BACKING_META));
	assert_int_equal(6, rnd_vspace_available(&vs));
	/* One too many */
	assert_int_equal(-ENOMEM,
			 rnd_vspace_commit(&vs, addr + 4 * PAGE, 7 * PAGE,
					   RND_BACKING_USER));
	assert_int_equal(1, fake_port.calls[FAKE_COMMIT]);
	assert_int_equal(0, vs.user);
	/* Exactly the rest */
	assert_int_equal(0, rnd_vspace_commit(&vs, addr + 4 * PAGE, 6 * PAGE,
					      RND_BACKING_USER));
	assert_int_equal(0, rnd_vspace_available(&vs));
	assert_int_equal(-ENOMEM, rnd_vspace_commit(&vs, addr + 10 * PAGE, PAGE,
						    RND_BACKING_META));
	assert_int_equal(4, vs.meta);
	rnd_vspace_decommit(&vs, addr, PAGE, RND_BACKING_META);
	assert_int_equal(0, rnd_vspace_commit(&vs, addr + 10 * PAGE, PAGE,
					      RND_BACKING_META));
}

static void vspace_failed_commit_is_not_counted_v2(void **state)
{
	__uptr addr;

	(void)state;
	assert_int_equal(0, rnd_vspace_reserve(&vs, 2 * PAGE, PAGE, 0, &addr));
	fake_port_fail_from(FAKE_COMMIT, 1);
	assert_int_equal(-ENOMEM, rnd_vspace_commit(&vs, addr, 2 * PAGE,
						    RND_BACKING_USER));
	assert_int_equal(-ENOMEM, rnd_vspace_commit(&vs, addr, 2 * PAGE,
						    RND_BACKING_META));
	assert_int_equal(0, vs.user);
	assert_int_equal(0, vs.meta);
	assert_int_equal(0, fake_port.committed);
}

static void vspace_available_is_the_least_of_both(void **state)
{
	(void)state;
	fake_port.available = 100 * PAGE;
	assert_int_equal(100, rnd_vspace_available(&vs));
	vs.limit = 7;
	assert_int_equal(7, rnd_vspace_available(&vs));
	vs.limit = 700;
	assert_int_equal(100, rnd_vspace_available(&vs));
	/* A budget can be taken back below what is in use */
	vs.user = 800;
	assert_int_equal(0, rnd_vspace_available(&vs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(vspace_takes_entropy_of_the_port),
		UNIT_TEST(vspace_reserves_what_was_asked_for),
		UNIT_TEST(vspace_aligns_behind_what_precedes),
		UNIT_TEST(vspace_uses_the_word_that_was_drawn),
		UNIT_TEST(vspace_draws_both_numbers),
		UNIT_TEST(vspace_places_are_uniform),
		UNIT_TEST(vspace_reaches_both_ends_of_the_range),
		UNIT_TEST(vspace_takes_the_only_place),
		UNIT_TEST(vspace_goes_around_what_exists),
		UNIT_TEST(vspace_fails_if_nothing_can_fit_v2),
		UNIT_TEST(vspace_does_not_insist_if_the_system_refuses_v2),
		UNIT_TEST(vspace_metadata_is_between_guards),
		UNIT_TEST(vspace_counts_by_purpose),
		UNIT_TEST(vspace_budget_holds_v1),
		UNIT_TEST(vspace_failed_commit_is_not_counted_v2),
		UNIT_TEST(vspace_available_is_the_least_of_both),
	};

	return cmocka_run_group_tests_name("vspace", tests, NULL, NULL);
}
