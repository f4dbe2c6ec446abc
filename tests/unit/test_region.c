/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of region.c
 *
 * links: lib/ukallocrnd/slab.c lib/ukallocrnd/sizeclass.c
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
#include "region.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define OWNER	  3
/* A class with small slabs. Neither they nor the descriptors of a group are a
 * power of two
 */
#define SC	  3
#define MAX_SLABS 8192U

static struct rnd_vspace vs;
static struct rnd_region r;
static struct rnd_region_dyn dyn;
static __u64 used[RND_WINDOW_COUNT / 64];
static __u8 seen[MAX_SLABS];

static void make(unsigned int sc)
{
	memset(&r, 0, sizeof(r));
	memset(&dyn, 0, sizeof(dyn));
	memset(used, 0, sizeof(used));
	memset(seen, 0, sizeof(seen));
	rnd_vspace_init(&vs, __SZ_MAX);
	assert_int_equal(0, rnd_region_init(&r, &dyn, sc, &vs, used));
}

static int setup(void **state)
{
	(void)state;
	fake_port_reset(7);
	make(SC);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_port_reset(7);
	return 0;
}

static __sz slab_len(void)
{
	return (__sz)r.slots * r.slot_len;
}

static __uptr slab_base(__u32 idx)
{
	return r.base + idx * slab_len();
}

/* End of the state words, and of the descriptors, of the slabs below idx */
static __uptr states_end(__u32 idx)
{
	return ALIGN_UP((__uptr)(r.states + (__sz)idx * r.slots), RND_PAGE_LEN);
}

static __uptr slabs_end(__u32 idx)
{
	return ALIGN_UP(r.slabs + (__sz)idx * r.desc_len, RND_PAGE_LEN);
}

static struct rnd_slab *take(void)
{
	struct rnd_slab *s = rnd_region_take(&r, &vs, OWNER);

	assert_non_null(s);
	return s;
}

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
		assert_true(len <= 1UL << RND_REGION_SHIFT);
		assert_true(len + slab_len() > 1UL << RND_REGION_SHIFT);
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
		assert_int_equal(RND_SLAB_META_LEN(geo->slots), r.desc_len);
		assert_ptr_equal(&dyn, r.dyn);
		rnd_region_destroy(&r);
	}
}

/* One reservation: guard, all state words, guard, all descriptors, guard */
static void region_metadata_lies_between_guards(void **state)
{
	unsigned int sc;
	__uptr start, end;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(sc);
		make(sc);
		start = (__uptr)r.states - RND_PAGE_LEN;
		end = slabs_end(r.slab_max) + RND_PAGE_LEN;
		assert_true(r.slabs >= states_end(r.slab_max) + RND_PAGE_LEN);
		assert_int_equal(0, (__uptr)r.states % RND_PAGE_LEN);
		assert_int_equal(0, r.slabs % RND_PAGE_LEN);
		assert_true(fake_port_is_reserved(start, end - start));
		assert_true(fake_port.reserved ==
			    r.slab_max * slab_len() + (end - start));

		/* Only an opened group has more */
		take();
		assert_false(fake_port_is_backed(start, RND_PAGE_LEN));
		assert_false(fake_port_is_backed(r.slabs - RND_PAGE_LEN,
						 RND_PAGE_LEN));
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
	assert_true(r.slab_max * slab_len() < 1UL << RND_REGION_SHIFT);
	assert_true(r.slab_max * slab_len() >= 1UL << RND_REGION_SHIFT_MIN);
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
			    (1UL << (RND_REGION_SHIFT - 1)) / slab_len());
		rnd_region_destroy(&r);
		memset(used, 0, sizeof(used));
		assert_int_equal(0, fake_port.reserved);
	}
}

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

/* The documented places: every 2nd, then, if not always, every 8th, then every
 * 32nd slab
 */
