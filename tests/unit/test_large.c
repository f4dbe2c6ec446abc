/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of large.c
 *
 * links: lib/ukallocrnd/quarantine.c lib/ukallocrnd/vspace.c
 *	lib/ukallocrnd/span.c lib/ukallocrnd/park.c
 *	lib/ukallocrnd/large_park.c lib/ukallocrnd/large_free.c
 *	lib/ukallocrnd/large_move.c
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
static __sz reserved, committed;

static int setup(void **state)
{
	(void)state;
	fake_port_reset(13);
	memset(&lg, 0, sizeof(lg));
	rnd_vspace_init(&vs, __SZ_MAX);
	if (rnd_large_init(&lg, &vs))
		return -1;
	reserved = fake_port.reserved;
	committed = fake_port.committed;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_port_reset(13);
	return 0;
}

static char *alloc(__sz req)
{
	char *p = rnd_large_alloc(&lg, req, PAGE, RND_KIND_MALLOC, 0);

	assert_non_null(p);
	return p;
}

/* What is kept, which test_large_keep.c looks at, ends like the others */
static void kept_drop(void)
{
	if (RND_OPT_LARGE_KEEP)
		(void)rnd_large_unpark(&lg);
}

static char *palloc(__sz pages)
{
	char *p = rnd_large_alloc(&lg, pages * PAGE, PAGE, RND_KIND_PAGES, 0);

	assert_non_null(p);
	return p;
}

static void assert_state(const void *p, unsigned int span_state)
{
	struct rnd_span sp = { .state = RND_SPAN_FREE };

	(void)rnd_large_find(&lg, p, &sp);
	assert_int_equal(span_state, sp.state);
}

static void assert_books(void)
{
	assert_true(rnd_large_is_valid(&lg));
	assert_true((vs.user + vs.meta) * PAGE == fake_port.committed);
	assert_true(vs.user == lg.t.live_pages + lg.park.pages);
}

/* Sizes around page borders, alignments up to 1 GiB */
static void large_alloc_gives_what_was_asked_for(void **state)
{
	static const __sz reqs[] = { 1,	   4087,  4088,	 4089,
				     4096, 40000, 65536, 1000001 };
	struct rnd_span sp;
	__sz align;
	unsigned int i;
	char *p;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(reqs); i++)
		for (align = 16; align <= 1UL << 30; align <<= 2) {
			p = rnd_large_alloc(&lg, reqs[i], align, RND_KIND_NEW,
					    0);
			assert_non_null(p);
			assert_int_equal(0, (__uptr)p % align);
			assert_true(rnd_large_find(&lg, p, &sp));
			assert_int_equal(RND_SPAN_LIVE, sp.state);
			assert_int_equal(RND_KIND_NEW, sp.kind);
			assert_true(sp.req == reqs[i]);
			assert_true(sp.pages ==
				    rnd_seat_pages((enum rnd_seat)sp.seat,
						   reqs[i]));
			assert_int_equal(align < PAGE ? rnd_seat_default() :
							RND_SEAT_START,
					 sp.seat);
			assert_null(rnd_large_canary_bad(&lg, &sp));
			assert_int_equal(0, p[0]);
			assert_int_equal(0, p[reqs[i] - 1]);
			memset(p, 0xff, reqs[i]);
			assert_null(rnd_large_canary_bad(&lg, &sp));
			assert_int_equal(0, rnd_large_free(&lg, p, 0,
							   RND_KIND_NEW, 0));
			kept_drop();
		}
	assert_books();
}

static char *alloc_at(enum rnd_seat seat, __sz req, __sz align)
{
	struct rnd_large_want want = { .req = req,
				       .align = align,
				       .kind = RND_KIND_MALLOC,
				       .seat = seat };
	char *p = rnd_large_alloc_at(&lg, &want);

	assert_non_null(p);
	return p;
}

