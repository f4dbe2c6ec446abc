/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of large_park.c
 *
 * links: lib/ukallocrnd/large.c lib/ukallocrnd/large_free.c
 *	lib/ukallocrnd/large_move.c
 *	lib/ukallocrnd/span.c lib/ukallocrnd/park.c
 *	lib/ukallocrnd/quarantine.c lib/ukallocrnd/vspace.c
 *	lib/ukallocrnd/rng.c lib/ukallocrnd/chacha.c
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
#include "large.h"
#include "slab.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define PAGE RND_PAGE_LEN

static struct rnd_vspace vs;
static struct rnd_large lg;
/* Of an empty table */
static __sz reserved;

static int setup(void **state)
{
	(void)state;
	fake_port_reset(23);
	memset(&lg, 0, sizeof(lg));
	rnd_vspace_init(&vs, __SZ_MAX);
	if (rnd_large_init(&lg, &vs))
		return -1;
	reserved = fake_port.reserved;
	return 0;
}

/* Whatever was done, all of it can be given back */
static int teardown(void **state)
{
	(void)state;
	rnd_large_destroy(&lg);
	if (fake_port.reserved || fake_port.committed)
		return -1;
	fake_port_reset(23);
	return 0;
}

static char *alloc(__sz req)
{
	char *p = rnd_large_alloc(&lg, req, PAGE, RND_KIND_MALLOC, 0);

	assert_non_null(p);
	return p;
}

static char *alloc_at(enum rnd_seat seat, __sz req)
{
	struct rnd_large_want want = { .req = req,
				       .align = RND_SLOT_ALIGN,
				       .kind = RND_KIND_MALLOC,
				       .seat = seat };
	char *p = rnd_large_alloc_at(&lg, &want);

	assert_non_null(p);
	return p;
}

static void release(void *p)
{
	assert_int_equal(0, rnd_large_free(&lg, p, 0, RND_KIND_MALLOC, 0));
}

static void assert_books(void)
{
	assert_true(rnd_large_is_valid(&lg));
	assert_true((vs.user + vs.meta) * PAGE == fake_port.committed);
	assert_true(vs.user == lg.t.live_pages + lg.park.pages);
	assert_true(lg.park.pages <= RND_PARK_PAGES);
}

static void assert_zero(const char *p, __sz len)
{
	__sz i;

	for (i = 0; i < len; i++)
		if (p[i])
			fail_msg("byte %lu", i);
}

/* Frees p, which is to be parked, and allocates size; 1: from the park */
static __bool comes_back(char *p, __sz size)
{
	unsigned int commits;
	char *q;

	release(p);
	assert_int_equal(1, lg.park.cnt);
	commits = fake_port.calls[FAKE_COMMIT];
	q = alloc(size);
	assert_ptr_not_equal(p, q);
	assert_zero(q, size);
	assert_false(fake_port_can_read(p));
	assert_books();
	release(q);
	(void)rnd_large_unpark(&lg);

	return commits == fake_port.calls[FAKE_COMMIT];
}

static void park_moves_clears_and_hands_out(void **state)
{
	struct rnd_span sp;
	unsigned int commits, moves = fake_port.moves;
	char *p = alloc(100000), *q;

	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	memset(p, 0xa5, 100000);
	release(p);
	assert_int_equal(moves + 1, fake_port.moves);
	assert_int_equal(1, lg.park.cnt);
	assert_false(fake_port_can_read(p));
	assert_false(fake_port_can_read(p + 99999));
	assert_false(rnd_large_find(&lg, (void *)lg.park.e[0].addr, &sp));
	assert_zero((char *)lg.park.e[0].addr, 25 * PAGE);
	assert_books();

	commits = fake_port.calls[FAKE_ANY];
	q = alloc(100000);
	assert_int_equal(commits, fake_port.calls[FAKE_ANY]);
	assert_ptr_not_equal(p, q);
	assert_zero(q, 100000);
	assert_true(rnd_large_find(&lg, q, &sp));
	assert_null(rnd_large_canary_bad(&lg, &sp));
	assert_true(fake_port_can_write(q));
	assert_true(fake_port_can_write(q + 99999));
	assert_false(fake_port_can_read(q - 1));
	assert_false(fake_port_can_read(q + 25 * PAGE));
	assert_books();
	release(q);
}

