/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of sample.c: records, traces, places; the rate is in tests/stat
 *
 * links: lib/ukallocrnd/large.c lib/ukallocrnd/span.c
 *	lib/ukallocrnd/large_park.c lib/ukallocrnd/large_free.c
 *	lib/ukallocrnd/large_move.c lib/ukallocrnd/park.c
 *	lib/ukallocrnd/chacha_wide.c lib/ukallocrnd/quarantine.c
 *	lib/ukallocrnd/vspace.c lib/ukallocrnd/rng.c lib/ukallocrnd/chacha.c
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
#include "sample.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define PAGE   RND_PAGE_LEN
#define MAX_N  40U
#define CALLER 0x401234UL

static struct rnd_vspace vs;
static struct rnd_large lg;
static struct rnd_sampler sm;
static __sz reserved;

static int setup(void **state)
{
	(void)state;
	fake_port_reset(19);
	memset(&lg, 0, sizeof(lg));
	memset(&sm, 0, sizeof(sm));
	rnd_vspace_init(&vs, __SZ_MAX);
	if (rnd_large_init(&lg, &vs) || rnd_sampler_init(&sm, &vs, MAX_N))
		return -1;
	reserved = fake_port.reserved;
	return 0;
}

static int teardown(void **state)
{
	int rc;

	(void)state;
	rnd_sampler_destroy(&sm);
	rnd_large_destroy(&lg);
	rc = fake_port.reserved || fake_port.committed ? -1 : 0;
	fake_port_reset(19);
	return rc;
}

static char *try_alloc(__sz req, __sz align)
{
	struct rnd_sample_want want = { .req = req,
					.align = align,
					.caller = CALLER,
					.cpu = 3,
					.kind = RND_KIND_NEW };

	return rnd_sample_alloc(&sm, &lg, &want);
}

static char *alloc(__sz req)
{
	char *p = try_alloc(req, 16);

	assert_non_null(p);
	return p;
}

static struct rnd_span span_of(const char *p)
{
	struct rnd_span sp;

	assert_true(rnd_large_find(&lg, p, &sp));
	return sp;
}

static void release(char *p)
{
	struct rnd_span sp = span_of(p);

	assert_int_equal(0, rnd_large_free(&lg, p, 0, RND_KIND_NEW, 5));
	rnd_sample_free(&sm, &sp, 5, CALLER + 1);
	assert_true(rnd_sampler_is_valid(&sm));
}

/* Either at the start of its pages or at their end, both of them often */
static void sample_is_between_guards(void **state)
{
	static const __sz reqs[] = { 1, 100, 4096, 5000, 66000 };
	unsigned int starts = 0, ends = 0, i;
	struct rnd_span sp;
	char *p;

	(void)state;
	for (i = 0; i < 200; i++) {
		p = alloc(reqs[i % 5]);
		sp = span_of(p);
		assert_int_not_equal(0, sp.sample);
		assert_true(sp.req == reqs[i % 5]);
		assert_int_equal(RND_KIND_NEW, sp.kind);
		assert_false(
			fake_port_can_read((char *)rnd_span_base(&sp) - 1));
		assert_false(fake_port_can_read((char *)rnd_span_end(&sp)));
		if (i % 5 == 1) {
			starts += (__uptr)p % PAGE == 0;
			ends += ((__uptr)p + 112) % PAGE == 0;
		}
		release(p);
		assert_false(fake_port_can_read(p));
	}
	assert_int_equal(40, starts + ends);
	assert_in_range(starts, 5, 35);
	p = try_alloc(100, 256);
	assert_int_equal(0, (__uptr)p % 256);
	p = try_alloc(100, PAGE);
	assert_int_equal(0, (__uptr)p % PAGE);
}

/* Also where large objects have no guards any more */
static void sample_has_guards_among_many(void **state)
{
	struct rnd_span sp;

	(void)state;
	lg.t.live_cnt = RND_LARGE_GUARDED_MAX;
	sp = span_of(alloc(100));
	assert_true(sp.map < rnd_span_base(&sp));
	assert_true(rnd_span_end(&sp) < sp.map + sp.map_len);
	lg.t.live_cnt -= RND_LARGE_GUARDED_MAX;
}

