/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of region.c: groups, guards and the order of slabs
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

#include "config.h"
#include "fake_port.h"
#include "fixture_region.h"

#define UNIT_TEST(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

static void region_take_gives_each_index_once_r2(void **state)
{
	struct rnd_slab *s;
	unsigned int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		s = take();
		assert_true(s->idx < MAX_SLABS);
		assert_int_equal(0, seen[s->idx]);
		seen[s->idx] = 1;
		assert_ptr_equal(rnd_region_slab(&r, s->idx), s);
		assert_true(s->base == slab_base(s->idx));
		assert_int_equal(SC, s->sc);
		assert_int_equal(OWNER, s->owner);
		assert_int_equal(1, s->committed);
		assert_true(rnd_slab_is_valid(s, rnd_region_states(&r, s)));
		assert_true(fake_port_is_committed(s->base, slab_len()));
		assert_int_equal(i + 1, dyn.slab_cnt);
	}
}

static void region_guards_are_never_committed_r3(void **state)
{
	const __u32 end = 70 * RND_REGION_GROUP;
	struct rnd_slab *s;
	__u32 i;

	(void)state;
	while (dyn.next_idx < end || dyn.group_cnt) {
		s = take();
		seen[s->idx] = 1;
	}
	for (i = 0; i < end; i++) {
		assert_int_equal(!is_guard(i), seen[i]);
		assert_int_equal(!is_guard(i),
				 fake_port_is_backed(slab_base(i), slab_len()));
	}
}

static void region_order_in_a_group_is_random(void **state)
{
	unsigned int i, cnt = RND_OPT_GUARD_SLABS ? 16 : 32, ascending = 0;
	unsigned int first[2] = { 0 };
	__u32 last = 0, idx;

	(void)state;
	if (!RND_OPT_RANDOM_BASES)
		skip();
	for (i = 0; i < cnt; i++) {
		idx = take()->idx;
		ascending += idx > last;
		last = idx;
	}
	assert_in_range(ascending, 1, cnt - 2);

	/* Which half the first slab comes from is a fair coin */
	for (i = 0; i < 400; i++) {
		fake_port_reset(i);
		make(SC);
		first[take()->idx >= RND_REGION_GROUP / 2]++;
	}
	assert_in_range(first[0], 150, 250);
}

/* Slots are numbered through: number, place and state word of each slot of a
 * slab agree, and so do those of its neighbours
 */
static void region_numbers_slots_through_all_slabs(void **state)
{
	const struct rnd_slab *s;
	unsigned int sc, i, k;
	__u32 n;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(sc);
		make(sc);
		for (i = 0; i < 3; i++) {
			s = take();
			n = s->idx * (__u32)r.slots;
			assert_ptr_equal(r.states + n,
					 rnd_region_states(&r, s));
			for (k = 0; k <= r.slots; k++)
				assert_ptr_equal(
					(void *)(s->base +
						 (__uptr)k * r.slot_len),
					rnd_region_slot(&r, n + k));
			assert_ptr_equal((void *)slab_base(s->idx + 1),
					 rnd_region_slot(&r, n + r.slots));
		}
		/* The last one of all */
		n = r.slab_max * (__u32)r.slots - 1;
		assert_true(n < RND_SLOT_NONE);
		assert_ptr_equal((void *)(slab_base(r.slab_max) - r.slot_len),
				 rnd_region_slot(&r, n));
	}
}

/* Nobody has a guard slab, but its slots have words: they say so */
static void region_states_of_a_new_group_are_free(void **state)
{
	__u32 n;

	(void)state;
	take();
	for (n = 0; n < RND_REGION_GROUP * (__u32)r.slots; n++)
		assert_int_equal(RND_SLOT_FREE, r.states[n]);
}

static void region_metadata_is_committed_below_end_r1(void **state)
{
	unsigned int sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(sc);
		make(sc);
		open_groups_r1(6);
	}
}

/* Fewer slabs than a whole group at the end are not used */
static void region_ends_with_the_last_whole_group(void **state)
{
	__u32 cnt = 0;

	(void)state;
	r.slab_max = 2 * RND_REGION_GROUP + RND_REGION_GROUP - 1;
	while (rnd_region_take(&r, &vs, OWNER))
		cnt++;
	assert_int_equal(RND_OPT_GUARD_SLABS ? RND_REGION_GROUP :
					       2 * RND_REGION_GROUP,
			 cnt);
	assert_int_equal(2 * RND_REGION_GROUP, rnd_region_opened(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(region_take_gives_each_index_once_r2),
		UNIT_TEST(region_guards_are_never_committed_r3),
		UNIT_TEST(region_order_in_a_group_is_random),
		UNIT_TEST(region_numbers_slots_through_all_slabs),
		UNIT_TEST(region_states_of_a_new_group_are_free),
		UNIT_TEST(region_metadata_is_committed_below_end_r1),
		UNIT_TEST(region_ends_with_the_last_whole_group),
	};

	return cmocka_run_group_tests_name("region_take", tests, NULL, NULL);
}