/* A part of a long one is cleared when it is freed, the rest before anybody
 * gets it
 */
static void park_clears_long_objects_in_two_parts(void **state)
{
	static const __sz pages[] = { RND_PARK_SPLIT - 1, RND_PARK_SPLIT,
				      RND_PARK_SPLIT + 1, 99, 1024 };
	__sz len, clean;
	unsigned int i;
	char *p, *q;

	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		len = pages[i] * PAGE - 8;
		p = alloc(len);
		memset(p, 0x5a, len);
		release(p);
		assert_int_equal(1, lg.park.cnt);
		clean = lg.park.e[0].clean;
		assert_true(clean >= len / 4 && clean % PAGE == 0);
		assert_int_equal(pages[i] <= RND_PARK_SPLIT, clean > len);
		p = (char *)lg.park.e[0].addr;
		assert_zero(p, clean);
		if (clean < len)
			assert_int_equal(0x5a, p[clean]);
		/* One that needs all of it, or a fifth less */
		q = alloc(i % 2 ? len : len - len / 5);
		assert_ptr_equal((char *)ALIGN_DOWN((__uptr)q, PAGE), p);
		assert_zero(q, i % 2 ? len : len - len / 5);
		assert_books();
		release(q);
		(void)rnd_large_unpark(&lg);
	}
}

/* Objects that are not at the start of their pages: nothing of them, of the
 * pattern in front either, is left for the next one
 */
static void park_clears_all_pages_of_any_seat(void **state)
{
	unsigned int seat, commits;
	struct rnd_span sp;
	char *p, *q;

	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	for (seat = RND_SEAT_START; seat <= RND_SEAT_RIGHT; seat++) {
		p = alloc_at((enum rnd_seat)seat, 98320);
		assert_true(rnd_large_find(&lg, p, &sp));
		memset(p, 0xa5, 98320);
		release(p);
		assert_int_equal(1, lg.park.cnt);
		assert_int_equal(0, lg.park.e[0].addr % PAGE);
		assert_true(lg.park.e[0].pages == sp.pages);
		assert_zero((char *)lg.park.e[0].addr, sp.pages * PAGE);
		assert_false(fake_port_can_read((char *)rnd_span_base(&sp)));
		assert_false(fake_port_can_read((char *)rnd_span_end(&sp) - 1));
		assert_books();

		commits = fake_port.calls[FAKE_ANY];
		q = alloc_at((enum rnd_seat)seat, 98320);
		assert_int_equal(commits, fake_port.calls[FAKE_ANY]);
		assert_zero(q, 98320);
		assert_true(rnd_large_find(&lg, q, &sp));
		assert_null(rnd_large_canary_bad(&lg, &sp));
		assert_books();
		release(q);
		(void)rnd_large_unpark(&lg);
	}
}

static void park_surplus_becomes_guard(void **state)
{
	struct rnd_span sp;
	char *q;

	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	release(alloc(50 * PAGE));
	q = alloc(41 * PAGE);
	assert_int_equal(0, lg.park.cnt);
	assert_true(rnd_large_find(&lg, q, &sp));
	assert_true(sp.pages == 41);
	assert_true(fake_port_can_write(q + 41 * PAGE - 1));
	assert_false(fake_port_can_read(q + 41 * PAGE));
	assert_true(fake_port_is_reserved(sp.map, sp.map_len));
	assert_true(sp.map + sp.map_len > sp.addr + 50 * PAGE);
	assert_books();
	release(q);
}

static void park_serves_what_fits(void **state)
{
	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	assert_true(comes_back(alloc(40 * PAGE), 40 * PAGE));
	assert_true(comes_back(alloc(40 * PAGE), 32 * PAGE));
	assert_false(comes_back(alloc(40 * PAGE), 31 * PAGE));
	assert_false(comes_back(alloc(40 * PAGE), 41 * PAGE));
}

