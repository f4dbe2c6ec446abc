/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of pclass.c: refilling the pool, and drawing from it
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

#include "config.h"
#include "fake_port.h"
#include "fixture_pclass.h"

#define UNIT_TEST(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

/* Slots of a pool that was filled with nothing but fresh ones */
static __u32 filled(__u32 out)
{
	return MIN(pl.choice + 2U + MAX(out, pl.choice) / RND_POOL_FRESH,
		   pl.pool_max);
}

static void pclass_refill_fills_the_pool_p1(void **state)
{
	unsigned int sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(5);
		make(sc);
		assert_true(rnd_pclass_refill(&pl));
		assert_int_equal(filled(0), pl.pool_cnt);
		assert_int_equal(pl.choice, pl.pool_min);
		assert_int_equal(1, pl.refills);
		/* No more slabs than that takes */
		assert_int_equal(DIV_ROUND_UP(pl.pool_cnt, (__u32)r.slots),
				 dyn.slab_cnt);
		assert_sound();
	}
}

/* Slots that were ever handed out */
static __u32 touched_cnt(void)
{
	__u32 i, cnt = 0;

	for (i = 0; i < dyn.next_idx << r.slot_shift; i++)
		cnt += state_of(i) != RND_SLOT_FREE;

	return cnt;
}

/* Slots that were used come back before others are touched: who never has more
 * live ones than the first time needs no more memory
 */
static void pclass_refill_takes_used_slots_first(void **state)
{
	static __u32 live[SLOTS_MAX];
	__u32 i, cnt, peak, round;
	unsigned int sc;

	(void)state;
	for (sc = 1; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(5);
		make(sc);
		cnt = 4U * pl.pool_high;
		for (i = 0; i < cnt; i++)
			live[i] = pop();
		peak = pl.out;
		for (round = 0; round < 8; round++) {
			while (i)
				push(live[--i]);
			rnd_pclass_flush(&pl);
			assert_int_equal(0, pl.out);
			for (; i < cnt; i++)
				live[i] = pop();
			assert_sound();
		}
		/* A word may be fresh in part, and draws differ in number */
		assert_in_range(touched_cnt(), cnt,
				peak + 64 + pl.pool_max - pl.choice);
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
	mean = rounds * pl.pool_cnt / words;
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
	assert_true(rnd_pclass_refill(&pl));
	check_uniform(pl.pool_cnt - pl.choice);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pclass_refill_fills_the_pool_p1),
		UNIT_TEST(pclass_refill_takes_used_slots_first),
		UNIT_TEST(pclass_refill_spreads_over_slabs_and_words),
		UNIT_TEST(pclass_draw_takes_one_entry),
		UNIT_TEST(pclass_draws_uniformly),
		UNIT_TEST(pclass_draws_uniformly_as_the_pool_shrinks),
		UNIT_TEST(pclass_refill_verifies_slots),
	};

	return cmocka_run_group_tests_name("pclass_pool", tests, NULL, NULL);
}
