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

#include "config.h"
#include "fake_port.h"
#include "pclass.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define CPU 2
#define SC  6 /* 96 bytes, 512 slots */

/* Slots of a region that a test may open */
#define SLOTS_MAX (1U << 18)

static struct rnd_vspace vs;
static struct rnd_region r;
static struct rnd_region_dyn dyn;
static struct rnd_canary_key key;
static struct rnd_rng rng;
static struct rnd_pclass pl;
/* Fewest slots that a draw had to choose from, since make() */
static __u32 least;

static void make_seeded(unsigned int sc, __u32 number)
{
	const __u8 seed[RND_CHACHA_KEY_LEN] = { (__u8)number,
						(__u8)(number >> 8) };
	__u64 used[RND_WINDOW_COUNT / 64] = { 0 };

	memset(&r, 0, sizeof(r));
	memset(&dyn, 0, sizeof(dyn));
	memset(&pl, 0, sizeof(pl));
	least = ~0U;
	rnd_vspace_init(&vs, __SZ_MAX);
	assert_int_equal(0, rnd_region_init(&r, &dyn, sc, &vs, used));
	rnd_rng_init(&rng, seed);
	rnd_canary_key_init(&key, 1, 2);
	rnd_pclass_init(&pl, &r, &key, &vs, &rng, CPU);
}

static void make(unsigned int sc)
{
	make_seeded(sc, 1);
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

static __u32 state_of(__u32 n)
{
	return pl.states[n] & RND_STATE_MASK;
}

static __bool is_in_bitmap(__u32 n)
{
	__u32 slot = n & (r.slots - 1U);

	return rnd_slab_free_bits(rnd_pclass_slab(&pl, n))[slot / 64] >>
		       (slot % 64) &
	       1;
}

/* Draws like malloc; the slot is live then. ~0: no memory */
static __u32 try_pop(void)
{
	__u32 n;

	if (!rnd_pclass_can_draw(&pl) && !rnd_pclass_refill(&pl))
		return RND_SLOT_NONE;
	if (!rnd_rng_has16(&rng))
		rnd_rng_refill(&rng);

	least = MIN(least, pl.pool_cnt);
	n = (__u32)rnd_pclass_draw(&pl, &rng);
	assert_false(pl.states[n] & RND_SLOT_TAKEN);
	pl.states[n] = rnd_state_live(pl.slot_len, CPU, RND_KIND_MALLOC, 8);

	return n;
}

static __u32 pop(void)
{
	__u32 n = try_pop();

	assert_true(n != RND_SLOT_NONE);

	return n;
}

/* What free does */
static void push(__u32 n)
{
	pl.states[n] = pl.freed;
	if (rnd_pclass_can_step(&pl, &rng))
		rnd_pclass_step(&pl, &rng, n);
	else
		rnd_pclass_quarantine(&pl, n);
}

/*
 * P1 to P4 and S3: every slot of every slab is in exactly one place
 */

static __u8 held[SLOTS_MAX];

static void hold(__u32 n)
{
	struct rnd_slab *s;

	assert_true(n < dyn.next_idx << r.slot_shift);
	s = rnd_pclass_slab(&pl, n);
	assert_int_equal(1, s->committed);
	assert_int_equal(CPU, s->owner);
	assert_int_equal(0, held[n]);
	held[n] = 1;
}

static void assert_slab(struct rnd_slab *s)
{
	__u32 n = s->idx << r.slot_shift, end = n + s->slots;

	assert_int_equal(CPU, s->owner);
	assert_true(rnd_slab_is_valid(s, rnd_region_states(&r, s)));
	assert_int_equal(s->free_cnt != 0, s->active || s->listed);
	assert_true((__sz)(s->idx + 1) * r.slab_len <= pl.end);
	for (; n < end; n++)
		if (is_in_bitmap(n) + held[n] +
			    ((pl.states[n] & RND_SLOT_TAKEN) != 0) !=
		    1)
			fail_msg("slot %u: bitmap %u, held %u, state %u", n,
				 is_in_bitmap(n), held[n], state_of(n));
}

/* P3 and P4 */
static void assert_lists(void)
{
	__u32 i, empty = 0, listed = 0, idx;
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
	for (idx = 0; idx < dyn.next_idx; idx++)
		listed -= rnd_region_slab(&r, idx)->listed;
	assert_int_equal(0, listed);
}

static void assert_sound(void)
{
	__u32 i, slabs = 0, out = 0;

	assert_true(dyn.next_idx << r.slot_shift <= SLOTS_MAX);
	memset(held, 0, dyn.next_idx << r.slot_shift);
	for (i = 0; i < pl.pool_cnt; i++)
		hold(pl.pool[i]);
	for (i = 0; i < pl.q.ring_len + pl.q.rand_len; i++) {
		__u32 n = i < pl.q.ring_len ? pl.q.fifo[i] :
					      pl.q.rand[i - pl.q.ring_len];

		if (n == RND_QUARANTINE_NONE)
			continue;
		hold(n);
		assert_int_equal(RND_SLOT_FREED, state_of(n));
	}
	assert_true(rnd_quarantine_is_valid(&pl.q));
	assert_true(pl.pool_min <= pl.choice);
	assert_true(pl.pool_cnt <= pl.pool_high);

	for (i = 0; i < dyn.next_idx; i++)
		if (rnd_region_slab(&r, i)->committed) {
			assert_slab(rnd_region_slab(&r, i));
			slabs++;
			out += r.slots - rnd_region_slab(&r, i)->free_cnt;
		}
	assert_int_equal(slabs, dyn.slab_cnt);
	assert_int_equal(out, pl.out);
	assert_lists();
}

/*
 * Geometry
 */

static void pclass_lengths_follow_the_slot(void **state)
{
	__sz len, most, bytes;
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
					    pl.choice_most / RND_CHOICE_SHARE),
					pl.choice_most);
		/* Some more, or every draw were a refill; room for a segment */
		assert_true(pl.pool_max - pl.choice > pl.choice / 4);
		assert_true(pl.pool_high - pl.pool_max > pl.choice / 4);
		assert_true(pl.pool_high + pl.q.seg_len <= RND_POOL_LEN);

		assert_in_range(pl.q.fifo_len, 1, RND_QUARANTINE_FIFO_LEN);
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

