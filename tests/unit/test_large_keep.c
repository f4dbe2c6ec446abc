/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of large objects that are kept where they are, on a port with
 * epochs
 *
 * links: tests/unit/keep_large.c lib/ukallocrnd/quarantine.c
 *	lib/ukallocrnd/chacha.c lib/ukallocrnd/chacha_wide.c
 *	tests/unit/fake_port.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "keep_large.h"
#include "fake_port.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define PAGE   RND_PAGE_LEN
#define LEN    (64 * PAGE)
#define ROUNDS 20000

static struct rnd_vspace vs;
static struct rnd_large lg;
static __u32 epoch;

__u32 rnd_port_epoch(void)
{
	return epoch;
}

static int setup(void **state)
{
	(void)state;
	epoch = 1;
	fake_port_reset(29);
	memset(&lg, 0, sizeof(lg));
	rnd_vspace_init(&vs, __SZ_MAX);
	return rnd_large_init(&lg, &vs);
}

static int teardown(void **state)
{
	(void)state;
	rnd_large_destroy(&lg);
	return fake_port.reserved || fake_port.committed ? -1 : 0;
}

static char *alloc_kind(__sz req, __sz align, __u8 kind, __bool clean)
{
	char *p = rnd_large_alloc(&lg, req, align, kind, clean);

	assert_non_null(p);
	return p;
}

static char *alloc(__sz req)
{
	return alloc_kind(req, RND_SLOT_ALIGN, RND_KIND_MALLOC, 0);
}

static void release(void *p)
{
	assert_int_equal(0, rnd_large_free(&lg, p, 0, RND_KIND_MALLOC, 0));
}

static enum rnd_span_state state_of(const void *p)
{
	struct rnd_span sp;

	assert_true(rnd_large_find(&lg, p, &sp));
	return (enum rnd_span_state)sp.state;
}

static void assert_books(void)
{
	assert_true(rnd_large_is_valid(&lg));
	assert_true((vs.user + vs.meta) * PAGE == fake_port.committed);
	assert_true(vs.user == lg.t.live_pages + lg.park.pages);
	assert_true(lg.park.pages <= RND_PARK_PAGES);
}

static void keep_serves_the_next_one_without_the_system(void **state)
{
	char *p = alloc(LEN);
	unsigned int commits = fake_port.calls[FAKE_COMMIT];

	(void)state;
	memset(p, 7, LEN);
	release(p);
	assert_int_equal(state_of(p), RND_SPAN_KEPT);
	assert_true(fake_port_can_read(p));
	assert_books();

	assert_ptr_equal(alloc(LEN - 5), p);
	assert_int_equal(state_of(p), RND_SPAN_LIVE);
	assert_int_equal(p[LEN - 6], 7);
	assert_int_equal(fake_port.calls[FAKE_COMMIT], commits);
	assert_books();
	release(p);
}

static void keep_clears_what_must_be_zero(void **state)
{
	char *p = alloc(LEN);
	__sz i;

	(void)state;
	memset(p, 7, LEN);
	release(p);
	assert_ptr_equal(alloc_kind(LEN, RND_SLOT_ALIGN, RND_KIND_MALLOC, 1),
			 p);
	for (i = 0; i < LEN; i++)
		assert_int_equal(p[i], 0);
	release(p);
}

static void keep_refuses_a_second_free(void **state)
{
	char *p = alloc(LEN);

	(void)state;
	release(p);
	assert_int_equal(-EINVAL,
			 rnd_large_free(&lg, p, 0, RND_KIND_MALLOC, 0));
	assert_int_equal(-EINVAL, rnd_large_resize(&lg, p, LEN));
	assert_int_equal(lg.park.cnt, 1);
	assert_books();
}

/* What is too long becomes guard; its pages do not come back */
static void keep_gives_the_surplus_back(void **state)
{
	char *p = alloc(LEN);

	(void)state;
	release(p);
	assert_ptr_equal(alloc(LEN - 8 * PAGE), p);
	assert_true(fake_port_can_read(p + LEN - 8 * PAGE - 1));
	assert_false(fake_port_can_read(p + LEN - 8 * PAGE));
	assert_books();
	release(p);
	assert_ptr_not_equal(alloc(LEN), p);
	assert_books();
}