static void park_gives_back_what_is_too_much(void **state)
{
	__sz i, cnt = RND_PARK_PAGES / 400 + 3;
	char *p[RND_PARK_LEN + 40];

	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	assert_true(cnt <= ARRAY_SIZE(p));
	for (i = 0; i < cnt; i++)
		p[i] = alloc(400 * PAGE);
	for (i = 0; i < cnt; i++) {
		release(p[i]);
		assert_books();
	}
	assert_int_equal(RND_PARK_PAGES / 400, lg.park.cnt);
	assert_true(rnd_large_unpark(&lg) == RND_PARK_PAGES / 400 * 400 * PAGE);
	assert_int_equal(0, lg.park.cnt);
	assert_int_equal(0, vs.user);
	/* Too long for all of it */
	release(alloc(RND_PARK_BYTES + 1));
	assert_int_equal(0, lg.park.cnt);
	/* Too short to be worth it */
	release(alloc((RND_PARK_LEAST - 1) * PAGE));
	assert_int_equal(0, lg.park.cnt);
	/* More than there are entries */
	for (i = 0; i < RND_PARK_LEN + 5; i++)
		p[i] = alloc(4 * PAGE);
	for (i = 0; i < RND_PARK_LEN + 5; i++)
		release(p[i]);
	assert_int_equal(RND_PARK_LEN, lg.park.cnt);
	assert_books();
}

static void park_gives_back_what_is_too_old(void **state)
{
	unsigned int i;

	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	release(alloc(30 * PAGE));
	for (i = 0; i < RND_PARK_AGE; i++) {
		rnd_large_age(&lg);
		assert_int_equal(1, lg.park.cnt);
	}
	rnd_large_age(&lg);
	assert_int_equal(0, lg.park.cnt);
	assert_int_equal(0, vs.user);
	assert_books();
}

static void park_leaves_untouched_objects_alone(void **state)
{
	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	fake_port.untouched = 1;
	release(alloc(30 * PAGE));
	assert_int_equal(0, lg.park.cnt);
	assert_int_equal(0, vs.user);
	assert_books();
}

/* Place or move fails: the object is freed all the same */
static void park_failure_frees_nevertheless(void **state)
{
	static const enum fake_call calls[] = { FAKE_RESERVE, FAKE_MOVE };
	unsigned int i;
	char *p;

	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		p = alloc(30 * PAGE);
		fake_port_fail_at(calls[i], 1);
		release(p);
		assert_false(fake_port_fail_pending());
		assert_int_equal(0, lg.park.cnt);
		assert_false(fake_port_can_read(p));
		assert_int_equal(-EINVAL,
				 rnd_large_free(&lg, p, 0, RND_KIND_MALLOC, 0));
		assert_books();
	}
	(void)rnd_large_purge(&lg);
	assert_true(fake_port.reserved == reserved);
	/* But for entries of the table */
	assert_int_equal(0, vs.user);
}

/* Somebody else got the old place: it is neither quarantined nor released */
static void park_survives_the_loss_of_a_place(void **state)
{
	struct rnd_span sp;
	char *p = alloc(30 * PAGE);

	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	assert_true(rnd_large_find(&lg, p, &sp));
	fake_port.move_loses = 1;
	release(p);
	fake_port.move_loses = 0;
	assert_int_equal(1, lg.park.cnt);
	assert_false(rnd_large_find(&lg, p, &sp));
	assert_false(fake_port_is_used(sp.map, sp.map_len));
	assert_books();
	(void)rnd_large_unpark(&lg);
	assert_true(fake_port.reserved == reserved);
}

/* The user mapped a file there: it is neither written to nor handed out */
static void park_drops_what_is_not_ours(void **state)
{
	char *p = alloc(30 * PAGE);

	(void)state;
	if (RND_OPT_LARGE_KEEP)
		skip();
	memset(p, 0x5a, 30 * PAGE);
	fake_port.is_foreign = 1;
	release(p);
	fake_port.is_foreign = 0;
	assert_int_equal(0, lg.park.cnt);
	assert_false(fake_port_can_read(p));
	assert_books();
}