/* Every byte around an object that sp says is at p, changed by one bit */
static void assert_watched(char *p, const struct rnd_span *sp)
{
	char *base = (char *)rnd_span_base(sp), *end = (char *)rnd_span_end(sp);
	char *at;

	assert_false(fake_port_can_read(base - 1));
	assert_false(fake_port_can_read(end));
	assert_true(fake_port_can_write(base));
	assert_true(fake_port_can_write(end - 1));
	assert_null(rnd_large_canary_bad(&lg, sp));
	memset(p, 0xff, sp->req);
	assert_null(rnd_large_canary_bad(&lg, sp));
	for (at = base; RND_OPT_CANARY && at < end; at++) {
		if (at == p)
			at += sp->req;
		if (at == end)
			break;
		*at ^= 4;
		assert_ptr_equal(at, rnd_large_canary_bad(&lg, sp));
		*at ^= 4;
	}
}

/* All seats, sizes around page borders, alignments below a page */
static void large_seats_t1_t2(void **state)
{
	static const __sz reqs[] = { 1,	   16,	 2040, 2048,  4087,
				     4088, 4089, 4096, 65537, 70000 };
	unsigned int seat, i;
	struct rnd_span sp;
	__sz align, back;
	char *p;

	(void)state;
	for (seat = RND_SEAT_START; seat <= RND_SEAT_RIGHT; seat++)
		for (i = 0; i < ARRAY_SIZE(reqs); i++)
			for (align = 16; align < PAGE; align <<= 3) {
				p = alloc_at((enum rnd_seat)seat, reqs[i],
					     align);
				assert_int_equal(0, (__uptr)p % align);
				assert_true(rnd_large_find(&lg, p, &sp));
				assert_int_equal(seat, sp.seat);
				assert_in_range((__uptr)p - rnd_span_base(&sp),
						0, PAGE - 1);
				back = rnd_span_end(&sp) - (__uptr)p - reqs[i];
				assert_in_range(back, 0,
						seat == RND_SEAT_RIGHT ?
							align - 1 :
							PAGE + 7);
				assert_watched(p, &sp);
				assert_books();
				assert_int_equal(
					0, rnd_large_free(&lg, p, 0,
							  RND_KIND_MALLOC, 0));
				kept_drop();
				assert_false(fake_port_can_read(p));
			}
	(void)rnd_large_purge(&lg);
	(void)rnd_large_unpark(&lg);
	assert_true(fake_port.reserved == reserved);
}

static void large_random_seats_differ(void **state)
{
	__u32 i, offset, other = 0;
	char *p;

	(void)state;
	offset = (__u32)((__uptr)alloc_at(RND_SEAT_RANDOM, 65536, 16) % PAGE);
	for (i = 0; i < 100; i++) {
		p = alloc_at(RND_SEAT_RANDOM, 65536, 16);
		other += (__uptr)p % PAGE != offset;
	}
	/* 128 places or more: one hit in 100 draws is likely, ten are not */
	assert_in_range(other, 91, 100);
}

static void large_fits_where_a_new_object_would_not_be_smaller(void **state)
{
	struct rnd_span sp;

	(void)state;
	(void)rnd_large_find(&lg, alloc_at(RND_SEAT_START, 70000, 16), &sp);
	assert_true(rnd_large_fits(&sp, 18 * PAGE));
	assert_true(rnd_large_fits(&sp, 17 * PAGE + 1));
	assert_false(rnd_large_fits(&sp, 18 * PAGE + 1));
	assert_false(rnd_large_fits(&sp, 17 * PAGE));

	/* 70000 is a multiple of 16: nothing behind it */
	(void)rnd_large_find(&lg, alloc_at(RND_SEAT_RIGHT, 70000, 16), &sp);
	assert_false(rnd_large_fits(&sp, 70001));
	assert_true(rnd_large_fits(&sp, 69999));
	assert_true(rnd_large_fits(&sp, 17 * PAGE + 1));
	assert_false(rnd_large_fits(&sp, 17 * PAGE));
	(void)rnd_large_find(&lg, alloc_at(RND_SEAT_RIGHT, 69990, 16), &sp);
	assert_true(rnd_large_fits(&sp, 69992));
	assert_false(rnd_large_fits(&sp, 70001));

	(void)rnd_large_find(&lg, alloc_at(RND_SEAT_RANDOM, 70000, 16), &sp);
	assert_true(rnd_large_fits(&sp, 70000));
	assert_false(rnd_large_fits(&sp, rnd_span_end(&sp) - sp.addr + 1));
	assert_false(rnd_large_fits(&sp, 17 * PAGE - PAGE / 2));
}

