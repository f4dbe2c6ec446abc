/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of pclass.c: geometry, a random history, life without memory
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
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "fake_port.h"
#include "fixture_pclass.h"

#define UNIT_TEST(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

static void pclass_lengths_follow_the_slot(void **state)
{
	__sz len, most, bytes, few;
	unsigned int sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(5);
		make(sc);
		len = r.slot_len;
		assert_in_range(pl.choice, RND_CHOICE_MIN, RND_CHOICE_LEN);
		/* All the choice there may be, unless it is too much memory */
		most = len <= RND_SHORT_LEN ? RND_CHOICE_LEN :
					      RND_CHOICE_LEN * 2 / 3;
		bytes = len <= RND_BULK_SLOT_MIN ? RND_CHOICE_BYTES :
						   RND_CHOICE_BYTES / 2;
		if (len * most <= bytes)
			assert_int_equal(most, pl.choice_most);
		else
			assert_true(pl.choice_most == RND_CHOICE_MIN ||
				    (pl.choice_most * len <= bytes &&
				     (pl.choice_most + 1) * len > bytes));
		/* Long slots start with less */
		assert_int_equal(pl.choice_least, pl.choice);
		if (len <= RND_BULK_SLOT_MIN)
			assert_int_equal(pl.choice_most, pl.choice);
		else
			assert_in_range(pl.choice,
					MAX(RND_CHOICE_MIN,
					    pl.choice_most / RND_CHOICE_FEW),
					pl.choice_most);
		/* Some more, or every draw were a refill; room for a segment */
		few = len > RND_SHORT_LEN ? 9 : 4;
		assert_true(pl.pool_max - pl.choice > pl.choice / few);
		assert_true(pl.pool_high - pl.pool_max > pl.choice / few);
		assert_true(pl.pool_high + pl.q.seg_len <= RND_POOL_LEN);

		assert_in_range(pl.q.fifo_len, 1, RND_QUARANTINE_FIFO_MAX);
		assert_in_range(pl.q.rand_len, 0, RND_QUARANTINE_RAND_LEN);
		if (RND_QUARANTINE_RAND_LEN)
			assert_true(POWER_OF_2(pl.q.rand_len));
		if (RND_OPT_QUARANTINE)
			assert_true(
				(pl.q.rand_len <= 1 ||
				 pl.q.rand_len * len <=
					 RND_QUARANTINE_BYTES / 2) &&
				(pl.q.fifo_len == 1 ||
				 pl.q.fifo_len * len <= RND_QUARANTINE_BYTES));
		assert_true(pl.burst <= RND_QUARANTINE_BURST_LEN &&
			    pl.burst * len <= RND_QUARANTINE_BURST_BYTES);
	}
}

/* Who uses many long slots has more of them to choose from, until they are
 * back in their slabs
 */
static void pclass_choice_grows_with_use(void **state)
{
	static __u32 live[3000];
	__u32 i, cnt, old = 0;

	(void)state;
	make(RND_CLASS_COUNT - 22);
	assert_true(pl.slot_len > RND_BULK_SLOT_MIN);
	assert_true(pl.choice < pl.choice_most);
	for (cnt = 0; pl.choice < pl.choice_most; cnt++) {
		assert_true(cnt < ARRAY_SIZE(live));
		live[cnt] = pop();
		assert_true(pl.choice >= old);
		assert_true(least > pl.choice_least);
		old = pl.choice;
		assert_sound();
	}
	assert_in_range(pl.out, pl.choice * RND_CHOICE_SHARE,
			(pl.choice + 1) * RND_CHOICE_SHARE + pl.pool_max);
	for (i = 0; i < cnt; i++)
		push(live[i]);
	rnd_pclass_flush(&pl);
	assert_int_equal(0, pl.out);
	(void)pop();
	assert_int_equal(pl.choice_least, pl.choice);
	assert_sound();
}

/* What was kept to choose from is too much when little is in use again */
static void pclass_pool_shrinks_with_use(void **state)
{
	static __u32 live[3000];
	__u32 i, cnt, most = 0;

	(void)state;
	make(RND_CLASS_COUNT - 22);
	/* As one with a common quarantine, that is no segments at once */
	rnd_quarantine_init(&pl.q, pl.q.rand_len, 1, 1);
	for (cnt = 0; pl.choice < pl.choice_most; cnt++) {
		assert_true(cnt < ARRAY_SIZE(live));
		live[cnt] = pop();
	}
	for (i = 0; i < cnt; i++)
		push(live[i]);
	assert_sound();
	assert_int_equal(pl.choice_most, pl.choice);
	while (pl.choice == pl.choice_most) {
		most = pl.pool_cnt;
		(void)pop();
		assert_sound();
	}
	/* Otherwise nothing was tested */
	assert_true(most > pl.pool_high);
}

