/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of region.c: no memory for slabs or metadata
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

static void region_failed_slab_commit_loses_nothing_r2(void **state)
{
	__u32 i, cnt = RND_OPT_GUARD_SLABS ? 16 : 32;

	(void)state;
	/* The first two commits are those of the metadata */
	fake_port_fail_at(FAKE_COMMIT, 3);
	assert_null(rnd_region_take(&r, &vs, OWNER));
	assert_int_equal(0, dyn.slab_cnt);
	assert_int_equal(0, vs.user);
	assert_int_equal(cnt - 1, dyn.group_cnt);
	assert_int_equal(1, dyn.recycle_cnt);

	/* It comes back when the region has nothing else */
	for (i = 1; i < cnt; i++)
		seen[take()->idx] = 1;
	r.slab_max = RND_REGION_GROUP;
	seen[take()->idx] = 1;
	for (i = 0; i < RND_REGION_GROUP; i++)
		assert_int_equal(!is_guard(i), seen[i]);
	assert_null(rnd_region_take(&r, &vs, OWNER));
}

/* Commits of state words and descriptors, one of which fails */
static void failed_metadata_r1(unsigned int sc, unsigned int n)
{
	fake_port_reset(sc);
	make(sc);
	fake_port_fail_at(FAKE_COMMIT, n);
	assert_null(rnd_region_take(&r, &vs, OWNER));
	assert_false(fake_port_fail_pending());
	assert_int_equal(0, dyn.end);
	assert_int_equal(0, dyn.next_idx);
	assert_int_equal(0, dyn.group_cnt);
	assert_int_equal(0, vs.meta);
	assert_int_equal(0, fake_port.committed);

	/* The next attempt finds nothing in its way */
	open_groups_r1(1);
}

static void region_failed_metadata_loses_nothing_r1(void **state)
{
	unsigned int sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		failed_metadata_r1(sc, 1);
		failed_metadata_r1(sc, 2);
	}
}

/* The same in later groups, some of which need no new page of one kind: what
 * is left is what the groups before have
 */
static void region_failed_metadata_keeps_what_was_r1(void **state)
{
	static const unsigned int classes[] = { 1, SC, 9, 20, 31, 43 };
	__uptr states, descs;
	unsigned int i;
	__u32 idx;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		fake_port_reset(i);
		make(classes[i]);
		for (idx = 0; idx < 12 * RND_REGION_GROUP;
		     idx += RND_REGION_GROUP) {
			states = states_end(idx);
			descs = descs_start(idx);
			/* Refuse the last page that the group needs */
			vs.limit =
				vs.user + vs.meta +
				(states_end(idx + RND_REGION_GROUP) - states +
				 descs - descs_start(idx + RND_REGION_GROUP)) /
					RND_PAGE_LEN -
				1;
			if (vs.limit >= vs.user + vs.meta) {
				assert_null(rnd_region_take(&r, &vs, OWNER));
				assert_int_equal(idx, dyn.next_idx);
				assert_false(fake_port_is_backed(states,
								 RND_PAGE_LEN));
				assert_false(fake_port_is_backed(
					descs - RND_PAGE_LEN, RND_PAGE_LEN));
			}
			vs.limit = __SZ_MAX;
			take();
			while (dyn.group_cnt)
				take();
			assert_int_equal(idx + RND_REGION_GROUP, dyn.next_idx);
		}
	}
}

static void region_uses_old_slabs_without_new_metadata_r1(void **state)
{
	struct rnd_slab *s = take();

	(void)state;
	while (dyn.group_cnt)
		take();
	rnd_region_return(&r, &vs, s);
	fake_port_fail_at(FAKE_COMMIT, 1);
	assert_ptr_equal(s, take());
	take();
	assert_int_equal(2 * RND_REGION_GROUP, dyn.next_idx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(region_failed_slab_commit_loses_nothing_r2),
		UNIT_TEST(region_failed_metadata_loses_nothing_r1),
		UNIT_TEST(region_failed_metadata_keeps_what_was_r1),
		UNIT_TEST(region_uses_old_slabs_without_new_metadata_r1),
	};

	return cmocka_run_group_tests_name("region_failure", tests, NULL, NULL);
}