static void large_is_between_guards(void **state)
{
	__sz pages, before, after, most;
	struct rnd_span sp;
	char *p, *end;

	(void)state;
	for (pages = 1; pages < 60; pages++) {
		p = palloc(pages);
		end = p + pages * PAGE;
		assert_true(rnd_large_find(&lg, p, &sp));
		assert_true(fake_port_is_reserved(sp.map, sp.map_len));
		before = (__uptr)p - sp.map;
		after = sp.map + sp.map_len - (__uptr)end;
		most = MIN(MAX(pages / 2, 1UL), RND_LARGE_GUARD_MAX) * PAGE;
		assert_in_range(before, PAGE, most);
		assert_in_range(after, PAGE, most);
		assert_true(fake_port_can_write(p));
		assert_true(fake_port_can_write(end - 1));
		assert_false(fake_port_can_read(p - 1));
		assert_false(fake_port_can_read((char *)sp.map));
		assert_false(fake_port_can_read(end));
		assert_false(
			fake_port_can_read((char *)sp.map + sp.map_len - 1));
	}
	assert_books();
}

static void large_freed_memory_is_gone_g3(void **state)
{
	struct rnd_span sp;
	char *p = alloc(100000);

	(void)state;
	assert_true(rnd_large_find(&lg, p, &sp));
	assert_int_equal(0, rnd_large_free(&lg, p, 0, RND_KIND_MALLOC, 6));
	kept_drop();
	assert_false(fake_port_can_read(p));
	assert_false(fake_port_can_read(p + 99999));
	assert_int_equal(RND_OPT_QUARANTINE, rnd_large_find(&lg, p, &sp));
	if (RND_OPT_QUARANTINE) {
		assert_int_equal(RND_SPAN_QUARANTINED, sp.state);
		assert_int_equal(7, sp.freed_by);
	}
	assert_int_equal(RND_OPT_QUARANTINE,
			 fake_port_is_reserved(sp.map, sp.map_len));
	assert_int_equal(0, lg.t.live_cnt);
	assert_books();
}

static void large_free_refuses_what_is_not_live(void **state)
{
	char *p = alloc(3 * PAGE), *q = palloc(3);

	(void)state;
	assert_int_equal(-EINVAL,
			 rnd_large_free(&lg, p + PAGE, 0, RND_KIND_MALLOC, 0));
	assert_int_equal(-EINVAL, rnd_large_free(&lg, p, 0, RND_KIND_PAGES, 0));
	assert_int_equal(-EINVAL, rnd_large_free(&lg, p, 0, RND_KIND_NEW, 0));
	assert_int_equal(-EINVAL, rnd_large_free(&lg, q, 4, RND_KIND_PAGES, 0));
	assert_int_equal(-EINVAL,
			 rnd_large_free(&lg, q + PAGE, 3, RND_KIND_PAGES, 0));
	assert_int_equal(-EINVAL,
			 rnd_large_free(&lg, q - PAGE, 1, RND_KIND_PAGES, 0));
	assert_int_equal(-EINVAL, rnd_large_free(&lg, q + 3 * PAGE, 1,
						 RND_KIND_PAGES, 0));
	assert_int_equal(-EINVAL, rnd_large_free(&lg, q, ~0UL / PAGE,
						 RND_KIND_PAGES, 0));
	assert_int_equal(0, rnd_large_free(&lg, p, 0, RND_KIND_MALLOC, 0));
	assert_int_equal(-EINVAL,
			 rnd_large_free(&lg, p, 0, RND_KIND_MALLOC, 0));
	assert_int_equal(2 - 1, lg.t.live_cnt);
	assert_books();
}

