/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of span.c
 *
 * links: lib/ukallocrnd/vspace.c lib/ukallocrnd/rng.c
 *	lib/ukallocrnd/chacha.c
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

#include "fake_port.h"
#include "span.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define PAGE	RND_PAGE_LEN
#define PLACES	2000U
#define STRIDE	(16 * PAGE)
#define BASE	(1UL << 40)
#define MANY	20000U
#define IS_PAGE RND_KIND_PAGES

static struct rnd_vspace vs;
static struct rnd_spans t;

static int setup(void **state)
{
	(void)state;
	fake_port_reset(19);
	memset(&t, 0, sizeof(t));
	rnd_vspace_init(&vs, __SZ_MAX);

	return rnd_spans_init(&t, &vs);
}

static int teardown(void **state)
{
	(void)state;
	fake_port_reset(19);
	return 0;
}

/* The table never touches a span: its memory need not exist */
static struct rnd_span span_at(__u32 place, __u8 kind)
{
	__uptr map = BASE + place * STRIDE;

	return (struct rnd_span){ .addr = map + PAGE,
				  .pages = 6,
				  .req = 6 * PAGE,
				  .map = map,
				  .map_len = 10 * PAGE,
				  .state = RND_SPAN_LIVE,
				  .kind = kind };
}

static void add(__u32 place, __u8 kind)
{
	struct rnd_span sp = span_at(place, kind);

	sp.prio = rnd_spans_prio(&t);
	assert_int_equal(0, rnd_spans_make_room(&t, &sp));
	rnd_spans_add(&t, &sp);
}

static void take(__u32 n)
{
	/* By either way, where there are two */
	if (rnd_spans_at(&t, n)->kind != IS_PAGE && n % 2)
		rnd_spans_claim_object(&t, n);
	else
		n = rnd_spans_claim(&t, n, 0, rnd_spans_at(&t, n)->pages);
	assert_int_equal(rnd_spans_at(&t, n)->state, RND_SPAN_LEAVING);
	rnd_spans_forget(&t, n);
}

static void assert_valid(__u32 cnt)
{
	__u32 waiting;

	assert_true(rnd_spans_is_valid(&t, &waiting));
	assert_int_equal(0, waiting);
	assert_int_equal(cnt, t.live_cnt);
}

/* Steps from the root to the deepest entry */
static unsigned int tree_depth(void)
{
	unsigned int most = 0, steps;
	__u32 i, n;

	for (i = 0; i < t.cnt; i++) {
		const struct rnd_span *sp = &t.span[i];

		if (sp->state == RND_SPAN_FREE)
			continue;
		steps = 1;
		for (n = t.root; n != i + 1; steps++)
			n = sp->addr < t.span[n - 1].addr ? t.span[n - 1].low :
							    t.span[n - 1].high;
		most = MAX(most, steps);
	}

	return most;
}

/* Against a list of what is there, at every place and around it */
static void assert_places(const __u8 *there)
{
	__u32 place, n;

	for (place = 0; place < PLACES; place++) {
		struct rnd_span sp = span_at(place, 0);

		n = rnd_spans_find(&t, sp.addr);
		assert_int_equal(there[place], n != 0);
		assert_int_equal(n, rnd_spans_locate(&t, sp.map));
		assert_int_equal(n, rnd_spans_locate(&t, sp.addr + 5));
		assert_int_equal(n,
				 rnd_spans_locate(&t, sp.map + sp.map_len - 1));
		assert_int_equal(0, rnd_spans_locate(&t, sp.map + sp.map_len));
		assert_int_equal(0, rnd_spans_locate(&t, sp.map - 1));
		assert_int_equal(0, rnd_spans_find(&t, sp.addr + PAGE));
		if (n)
			assert_true(rnd_spans_at(&t, n)->addr == sp.addr);
	}
}

static void span_find_and_locate_agree_with_a_list_g2(void **state)
{
	static __u8 there[PLACES];
	__u32 i, place, cnt = 0;

	(void)state;
	memset(there, 0, sizeof(there));
	for (i = 0; i < 10 * PLACES; i++) {
		place = (__u32)rnd_vspace_draw(&vs, PLACES);
		if (there[place])
			take(rnd_spans_find(&t, span_at(place, 0).addr));
		else
			add(place, 0);
		there[place] = !there[place];
		cnt += there[place] ? 1 : -1U;
		if (i % 4000 == 0)
			assert_places(there);
	}
	assert_places(there);
	assert_valid(cnt);
	for (place = 0; place < PLACES; place++)
		if (there[place])
			take(rnd_spans_find(&t, span_at(place, 0).addr));
	assert_int_equal(0, t.root);
	assert_valid(0);
}

/* Places in ascending order would make a list of a plain search tree. With
 * 20000 entries the depth is 4.3 ln n = 43 in the limit; 70 is as good as
 * impossible.
 */
