/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of region.c: slabs that come back
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

#include <cmocka.h>

#include "fake_port.h"
#include "fixture_region.h"

#define UNIT_TEST(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

static void region_return_decommits(void **state)
{
	struct rnd_slab *s = take();

	(void)state;
	assert_true(vs.user == slab_len() / RND_PAGE_LEN);
	rnd_region_return(&r, &vs, s);
	assert_false(fake_port_is_backed(s->base, slab_len()));
	assert_int_equal(0, vs.user);
	assert_int_equal(0, dyn.slab_cnt);
	assert_int_equal(0, s->committed);
	assert_int_equal(1, dyn.recycle_cnt);
	assert_true(fake_port_is_reserved(s->base, slab_len()));
}

static void region_return_contract(void **state)
{
	struct rnd_slab *s = take();
	__u64 bits;

	(void)state;
	assert_int_equal(0, rnd_slab_grab(s, 0, 1, &bits));
	expect_assert_failure(rnd_region_return(&r, &vs, s));
	assert_true(rnd_slab_return(s, 0));
	s->listed = 1;
	expect_assert_failure(rnd_region_return(&r, &vs, s));
	s->listed = 0;
	s->active = 1;
	expect_assert_failure(rnd_region_return(&r, &vs, s));
}

static void region_recycles_oldest_first_after_enough_others(void **state)
{
	struct rnd_slab *gone[RND_REGION_RECYCLE_MIN + 5], *s;
	__u32 i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(gone); i++)
		gone[i] = take();
	for (i = 0; i < RND_REGION_RECYCLE_MIN; i++)
		rnd_region_return(&r, &vs, gone[i]);

	/* None of them yet */
	s = take();
	for (j = 0; j < ARRAY_SIZE(gone); j++)
		assert_ptr_not_equal(gone[j], s);

	/* Each more that goes brings back the oldest one */
	for (; i < ARRAY_SIZE(gone); i++) {
		rnd_region_return(&r, &vs, gone[i]);
		s = take();
		assert_ptr_equal(gone[i - RND_REGION_RECYCLE_MIN], s);
		assert_int_equal(RND_REGION_RECYCLE_MIN, dyn.recycle_cnt);
		assert_true(rnd_slab_is_valid(s, rnd_region_states(&r, s)));
		assert_true(fake_port_is_committed(s->base, slab_len()));
	}
}

static void region_recycled_slab_changes_its_owner(void **state)
{
	struct rnd_slab *s;
	__u32 i;

	(void)state;
	for (i = 0; i <= RND_REGION_RECYCLE_MIN; i++)
		rnd_region_return(&r, &vs, take());
	s = rnd_region_take(&r, &vs, OWNER + 1);
	assert_int_equal(OWNER + 1, s->owner);
	assert_int_equal(s->slots, s->free_cnt);
}

/* It is what a report about an earlier free needs */
static void region_recycled_slab_keeps_who_freed(void **state)
{
	const __u16 freed = rnd_state_freed(RND_SLOT_FREED, 9);
	struct rnd_slab *s = take();
	__u16 *states = rnd_region_states(&r, s);
	__u32 i;

	(void)state;
	states[0] = freed;
	states[3] = freed;
	states[s->slots - 1] = freed;
	rnd_region_return(&r, &vs, s);
	assert_int_equal(freed, states[3]);
	for (i = 0; i < RND_REGION_RECYCLE_MIN; i++)
		rnd_region_return(&r, &vs, take());

	assert_ptr_equal(s, take());
	assert_int_equal(freed, states[0]);
	assert_int_equal(RND_SLOT_FREE, states[1]);
	assert_int_equal(freed, states[3]);
	assert_int_equal(freed, states[s->slots - 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(region_return_decommits),
		UNIT_TEST(region_return_contract),
		UNIT_TEST(region_recycles_oldest_first_after_enough_others),
		UNIT_TEST(region_recycled_slab_changes_its_owner),
		UNIT_TEST(region_recycled_slab_keeps_who_freed),
	};

	return cmocka_run_group_tests_name("region_recycle", tests, NULL, NULL);
}
