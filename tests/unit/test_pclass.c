/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of pclass.c
 *
 * links: lib/ukallocrnd/region.c lib/ukallocrnd/quarantine.c
 *	lib/ukallocrnd/report.c lib/ukallocrnd/format.c
 *	lib/ukallocrnd/slab.c lib/ukallocrnd/sizeclass.c
 *	lib/ukallocrnd/vspace.c lib/ukallocrnd/rng.c
 *	lib/ukallocrnd/chacha.c tests/unit/fake_port.c
 *	tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "fake_port.h"
#include "pclass.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define CPU 2
#define SC  6 /* 96 bytes, 341 slots */

static struct rnd_vspace vs;
static struct rnd_region r;
static struct rnd_region_dyn dyn;
static struct rnd_canary_key key;
static struct rnd_rng rng;
static struct rnd_pclass pl;

static void make(unsigned int sc)
{
	const __u8 seed[RND_CHACHA_KEY_LEN] = { 1 };
	__u64 used[RND_WINDOW_COUNT / 64] = { 0 };

	memset(&r, 0, sizeof(r));
	memset(&dyn, 0, sizeof(dyn));
	memset(&pl, 0, sizeof(pl));
	rnd_vspace_init(&vs, __SZ_MAX);
	assert_int_equal(0, rnd_region_init(&r, &dyn, sc, &vs, used));
	rnd_rng_init(&rng, seed);
	rnd_canary_key_init(&key, 1, 2);
	rnd_pclass_init(&pl, &r, &key, &vs, &rng, CPU);
}

static int setup(void **state)
{
	(void)state;
	fake_port_reset(5);
	make(SC);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_port_reset(5);
	return 0;
}

static struct rnd_slab *slab_of(__u64 ref)
{
	return rnd_region_slab(
		&r, (__u32)(((__uptr)rnd_ref_slot(&pl, ref) - r.base) >>
			    r.slab_shift));
}

static __u16 state_of(__u64 ref)
{
	return *rnd_ref_state(&pl, ref) & RND_STATE_MASK;
}

/* Pops like malloc; the slot is live then */
static __u64 pop(void)
{
	__u64 ref;

	if (!pl.mag_cnt)
		assert_true(rnd_pclass_refill(&pl));
	ref = pl.mag[--pl.mag_cnt];
	assert_int_equal(RND_SLOT_DRAWN, state_of(ref));
	*rnd_ref_state(&pl, ref) = rnd_state_live(RND_KIND_MALLOC, 8);
	return ref;
}

/* What free does */
static void push(__u64 ref)
{
	*rnd_ref_state(&pl, ref) = rnd_state_freed(RND_SLOT_QUARANTINED, CPU);
	rnd_pclass_quarantine(&pl, ref);
}

/* P3, P4 and the lists */
static void assert_lists(void)
{
	__u32 i, idx, empty = 0, listed = 0;
	struct rnd_slab *s;

	for (s = pl.partial; s; s = s->next) {
		assert_true(s->listed && !s->active && s->free_cnt);
		assert_true(!s->next || s->next->prev == s);
		empty += s->free_cnt == s->slots;
		listed++;
	}
	assert_int_equal(empty, pl.empty_cnt);
	assert_true(pl.empty_cnt <= RND_EMPTY_MAX);
	for (i = 0; i < pl.active_cnt; i++) {
		s = pl.active[i];
		assert_true(s->active && !s->listed && s->free_cnt);
	}
	for (; i < RND_ACTIVE_MAX; i++)
		assert_null(pl.active[i]);

	for (idx = 0; idx < dyn.next_idx; idx++) {
		s = rnd_region_slab(&r, idx);
		if (!s->committed)
			continue;
		assert_int_equal(CPU, s->owner);
		assert_true(rnd_slab_is_valid(s));
		assert_int_equal(s->free_cnt != 0, s->active || s->listed);
		listed -= s->listed;
	}
	assert_int_equal(0, listed);
}

