/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of region.c: place, geometry, metadata and end
 *
 * links: tests/unit/fixture_region.c lib/ukallocrnd/region.c
 *	lib/ukallocrnd/slab.c lib/ukallocrnd/sizeclass.c
 *	lib/ukallocrnd/vspace.c lib/ukallocrnd/rng.c
 *	lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c tests/unit/fake_port.c
 *	lib/ukallocrnd/report.c lib/ukallocrnd/format.c
 *	tests/unit/fake_assert.c
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
#include "fixture_region.h"

#define UNIT_TEST(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

static unsigned int window_cnt(void)
{
	unsigned int i, cnt = 0;

	for (i = 0; i < RND_WINDOW_COUNT; i++)
		cnt += (unsigned int)(used[i / 64] >> (i % 64)) & 1U;

	return cnt;
}

static void region_lies_in_the_window_it_marks(void **state)
{
	unsigned int sc;
	__sz len;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(sc);
		make(sc);
		assert_int_equal(1, window_cnt());
		assert_true((used[r.base >> RND_WINDOW_SHIFT >> 6] >>
			     (r.base >> RND_WINDOW_SHIFT & 63)) &
			    1);
		len = r.slab_max * slab_len();
		assert_true(r.base >> RND_WINDOW_SHIFT ==
			    (r.base + len - 1) >> RND_WINDOW_SHIFT);
		assert_true(fake_port_is_reserved(r.base, len));
		/* As many slabs as there is room for */
		assert_true(len <= RND_REGION_LEN(RND_REGION_SHIFT));
		assert_true(len + slab_len() >
			    RND_REGION_LEN(RND_REGION_SHIFT));
		assert_int_equal(0, fake_port.committed);
		rnd_region_destroy(&r);
		assert_int_equal(0, fake_port.reserved);
	}
}

static void region_copies_the_geometry_of_its_class(void **state)
{
	const struct rnd_sizeclass *geo;
	unsigned int sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(sc);
		make(sc);
		geo = &rnd_sizeclass[sc];
		assert_int_equal(sc, r.sc);
		assert_true(r.inverse == geo->inverse);
		assert_int_equal(geo->slot_len, r.slot_len);
		assert_int_equal(geo->slots, r.slots);
		assert_int_equal(geo->slot_shift, r.slot_shift);
		assert_int_equal(slab_len(), r.slab_len);
		assert_true(r.desc_step + RND_SLAB_META_LEN(geo->slots) == 0);
		assert_ptr_equal(&dyn, r.dyn);
		rnd_region_destroy(&r);
	}
}

/* One reservation: guard, all descriptors, guard, all state words, guard */
static void region_metadata_lies_between_guards(void **state)
{
	unsigned int sc;
	__uptr start, end;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(sc);
		make(sc);
		start = descs_start(r.slab_max) - RND_PAGE_LEN;
		end = states_end(r.slab_max) + RND_PAGE_LEN;
		assert_true((__uptr)r.states == descs_end() + RND_PAGE_LEN);
		assert_int_equal(0, descs_end() % RND_PAGE_LEN);
		assert_true(fake_port_is_reserved(start, end - start));
		assert_true(fake_port.reserved ==
			    r.slab_max * slab_len() + (end - start));

		/* Only an opened group has more */
		take();
		assert_false(fake_port_is_backed(start, RND_PAGE_LEN));
		assert_false(fake_port_is_backed(descs_end(), RND_PAGE_LEN));
		assert_false(
			fake_port_is_backed(end - RND_PAGE_LEN, RND_PAGE_LEN));
		rnd_region_destroy(&r);
		assert_int_equal(0, fake_port.reserved);
	}
}

static void region_avoids_used_windows(void **state)
{
	struct rnd_region other[20];
	struct rnd_region_dyn other_dyn[20];
	unsigned int i;

	(void)state;
	memset(other_dyn, 0, sizeof(other_dyn));
	/* 21 of them in 21 windows */
	rnd_region_destroy(&r);
	memset(used, 0, sizeof(used));
	fake_port.va_end =
		ALIGN_UP(fake_port.va_start, 1UL << RND_WINDOW_SHIFT) +
		(22UL << RND_WINDOW_SHIFT);
	assert_int_equal(0, rnd_region_init(&r, &dyn, SC, &vs, used));
	for (i = 0; i < 20; i++) {
		assert_int_equal(0, rnd_region_init(&other[i], &other_dyn[i], i,
						    &vs, used));
		assert_int_equal(i + 2, window_cnt());
	}
}

