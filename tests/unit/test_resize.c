/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of resize.c
 *
 * links: lib/ukallocrnd/heap.c lib/ukallocrnd/sample.c
 *	lib/ukallocrnd/slow.c lib/ukallocrnd/slow_free.c
 *	lib/ukallocrnd/reclaim.c
 *	lib/ukallocrnd/diag.c
 *	lib/ukallocrnd/check.c lib/ukallocrnd/large.c lib/ukallocrnd/span.c
 *	lib/ukallocrnd/large_park.c lib/ukallocrnd/large_free.c
 *	lib/ukallocrnd/large_move.c
 *	lib/ukallocrnd/park.c
 *	lib/ukallocrnd/pcpu.c lib/ukallocrnd/pclass.c
 *	lib/ukallocrnd/pclass_free.c lib/ukallocrnd/pclass_list.c
 *	lib/ukallocrnd/pclass_purge.c
 *	lib/ukallocrnd/nearest.c lib/ukallocrnd/pagemap.c
 *	lib/ukallocrnd/region.c
 *	lib/ukallocrnd/quarantine.c lib/ukallocrnd/report.c
 *	lib/ukallocrnd/format.c lib/ukallocrnd/slab.c
 *	lib/ukallocrnd/sizeclass.c lib/ukallocrnd/vspace.c
 *	lib/ukallocrnd/rng.c lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c
 *	lib/ukallocrnd/fill.c
 *	tests/unit/fake_port.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/allocrnd.h>

#include "fake_home.h"
#include "fake_port.h"
#include "fast.h"
#include "fixture_heap.h"
#include "resize.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static void *resize(void *ptr, __sz size)
{
	return rnd_realloc(h, ptr, size, 0);
}

static __sz check(void)
{
	return uk_allocrnd_check(&h->dyn->a);
}

/* A pattern that depends on the position */
static void fill(__u8 *p, __sz from, __sz to)
{
	for (; from < to; from++)
		p[from] = (__u8)(from * 7 + from / 251 + 1);
}

static void assert_filled(const __u8 *p, __sz len)
{
	__sz i;

	for (i = 0; i < len; i++)
		if (p[i] != (__u8)(i * 7 + i / 251 + 1))
			fail_msg("byte %lu", i);
}

static const __sz sizes[] = { 1,     8,	    24,	   25,	  56,	  100,
			      1000,  1080,  4000,  20000, 34808,  34809,
			      40000, 66552, 66553, 70000, 200704, 300000 };

/* From every size to every other */
static void resize_keeps_contents(void **state)
{
	unsigned int i, j;
	__u8 *p;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			p = alloc(sizes[i]);
			assert_non_null(p);
			fill(p, 0, sizes[i]);
			p = resize(p, sizes[j]);
			assert_non_null(p);
			assert_filled(p, MIN(sizes[i], sizes[j]));
			assert_true(rnd_requested(h, p, "test", 0) == sizes[j]);
			fill(p, 0, sizes[j]);
			assert_int_equal(0, check());
			release(p);
		}
}

static void resize_in_place_within_slot_or_pages(void **state)
{
	char *p = alloc(88), *l = alloc(200000);
	__sz size;

	(void)state;
	for (size = 88; size + RND_CANARY_LEN > 80; size--)
		assert_ptr_equal(p, resize(p, size));
	/* 80 with the canary are a class of their own */
	assert_ptr_not_equal(p, resize(p, size));
	assert_ptr_equal(l, resize(l, 199999));
	assert_int_equal(0, check());
	/* Elsewhere than at the start of its pages there is less room */
	if (rnd_seat_default() != RND_SEAT_START)
		return;
	for (size = 196609; size <= 200696; size += 13)
		assert_ptr_equal(l, resize(l, size));
	assert_int_equal(0, check());
	assert_ptr_equal(l, resize(l, 200704));
	assert_int_equal(0, check());
	assert_ptr_not_equal(l, resize(l, 200705));
	assert_int_equal(0, check());
}