static void pclass_lengths_follow_the_slot(void **state)
{
	__u32 rand_len;
	unsigned int sc;
	__sz len;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(5);
		make(sc);
		len = r.slot_len;
		assert_in_range(pl.mag_max, 1, RND_MAGAZINE_LEN);
		assert_true(pl.mag_max == 1 ||
			    pl.mag_max * len <= RND_MAGAZINE_BYTES);
		assert_in_range(pl.choice, RND_CHOICE_MIN, RND_CHOICE_MAX);
		rand_len = pl.q.rand_mask + 1;
		assert_true(POWER_OF_2(rand_len));
		assert_in_range(rand_len, 1, RND_QUARANTINE_RAND_LEN);
		assert_in_range(pl.q.fifo_len, 1, RND_QUARANTINE_FIFO_LEN);
		if (RND_OPT_QUARANTINE)
			assert_true(
				(rand_len == 1 ||
				 rand_len * len <= RND_QUARANTINE_BYTES / 2) &&
				(pl.q.fifo_len == 1 ||
				 pl.q.fifo_len * len <= RND_QUARANTINE_BYTES));
	}
}

static void pclass_reference_names_slot_and_state(void **state)
{
	struct rnd_slab *s = rnd_region_take(&r, &vs, CPU);
	__u32 i;
	__u64 ref;
	void *slot;

	(void)state;
	for (i = 0; i < s->slots; i++) {
		slot = (void *)(s->base + (__uptr)i * r.slot_len);
		ref = rnd_ref_make(&r, slot, rnd_slab_states(s) + i);
		assert_true(ref != 0);
		assert_ptr_equal(slot, rnd_ref_slot(&pl, ref));
		assert_ptr_equal(rnd_slab_states(s) + i,
				 rnd_ref_state(&pl, ref));
	}
}

static void pclass_refill_draws_distinct_slots_p1(void **state)
{
	__u32 i, j;

	(void)state;
	assert_true(rnd_pclass_refill(&pl));
	assert_int_equal(MIN((__u32)pl.mag_max, pl.choice / 2), pl.mag_cnt);
	assert_int_equal(1, pl.refills);
	for (i = 0; i < pl.mag_cnt; i++) {
		assert_int_equal(RND_SLOT_DRAWN, state_of(pl.mag[i]));
		assert_int_equal(CPU, slab_of(pl.mag[i])->owner);
		for (j = 0; j < i; j++)
			assert_true(pl.mag[i] != pl.mag[j]);
	}
	assert_lists();
}

static void pclass_refill_widens_to_choice(void **state)
{
	unsigned int sc;
	__u32 i, sum, slabs;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(5);
		make(sc);
		assert_true(rnd_pclass_refill(&pl));
		for (i = 0, sum = pl.mag_cnt; i < pl.active_cnt; i++)
			sum += pl.active[i]->free_cnt;
		slabs = DIV_ROUND_UP(pl.choice, (__u32)r.slots);
		assert_int_equal(MIN(slabs, RND_ACTIVE_MAX), dyn.slab_cnt);
		assert_true(sum >= pl.choice ||
			    pl.active_cnt == RND_ACTIVE_MAX);
	}
}

static void pclass_partial_slabs_before_new_memory(void **state)
{
	__u64 refs[3000];
	__u32 i, slabs;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		refs[i] = pop();
	slabs = dyn.slab_cnt;
	assert_lists();
	for (i = 0; i < ARRAY_SIZE(refs); i += 2)
		push(refs[i]);
	rnd_pclass_flush(&pl);
	assert_lists();
	for (i = 0; i < 400; i++)
		(void)pop();
	assert_true(dyn.slab_cnt <= slabs);
	assert_lists();
}

/* One draw from a fresh class, over and over: each of the slots of the active
 * slabs as likely as any other. Both ways of drawing: the slabs are empty, or
 * full but for every eighth slot.
 */
