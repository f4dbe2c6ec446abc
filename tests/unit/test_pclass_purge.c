/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of pclass.c: giving memory back
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
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_port.h"
#include "fixture_pclass.h"

#define UNIT_TEST(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

/* Makes many slabs and frees all of their slots */
static void make_empty_slabs(void)
{
	static __u32 live[20000];
	__u32 i;

	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	for (i = 0; i < ARRAY_SIZE(live); i++)
		push(live[i]);
	rnd_pclass_flush(&pl);
	assert_sound();
	assert_true(pl.empty_cnt > 2 * RND_EMPTY_BATCH);
}

/* Visits of rnd_pclass_age() until the next one purges */
static void age(void)
{
	__u32 i, slabs = dyn.slab_cnt;

	for (i = 0; i < RND_EMPTY_AGE - 1; i++)
		rnd_pclass_age(&pl);
	assert_int_equal(slabs, dyn.slab_cnt);
}

/* Slabs that a visit purges */
static __u32 batch(void)
{
	return (__u32)MIN(RND_EMPTY_BATCH,
			  DIV_ROUND_UP(RND_EMPTY_LEN, r.slab_len));
}

/* The first round only finds out how many are not needed */
static void pclass_empty_slabs_are_purged_when_old_p4(void **state)
{
	__u32 cnt, visits = 0;
	__bool more = 1;

	(void)state;
	make_empty_slabs();
	cnt = pl.empty_cnt;
	age();
	assert_false(rnd_pclass_age(&pl));
	assert_int_equal(cnt, pl.empty_cnt);
	age();
	while (pl.empty_cnt) {
		assert_true(more);
		more = rnd_pclass_age(&pl);
		visits++;
		assert_int_equal(cnt - MIN(cnt, batch() * visits),
				 pl.empty_cnt);
		assert_sound();
	}
	assert_true(!more || !rnd_pclass_age(&pl));
	assert_true(visits > 2);
	assert_true(vs.user * RND_PAGE_LEN == (__sz)dyn.slab_cnt * r.slab_len);
}

/* What was needed in between is not too much */
static void pclass_empty_slabs_in_use_are_kept_p4(void **state)
{
	__u32 low, cnt;

	(void)state;
	make_empty_slabs();
	age();
	rnd_pclass_age(&pl);
	/* Nearly all are in use for a while */
	while (pl.empty_cnt > 3)
		(void)pop();
	low = pl.empty_low;
	assert_in_range(low, 0, 3);
	make_empty_slabs();
	cnt = pl.empty_cnt;
	age();
	rnd_pclass_age(&pl);
	assert_in_range(pl.empty_cnt, cnt - low, cnt);
	assert_sound();
}

/* Slabs with used slots are taken from before free ones */
static void pclass_empty_slabs_are_used_last(void **state)
{
	__u32 n = pop();
	struct rnd_slab *s = rnd_pclass_slab(&pl, n);

	(void)state;
	make_empty_slabs();
	/* Its turn comes before that of the first free one */
	while (s->listed) {
		assert_null(s->prev && s->prev->free_cnt == s->slots ? s :
								       NULL);
		(void)pop();
	}
	assert_true(s->active || !s->free_cnt);
	assert_sound();
}

static void pclass_purge_keeps_used_slabs(void **state)
{
	__u32 n, slabs;
	__sz len;

	(void)state;
	n = pop();
	rnd_pclass_flush(&pl);
	slabs = dyn.slab_cnt;
	assert_true(slabs > 1);
	len = rnd_pclass_purge(&pl);
	assert_true(len ==
		    (slabs - 1) * (__sz)r.slab_len + fake_port.discarded);
	assert_int_equal(1, dyn.slab_cnt);
	assert_int_equal(0, pl.active_cnt);
	assert_int_equal(1, rnd_pclass_slab(&pl, n)->committed);
	assert_sound();

	push(n);
	rnd_pclass_flush(&pl);
	assert_true(rnd_pclass_purge(&pl) == r.slab_len);
	assert_int_equal(0, dyn.slab_cnt);
	/* What the fast path looks at stays as it was */
	assert_true(pl.end >= r.slab_len);
	(void)pop();
	assert_sound();
}