static void region_shrinks_in_a_small_space(void **state)
{
	unsigned int w;

	(void)state;
	/* Fixed places are tried at the start of a window only */
	if (!RND_OPT_RANDOM_BASES)
		skip();
	rnd_region_destroy(&r);
	memset(used, 0, sizeof(used));
	/* All but 200 MiB in the middle of each window are taken */
	fake_port.va_end = fake_port.va_start + (4UL << RND_WINDOW_SHIFT);
	for (w = 0; w < 4; w++) {
		fake_port_occupy(fake_port.va_start +
					 ((__uptr)w << RND_WINDOW_SHIFT),
				 20UL << 30);
		fake_port_occupy(fake_port.va_start +
					 ((__uptr)w << RND_WINDOW_SHIFT) +
					 (30UL << 30),
				 34UL << 30);
	}
	assert_int_equal(0, rnd_region_init(&r, &dyn, SC, &vs, used));
	assert_true(r.slab_max * slab_len() < RND_REGION_LEN(RND_REGION_SHIFT));
	assert_true(r.slab_max * slab_len() + slab_len() >
		    RND_REGION_LEN(RND_REGION_SHIFT_MIN));
	assert_int_equal(1, window_cnt());
}

static void region_init_failure_changes_nothing(void **state)
{
	unsigned int n;

	(void)state;
	rnd_region_destroy(&r);
	memset(used, 0, sizeof(used));
	assert_int_equal(0, fake_port.reserved);

	fake_port_fail_from(FAKE_RESERVE, 1);
	assert_int_equal(-ENOMEM, rnd_region_init(&r, &dyn, SC, &vs, used));
	fake_port_fail_from(FAKE_RESERVE, 2);
	assert_int_equal(-ENOMEM, rnd_region_init(&r, &dyn, SC, &vs, used));
	assert_int_equal(0, window_cnt());
	assert_int_equal(0, fake_port.reserved);

	/* One failure makes it smaller, no more */
	for (n = 1; n <= 2; n++) {
		fake_port_fail_at(FAKE_RESERVE, n);
		assert_int_equal(0, rnd_region_init(&r, &dyn, SC, &vs, used));
		assert_true(r.slab_max ==
			    RND_REGION_LEN(RND_REGION_SHIFT - 1) / slab_len());
		rnd_region_destroy(&r);
		memset(used, 0, sizeof(used));
		assert_int_equal(0, fake_port.reserved);
	}
}

static void region_zero_class_has_no_memory(void **state)
{
	struct rnd_slab *s;

	(void)state;
	fake_port_reset(1);
	make(0);
	s = take();
	assert_false(fake_port_is_backed(r.base, r.slab_max * slab_len()));
	assert_int_equal(0, vs.user);
	rnd_region_return(&r, &vs, s);
	assert_int_equal(0, fake_port.decommits);
	assert_int_equal(0, vs.user);
}

static void region_budget_is_respected(void **state)
{
	__sz slabs = 0;

	(void)state;
	vs.limit = 400;
	while (rnd_region_take(&r, &vs, OWNER))
		slabs++;
	assert_true(vs.user + vs.meta <= 400);
	assert_true(slabs == (400 - vs.meta) * RND_PAGE_LEN / slab_len());
	assert_true(fake_port.committed == (vs.user + vs.meta) * RND_PAGE_LEN);
	vs.limit = __SZ_MAX;
	take();
}

static void region_destroy_gives_back_committed_slabs(void **state)
{
	__u32 i;

	(void)state;
	for (i = 0; i < 100; i++)
		take();
	rnd_region_destroy(&r);
	assert_int_equal(0, fake_port.reserved);
	assert_int_equal(0, fake_port.committed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(region_lies_in_the_window_it_marks),
		UNIT_TEST(region_copies_the_geometry_of_its_class),
		UNIT_TEST(region_metadata_lies_between_guards),
		UNIT_TEST(region_avoids_used_windows),
		UNIT_TEST(region_shrinks_in_a_small_space),
		UNIT_TEST(region_init_failure_changes_nothing),
		UNIT_TEST(region_zero_class_has_no_memory),
		UNIT_TEST(region_budget_is_respected),
		UNIT_TEST(region_destroy_gives_back_committed_slabs),
	};

	return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