/*
 * Moving
 */

static void fill(char *p, __sz len)
{
	__sz i;

	for (i = 0; i < len; i++)
		p[i] = (char)(i * 7 + i / 251 + 1);
}

static void assert_filled(const char *p, __sz len)
{
	__sz i;

	for (i = 0; i < len; i++)
		if (p[i] != (char)(i * 7 + i / 251 + 1))
			fail_msg("byte %lu", i);
}

static void move_keeps_contents_and_leaves_nothing(void **state)
{
	static const __sz reqs[] = { 70000,  73720,  81920,
				     100000, 300000, 1000001 };
	unsigned int i, j;
	struct rnd_span sp;
	char *p, *q = NULL;
	const void *bad;
	__sz same;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(reqs); i++)
		for (j = 0; j < ARRAY_SIZE(reqs); j++) {
			p = alloc(reqs[i]);
			fill(p, reqs[i]);
			assert_int_equal(0, rnd_large_move(&lg, p, reqs[j],
							   RND_KIND_MALLOC, 5,
							   (void **)&q));
			assert_ptr_not_equal(p, q);
			same = MIN(reqs[i], reqs[j]);
			assert_filled(q, same);
			assert_zero(q + same, reqs[j] - same);
			assert_false(fake_port_can_read(p));
			assert_false(fake_port_can_read(p + reqs[i] - 1));
			assert_true(rnd_large_inspect(&lg, q, &sp, &bad));
			assert_null(bad);
			assert_true(sp.req == reqs[j]);
			assert_int_equal(RND_SPAN_LIVE, sp.state);
			assert_true(fake_port_is_reserved(sp.map, sp.map_len));
			assert_int_equal(RND_OPT_QUARANTINE,
					 rnd_large_find(&lg, p, &sp));
			assert_books();
			assert_int_equal(-EINVAL,
					 rnd_large_move(&lg, p, reqs[j],
							RND_KIND_MALLOC, 5,
							(void **)&q));
			release(q);
			assert_books();
		}
	(void)rnd_large_unpark(&lg);
	assert_int_equal(0, vs.user);
}

/* 1 if an object moved; its seat is then that of its new size */
static __bool moves_at(enum rnd_seat seat, __sz from, __sz to)
{
	char *p = alloc_at(seat, from), *q = NULL;
	struct rnd_span sp, old;
	const void *bad;
	__sz back;
	int rc;

	assert_true(rnd_large_find(&lg, p, &old));
	fill(p, from);
	rc = rnd_large_move(&lg, p, to, RND_KIND_MALLOC, 5, (void **)&q);
	if (rc) {
		assert_int_equal(-ENOTSUP, rc);
		q = p;
		to = from;
	}
	assert_true(rnd_large_inspect(&lg, q, &sp, &bad));
	assert_null(bad);
	assert_true(sp.req == to);
	assert_int_equal(seat, sp.seat);
	assert_int_equal((__uptr)p % PAGE, (__uptr)q % PAGE);
	assert_filled(q, MIN(from, to));
	/* One that was kept before has old data */
	if (to > from && !RND_OPT_LARGE_KEEP)
		assert_zero(q + from, to - from);
	assert_int_equal(!!rc, fake_port_can_read(p));
	back = rnd_span_end(&sp) - (__uptr)q - to;
	assert_in_range(back, 0, seat == RND_SEAT_RIGHT ? 15 : PAGE + 7);
	assert_int_equal(sp.pages, rnd_seat_pages(seat, to));
	assert_int_equal(RND_SPAN_LIVE, sp.state);
	assert_books();
	release(q);
	assert_books();

	return !rc;
}