static void sample_remembers_both_ends_m2(void **state)
{
	struct rnd_sample rec;
	struct rnd_span sp;
	unsigned int i;
	char *p;

	(void)state;
	/* Own frames, then the caller and more frames than are kept */
	for (i = 0; i < 30; i++)
		fake_port.trace[i] = 0x1000 + i;
	fake_port.trace[5] = CALLER;
	fake_port.trace_cnt = 30;
	p = alloc(123);
	sp = span_of(p);
	assert_true(rnd_sample_of(&sm, &sp, &rec));
	assert_true(rec.addr == (__uptr)p);
	assert_true(rec.req == 123);
	assert_int_equal(RND_KIND_NEW, rec.kind);
	assert_false(rec.is_freed);
	assert_int_equal(3, rec.allocated.cpu);
	assert_int_equal(RND_TRACE_LEN, rec.allocated.cnt);
	assert_true(rec.allocated.frame[0] == CALLER);
	assert_true(rec.allocated.frame[15] == 0x1000 + 20);

	/* The caller is not found, as where the port knows no frames */
	release(p);
	/* Its span may be forgotten, without a quarantine */
	assert_true(rnd_sample_of(&sm, &sp, &rec));
	assert_true(rec.is_freed);
	assert_int_equal(5, rec.freed.cpu);
	assert_int_equal(1, rec.freed.cnt);
	assert_true(rec.freed.frame[0] == CALLER + 1);

	sp.addr += 16;
	assert_false(rnd_sample_of(&sm, &sp, &rec));
	sp.sample = 0;
	assert_false(rnd_sample_of(&sm, &sp, &rec));
	sp.sample = MAX_N + 1;
	assert_false(rnd_sample_of(&sm, &sp, &rec));
}

/* Live ones keep their records, of freed ones the first is forgotten first */
static void sample_records_are_used_in_turn_m1(void **state)
{
	struct rnd_span sp[MAX_N];
	struct rnd_sample rec;
	char *p[MAX_N];
	unsigned int i;

	(void)state;
	for (i = 0; i < MAX_N; i++) {
		p[i] = alloc(i + 1);
		sp[i] = span_of(p[i]);
	}
	assert_null(try_alloc(1, 16));
	assert_int_equal(MAX_N, lg.t.live_cnt);
	for (i = 0; i < MAX_N; i += 2)
		release(p[i]);
	for (i = 0; i < MAX_N; i += 2) {
		assert_true(rnd_sample_of(&sm, &sp[i], &rec));
		(void)alloc(1000);
		assert_false(rnd_sample_of(&sm, &sp[i], &rec));
		assert_true(rnd_sampler_is_valid(&sm));
	}
	assert_null(try_alloc(1, 16));
	for (i = 1; i < MAX_N; i += 2) {
		assert_true(rnd_sample_of(&sm, &sp[i], &rec));
		assert_true(rec.req == i + 1);
	}
}

static void sample_near_outlives_the_quarantine(void **state)
{
	struct rnd_sample rec;
	struct rnd_span sp;
	char *p = alloc(100);

	(void)state;
	sp = span_of(p);
	assert_true(rnd_sample_near(&sm, sp.map, &rec));
	assert_false(rnd_sample_near(&sm, sp.map - 1, &rec));
	assert_false(rnd_sample_near(&sm, sp.map + sp.map_len, &rec));
	release(p);
	(void)rnd_large_purge(&lg);
	assert_false(rnd_large_locate(&lg, p, &sp));
	assert_true(rnd_sample_near(&sm, (__uptr)p + 50, &rec));
	assert_true(rec.addr == (__uptr)p);
	assert_true(rec.is_freed);
}

