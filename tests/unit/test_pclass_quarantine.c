/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of pclass.c: freeing, from the quarantine to the slabs
 *
 * links: tests/unit/fixture_pclass.c lib/ukallocrnd/pclass.c
 *	lib/ukallocrnd/pclass_free.c lib/ukallocrnd/pclass_list.c
 *	lib/ukallocrnd/pclass_purge.c
 *	lib/ukallocrnd/region.c lib/ukallocrnd/quarantine.c
 *	lib/ukallocrnd/report.c lib/ukallocrnd/format.c
 *	lib/ukallocrnd/slab.c lib/ukallocrnd/sizeclass.c
 *	lib/ukallocrnd/vspace.c lib/ukallocrnd/rng.c
 *	lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c lib/ukallocrnd/fill.c
 *	tests/unit/fake_port.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config.h"
#include "fixture_pclass.h"

#define UNIT_TEST(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

static void pclass_slot_passes_the_quarantine_p2(void **state)
{
	__u32 i, n, cnt = pl.q.fifo_len, first = pop();

	(void)state;
	if (!RND_OPT_QUARANTINE)
		skip();
	push(first);
	assert_int_equal(RND_SLOT_FREED, state_of(first));
	/* With the random stage full, one free is one eviction */
	for (i = 0; i < cnt - 1; i++) {
		n = pop();
		assert_true(n != first);
		push(n);
		assert_true(rnd_quarantine_contains(&pl.q, first));
		assert_false(is_in_bitmap(first));
	}
	assert_in_range(rnd_quarantine_count(&pl.q), cnt, pl.q.ring_len);
	assert_sound();

	rnd_pclass_flush(&pl);
	assert_true(is_in_bitmap(first));
	assert_int_equal(RND_SLOT_FREED, state_of(first));
	assert_int_equal(0, rnd_quarantine_count(&pl.q));
	assert_int_equal(0, pl.pool_cnt);
	assert_sound();
}

/* The slot that leaves the quarantine is in the pool, as likely as others */
static void pclass_quarantine_feeds_the_pool(void **state)
{
	__u32 i, n, first = pop(), cnt = 0;

	(void)state;
	if (!RND_OPT_QUARANTINE)
		skip();
	push(first);
	for (n = 0; rnd_quarantine_contains(&pl.q, first); n++)
		push(pop());
	/* A random stage makes it longer */
	if (RND_QUARANTINE_RAND_LEN)
		assert_true(n >= pl.q.fifo_len);
	else
		assert_int_equal(pl.q.ring_len - 1, n);
	for (i = 0; i < pl.pool_cnt; i++)
		cnt += pl.pool[i] == first;
	assert_int_equal(1, cnt);
}

/* Much is freed and nothing drawn: the pool gives it back */
static void pclass_full_pool_spills_into_the_slabs(void **state)
{
	static __u32 live[6000];
	__u32 i, most = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	for (i = 0; i < ARRAY_SIZE(live); i++) {
		push(live[i]);
		most = MAX(most, pl.pool_cnt);
		if (i % 200 == 0)
			assert_sound();
	}
	/* A spill leaves room for what comes, and all the choice there is; it
	 * is never long
	 */
	assert_true(most > pl.pool_high - MAX(pl.q.seg_len, 1U));
	assert_true(most <= pl.pool_high);
	for (i = 0; i < RND_POOL_LEN / RND_SPILL_LEN + 1; i++) {
		most = pl.pool_cnt;
		rnd_pclass_spill(&pl);
		assert_int_equal(MAX(pl.pool_max,
				     most - MIN(most, RND_SPILL_LEN)),
				 pl.pool_cnt);
	}
	assert_int_equal(pl.pool_max, pl.pool_cnt);
	assert_sound();
}

/* What fills a segment is left to rnd_pclass_quarantine() */
static void pclass_step_leaves_the_end_of_a_segment(void **state)
{
	__u32 i, slot, floor, turns = 0;
	__bool can, turned;

	(void)state;
	if (!RND_OPT_QUARANTINE)
		skip();
	for (i = 0; turns < 4 * pl.q.ring_len / pl.q.seg_len; i++) {
		slot = pop();
		floor = pl.q.floor;
		can = rnd_pclass_can_step(&pl, &rng);
		/* A random stage wants random bits, and lets nothing through
		 * until it is full
		 */
		if (RND_QUARANTINE_RAND_LEN && !rnd_rng_has16(&rng))
			assert_false(can);
		push(slot);
		turned = pl.q.floor != floor;
		turns += turned;
		assert_false(can && turned);
		if (!RND_QUARANTINE_RAND_LEN) {
			assert_int_equal(can, !turned);
			assert_int_equal(turned,
					 i % pl.q.seg_len == pl.q.seg_len - 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pclass_slot_passes_the_quarantine_p2),
		UNIT_TEST(pclass_quarantine_feeds_the_pool),
		UNIT_TEST(pclass_full_pool_spills_into_the_slabs),
		UNIT_TEST(pclass_step_leaves_the_end_of_a_segment),
	};

	return cmocka_run_group_tests_name("pclass_quarantine", tests, NULL,
					   NULL);
}