/* As many as are enough, active ones when there are no others, no used one */
static void pclass_trim_stops_when_enough(void **state)
{
	__u32 n, cnt, slabs;
	__sz want;

	(void)state;
	n = pop();
	make_empty_slabs();
	cnt = dyn.slab_cnt - 1;
	assert_true(rnd_pclass_trim(&pl, 1) == r.slab_len);
	assert_int_equal(cnt, dyn.slab_cnt);
	want = 3 * (__sz)r.slab_len;
	assert_true(rnd_pclass_trim(&pl, want) == want);
	assert_true(rnd_pclass_trim(&pl, want - 1) == want);
	assert_int_equal(cnt - 6, dyn.slab_cnt);
	assert_true(rnd_pclass_trim(&pl, 0) == 0);
	assert_int_equal(cnt - 6, dyn.slab_cnt);
	assert_sound();

	/* Some are active again */
	push(pop());
	rnd_pclass_flush(&pl);
	assert_true(pl.active_cnt > 0);
	slabs = dyn.slab_cnt - 1;
	assert_true(rnd_pclass_trim(&pl, __SZ_MAX) == slabs * (__sz)r.slab_len);
	assert_true(rnd_pclass_trim(&pl, __SZ_MAX) == 0);
	assert_int_equal(1, dyn.slab_cnt);
	assert_int_equal(1, rnd_pclass_slab(&pl, n)->committed);
	assert_int_equal(0, fake_port.discards);
	assert_sound();
}

/* What was not enough for goes soon */
static void pclass_trim_leaves_old_slabs(void **state)
{
	static const unsigned int classes[] = { SC, 23, 48 };
	__u32 i, j, cnt;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		fake_port_reset(5);
		make(classes[i]);
		for (j = 0; j < 40U * RND_EMPTY_BATCH * r.slots / 8; j++)
			(void)pop();
		for (j = 0; j < dyn.next_idx << r.slot_shift; j++)
			if (pl.states[j] & RND_SLOT_TAKEN)
				push(j);
		rnd_pclass_flush(&pl);
		(void)rnd_pclass_trim(&pl, 1);
		cnt = pl.empty_cnt;
		assert_true(cnt > 2 * RND_EMPTY_BATCH);
		assert_true(rnd_pclass_age(&pl));
		assert_int_equal(cnt - batch(), pl.empty_cnt);
		while (rnd_pclass_age(&pl))
			assert_sound();
		assert_int_equal(0, pl.empty_cnt);
		assert_int_equal(0, dyn.slab_cnt);
	}
}

/* The pages that a purge takes out of slabs in use: all that only free slots
 * touch, no other
 */
static void check_discard(unsigned int sc, __u32 keep)
{
	static __u32 live[4000];
	__u32 i, j, cnt = 0;
	__uptr page, first, last;
	__sz pages = 0;

	fake_port_reset(5);
	make(sc);
	for (i = 0; i < 2U * pl.pool_max; i++)
		live[cnt++] = pop();
	for (j = 0, i = 0; i < cnt; i++)
		if (i % keep)
			push(live[i]);
		else
			live[j++] = live[i];
	cnt = j;
	for (i = 0; i < cnt; i++)
		memset(rnd_pclass_slot(&pl, live[i]), 0xa5, pl.slot_len);
	rnd_pclass_flush(&pl);
	rnd_pclass_purge(&pl);
	assert_sound();

	for (i = 0; i < dyn.next_idx; i++) {
		struct rnd_slab *s = rnd_region_slab(&r, i);

		if (!s->committed)
			continue;
		for (page = s->base; page < s->base + r.slab_len;
		     page += RND_PAGE_LEN) {
			first = (page - r.base) / pl.slot_len;
			last = (page + RND_PAGE_LEN - 1 - r.base) / pl.slot_len;
			while (first <= last && is_in_bitmap((__u32)first))
				first++;
			pages += first > last;
		}
	}
	assert_true(fake_port.discarded == pages * RND_PAGE_LEN);
	for (i = 0; i < cnt; i++)
		for (j = 0; j < pl.slot_len; j++)
			assert_int_equal(0xa5, ((__u8 *)rnd_pclass_slot(
						       &pl, live[i]))[j]);
}

static void pclass_purge_discards_unused_pages(void **state)
{
	static const unsigned int classes[] = { 1, 6, 19, 30, 34, 43 };
	static const __u32 keeps[] = { 2, 7, 60, 500 };
	unsigned int i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(classes); i++)
		for (j = 0; j < ARRAY_SIZE(keeps); j++)
			check_discard(classes[i], keeps[j]);
	/* Otherwise nothing was tested */
	assert_true(fake_port.discards > 0);
}

/* Visits until the pages of an idle part are given back, and none before */
static __sz idle(__u32 visits)
{
	__u32 i;

	fake_port.discarded = 0;
	for (i = 0; i < visits - 1; i++)
		rnd_pclass_age(&pl);
	assert_true(fake_port.discarded == 0);
	rnd_pclass_age(&pl);

	return fake_port.discarded;
}

/* Pages under free slots of the slabs that the pool has slots of, whether in
 * pool, quarantine or bitmap
 */