static void check_uniform(__u32 keep)
{
	static __u32 cnt[RND_ACTIVE_MAX * RND_SLAB_SLOT_MAX];
	__u32 i, n, bins = 0, slot;
	double chi2 = 0, d, k;
	struct rnd_slab *s;
	__u64 ref;

	memset(cnt, 0, sizeof(cnt));
	assert_true(rnd_pclass_refill(&pl));
	rnd_pclass_flush_magazine(&pl);
	for (i = 0; i < pl.active_cnt; i++) {
		s = pl.active[i];
		for (slot = 0; slot < s->slots; slot++)
			if (slot % keep)
				assert_true(rnd_slab_try(s, slot));
		bins += s->free_cnt;
	}
	pl.choice = 1;
	pl.mag_max = 1;
	for (i = 0; i < bins * 100; i++) {
		assert_true(rnd_pclass_refill(&pl));
		ref = pl.mag[0];
		s = slab_of(ref);
		for (n = 0; pl.active[n] != s; n++)
			;
		slot = (__u32)(rnd_ref_state(&pl, ref) - rnd_slab_states(s));
		cnt[n * s->slots + slot]++;
		rnd_pclass_flush_magazine(&pl);
	}

	for (i = 0; i < ARRAY_SIZE(cnt); i++) {
		d = cnt[i] - 100.0;
		if (cnt[i])
			chi2 += d * d / 100.0;
		bins -= cnt[i] != 0;
	}
	assert_int_equal(0, bins);
	for (i = 0, k = 0; i < pl.active_cnt; i++)
		k += pl.active[i]->free_cnt;
	print_message("%.0f slots: chi2 %.0f\n", k, chi2);
	/* Five standard deviations: (chi2 - k)^2 < 25 * 2k */
	assert_true((chi2 - k) * (chi2 - k) < 50 * k);
}

static void pclass_draws_uniformly(void **state)
{
	(void)state;
	if (!RND_OPT_RANDOM_SLOTS)
		skip();
	check_uniform(1);
}

static void pclass_draws_uniformly_from_full_slabs(void **state)
{
	(void)state;
	if (!RND_OPT_RANDOM_SLOTS)
		skip();
	check_uniform(8);
}

static void pclass_slot_passes_the_quarantine_p2(void **state)
{
	__u32 i, cnt, held = pl.q.fifo_len;
	__u64 first = pop(), ref;

	(void)state;
	if (!RND_OPT_QUARANTINE)
		skip();
	push(first);
	assert_int_equal(RND_SLOT_QUARANTINED, state_of(first));
	for (i = 0; i < held; i++) {
		ref = pop();
		assert_true(ref != first);
		push(ref);
		assert_int_equal(RND_SLOT_QUARANTINED, state_of(first));
	}
	cnt = rnd_quarantine_count(&pl.q);
	assert_int_equal(held + 1, cnt);

	rnd_pclass_flush(&pl);
	assert_int_equal(RND_SLOT_FREE, state_of(first));
	assert_int_equal(0, rnd_quarantine_count(&pl.q));
	assert_int_equal(0, pl.mag_cnt);
	assert_lists();
}

static void pclass_random_history_p3_p4(void **state)
{
	static __u64 refs[5000];
	__u32 cnt = 0, i, j, peak;

	(void)state;
	for (i = 0; i < 60000; i++) {
		/* Waves, so that slabs fill up and empty */
		peak = i / 10000 % 2 ? 100 : 4900;
		if (cnt < peak && rnd_rng_uniform(&rng, 8)) {
			refs[cnt++] = pop();
		} else if (cnt) {
			j = rnd_rng_uniform(&rng, cnt);
			push(refs[j]);
			refs[j] = refs[--cnt];
		}
		if (i % 1000 == 0)
			assert_lists();
	}
	while (cnt)
		push(refs[--cnt]);
	rnd_pclass_flush(&pl);
	assert_lists();
	rnd_pclass_purge(&pl);
	assert_int_equal(0, dyn.slab_cnt);
	assert_int_equal(0, vs.user);
}