/*
 * The pool
 */

static void pclass_refill_fills_the_pool_p1(void **state)
{
	unsigned int sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(5);
		make(sc);
		assert_true(rnd_pclass_refill(&pl));
		assert_int_equal(pl.pool_max, pl.pool_cnt);
		assert_int_equal(pl.choice, pl.pool_min);
		assert_int_equal(1, pl.refills);
		/* No more slabs than that takes */
		assert_int_equal(DIV_ROUND_UP(pl.pool_max, (__u32)r.slots),
				 dyn.slab_cnt);
		assert_sound();
	}
}

/* Every word of a slab is as likely as another one to be in a first pool, and
 * all the slabs taken are in it
 */
static void pclass_refill_spreads_over_slabs_and_words(void **state)
{
	const unsigned int rounds = 300, words = RND_SLAB_WORDS(512);
	__u32 per_word[8] = { 0 }, per_slab[RND_REGION_GROUP];
	__u32 i, round, mean;

	(void)state;
	if (!RND_OPT_RANDOM_SLOTS)
		skip();
	for (round = 0; round < rounds; round++) {
		fake_port_reset(round);
		make_seeded(SC, round);
		assert_true(rnd_pclass_refill(&pl));
		memset(per_slab, 0, sizeof(per_slab));
		for (i = 0; i < pl.pool_cnt; i++) {
			per_slab[rnd_pclass_slab(&pl, pl.pool[i])->idx]++;
			per_word[pl.pool[i] % r.slots / 64]++;
		}
		assert_true(dyn.slab_cnt > 1);
		for (i = 0; i < dyn.next_idx; i++)
			assert_int_equal(rnd_region_slab(&r, i)->committed,
					 per_slab[i] != 0);
	}
	assert_int_equal(512, r.slots);
	mean = rounds * pl.pool_max / words;
	for (i = 0; i < words; i++)
		assert_in_range(per_word[i], mean * 9 / 10, mean * 11 / 10);
}