static __sz idle_pages(void)
{
	__u8 is_drawn[RND_IDLE_SLABS] = { 0 };
	__uptr page;
	__sz pages = 0;
	__u32 i, n, last;

	for (i = 0; i < pl.pool_cnt; i++)
		is_drawn[pl.pool[i] >> r.slot_shift] = 1;
	for (i = 0; i < RND_IDLE_SLABS; i++)
		for (page = 0; is_drawn[i] && page < r.slab_len;
		     page += RND_PAGE_LEN) {
			n = (i << r.slot_shift) + (__u32)page / pl.slot_len;
			last = (i << r.slot_shift) +
			       (__u32)(page + RND_PAGE_LEN - 1) / pl.slot_len;
			while (n <= last && !(pl.states[n] & RND_SLOT_TAKEN))
				n++;
			pages += n > last;
		}

	return pages * RND_PAGE_LEN;
}

static void pclass_idle_pages_are_given_back(void **state)
{
	static const unsigned int classes[] = { 9, 16, 23, 24, 31, 43, 48 };
	__u32 live[9], other, i, j, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		fake_port_reset(5);
		make(classes[i]);
		for (j = 0; j < 3 * pl.pool_max; j++)
			push(pop());
		for (j = 0; j < ARRAY_SIZE(live); j++) {
			live[j] = pop();
			memset(rnd_pclass_slot(&pl, live[j]), 0xa5,
			       pl.slot_len);
		}
		/* Another CPU is about to clear it */
		other = live[0];
		pl.states[other] = rnd_state_freed(RND_SLOT_REMOTE, 9);

		/* The first visit sees what happened since the last one. A
		 * part that is used again has to be idle for longer
		 */
		for (k = 0; k < RND_IDLE_MAX + 2U; k++) {
			fake_port.discarded = 0;
			rnd_pclass_age(&pl);
			assert_true(idle(RND_IDLE_AGE(MIN(k, RND_IDLE_MAX))) ==
				    idle_pages());
			assert_true(fake_port.discarded > 0);
			/* Once */
			assert_true(idle(500) == 0);
			(void)pop();
		}
		pl.states[other] = pl.live;
		assert_sound();
		for (j = 0; j < ARRAY_SIZE(live); j++)
			assert_null(memchr(rnd_pclass_slot(&pl, live[j]), 0,
					   pl.slot_len));
	}
}

/* What was written after it was freed is found before it is forgotten */
static void report_purge(void *arg)
{
	(void)arg;
	rnd_pclass_purge(&pl);
}

static void report_trim(void *arg)
{
	(void)arg;
	rnd_pclass_trim(&pl, __SZ_MAX);
}

static void report_idle(void *arg)
{
	__u32 i;

	(void)arg;
	for (i = 0; i < 600; i++)
		rnd_pclass_age(&pl);
}

/* The pool has a slot of the same slab: who is idle looks at such slabs */
static __bool has_neighbour(__u32 n)
{
	__u32 i = 0;

	while (i < pl.pool_cnt &&
	       pl.pool[i] >> pl.slot_shift != n >> pl.slot_shift)
		i++;

	return i < pl.pool_cnt;
}

static void pclass_given_back_memory_is_verified(void **state)
{
	void (*const fns[])(void *arg) = { report_purge, report_trim,
					   report_idle };
	char line[120];
	unsigned int i;
	const char *text;
	__u32 n = 0, j;
	char *p;

	(void)state;
	if (!RND_OPT_WAF)
		return;
	for (i = 0; i < ARRAY_SIZE(fns); i++) {
		fake_port_reset(5);
		make(43);
		for (j = 0; j < 200 || !has_neighbour(n); j++) {
			assert_true(j < 5000);
			push(n = pop());
		}
		p = rnd_pclass_slot(&pl, n);
		(void)snprintf(line, sizeof(line),
			       "ukallocrnd: BUG: write after free: ptr=0x%lx "
			       "class=34816 caller=0x0\n  found by purge()\n",
			       (__uptr)p);
		/* A purge looks at slabs, not at what waits */
		if (fns[i] != report_idle)
			rnd_pclass_flush(&pl);
		p[20000] = 1;
		text = fake_port_abort_text(fns[i], NULL);
		assert_ptr_equal(text, strstr(text, line));
		assert_non_null(strstr(text, "  freed by CPU 1"));
		assert_non_null(strstr(text, "first changed byte: offset "
					     "20000\n"));
		p[20000] = 0;
		fns[i](NULL);
		assert_true(fake_port.discarded || !dyn.slab_cnt);
	}
}

/* Who is there now and then keeps it, and so do short slots, whose pages are
 * never without a used one
 */