static void pclass_keeps_a_few_empty_slabs_p4(void **state)
{
	static __u64 refs[6000];
	__u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		refs[i] = pop();
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		push(refs[i]);
	rnd_pclass_flush(&pl);
	assert_lists();
	assert_int_equal(RND_EMPTY_MAX, pl.empty_cnt);
	assert_true(dyn.slab_cnt <= RND_EMPTY_MAX + pl.active_cnt);
	assert_true(vs.user * RND_PAGE_LEN == (__sz)dyn.slab_cnt
						      << r.slab_shift);
}

static void pclass_purge_keeps_used_slabs(void **state)
{
	__u64 ref;
	__u32 slabs;
	__sz len;

	(void)state;
	ref = pop();
	rnd_pclass_flush(&pl);
	slabs = dyn.slab_cnt;
	assert_true(slabs > 1);
	len = rnd_pclass_purge(&pl);
	assert_true(len == (__sz)(slabs - 1) << r.slab_shift);
	assert_int_equal(1, dyn.slab_cnt);
	assert_int_equal(0, pl.active_cnt);
	assert_int_equal(1, slab_of(ref)->committed);
	assert_lists();
	assert_int_equal(0, rnd_pclass_purge(&pl));

	push(ref);
	rnd_pclass_flush(&pl);
	assert_true(rnd_pclass_purge(&pl) == 1UL << r.slab_shift);
	assert_int_equal(0, dyn.slab_cnt);
}