static void keep_leaves_others_alone(void **state)
{
	char *p = alloc_kind(LEN, PAGE, RND_KIND_PAGES, 0), *q = alloc(LEN);
	unsigned int i;

	(void)state;
	/* Of pages, which may be freed in parts, and as pages */
	assert_int_equal(0, rnd_large_free(&lg, p, 64, RND_KIND_PAGES, 0));
	assert_int_equal(lg.park.cnt, 0);
	release(q);
	assert_ptr_not_equal(alloc_kind(LEN, PAGE, RND_KIND_PAGES, 0), q);
	/* Of another length, or in the wrong place */
	assert_ptr_not_equal(alloc(LEN / 2), q);
	assert_ptr_not_equal(alloc(LEN + 1), q);
	for (i = 0; !((__uptr)q & (PAGE << i)); i++)
		;
	assert_ptr_not_equal(
		alloc_kind(LEN, PAGE << (i + 1), RND_KIND_MALLOC, 0), q);
	assert_int_equal(state_of(q), RND_SPAN_KEPT);
	assert_books();
	/* Short ones, and what is longer than all that may be kept */
	release(alloc((RND_PARK_LEAST - 1) * PAGE));
	release(alloc(RND_PARK_BYTES + 1));
	assert_int_equal(lg.park.cnt, 1);
	assert_books();
}

static void keep_is_bounded_and_ages(void **state)
{
	char *p[RND_PARK_LEN + 3];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = alloc(4 * PAGE);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		release(p[i]);
	assert_int_equal(lg.park.cnt, RND_PARK_LEN);
	assert_books();
	for (i = 0; i <= RND_PARK_AGE; i++)
		rnd_large_age(&lg);
	assert_int_equal(lg.park.cnt, 0);
	assert_false(fake_port_can_read(p[0]));
	assert_books();

	p[0] = alloc(RND_PARK_BYTES / 2);
	p[1] = alloc(RND_PARK_BYTES / 2);
	p[2] = alloc(RND_PARK_BYTES / 2);
	release(p[0]);
	release(p[1]);
	assert_int_equal(lg.park.cnt, 2);
	release(p[2]);
	assert_int_equal(lg.park.cnt, 2);
	assert_false(fake_port_can_read(p[0]));
	assert_books();
	assert_int_equal(rnd_large_unpark(&lg), RND_PARK_BYTES);
	assert_books();
}

/* Another copy of the machine knows the places of before */
static void keep_forgets_places_of_an_earlier_epoch(void **state)
{
	char *p = alloc(LEN), *q = alloc(LEN);

	(void)state;
	release(p);
	epoch++;
	assert_ptr_not_equal(alloc(LEN), p);
	assert_int_equal(lg.park.cnt, 0);
	assert_false(fake_port_can_read(p));
	release(q);
	assert_int_equal(lg.park.cnt, 0);
	assert_false(fake_port_can_read(q));
	p = alloc(LEN);
	release(p);
	assert_ptr_equal(alloc(LEN), p);
	assert_books();
}

static void keep_needs_nothing_that_can_fail(void **state)
{
	char *p = alloc(LEN);

	(void)state;
	release(p);
	fake_port_fail_from(FAKE_ANY, 1);
	assert_ptr_equal(alloc(LEN), p);
	assert_null(rnd_large_alloc(&lg, LEN, PAGE, RND_KIND_MALLOC, 0));
	fake_port_fail_at(FAKE_ANY, 0);
	assert_books();
}

/* Objects of many sizes, each full of its own byte; never two at one place */
static void keep_model(void **state)
{
	static struct {
		char *p;
		__sz len;
	} o[40];
	__u64 seed = 5;
	unsigned int i, n;

	(void)state;
	for (n = 0; n < ROUNDS; n++) {
		seed = seed * 6364136223846793005UL + 1442695040888963407UL;
		i = (unsigned int)(seed >> 33) % ARRAY_SIZE(o);
		if (o[i].p) {
			assert_int_equal(o[i].p[0], (char)i);
			assert_int_equal(o[i].p[o[i].len - 1], (char)i);
			release(o[i].p);
			o[i].p = NULL;
		} else {
			o[i].len = (1 + (seed >> 40) % 24) * PAGE - seed % 100;
			o[i].p = alloc(o[i].len);
			o[i].p[0] = (char)i;
			o[i].p[o[i].len - 1] = (char)i;
		}
		if (!(seed >> 20 & 1023))
			epoch++;
		if (!(seed >> 30 & 255))
			(void)rnd_large_unpark(&lg);
		if (!(n % 64))
			assert_books();
	}
	assert_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(keep_serves_the_next_one_without_the_system),
		UNIT_TEST(keep_clears_what_must_be_zero),
		UNIT_TEST(keep_refuses_a_second_free),
		UNIT_TEST(keep_gives_the_surplus_back),
		UNIT_TEST(keep_leaves_others_alone),
		UNIT_TEST(keep_is_bounded_and_ages),
		UNIT_TEST(keep_forgets_places_of_an_earlier_epoch),
		UNIT_TEST(keep_needs_nothing_that_can_fail),
		UNIT_TEST(keep_model),
	};

	return cmocka_run_group_tests_name("large_keep", tests, NULL, NULL);
}