static void span_tree_stays_flat_whatever_the_order(void **state)
{
	__u32 i;

	(void)state;
	for (i = 0; i < MANY; i++)
		add(i, 0);
	assert_in_range(tree_depth(), 15, 70);
	assert_valid(MANY);
	/* From the top down, every other one */
	for (i = MANY; i; i -= 2)
		take(rnd_spans_find(&t, span_at(i - 1, 0).addr));
	assert_in_range(tree_depth(), 14, 70);
	assert_valid(MANY / 2);
}

/* One call of the port, however many entries are owed (G5) */
static void span_room_is_made_at_once_g5(void **state)
{
	struct rnd_span sp = span_at(0, IS_PAGE);
	unsigned int calls = fake_port.calls[FAKE_COMMIT];
	__sz i;

	(void)state;
	sp.pages = 100000;
	sp.req = sp.pages * PAGE;
	sp.map_len = sp.req + 2 * PAGE;
	assert_int_equal(0, rnd_spans_make_room(&t, &sp));
	assert_int_equal(calls + 1, fake_port.calls[FAKE_COMMIT]);
	assert_true(t.cap >= sp.pages);
	rnd_spans_add(&t, &sp);
	assert_true(t.owed == sp.pages - 1);
	for (i = 0; i < sp.pages; i++)
		(void)rnd_spans_claim(
			&t, rnd_spans_locate(&t, sp.addr + i * PAGE), 0, 1);
	assert_int_equal(0, t.owed);
	assert_int_equal(calls + 1, fake_port.calls[FAKE_COMMIT]);
	assert_valid(0);
}

/* Spans of one group, whose hint is at the last one, at one that has gone, and
 * at another one that has got its entry
 */
static void span_hints_are_not_believed_g6(void **state)
{
	const __u32 step = RND_SPAN_HINTS * PAGE / STRIDE;
	__uptr addr = span_at(0, 0).addr;
	__uptr next = span_at(step, 0).addr, other = span_at(1, 0).addr;
	__u32 n, last;

	(void)state;
	add(0, 0);
	add(step, 0);
	n = rnd_spans_find(&t, addr);
	last = rnd_spans_find(&t, next);
	assert_int_not_equal(n, 0);
	assert_int_not_equal(last, 0);
	assert_int_not_equal(n, last);
	assert_int_equal(rnd_spans_at(&t, n)->addr, addr);
	assert_int_equal(rnd_spans_at(&t, last)->addr, next);
	assert_int_equal(rnd_spans_find(&t, next + PAGE), 0);
	assert_int_equal(rnd_spans_find(&t, next + 16), 0);

	take(last);
	assert_int_equal(rnd_spans_find(&t, next), 0);
	assert_int_equal(rnd_spans_find(&t, addr), n);
	assert_int_equal(rnd_spans_find(&t, 0), 0);
	add(1, 0);
	assert_int_equal(rnd_spans_find(&t, other), last);
	assert_int_equal(rnd_spans_find(&t, next), 0);
	take(last);
	take(n);
	assert_int_equal(rnd_spans_find(&t, addr), 0);
	assert_valid(0);
}

/* The span of page 0 of a group is free, and its entry has address 0 */
static void span_at_no_address_is_not_found(void **state)
{
	struct rnd_span sp = span_at(0, 0);

	(void)state;
	sp.map = RND_SPAN_HINTS * PAGE * 1000UL - PAGE;
	sp.addr = sp.map + PAGE;
	assert_int_equal(0, rnd_spans_make_room(&t, &sp));
	rnd_spans_add(&t, &sp);
	take(rnd_spans_find(&t, sp.addr));
	assert_int_equal(rnd_spans_find(&t, 0), 0);
}

static void span_room_has_an_end(void **state)
{
	struct rnd_span sp = span_at(0, IS_PAGE);

	(void)state;
	sp.pages = RND_SPAN_MAX + 1UL;
	assert_int_equal(-ENOMEM, rnd_spans_make_room(&t, &sp));
	assert_int_equal(0, t.cap);
	sp.pages = 10;
	fake_port_fail_at(FAKE_COMMIT, 1);
	assert_int_equal(-ENOMEM, rnd_spans_make_room(&t, &sp));
	assert_int_equal(0, t.cap);
	assert_int_equal(0, rnd_spans_make_room(&t, &sp));
	assert_valid(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(span_find_and_locate_agree_with_a_list_g2),
		UNIT_TEST(span_tree_stays_flat_whatever_the_order),
		UNIT_TEST(span_room_is_made_at_once_g5),
		UNIT_TEST(span_hints_are_not_believed_g6),
		UNIT_TEST(span_at_no_address_is_not_found),
		UNIT_TEST(span_room_has_an_end),
	};

	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