/* Pages move as they are, so the object stays where it is in them */
static void move_only_to_the_same_seat(void **state)
{
	static const __sz reqs[] = {
		65536, 70000, 73729, 100000, 200000, 300001
	};
	unsigned int i, j, cnt = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(reqs); i++)
		for (j = 0; j < ARRAY_SIZE(reqs); j++) {
			assert_true(moves_at(RND_SEAT_START, reqs[i], reqs[j]));
			cnt += moves_at(RND_SEAT_RANDOM, reqs[i], reqs[j]);
			assert_int_equal(
				ALIGN_DOWN(-reqs[i] % PAGE, 16UL) ==
					ALIGN_DOWN(-reqs[j] % PAGE, 16UL),
				moves_at(RND_SEAT_RIGHT, reqs[i], reqs[j]));
			assert_true(moves_at(RND_SEAT_RIGHT, reqs[i],
					     reqs[i] + 7 * PAGE));
		}
	/* Most of the places of one size are places of another one */
	assert_in_range(cnt, ARRAY_SIZE(reqs),
			ARRAY_SIZE(reqs) * ARRAY_SIZE(reqs));
}

static void move_failure_changes_nothing(void **state)
{
	char *p = alloc(100000), *q = NULL;
	unsigned int n;
	int rc = -1;

	(void)state;
	fill(p, 100000);
	for (n = 1; rc; n++) {
		fake_port_fail_at(FAKE_ANY, n);
		rc = rnd_large_move(&lg, p, 200000, RND_KIND_MALLOC, 0,
				    (void **)&q);
		if (rc) {
			assert_false(fake_port_fail_pending());
			assert_null(q);
			assert_filled(p, 100000);
			assert_int_equal(1, lg.t.live_cnt);
		}
		assert_books();
	}
	assert_int_equal(4, n);
	assert_filled(q, 100000);
	release(q);
}

static void move_survives_the_loss_of_a_place(void **state)
{
	char *p = alloc(200000), *q = NULL;
	struct rnd_span sp;

	(void)state;
	fill(p, 200000);
	assert_true(rnd_large_find(&lg, p, &sp));
	fake_port.move_loses = 1;
	assert_int_equal(0, rnd_large_move(&lg, p, 80000, RND_KIND_MALLOC, 0,
					   (void **)&q));
	fake_port.move_loses = 0;
	assert_filled(q, 80000);
	assert_false(rnd_large_find(&lg, p, &sp));
	assert_false(fake_port_is_used(sp.map, sp.map_len));
	assert_books();
	release(q);
}

static void resize_of_a_freed_object_is_refused(void **state)
{
	char *p = alloc(100000), byte;

	(void)state;
	assert_int_equal(0, rnd_large_resize(&lg, p, 99000));
	p[99000] ^= 1;
	assert_int_equal(RND_OPT_CANARY ? -EFAULT : 0,
			 rnd_large_copy_free(&lg, p, &byte, 1, RND_KIND_MALLOC,
					     0));
	assert_int_equal(-EINVAL, rnd_large_resize(&lg, p, 99000));
	assert_int_equal(-EINVAL, rnd_large_copy_free(&lg, p, &byte, 1,
						      RND_KIND_MALLOC, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(park_moves_clears_and_hands_out),
		UNIT_TEST(park_clears_long_objects_in_two_parts),
		UNIT_TEST(park_clears_all_pages_of_any_seat),
		UNIT_TEST(park_surplus_becomes_guard),
		UNIT_TEST(park_serves_what_fits),
		UNIT_TEST(park_gives_back_what_is_too_much),
		UNIT_TEST(park_gives_back_what_is_too_old),
		UNIT_TEST(park_leaves_untouched_objects_alone),
		UNIT_TEST(park_failure_frees_nevertheless),
		UNIT_TEST(park_survives_the_loss_of_a_place),
		UNIT_TEST(park_drops_what_is_not_ours),
		UNIT_TEST(move_keeps_contents_and_leaves_nothing),
		UNIT_TEST(move_only_to_the_same_seat),
		UNIT_TEST(move_failure_changes_nothing),
		UNIT_TEST(move_survives_the_loss_of_a_place),
		UNIT_TEST(resize_of_a_freed_object_is_refused),
	};

	return cmocka_run_group_tests_name("large_park", tests, NULL, NULL);
}