/* A draw takes the entry that it returns, and no other */
static void pclass_draw_takes_one_entry(void **state)
{
	static __u32 before[RND_POOL_LEN];
	__u32 i, cnt, n, gone;

	(void)state;
	assert_true(rnd_pclass_refill(&pl));
	while (rnd_pclass_can_draw(&pl)) {
		cnt = pl.pool_cnt;
		memcpy(before, pl.pool, cnt * sizeof(before[0]));
		n = pop();
		assert_int_equal(cnt - 1, pl.pool_cnt);
		for (i = 0, gone = cnt; i < cnt; i++)
			if (before[i] == n)
				gone = i;
		assert_true(gone < cnt);
		before[gone] = before[cnt - 1];
		assert_memory_equal(before, pl.pool,
				    pl.pool_cnt * sizeof(before[0]));
	}
	assert_sound();
}

/* One draw from a full pool, over and over: each of its slots as likely as any
 * other. What was drawn comes back, so that all draws have the same pool; or
 * the pool shrinks to what a draw must leave, and grows again.
 */
static void check_uniform(__u32 draws)
{
	static __u32 cnt[SLOTS_MAX];
	static __u32 out[RND_POOL_LEN];
	__u32 i, j, bins, n, round;
	double chi2 = 0, d, k, mean;

	assert_true(rnd_pclass_refill(&pl));
	bins = pl.pool_cnt;
	memset(cnt, 0, sizeof(cnt));
	for (round = 0; round < bins * 100 / draws; round++) {
		for (i = 0; i < draws; i++) {
			assert_true(rnd_pclass_can_draw(&pl));
			if (!rnd_rng_has16(&rng))
				rnd_rng_refill(&rng);
			n = (__u32)rnd_pclass_draw(&pl, &rng);
			cnt[n]++;
			out[i] = n;
		}
		for (j = 0; j < draws; j++)
			pl.pool[pl.pool_cnt++] = out[j];
	}

	mean = (double)round * draws / bins;
	for (i = 0; i < bins; i++) {
		d = cnt[pl.pool[i]] - mean;
		chi2 += d * d / mean;
	}
	/* Drawing without replacement varies less */
	k = (bins - 1) * (1 - (draws - 1.0) / (bins - 1));
	print_message("%u slots, %u at a time: chi2 %.0f of %.0f\n", bins,
		      draws, chi2, k);
	/* Five standard deviations: (chi2 - k)^2 < 25 * 2k^2 / (bins - 1) */
	assert_true((chi2 - k) * (chi2 - k) < 50 * k * k / (bins - 1));
	assert_sound();
}

static void pclass_draws_uniformly(void **state)
{
	(void)state;
	if (!RND_OPT_RANDOM_SLOTS)
		skip();
	check_uniform(1);
}

static void pclass_draws_uniformly_as_the_pool_shrinks(void **state)
{
	(void)state;
	if (!RND_OPT_RANDOM_SLOTS)
		skip();
	check_uniform(pl.pool_max - pl.choice);
}

static void draw_until_found(void *arg)
{
	__u32 i;

	(void)arg;
	for (i = 0; i < 20000; i++)
		(void)pop();
}

/* Before anybody draws it, and whatever is drawn before it */
static void pclass_refill_verifies_slots(void **state)
{
	__u32 n = pop();
	const char *text;

	(void)state;
	if (!RND_OPT_VERIFY)
		skip();
	push(n);
	rnd_pclass_flush(&pl);
	((char *)rnd_pclass_slot(&pl, n))[37] = 1;
	text = fake_port_abort_text(draw_until_found, NULL);
	assert_ptr_equal(text, strstr(text, "ukallocrnd: BUG: write after "
					    "free: ptr=0x"));
	assert_non_null(strstr(text, "class=96 "));
	assert_non_null(strstr(text, "found by refill()\n"));
	assert_non_null(strstr(text, "freed by CPU 1\n"));
	assert_non_null(strstr(text, "first changed byte: offset 37\n"));
}

/*
 * Choice: every draw is one of more than choice slots, if memory lasts
 */