/* What is not as the caller thinks stays, and nothing is said about it */
static void large_object_is_freed_as_known(void **state)
{
	const __sz right = 3 * PAGE, wrong = right - 1;
	char *p = alloc(right), *q = palloc(3);
	struct rnd_span sp = { .req = 42 };

	(void)state;
	assert_int_equal(-EINVAL,
			 rnd_large_free_object(&lg, p + PAGE, RND_KIND_MALLOC,
					       NULL, 0, &sp));
	assert_int_equal(-EINVAL, rnd_large_free_object(&lg, q, RND_KIND_PAGES,
							NULL, 0, &sp));
	assert_int_equal(-EINVAL, rnd_large_free_object(&lg, p, RND_KIND_MALLOC,
							&wrong, 0, &sp));
	if (RND_OPT_KIND)
		assert_int_equal(-EINVAL,
				 rnd_large_free_object(&lg, p, RND_KIND_NEW,
						       &right, 0, &sp));
	assert_int_equal(42, sp.req);
	assert_int_equal(2, lg.t.live_cnt);
	assert_int_equal(0, rnd_large_free_object(&lg, p, RND_KIND_MALLOC,
						  &right, 6, &sp));
	assert_ptr_equal(p, sp.addr);
	assert_int_equal(right, sp.req);
	assert_int_equal(RND_SPAN_LIVE, sp.state);
	assert_int_equal(1, lg.t.live_cnt);
	kept_drop();
	assert_int_equal(-EINVAL, rnd_large_free_object(&lg, p, RND_KIND_MALLOC,
							NULL, 0, &sp));
	if (rnd_large_find(&lg, p, &sp))
		assert_int_equal(7, sp.freed_by);
	assert_books();
}

/* All pairs of lengths are as likely: 16 pages have up to 8 before and behind,
 * 64 pairs, 100 times each. Chi-square is above its mean of 63 by five standard
 * deviations in less than one of 10^5 cases.
 */
static void large_guards_are_independent(void **state)
{
	unsigned int hits[8][8] = { 0 }, i, j;
	struct rnd_span sp;
	double chi = 0;
	char *p;

	(void)state;
	for (i = 0; i < 6400; i++) {
		p = alloc(16 * PAGE);
		assert_true(rnd_large_find(&lg, p, &sp));
		hits[(rnd_span_base(&sp) - sp.map) / PAGE - 1]
		    [(sp.map + sp.map_len - rnd_span_end(&sp)) / PAGE - 1]++;
		assert_int_equal(0,
				 rnd_large_free(&lg, p, 0, RND_KIND_MALLOC, 0));
		/* The next one must not get a place that is drawn already */
		(void)rnd_large_unpark(&lg);
	}
	for (i = 0; i < 8; i++)
		for (j = 0; j < 8; j++)
			chi += ((double)hits[i][j] - 100) *
			       ((double)hits[i][j] - 100) / 100;
	assert_true(chi < 63 + 5 * 11.3);
}

/* Every first and last page of 6, freed as a part; then the rest */
static void large_free_in_parts_g1_g2(void **state)
{
	__sz first, cnt, i;
	char *p;

	(void)state;
	for (first = 0; first < 6; first++)
		for (cnt = 1; cnt <= 6 - first; cnt++) {
			p = palloc(6);
			assert_int_equal(
				0, rnd_large_free(&lg, p + first * PAGE, cnt,
						  RND_KIND_PAGES, 0));
			for (i = 0; i < 6; i++)
				assert_int_equal(
					i < first || i >= first + cnt,
					fake_port_can_write(p + i * PAGE));
			assert_true(lg.t.live_pages == 6 - cnt);
			assert_books();

			/* Page by page from the end */
			for (i = 6; i--;)
				if (i < first || i >= first + cnt)
					assert_int_equal(
						0, rnd_large_free(
							   &lg, p + i * PAGE, 1,
							   RND_KIND_PAGES, 0));
			assert_int_equal(0, lg.t.live_cnt);
			assert_books();
		}
	(void)rnd_large_purge(&lg);
	(void)rnd_large_unpark(&lg);
	assert_true(fake_port.reserved == reserved);
}

static void large_part_cannot_be_freed_twice(void **state)
{
	char *p = palloc(5);

	(void)state;
	assert_int_equal(0,
			 rnd_large_free(&lg, p + PAGE, 2, RND_KIND_PAGES, 0));
	assert_int_equal(-EINVAL,
			 rnd_large_free(&lg, p + PAGE, 1, RND_KIND_PAGES, 0));
	assert_int_equal(-EINVAL, rnd_large_free(&lg, p + 2 * PAGE, 1,
						 RND_KIND_PAGES, 0));
	assert_int_equal(-EINVAL, rnd_large_free(&lg, p, 2, RND_KIND_PAGES, 0));
	assert_books();
}

