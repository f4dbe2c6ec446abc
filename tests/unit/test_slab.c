/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of slab.c against a model: one state per slot
 *
 * links: lib/ukallocrnd/sizeclass.c lib/ukallocrnd/report.c
 *	lib/ukallocrnd/format.c tests/unit/fake_port.c
 *	tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_port.h"
#include "slab.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#define OWNER 5

/* Room for every descriptor, as the region lays them out */
static union {
	__u8 byte[RND_SLAB_META_LEN(RND_SLAB_SLOT_MAX)];
	struct rnd_slab s;
} mem __align(64);
static struct rnd_slab *const s = &mem.s;
static __u8 model[RND_SLAB_SLOT_MAX];
static __u64 seq;

static unsigned int below(unsigned int bound)
{
	seq = seq * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned int)((seq >> 33) % bound);
}

static void make(__u8 sc)
{
	memset(mem.byte, 0, sizeof(mem.byte));
	memset(model, RND_SLOT_FREE, sizeof(model));
	s->sc = sc;
	s->base = 0x10000;
	rnd_slab_init(s, OWNER);
}

static int setup(void **state)
{
	(void)state;
	seq = 1;
	make(6);
	return 0;
}

static void assert_like_model(void)
{
	const __u16 *states = rnd_slab_states(s);
	const __u64 *bits = rnd_slab_free_bits(s);
	unsigned int i, cnt = 0;
	__bool is_free;

	for (i = 0; i < s->slots; i++) {
		is_free = model[i] == RND_SLOT_FREE;
		cnt += is_free;
		assert_int_equal(model[i], states[i] & RND_STATE_MASK);
		assert_int_equal(is_free, (bits[i / 64] >> (i % 64)) & 1);
	}
	assert_int_equal(cnt, s->free_cnt);
	assert_int_equal(0, states[s->slots]);
	assert_true(rnd_slab_is_valid(s));
}

static unsigned int model_nth_free(unsigned int n)
{
	unsigned int i;

	for (i = 0;; i++)
		if (model[i] == RND_SLOT_FREE && !n--)
			return i;
}

static void slab_init_makes_all_slots_free_s1_s2(void **state)
{
	const __u64 *bits;
	unsigned int i;
	__u8 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		make(sc);
		assert_int_equal(OWNER, s->owner);
		assert_int_equal(rnd_sizeclass[sc].slots, s->slots);
		assert_int_equal(s->slots, s->free_cnt);
		assert_like_model();

		/* No bit beyond the last slot, no remote bit */
		bits = rnd_slab_free_bits(s);
		if (s->slots % 64)
			assert_int_equal(0, bits[s->slots / 64] >>
						    (s->slots % 64));
		for (i = 0; i < RND_SLAB_WORDS(s->slots); i++)
			assert_int_equal(0, rnd_slab_remote_bits(s)[i]);
	}
}

static void slab_parts_do_not_overlap(void **state)
{
	__uptr end;
	__u8 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		make(sc);
		assert_true((__uptr)rnd_slab_states(s) ==
			    (__uptr)s + RND_SLAB_STATE_OFF(s->slots));
		assert_true((__uptr)rnd_slab_free_bits(s) >= (__uptr)(s + 1));
		end = (__uptr)(rnd_slab_states(s) + s->slots + 1);
		assert_true(end <= (__uptr)s + RND_SLAB_META_LEN(s->slots));
	}
}

/* What earlier frees wrote there is what a report about them needs */
static void slab_init_keeps_who_freed(void **state)
{
	(void)state;
	rnd_slab_states(s)[3] = rnd_state_freed(RND_SLOT_FREE, 9);
	rnd_slab_init(s, OWNER + 1);
	assert_int_equal(rnd_state_freed(RND_SLOT_FREE, 9),
			 rnd_slab_states(s)[3]);
	assert_int_equal(OWNER + 1, s->owner);
}

static void slab_try_takes_a_free_slot_once(void **state)
{
	unsigned int slot;

	(void)state;
	for (slot = 0; slot < s->slots; slot += 3) {
		assert_true(rnd_slab_try(s, slot));
		assert_false(rnd_slab_try(s, slot));
		model[slot] = RND_SLOT_DRAWN;
	}
	assert_like_model();
}

static void slab_take_counts_free_slots_in_order(void **state)
{
	unsigned int n, slot;
	__u8 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		make(sc);
		while (s->free_cnt) {
			n = below(s->free_cnt);
			slot = model_nth_free(n);
			assert_int_equal(slot, rnd_slab_take(s, n));
			model[slot] = RND_SLOT_DRAWN;
		}
		assert_like_model();
	}
}

static void slab_random_history_s1_s2(void **state)
{
	unsigned int i, slot;

	(void)state;
	make(3);
	for (i = 0; i < 20000; i++) {
		slot = below(s->slots);
		if (model[slot] != RND_SLOT_FREE) {
			rnd_slab_return(s, slot);
			model[slot] = RND_SLOT_FREE;
		} else if (below(2)) {
			assert_true(rnd_slab_try(s, slot));
			model[slot] = RND_SLOT_DRAWN;
		} else {
			slot = rnd_slab_take(s, below(s->free_cnt));
			assert_int_equal(RND_SLOT_FREE, model[slot]);
			model[slot] = RND_SLOT_DRAWN;
		}
		if (i % 100 == 0)
			assert_like_model();
	}
}