static void pclass_number_names_slot_slab_and_state(void **state)
{
	struct rnd_slab *s = rnd_region_take(&r, &vs, CPU);
	__u32 i, n;

	(void)state;
	assert_true(pl.live == rnd_state_live(r.slot_len, CPU, 0, 0));
	assert_true(pl.freed == rnd_state_freed(RND_SLOT_FREED, CPU));
	for (i = 0; i < s->slots; i++) {
		n = (s->idx << r.slot_shift) + i;
		assert_ptr_equal((void *)(s->base + (__uptr)i * r.slot_len),
				 rnd_pclass_slot(&pl, n));
		assert_ptr_equal(rnd_region_slot(&r, n),
				 rnd_pclass_slot(&pl, n));
		assert_ptr_equal(s, rnd_pclass_slab(&pl, n));
		assert_ptr_equal(rnd_region_states(&r, s) + i, pl.states + n);
	}
}

static void pclass_unused_part_has_nothing_p5(void **state)
{
	struct rnd_pclass unused;
	__u8 *byte = (__u8 *)&unused;
	__sz i;

	(void)state;
	memset(&unused, 0, sizeof(unused));
	assert_false(rnd_pclass_can_draw(&unused));
	assert_false(rnd_pclass_can_step(&unused, &rng));
	rnd_pclass_flush(&unused);
	assert_int_equal(0, rnd_pclass_purge(&unused));
	for (i = 0; i < sizeof(unused); i++)
		assert_int_equal(0, byte[i]);
}

static void pclass_random_history_p1_to_p4(void **state)
{
	static __u32 live[5000];
	__u32 cnt = 0, i, j, peak;

	(void)state;
	for (i = 0; i < 60000; i++) {
		/* Waves, so that slabs fill up and empty */
		peak = i / 10000 % 2 ? 100 : 4900;
		if (cnt < peak && rnd_rng_uniform(&rng, 8)) {
			live[cnt++] = pop();
		} else if (cnt) {
			j = rnd_rng_uniform(&rng, cnt);
			push(live[j]);
			live[j] = live[--cnt];
		}
		if (i % 1000 == 0)
			assert_sound();
	}
	assert_true(least > pl.choice);
	while (cnt)
		push(live[--cnt]);
	rnd_pclass_flush(&pl);
	assert_sound();
	rnd_pclass_purge(&pl);
	assert_int_equal(0, dyn.slab_cnt);
	assert_int_equal(0, vs.user);
}

static void pclass_exhaustion_is_recoverable(void **state)
{
	__u32 cnt = 0;

	(void)state;
	vs.limit = 60;
	while (try_pop() != RND_SLOT_NONE)
		cnt++;
	assert_int_equal(0, rnd_pclass_refill(&pl));
	assert_true(cnt > 0 && cnt == dyn.slab_cnt * r.slots);
	assert_true(vs.user + vs.meta <= 60);
	assert_sound();

	/* With memory there is all the choice again */
	vs.limit = 600;
	least = ~0U;
	for (cnt = 0; cnt < 3000; cnt++)
		(void)pop();
	assert_true(least > pl.choice);
	assert_sound();
}

/* A pool that cannot be filled is used up by half, and by half again */
static void pclass_less_memory_is_less_choice(void **state)
{
	__u32 left;

	(void)state;
	assert_true(rnd_pclass_refill(&pl));
	rnd_pclass_flush(&pl);
	rnd_pclass_purge(&pl);
	vs.limit = vs.meta + 2UL * r.slab_len / RND_PAGE_LEN;
	for (left = 2U * r.slots; left; left--) {
		if (!rnd_pclass_can_draw(&pl)) {
			assert_true(rnd_pclass_refill(&pl));
			assert_true(pl.pool_cnt == left ||
				    (pl.pool_cnt > pl.choice &&
				     pl.pool_cnt < MIN(left, pl.pool_max)));
			assert_int_equal(pl.pool_cnt > pl.choice ?
						 pl.choice :
						 pl.pool_cnt / 2,
					 pl.pool_min);
		}
		assert_true(rnd_pclass_can_draw(&pl));
		(void)pop();
	}
	assert_int_equal(0, rnd_pclass_refill(&pl));
	assert_int_equal(2, dyn.slab_cnt);
}

static void pclass_every_failed_commit_is_recoverable(void **state)
{
	__u32 n, cnt;

	(void)state;
	for (n = 1; n <= 12; n++) {
		fake_port_reset(5);
		make(SC);
		fake_port_fail_from(FAKE_COMMIT, n);
		cnt = 0;
		while (try_pop() != RND_SLOT_NONE)
			cnt++;
		assert_true(cnt == dyn.slab_cnt * r.slots);
		assert_true((vs.user + vs.meta) * RND_PAGE_LEN ==
			    fake_port.committed);
		assert_sound();
		fake_port_fail_from(FAKE_COMMIT, 0);
		(void)pop();
		assert_sound();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pclass_lengths_follow_the_slot),
		UNIT_TEST(pclass_choice_grows_with_use),
		UNIT_TEST(pclass_pool_shrinks_with_use),
		UNIT_TEST(pclass_number_names_slot_slab_and_state),
		UNIT_TEST(pclass_unused_part_has_nothing_p5),
		UNIT_TEST(pclass_random_history_p1_to_p4),
		UNIT_TEST(pclass_exhaustion_is_recoverable),
		UNIT_TEST(pclass_less_memory_is_less_choice),
		UNIT_TEST(pclass_every_failed_commit_is_recoverable),
	};

	return cmocka_run_group_tests_name("pclass", tests, NULL, NULL);
}