static void large_quarantine_holds_addresses_back(void **state)
{
	struct rnd_span sp;
	char *p = alloc(50000), *q;
	__uptr map;
	__u32 i;

	(void)state;
	if (!RND_OPT_QUARANTINE)
		skip();
	assert_true(rnd_large_find(&lg, p, &sp));
	map = sp.map;
	assert_int_equal(0, rnd_large_free(&lg, p, 0, RND_KIND_MALLOC, 0));
	/* At least as many as the FIFO stage is long */
	for (i = 0; i < lg.q.fifo_len; i++) {
		assert_true(fake_port_is_reserved(map, sp.map_len));
		assert_state(p, RND_SPAN_QUARANTINED);
		q = alloc(PAGE);
		assert_int_equal(0,
				 rnd_large_free(&lg, q, 0, RND_KIND_MALLOC, 0));
	}
	for (i = 0; i < 50000 && fake_port_is_used(map, sp.map_len); i++) {
		q = alloc(PAGE);
		assert_int_equal(0,
				 rnd_large_free(&lg, q, 0, RND_KIND_MALLOC, 0));
	}
	assert_true(i < 50000);
	assert_state(p, RND_SPAN_FREE);
	assert_books();
	assert_int_equal(RND_LARGE_RAND_LEN + lg.q.fifo_len,
			 rnd_quarantine_count(&lg.q));
	assert_int_equal(RND_LARGE_RAND_LEN + lg.q.fifo_len,
			 rnd_large_purge(&lg));
	(void)rnd_large_unpark(&lg);
	assert_true(fake_port.reserved == reserved);
	assert_books();
}

static __sz spans_seen;

static void see_span(void *arg, const struct rnd_span *sp)
{
	assert_ptr_equal(&lg, arg);
	assert_int_not_equal(RND_SPAN_FREE, sp->state);
	spans_seen++;
}

/* Also a tree of some depth */
static void large_many_objects_g2(void **state)
{
	static char *p[12288];
	__sz cnt = ARRAY_SIZE(p), i;
	struct rnd_span sp;

	(void)state;
#ifdef RND_TEST_SLOW
	cnt /= 8;
#endif
	for (i = 0; i < cnt; i++)
		p[i] = alloc(1 + i % PAGE);
	assert_books();
	assert_int_equal(cnt, lg.t.live_cnt);
	for (i = 0; i < cnt; i++) {
		assert_true(rnd_large_find(&lg, p[i], &sp));
		assert_true(sp.req == 1 + i % PAGE);
		assert_false(rnd_large_find(&lg, p[i] + 16, &sp));
	}
	spans_seen = 0;
	rnd_large_foreach(&lg, see_span, &lg);
	assert_int_equal(cnt, spans_seen);
	for (i = 0; i < cnt; i += 2)
		assert_int_equal(0, rnd_large_free(&lg, p[i], 0,
						   RND_KIND_MALLOC, 0));
	for (i = 1; i < cnt; i += 2)
		assert_state(p[i], RND_SPAN_LIVE);
	assert_books();
	rnd_large_destroy(&lg);
	assert_int_equal(0, fake_port.reserved);
	assert_int_equal(0, fake_port.committed);
}

static void large_locate_knows_the_whole_reservation(void **state)
{
	char *p = alloc(100000);
	struct rnd_span sp, at;
	__uptr addr;

	(void)state;
	assert_true(rnd_large_find(&lg, p, &sp));
	for (addr = sp.map; addr < sp.map + sp.map_len; addr += 1000) {
		assert_true(rnd_large_locate(&lg, (void *)addr, &at));
		assert_true(at.addr == (__uptr)p);
	}
	assert_false(rnd_large_locate(&lg, (void *)(sp.map - 1), &at));
	assert_false(rnd_large_locate(&lg, (void *)(sp.map + sp.map_len), &at));
	assert_int_equal(0, rnd_large_free(&lg, p, 0, RND_KIND_MALLOC, 0));
	kept_drop();
	assert_int_equal(RND_OPT_QUARANTINE, rnd_large_locate(&lg, p + 5, &at));
	(void)rnd_large_purge(&lg);
	assert_false(rnd_large_locate(&lg, p + 5, &at));
}