/* C3: neither purged at once nor by rnd_pclass_purge() */
static void pclass_visited_slab_is_not_purged_c3(void **state)
{
	static const __u32 visits[] = { RND_SLAB_IN_INBOX, RND_SLAB_VISITOR,
					RND_SLAB_VISITOR | RND_SLAB_IN_INBOX };
	struct rnd_slab *s;
	__u64 ref = pop();
	__u32 i;

	(void)state;
	s = slab_of(ref);
	push(ref);
	rnd_pclass_flush(&pl);
	for (i = 0; i < ARRAY_SIZE(visits); i++) {
		s->visit = visits[i];
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

static void pclass_exhaustion_is_recoverable(void **state)
{
	__u32 cnt = 0;

	(void)state;
	vs.limit = 60;
	while (pl.mag_cnt || rnd_pclass_refill(&pl)) {
		(void)pop();
		cnt++;
	}
	assert_int_equal(0, rnd_pclass_refill(&pl));
	assert_true(cnt == dyn.slab_cnt * r.slots);
	assert_true(vs.user + vs.meta <= 60);
	assert_lists();

	vs.limit = 120;
	assert_true(rnd_pclass_refill(&pl));
	assert_true(pl.mag_cnt > 0);
	assert_lists();
}

/* A refill with little choice left takes half of it */
static void pclass_refill_takes_less_when_there_is_less(void **state)
{
	__u32 free_cnt, before;

	(void)state;
	assert_true(rnd_pclass_refill(&pl));
	rnd_pclass_flush_magazine(&pl);
	rnd_pclass_purge(&pl);
	vs.limit = vs.meta + 2 * (1UL << r.slab_shift) / RND_PAGE_LEN;
	for (free_cnt = 2U * r.slots; free_cnt; free_cnt -= before) {
		assert_true(rnd_pclass_refill(&pl));
		before = pl.mag_cnt;
		assert_int_equal(MIN((__u32)pl.mag_max, MAX(free_cnt / 2, 1U)),
				 before);
		while (pl.mag_cnt)
			(void)pop();
	}
	assert_int_equal(0, rnd_pclass_refill(&pl));
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
		while (pl.mag_cnt || rnd_pclass_refill(&pl)) {
			(void)pop();
			cnt++;
		}
		/* The first commit of each group is for descriptors */
		assert_true(cnt == dyn.slab_cnt * r.slots);
		assert_true((vs.user + vs.meta) * RND_PAGE_LEN ==
			    fake_port.committed);
		assert_lists();
		fake_port_fail_from(FAKE_COMMIT, 0);
		(void)pop();
		assert_lists();
	}
}

static void pclass_take_remote(void **state)
{
	__u64 refs[200];
	struct rnd_slab *s;
	__u32 i, cnt = 0, slot;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		refs[i] = pop();
	s = slab_of(refs[0]);
	for (i = 0; i < ARRAY_SIZE(refs); i++) {
		if (slab_of(refs[i]) != s)
			continue;
		*rnd_ref_state(&pl, refs[i]) =
			rnd_state_freed(RND_SLOT_REMOTE, 9);
		slot = (__u32)(rnd_ref_state(&pl, refs[i]) -
			       rnd_slab_states(s));
		assert_true(rnd_slab_mark_remote(s, slot));
		cnt++;
	}
	assert_int_equal(cnt, rnd_pclass_take_remote(&pl, s));
	assert_int_equal(0, rnd_pclass_take_remote(&pl, s));
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		if (slab_of(refs[i]) == s)
			assert_int_equal(
				rnd_state_freed(RND_OPT_QUARANTINE ?
							RND_SLOT_QUARANTINED :
							RND_SLOT_FREE,
						9),
				*rnd_ref_state(&pl, refs[i]));
	for (i = 0; i < RND_SLAB_WORDS(s->slots); i++)
		assert_int_equal(0, rnd_slab_remote_bits(s)[i]);
	assert_lists();
}

static void report_release_twice(void *arg)
{
	__u64 ref = *(__u64 *)arg;

	*rnd_ref_state(&pl, ref) = rnd_state_freed(RND_SLOT_QUARANTINED, 4);
	rnd_pclass_release(&pl, ref);
	rnd_pclass_release(&pl, ref);
}

/* The owner has it in quarantine already when it takes the bit */
static void report_take_remote(void *arg)
{
	__u64 ref = *(__u64 *)arg;
	struct rnd_slab *s = slab_of(ref);

	push(ref);
	(void)rnd_slab_mark_remote(
		s, (__u32)(rnd_ref_state(&pl, ref) - rnd_slab_states(s)));
	rnd_pclass_take_remote(&pl, s);
}

static void pclass_racing_double_free_is_reported(void **state)
{
	__u64 ref = pop();
	const char *text;

	(void)state;
	text = fake_port_abort_text(report_release_twice, &ref);
	assert_ptr_equal(text,
			 strstr(text, "ukallocrnd: BUG: double free: ptr=0x"));
	assert_non_null(strstr(text, " class=96 "));
	assert_non_null(strstr(text, "freed by CPU 3\n"));
	assert_non_null(strstr(text, "freed by two CPUs at the same time"));

	text = fake_port_abort_text(report_take_remote, &ref);
	assert_ptr_equal(text,
			 strstr(text, "ukallocrnd: BUG: double free: ptr=0x"));
	assert_non_null(strstr(text, "freed by CPU 1\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pclass_lengths_follow_the_slot),
		UNIT_TEST(pclass_reference_names_slot_and_state),
		UNIT_TEST(pclass_refill_draws_distinct_slots_p1),
		UNIT_TEST(pclass_refill_widens_to_choice),
		UNIT_TEST(pclass_partial_slabs_before_new_memory),
		UNIT_TEST(pclass_draws_uniformly),
		UNIT_TEST(pclass_draws_uniformly_from_full_slabs),
		UNIT_TEST(pclass_slot_passes_the_quarantine_p2),
		UNIT_TEST(pclass_random_history_p3_p4),
		UNIT_TEST(pclass_keeps_a_few_empty_slabs_p4),
		UNIT_TEST(pclass_purge_keeps_used_slabs),
		UNIT_TEST(pclass_visited_slab_is_not_purged_c3),
		UNIT_TEST(pclass_exhaustion_is_recoverable),
		UNIT_TEST(pclass_refill_takes_less_when_there_is_less),
		UNIT_TEST(pclass_every_failed_commit_is_recoverable),
		UNIT_TEST(pclass_take_remote),
		UNIT_TEST(pclass_racing_double_free_is_reported),
	};

	return cmocka_run_group_tests_name("pclass", tests, NULL, NULL);
}