static void slab_transitions_keep_who_freed(void **state)
{
	__u16 *word = rnd_slab_states(s) + 7;

	(void)state;
	assert_true(rnd_slab_try(s, 7));
	*word = rnd_state_freed(RND_SLOT_QUARANTINED, 11);
	rnd_slab_return(s, 7);
	assert_int_equal(rnd_state_freed(RND_SLOT_FREE, 11), *word);
	assert_true(rnd_slab_try(s, 7));
	assert_int_equal(rnd_state_freed(RND_SLOT_DRAWN, 11), *word);
}

static void return_twice(void *arg)
{
	(void)arg;
	rnd_slab_return(s, 7);
}

static void draw_used_slot(void *arg)
{
	(void)arg;
	rnd_slab_states(s)[7] = rnd_state_live(RND_KIND_MALLOC, 8);
	(void)rnd_slab_try(s, 7);
}

static void assert_metadata_report(void (*fn)(void *arg), const char *where)
{
	const char *text = fake_port_abort_text(fn, NULL);

	assert_ptr_equal(text,
			 strstr(text, "ukallocrnd: BUG: metadata "
				      "corrupted: ptr=0x10000 class=96 "));
	assert_non_null(strstr(text, where));
}

static void slab_reports_when_bit_and_state_disagree_s1(void **state)
{
	(void)state;
	assert_metadata_report(return_twice,
			       "a used slot is in its bitmap (S1)");
	assert_metadata_report(draw_used_slot, "(S1)");
}

static void slab_contract(void **state)
{
	(void)state;
	expect_assert_failure(rnd_slab_return(s, s->slots));
	expect_assert_failure(rnd_slab_take(s, s->free_cnt));
}

static void slab_remote_bit_is_set_once(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < s->slots; i += 5) {
		assert_true(rnd_slab_mark_remote(s, i));
		assert_int_equal(
			1, (rnd_slab_remote_bits(s)[i / 64] >> (i % 64)) & 1);
	}
	for (i = 0; i < s->slots; i++)
		assert_int_equal(i % 5 != 0, rnd_slab_mark_remote(s, i));
	/* Nothing else was touched */
	assert_like_model();
}

static void slab_live_word_holds_kind_and_slack(void **state)
{
	__u32 slack, kind;
	__u16 word;

	(void)state;
	for (kind = 0; kind < RND_KIND_COUNT; kind++)
		for (slack = 0; slack <= RND_SLACK_MAX; slack++) {
			word = rnd_state_live(kind, slack);
			assert_int_equal(RND_SLOT_LIVE + kind,
					 word & RND_STATE_MASK);
			assert_int_equal(slack, word >> RND_STATE_BITS);
		}
}

static void slab_is_valid_finds_damage_s1_s2(void **state)
{
	__u16 *states = rnd_slab_states(s);
	unsigned int i;

	(void)state;
	for (i = 0; i < s->slots; i++) {
		rnd_slab_free_bits(s)[i / 64] ^= 1UL << (i % 64);
		assert_false(rnd_slab_is_valid(s));
		/* Also if the count agrees */
		s->free_cnt--;
		assert_false(rnd_slab_is_valid(s));
		s->free_cnt++;
		rnd_slab_free_bits(s)[i / 64] ^= 1UL << (i % 64);

		states[i] = RND_SLOT_LIVE;
		assert_false(rnd_slab_is_valid(s));
		states[i] = 0;
		assert_true(rnd_slab_is_valid(s));
	}
	states[s->slots] = 1;
	assert_false(rnd_slab_is_valid(s));
	states[s->slots] = 0;
	s->free_cnt--;
	assert_false(rnd_slab_is_valid(s));
	s->free_cnt += 2;
	assert_false(rnd_slab_is_valid(s));
	s->free_cnt--;
	s->slots--;
	assert_false(rnd_slab_is_valid(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(slab_init_makes_all_slots_free_s1_s2),
		UNIT_TEST(slab_parts_do_not_overlap),
		UNIT_TEST(slab_init_keeps_who_freed),
		UNIT_TEST(slab_try_takes_a_free_slot_once),
		UNIT_TEST(slab_take_counts_free_slots_in_order),
		UNIT_TEST(slab_random_history_s1_s2),
		UNIT_TEST(slab_transitions_keep_who_freed),
		UNIT_TEST(slab_reports_when_bit_and_state_disagree_s1),
		UNIT_TEST(slab_contract),
		UNIT_TEST(slab_remote_bit_is_set_once),
		UNIT_TEST(slab_live_word_holds_kind_and_slack),
		UNIT_TEST(slab_is_valid_finds_damage_s1_s2),
	};

	return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