/* The old canary must not become readable */
static void resize_clears_what_it_adds(void **state)
{
	__u8 *p = alloc(66), *l = alloc(197000);
	__sz size, at;

	(void)state;
	for (size = 67; size <= 72; size++) {
		assert_ptr_equal(p, resize(p, size));
		for (at = 66; at < size; at++)
			assert_int_equal(0, p[at]);
	}
	for (size = 197001; size < 197100; size++) {
		l = resize(l, size);
		for (at = 197000; at < size; at++)
			assert_int_equal(0, l[at]);
	}
}

static void resize_of_nothing_and_to_nothing(void **state)
{
	void *p = resize(NULL, 50);

	(void)state;
	assert_non_null(p);
	assert_null(resize(p, 0));
	p = resize(NULL, 0);
	assert_non_null(p);
	p = resize(p, 100);
	assert_non_null(p);
	memset(p, 1, 100);
	assert_null(resize(p, 0));
	assert_null(resize(alloc(200000), 0));
	assert_null(resize(alloc(0), 0));
	assert_int_equal(0, h->dyn->large.t.live_cnt);
	assert_int_equal(0, check());
}

static void resize_failure_keeps_the_object(void **state)
{
	static const __sz impossible[] = { ~0UL, ~0UL - 8, 1UL << 63, 1UL << 62,
					   1UL << 46 };
	unsigned int i, j;
	__u8 *p;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = alloc(sizes[i]);
		fill(p, 0, sizes[i]);
		for (j = 0; j < ARRAY_SIZE(impossible); j++)
			assert_null(resize(p, impossible[j]));
		fake_port_fail_from(FAKE_ANY, 1);
		assert_null(resize(p, 900000));
		fake_port_fail_from(FAKE_ANY, 0);
		assert_filled(p, sizes[i]);
		assert_int_equal(0, check());
		release(p);
	}
}

static void resize_keeps_the_kind_check(void **state)
{
	void *p = rnd_memalign(h, 256, 100, RND_KIND_MALLOC, 0);

	(void)state;
	p = resize(p, 120);
	assert_non_null(p);
	release(p);
	assert_int_equal(0, check());
}

/* Another CPU resizes and thereby frees */
static void resize_of_another_cpus_object(void **state)
{
	__u8 *p = alloc(100);

	(void)state;
	fill(p, 0, 100);
	fake_port_set_cpu(2);
	p = resize(p, 104);
	p = resize(p, 3000);
	assert_filled(p, 100);
	assert_int_equal(1, h->dyn->cpus.table[2]->remote_frees);
	assert_int_equal(0, check());
	release(p);
	assert_int_equal(0, check());
}

static void free_pointer(void *ptr)
{
	home_free(h, ptr, RND_KIND_MALLOC);
}

static void requested_ends_where_the_canary_begins(void **state)
{
	__u8 *p = alloc(50);
	__sz len = rnd_requested(h, p, "test", 0);

	(void)state;
	if (!RND_OPT_CANARY)
		skip();
	p[len] ^= 1;
	assert_non_null(strstr(fake_port_abort_text(free_pointer, p),
			       "BUG: overflow: "));
}

static void requested_changes_nothing(void **state)
{
	unsigned int i;
	void *p;

	(void)state;
	assert_int_equal(0, rnd_requested(h, NULL, "test", 0));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = alloc(sizes[i]);
		assert_true(rnd_requested(h, p, "test", 0) == sizes[i]);
		assert_true(rnd_requested(h, p, "test", 0) == sizes[i]);
		assert_int_equal(0, check());
		release(p);
	}
	assert_int_equal(0, rnd_requested(h, alloc(0), "test", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(resize_keeps_contents),
		UNIT_TEST(resize_in_place_within_slot_or_pages),
		UNIT_TEST(resize_clears_what_it_adds),
		UNIT_TEST(resize_of_nothing_and_to_nothing),
		UNIT_TEST(resize_failure_keeps_the_object),
		UNIT_TEST(resize_keeps_the_kind_check),
		UNIT_TEST(resize_of_another_cpus_object),
		UNIT_TEST(requested_ends_where_the_canary_begins),
		UNIT_TEST(requested_changes_nothing),
	};

	return cmocka_run_group_tests_name("resize", tests, NULL, NULL);
}