/* Every byte of the slack, changed by one bit */
static void large_canary_covers_the_last_page_g4(void **state)
{
	static const __sz reqs[] = { 4000, 40000, 69622, 69624 };
	struct rnd_span sp;
	__sz i, at;
	char *p;

	(void)state;
	if (!RND_OPT_CANARY)
		skip();
	for (i = 0; i < ARRAY_SIZE(reqs); i++) {
		p = alloc(reqs[i]);
		assert_true(rnd_large_find(&lg, p, &sp));
		for (at = sp.req; at < sp.pages * PAGE; at++) {
			p[at] ^= 4;
			assert_ptr_equal(p + at,
					 rnd_large_canary_bad(&lg, &sp));
			p[at] ^= 4;
		}
		assert_null(rnd_large_canary_bad(&lg, &sp));
	}
	/* No slack, no canary, no access */
	p = palloc(2);
	assert_true(rnd_large_find(&lg, p, &sp));
	assert_null(rnd_large_canary_bad(&lg, &sp));
}

static void large_resize_moves_the_canary_g4(void **state)
{
	char *p = alloc(40000);
	struct rnd_span sp;
	__sz req;

	(void)state;
	for (req = 36865; req <= 40952; req += 1) {
		rnd_large_resize(&lg, p, req);
		assert_true(rnd_large_find(&lg, p, &sp));
		assert_true(sp.req == req);
		assert_null(rnd_large_canary_bad(&lg, &sp));
		p[req - 1] = 0;
		assert_null(rnd_large_canary_bad(&lg, &sp));
		if (RND_OPT_CANARY) {
			p[req] ^= 1;
			assert_non_null(rnd_large_canary_bad(&lg, &sp));
		}
	}
}

static void large_impossible_requests_do_not_reach_the_port(void **state)
{
	static const __sz reqs[] = { ~0UL, ~0UL - 4095, 1UL << 63, 1UL << 62,
				     (1UL << 40) + 1 };
	unsigned int i, calls = fake_port.calls[FAKE_ANY];

	(void)state;
	for (i = 0; i < ARRAY_SIZE(reqs); i++)
		assert_null(rnd_large_alloc(&lg, reqs[i], PAGE, RND_KIND_MALLOC,
					    0));
	assert_null(rnd_large_alloc(&lg, PAGE, 1UL << 63, RND_KIND_MALLOC, 0));
	assert_null(rnd_large_alloc(&lg, PAGE, 1UL << 47, RND_KIND_MALLOC, 0));
	assert_int_equal(calls, fake_port.calls[FAKE_ANY]);
	assert_books();
}

/* The n-th call of the port fails, for every n there is */
static void large_init_failure_changes_nothing(void **state)
{
	struct rnd_large other;
	unsigned int n;
	int rc = -1;

	(void)state;
	for (n = 1; rc; n++) {
		memset(&other, 0, sizeof(other));
		fake_port_fail_at(FAKE_ANY, n);
		rc = rnd_large_init(&other, &vs);
		if (!rc)
			break;
		assert_int_equal(-ENOMEM, rc);
		assert_true(fake_port.reserved == reserved);
		assert_true(fake_port.committed == committed);
		assert_books();
	}
	assert_int_equal(2, n);
	assert_true(fake_port_fail_pending());
}

static void large_alloc_failure_changes_nothing(void **state)
{
	unsigned int n;
	char *p = NULL;

	(void)state;
	assert_int_equal(0, lg.park.cnt);
	for (n = 1; !p; n++) {
		fake_port_fail_at(FAKE_ANY, n);
		p = rnd_large_alloc(&lg, 50000, PAGE, RND_KIND_MALLOC, 0);
		if (p)
			break;
		assert_true(fake_port.reserved == reserved);
		assert_true(fake_port.committed == committed);
		assert_int_equal(0, lg.t.live_cnt);
		assert_books();
	}
	/* Address, pages, table */
	assert_int_equal(4, n);
	assert_true(fake_port_fail_pending());
}