/* The n-th call of the port fails, for every n there is */
static void sample_alloc_failure_changes_nothing(void **state)
{
	unsigned int n;
	char *p = NULL;

	(void)state;
	for (n = 1; !p; n++) {
		fake_port_fail_at(FAKE_ANY, n);
		p = try_alloc(100, 16);
		assert_true(rnd_sampler_is_valid(&sm));
		assert_true(rnd_large_is_valid(&lg));
		if (!p)
			assert_true(fake_port.reserved == reserved);
	}
	/* Records, which then are there; address, pages, table of objects */
	assert_int_equal(5, n);
	fake_port_fail_at(FAKE_ANY, 0);

	/* The record of what failed is there for another one */
	for (n = 1; n < MAX_N; n++)
		(void)alloc(1);
	assert_null(try_alloc(1, 16));
}

static void sampler_init_failure_changes_nothing(void **state)
{
	struct rnd_sampler other = { .vs = NULL };

	(void)state;
	fake_port_fail_at(FAKE_ANY, 1);
	assert_int_equal(-ENOMEM, rnd_sampler_init(&other, &vs, MAX_N));
	assert_true(fake_port.reserved == reserved);
}

static void sampler_is_valid_finds_damage_m1(void **state)
{
	char *p = alloc(1), *q = alloc(2);

	(void)state;
	(void)alloc(3);
	release(p);
	release(q);
	sm.rec[0].is_freed = 0;
	assert_false(rnd_sampler_is_valid(&sm));
	sm.rec[0].is_freed = 1;
	sm.rec[2].is_freed = 1;
	assert_false(rnd_sampler_is_valid(&sm));
	sm.rec[2].is_freed = 0;
	sm.rec[0].next = 1;
	assert_false(rnd_sampler_is_valid(&sm));
	sm.rec[0].next = 2;
	assert_true(rnd_sampler_is_valid(&sm));
}

/* With a rate of 1 each request is due, and the fast path gets no bits */
static void countdown_of_one_stops_the_fast_path(void **state)
{
	struct rnd_countdown c = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		assert_true(rnd_countdown_request(&c, &vs.rng, 1));
		rnd_countdown_cut(&c, &vs.rng);
		assert_false(rnd_rng_has16(&vs.rng));
	}
}

/* The buffer never has more draws than requests are left */
static void countdown_cuts_the_buffer(void **state)
{
	struct rnd_countdown c = { 0 };
	__u32 before;

	(void)state;
	assert_false(rnd_countdown_request(&c, &vs.rng, 1000000));
	c.left = 10;
	rnd_rng_refill(&vs.rng);
	rnd_countdown_cut(&c, &vs.rng);
	assert_int_equal(20, vs.rng.left);
	(void)rnd_rng_take16(&vs.rng);
	(void)rnd_rng_take16(&vs.rng);
	rnd_countdown_free(&c, &vs.rng);
	/* A free counts where it draws */
	assert_int_equal(RND_QUARANTINE_RAND_LEN ? 7 : 8, c.left);
	c.left = 8;
	/* Filled by somebody else: nothing is counted */
	rnd_rng_refill(&vs.rng);
	before = vs.rng.left;
	assert_true(before > 20);
	assert_false(rnd_countdown_request(&c, &vs.rng, 1000000));
	assert_int_equal(7, c.left);
	rnd_countdown_cut(&c, &vs.rng);
	assert_int_equal(14, vs.rng.left);
	while (rnd_rng_has16(&vs.rng))
		(void)rnd_rng_take16(&vs.rng);
	assert_true(rnd_countdown_request(&c, &vs.rng, 1000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(sample_is_between_guards),
		UNIT_TEST(sample_has_guards_among_many),
		UNIT_TEST(sample_remembers_both_ends_m2),
		UNIT_TEST(sample_records_are_used_in_turn_m1),
		UNIT_TEST(sample_near_outlives_the_quarantine),
		UNIT_TEST(sample_alloc_failure_changes_nothing),
		UNIT_TEST(sampler_init_failure_changes_nothing),
		UNIT_TEST(sampler_is_valid_finds_damage_m1),
		UNIT_TEST(countdown_of_one_stops_the_fast_path),
		UNIT_TEST(countdown_cuts_the_buffer),
	};

	return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