static __bool is_guard(__u32 idx)
{
	if (!RND_OPT_GUARD_SLABS)
		return 0;
	if (RND_OPT_GUARD_EVERY || idx < 8 * RND_REGION_GROUP)
		return idx % 2 == 1;
	if (idx < 64 * RND_REGION_GROUP)
		return idx % 8 == 7;
	return idx % 32 == 31;
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
	__u32 last = 0;

	(void)state;
	if (!RND_OPT_RANDOM_BASES)
		skip();
	for (i = 0; i < cnt; i++) {
		ascending += take()->idx > last;
		last = dyn.group_cnt ? dyn.group[dyn.group_cnt - 1] : last;
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

static void open_groups_r1(__u32 groups)
{
	__u32 group, idx;

	assert_int_equal(0, rnd_region_opened(&r));
	for (group = 1; group <= groups; group++) {
		take();
		while (dyn.group_cnt)
			take();
		idx = group * RND_REGION_GROUP;
		assert_int_equal(idx, dyn.next_idx);
		assert_int_equal(idx, rnd_region_opened(&r));
		assert_true(dyn.end == idx * slab_len());
		assert_true(fake_port_is_committed(
			(__uptr)r.states, states_end(idx) - (__uptr)r.states));
		assert_false(fake_port_is_backed(states_end(idx),
						 r.slabs - states_end(idx)));
		assert_true(fake_port_is_committed(r.slabs,
						   slabs_end(idx) - r.slabs));
		assert_false(fake_port_is_backed(slabs_end(idx), RND_PAGE_LEN));
		assert_true(vs.meta == (states_end(idx) - (__uptr)r.states +
					slabs_end(idx) - r.slabs) /
					       RND_PAGE_LEN);
	}
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
	__uptr states, slabs;
	unsigned int i;
	__u32 idx;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		fake_port_reset(i);
		make(classes[i]);
		for (idx = 0; idx < 12 * RND_REGION_GROUP;
		     idx += RND_REGION_GROUP) {
			states = states_end(idx);
			slabs = slabs_end(idx);
			/* Refuse the last page that the group needs */
			vs.limit =
				vs.user + vs.meta +
				(states_end(idx + RND_REGION_GROUP) - states +
				 slabs_end(idx + RND_REGION_GROUP) - slabs) /
					RND_PAGE_LEN -
				1;
			if (vs.limit >= vs.user + vs.meta) {
				assert_null(rnd_region_take(&r, &vs, OWNER));
				assert_int_equal(idx, dyn.next_idx);
				assert_false(fake_port_is_backed(states,
								 RND_PAGE_LEN));
				assert_false(fake_port_is_backed(slabs,
								 RND_PAGE_LEN));
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
		UNIT_TEST(region_take_gives_each_index_once_r2),
		UNIT_TEST(region_guards_are_never_committed_r3),
		UNIT_TEST(region_order_in_a_group_is_random),
		UNIT_TEST(region_numbers_slots_through_all_slabs),
		UNIT_TEST(region_states_of_a_new_group_are_free),
		UNIT_TEST(region_metadata_is_committed_below_end_r1),
		UNIT_TEST(region_zero_class_has_no_memory),
		UNIT_TEST(region_return_decommits),
		UNIT_TEST(region_return_contract),
		UNIT_TEST(region_recycles_oldest_first_after_enough_others),
		UNIT_TEST(region_recycled_slab_changes_its_owner),
		UNIT_TEST(region_recycled_slab_keeps_who_freed),
		UNIT_TEST(region_failed_slab_commit_loses_nothing_r2),
		UNIT_TEST(region_failed_metadata_loses_nothing_r1),
		UNIT_TEST(region_failed_metadata_keeps_what_was_r1),
		UNIT_TEST(region_uses_old_slabs_without_new_metadata_r1),
		UNIT_TEST(region_ends_with_the_last_whole_group),
		UNIT_TEST(region_budget_is_respected),
		UNIT_TEST(region_destroy_gives_back_committed_slabs),
	};

	return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