/* A page allocation can be freed in any parts when there is no memory left */
static void large_cut_needs_no_memory_g5(void **state)
{
	const unsigned int pages = 300;
	unsigned int i;
	char *p;

	(void)state;
	p = palloc(pages);
	while (lg.t.free_cnt + (lg.t.cap - lg.t.cnt) > lg.t.owed)
		(void)palloc(1);
	fake_port_fail_from(FAKE_COMMIT, 1);
	/* Odd pages first: every one of them is cut out of the middle */
	for (i = 1; i < pages; i += 2)
		assert_int_equal(0, rnd_large_free(&lg, p + i * PAGE, 1,
						   RND_KIND_PAGES, 0));
	assert_books();
	for (i = 0; i < pages; i += 2)
		assert_int_equal(0, rnd_large_free(&lg, p + i * PAGE, 1,
						   RND_KIND_PAGES, 0));
	fake_port_fail_from(FAKE_COMMIT, 0);
	assert_books();
}

static void large_table_reuses_its_entries(void **state)
{
	__u32 i, cnt;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_int_equal(0, rnd_large_free(&lg, alloc(5000), 0,
						   RND_KIND_MALLOC, 0));
	(void)rnd_large_purge(&lg);
	cnt = lg.t.cnt;
	for (i = 0; i < cnt; i++)
		(void)alloc(5000);
	assert_int_equal(cnt, lg.t.cnt);
	assert_books();
}

static void large_is_valid_finds_damage_g1_g2(void **state)
{
	char *p = alloc(50000);
	struct rnd_span *sp = &lg.t.span[0];
	struct rnd_span sound;
	__sz leap;
	unsigned int i;

	(void)state;
	(void)alloc(60000);
	assert_true(sp->addr == (__uptr)p);
	sound = *sp;
	for (i = 0; i < 7; i++) {
		switch (i) {
		case 0:
			/* Over to the other side of the second one */
			leap = 2 * (lg.t.span[1].addr - sp->addr);
			sp->addr += leap;
			sp->map += leap;
			break;
		case 1:
			sp->pages++;
			break;
		case 2:
			sp->pages += 100;
			break;
		case 3:
			sp->state = RND_SPAN_QUARANTINED;
			break;
		case 4:
			sp->state = RND_SPAN_FREE;
			break;
		case 5:
			sp->map = sp->addr + PAGE;
			break;
		default:
			sp->map_len = PAGE;
			break;
		}
		assert_false(rnd_large_is_valid(&lg));
		*sp = sound;
		assert_true(rnd_large_is_valid(&lg));
	}
	lg.t.live_cnt++;
	assert_false(rnd_large_is_valid(&lg));
	lg.t.live_cnt--;
	lg.t.live_pages--;
	assert_false(rnd_large_is_valid(&lg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(large_alloc_gives_what_was_asked_for),
		UNIT_TEST(large_seats_t1_t2),
		UNIT_TEST(large_random_seats_differ),
		UNIT_TEST(large_fits_where_a_new_object_would_not_be_smaller),
		UNIT_TEST(large_is_between_guards),
		UNIT_TEST(large_freed_memory_is_gone_g3),
		UNIT_TEST(large_free_refuses_what_is_not_live),
		UNIT_TEST(large_object_is_freed_as_known),
		UNIT_TEST(large_guards_are_independent),
		UNIT_TEST(large_free_in_parts_g1_g2),
		UNIT_TEST(large_part_cannot_be_freed_twice),
		UNIT_TEST(large_quarantine_holds_addresses_back),
		UNIT_TEST(large_many_objects_g2),
		UNIT_TEST(large_locate_knows_the_whole_reservation),
		UNIT_TEST(large_canary_covers_the_last_page_g4),
		UNIT_TEST(large_resize_moves_the_canary_g4),
		UNIT_TEST(large_impossible_requests_do_not_reach_the_port),
		UNIT_TEST(large_init_failure_changes_nothing),
		UNIT_TEST(large_alloc_failure_changes_nothing),
		UNIT_TEST(large_cut_needs_no_memory_g5),
		UNIT_TEST(large_table_reuses_its_entries),
		UNIT_TEST(large_is_valid_finds_damage_g1_g2),
	};

	return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