static void pclass_choice_lasts_in_growth(void **state)
{
	unsigned int sc;
	__u32 i;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(5);
		make(sc);
		for (i = 0; i < 4 * pl.pool_max; i++)
			(void)pop();
		assert_true(least > pl.choice_least);
		if (pl.slot_len > RND_BULK_SLOT_MIN ||
		    (__sz)pl.slot_len * RND_CHOICE_LEN > RND_CHOICE_BYTES)
			continue;
		if (pl.slot_len <= RND_SHORT_LEN)
			assert_true(least > RND_CHOICE_LEN);
		else
			assert_true(least > RND_CHOICE_LEN * 2 / 3);
		assert_sound();
	}
}

/* All slabs have a few free slots, at random places */
static void pclass_choice_lasts_in_fragmented_slabs(void **state)
{
	static __u32 live[16000];
	__u32 i, j, cnt, slabs;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	/* More free slots than a pool takes, in all slabs */
	for (cnt = i; cnt > 12000; cnt--) {
		j = rnd_rng_uniform(&rng, cnt);
		push(live[j]);
		live[j] = live[cnt - 1];
	}
	rnd_pclass_flush(&pl);
	slabs = dyn.slab_cnt;
	assert_sound();

	least = ~0U;
	for (i = 0; i < 2000; i++)
		(void)pop();
	assert_true(least > pl.choice);
	/* New memory only when what there is does not do */
	assert_int_equal(slabs, dyn.slab_cnt);
	for (i = 0; i < 4000; i++)
		(void)pop();
	assert_true(least > pl.choice);
	assert_true(dyn.slab_cnt > slabs);
	assert_sound();
}

/* Objects come and go: the pool is neither emptied nor does it overflow */
static void pclass_choice_lasts_in_balance(void **state)
{
	static __u32 live[1000];
	__u32 i, j, slabs;
	__u64 refills;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	for (i = 0; i < 2000; i++) {
		j = rnd_rng_uniform(&rng, ARRAY_SIZE(live));
		push(live[j]);
		live[j] = pop();
	}
	slabs = dyn.slab_cnt;
	refills = pl.refills;
	for (i = 0; i < 50000; i++) {
		j = rnd_rng_uniform(&rng, ARRAY_SIZE(live));
		push(live[j]);
		live[j] = pop();
		if (i % 5000 == 0)
			assert_sound();
	}
	assert_true(least > pl.choice);
	/* What is freed is what is drawn */
	assert_int_equal(slabs, dyn.slab_cnt);
	assert_true(refills == pl.refills);
}

static void pclass_partial_slabs_before_new_memory(void **state)
{
	static __u32 live[6000];
	__u32 i, slabs;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	slabs = dyn.slab_cnt;
	assert_sound();
	for (i = 0; i < ARRAY_SIZE(live); i += 2)
		push(live[i]);
	rnd_pclass_flush(&pl);
	assert_sound();
	for (i = 0; i < 400; i++)
		(void)pop();
	assert_true(dyn.slab_cnt <= slabs);
	assert_sound();
}

/*
 * Freeing
 */

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
	/* A spill leaves room for what comes, and all the choice there is */
	assert_true(most > pl.pool_high - MAX(pl.q.seg_len, 1U));
	assert_true(most <= pl.pool_high);
	rnd_pclass_spill(&pl);
	assert_int_equal(pl.pool_max, pl.pool_cnt);
	rnd_pclass_spill(&pl);
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

/*
 * Giving back
 */