static void pclass_pages_in_use_are_kept(void **state)
{
	__u32 i;

	(void)state;
	make(20);
	for (i = 0; i < 100; i++) {
		(void)pop();
		assert_true(idle(RND_IDLE_AGE(0) - 1) == 0);
	}
	/* A free may undo what a draw did, but hardly twice */
	for (i = 0; RND_OPT_RANDOM_SLOTS && i < 100; i++) {
		push(pop());
		push(pop());
		assert_true(idle(RND_IDLE_AGE(0) / 2) == 0);
	}
	make(8);
	for (i = 0; i < 3 * pl.pool_max; i++)
		push(pop());
	assert_true(idle(500) == 0);
}

/* Class 0 has no memory */
static void pclass_purge_of_class_0_is_nothing(void **state)
{
	(void)state;
	make(0);
	push(pop());
	rnd_pclass_flush(&pl);
	assert_int_equal(0, rnd_pclass_trim(&pl, __SZ_MAX));
	assert_int_equal(0, rnd_pclass_purge(&pl));
	assert_int_equal(0, fake_port.discards);
	assert_sound();
}

/* C3: neither purged at once nor by rnd_pclass_purge() */
static void pclass_visited_slab_is_not_purged_c3(void **state)
{
	static const __u32 visits[] = { RND_SLAB_IN_INBOX, RND_SLAB_VISITOR,
					RND_SLAB_VISITOR | RND_SLAB_IN_INBOX };
	__u32 i, n = pop();
	struct rnd_slab *s = rnd_pclass_slab(&pl, n);

	(void)state;
	push(n);
	rnd_pclass_flush(&pl);
	for (i = 0; i < ARRAY_SIZE(visits); i++) {
		s->visit = visits[i];
		rnd_pclass_trim(&pl, __SZ_MAX);
		rnd_pclass_purge(&pl);
		assert_int_equal(1, s->committed);
		assert_int_equal(1, s->listed);
		assert_int_equal(1, dyn.slab_cnt);
	}
	s->visit = 0;
	rnd_pclass_purge(&pl);
	assert_int_equal(0, s->committed);
	assert_int_equal(0, dyn.slab_cnt);
}

/* Those in front of it are, if they are wanted */
static void pclass_trim_passes_a_visited_slab_c3(void **state)
{
	struct rnd_slab *s;
	__u32 slabs;

	(void)state;
	make_empty_slabs();
	rnd_pclass_trim(&pl, 0);
	s = pl.partial_last;
	s->visit = RND_SLAB_VISITOR;
	slabs = dyn.slab_cnt;
	assert_true(rnd_pclass_trim(&pl, 1) == r.slab_len);
	assert_true(rnd_pclass_trim(&pl, __SZ_MAX) ==
		    (slabs - 2) * (__sz)r.slab_len);
	assert_int_equal(1, s->committed);
	assert_int_equal(1, s->listed);
	assert_int_equal(1, pl.empty_cnt);
	assert_sound();
	s->visit = 0;
	assert_true(rnd_pclass_trim(&pl, 1) == r.slab_len);
	assert_int_equal(0, dyn.slab_cnt);
}

/* Neither is it purged when it is old */
static void pclass_visited_slab_does_not_age_c3(void **state)
{
	struct rnd_slab *s;
	__u32 cnt;

	(void)state;
	make_empty_slabs();
	age();
	rnd_pclass_age(&pl);
	age();
	s = pl.partial_last;
	s->visit = RND_SLAB_VISITOR;
	cnt = pl.empty_cnt;
	rnd_pclass_age(&pl);
	assert_int_equal(cnt, pl.empty_cnt);
	assert_int_equal(1, s->committed);
	assert_int_equal(1, s->listed);
	s->visit = 0;
	rnd_pclass_purge(&pl);
	assert_int_equal(0, s->committed);
	assert_int_equal(0, dyn.slab_cnt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pclass_empty_slabs_are_purged_when_old_p4),
		UNIT_TEST(pclass_empty_slabs_in_use_are_kept_p4),
		UNIT_TEST(pclass_empty_slabs_are_used_last),
		UNIT_TEST(pclass_purge_keeps_used_slabs),
		UNIT_TEST(pclass_trim_stops_when_enough),
		UNIT_TEST(pclass_trim_leaves_old_slabs),
		UNIT_TEST(pclass_purge_discards_unused_pages),
		UNIT_TEST(pclass_idle_pages_are_given_back),
		UNIT_TEST(pclass_given_back_memory_is_verified),
		UNIT_TEST(pclass_pages_in_use_are_kept),
		UNIT_TEST(pclass_purge_of_class_0_is_nothing),
		UNIT_TEST(pclass_visited_slab_is_not_purged_c3),
		UNIT_TEST(pclass_trim_passes_a_visited_slab_c3),
		UNIT_TEST(pclass_visited_slab_does_not_age_c3),
	};

	return cmocka_run_group_tests_name("pclass_purge", tests, NULL, NULL);
}