static void pclass_keeps_a_few_empty_slabs_p4(void **state)
{
	static __u32 live[9000];
	__u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	for (i = 0; i < ARRAY_SIZE(live); i++)
		push(live[i]);
	rnd_pclass_flush(&pl);
	assert_sound();
	assert_int_equal(RND_EMPTY_MAX, pl.empty_cnt);
	assert_true(dyn.slab_cnt <= RND_EMPTY_MAX + pl.active_cnt);
	assert_true(vs.user * RND_PAGE_LEN == (__sz)dyn.slab_cnt * r.slab_len);
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

/* Class 0 has no memory */
static void pclass_purge_of_class_0_is_nothing(void **state)
{
	(void)state;
	make(0);
	push(pop());
	rnd_pclass_flush(&pl);
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

/* P4: one empty slab too many, but somebody is there when it empties */
static void pclass_visited_slab_stays_when_it_empties_c3(void **state)
{
	static __u32 live[9000];
	struct rnd_slab *s;
	__u32 i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	n = live[0];
	s = rnd_pclass_slab(&pl, n);
	for (i = 1; i < ARRAY_SIZE(live); i++)
		push(live[i]);
	rnd_pclass_flush(&pl);
	assert_int_equal(RND_EMPTY_MAX, pl.empty_cnt);
	assert_int_equal(0, s->active);

	s->visit = RND_SLAB_VISITOR;
	push(n);
	rnd_pclass_flush(&pl);
	assert_int_equal(s->slots, s->free_cnt);
	assert_int_equal(1, s->committed);
	assert_int_equal(1, s->listed);
	assert_int_equal(RND_EMPTY_MAX + 1, pl.empty_cnt);
	s->visit = 0;
	rnd_pclass_purge(&pl);
	assert_int_equal(0, s->committed);
	assert_int_equal(0, dyn.slab_cnt);
}

/*
 * Without memory
 */

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
	__u32 left, most;

	(void)state;
	assert_true(rnd_pclass_refill(&pl));
	rnd_pclass_flush(&pl);
	rnd_pclass_purge(&pl);
	vs.limit = vs.meta + 2UL * r.slab_len / RND_PAGE_LEN;
	for (left = 2U * r.slots; left; left--) {
		if (!rnd_pclass_can_draw(&pl)) {
			most = MIN(left, pl.pool_max);
			assert_true(rnd_pclass_refill(&pl));
			assert_int_equal(most, pl.pool_cnt);
			assert_int_equal(most > pl.choice ? pl.choice :
							    most / 2,
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

/*
 * Frees of other CPUs
 */

static void mark_remote(__u32 n)
{
	assert_true(rnd_slab_mark_remote(rnd_pclass_slab(&pl, n),
					 n & (r.slots - 1U)));
}

static void pclass_take_remote(void **state)
{
	__u32 live[400], i, cnt = 0;
	struct rnd_slab *s;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	s = rnd_pclass_slab(&pl, live[0]);
	for (i = 0; i < ARRAY_SIZE(live); i++) {
		if (rnd_pclass_slab(&pl, live[i]) != s)
			continue;
		pl.states[live[i]] = rnd_state_freed(RND_SLOT_REMOTE, 9);
		mark_remote(live[i]);
		cnt++;
	}
	assert_int_equal(cnt, rnd_pclass_take_remote(&pl, s));
	assert_int_equal(0, rnd_pclass_take_remote(&pl, s));
	/* Who freed it is still known */
	for (i = 0; i < ARRAY_SIZE(live); i++)
		if (rnd_pclass_slab(&pl, live[i]) == s)
			assert_int_equal(rnd_state_freed(RND_SLOT_FREED, 9),
					 pl.states[live[i]]);
	for (i = 0; i < RND_SLAB_WORDS(s->slots); i++)
		assert_int_equal(0, rnd_slab_remote_bits(s)[i]);
	assert_int_equal(RND_OPT_QUARANTINE ? cnt : 0,
			 rnd_quarantine_count(&pl.q));
	assert_sound();
}

/* More than the pool has room for, in one go */
static void pclass_take_remote_of_many(void **state)
{
	static __u32 live[8000];
	__u32 i, cnt = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	for (i = 0; i < ARRAY_SIZE(live); i++) {
		pl.states[live[i]] = rnd_state_freed(RND_SLOT_REMOTE, 9);
		mark_remote(live[i]);
	}
	for (i = 0; i < dyn.next_idx; i++)
		if (rnd_region_slab(&r, i)->committed)
			cnt += rnd_pclass_take_remote(&pl,
						      rnd_region_slab(&r, i));
	assert_int_equal(ARRAY_SIZE(live), cnt);
	assert_sound();
}

/* Two frees at the same time brought a slot into the pool twice */
static void report_release_twice(void *arg)
{
	__u32 n = *(__u32 *)arg;

	pl.states[n] = rnd_state_freed(RND_SLOT_FREED, 4);
	pl.pool[pl.pool_cnt++] = n;
	pl.pool[pl.pool_cnt++] = n;
	rnd_pclass_flush(&pl);
}

/* One of them is in quarantine and one in the pool */
static void report_flush(void *arg)
{
	__u32 n = *(__u32 *)arg;

	push(n);
	pl.pool[pl.pool_cnt++] = n;
	rnd_pclass_flush(&pl);
}

/* The owner has it in quarantine already when it takes the bit */
static void report_take_remote(void *arg)
{
	__u32 n = *(__u32 *)arg;

	push(n);
	mark_remote(n);
	rnd_pclass_take_remote(&pl, rnd_pclass_slab(&pl, n));
}

/* It was even handed out again: nobody is known to have freed it */
static void report_take_live(void *arg)
{
	__u32 n = *(__u32 *)arg;

	mark_remote(n);
	rnd_pclass_take_remote(&pl, rnd_pclass_slab(&pl, n));
}

static void pclass_racing_double_free_is_reported(void **state)
{
	static const struct {
		void (*fn)(void *arg);
		const char *by;
	} cases[] = {
		{ report_release_twice, "freed by CPU 3\n" },
		{ report_flush, "freed by CPU 1\n" },
		{ report_take_remote, "freed by CPU 1\n" },
		{ report_take_live, NULL },
	};
	char line[120];
	const char *text;
	__u32 i, n = pop();

	(void)state;
	(void)snprintf(line, sizeof(line),
		       "ukallocrnd: BUG: double free: ptr=0x%lx class=96 ",
		       (__uptr)rnd_pclass_slot(&pl, n));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		text = fake_port_abort_text(cases[i].fn, &n);
		assert_ptr_equal(text, strstr(text, line));
		assert_non_null(
			strstr(text, "freed by two CPUs at the same time"));
		if (cases[i].by)
			assert_non_null(strstr(text, cases[i].by));
		else
			assert_null(strstr(text, "freed by CPU"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pclass_lengths_follow_the_slot),
		UNIT_TEST(pclass_choice_grows_with_use),
		UNIT_TEST(pclass_number_names_slot_slab_and_state),
		UNIT_TEST(pclass_unused_part_has_nothing_p5),
		UNIT_TEST(pclass_refill_fills_the_pool_p1),
		UNIT_TEST(pclass_refill_spreads_over_slabs_and_words),
		UNIT_TEST(pclass_draw_takes_one_entry),
		UNIT_TEST(pclass_draws_uniformly),
		UNIT_TEST(pclass_draws_uniformly_as_the_pool_shrinks),
		UNIT_TEST(pclass_refill_verifies_slots),
		UNIT_TEST(pclass_choice_lasts_in_growth),
		UNIT_TEST(pclass_choice_lasts_in_fragmented_slabs),
		UNIT_TEST(pclass_choice_lasts_in_balance),
		UNIT_TEST(pclass_partial_slabs_before_new_memory),
		UNIT_TEST(pclass_slot_passes_the_quarantine_p2),
		UNIT_TEST(pclass_quarantine_feeds_the_pool),
		UNIT_TEST(pclass_full_pool_spills_into_the_slabs),
		UNIT_TEST(pclass_step_leaves_the_end_of_a_segment),
		UNIT_TEST(pclass_random_history_p1_to_p4),
		UNIT_TEST(pclass_keeps_a_few_empty_slabs_p4),
		UNIT_TEST(pclass_purge_keeps_used_slabs),
		UNIT_TEST(pclass_purge_discards_unused_pages),
		UNIT_TEST(pclass_purge_of_class_0_is_nothing),
		UNIT_TEST(pclass_visited_slab_is_not_purged_c3),
		UNIT_TEST(pclass_visited_slab_stays_when_it_empties_c3),
		UNIT_TEST(pclass_exhaustion_is_recoverable),
		UNIT_TEST(pclass_less_memory_is_less_choice),
		UNIT_TEST(pclass_every_failed_commit_is_recoverable),
		UNIT_TEST(pclass_take_remote),
		UNIT_TEST(pclass_take_remote_of_many),
		UNIT_TEST(pclass_racing_double_free_is_reported),
	};

	return cmocka_run_group_tests_name("pclass", tests, NULL, NULL);
}
