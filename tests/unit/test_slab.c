/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of slab.c against a model: a slot is in the bitmap or is not
 *
 * links: lib/ukallocrnd/sizeclass.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bitmap.h"
#include "slab.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#define OWNER	5
#define NO_WORD (~0U)

/* Room for every descriptor, as the region lays them out, and one more byte
 * than it has
 */
static union {
	__u8 byte[RND_SLAB_META_LEN(RND_SLAB_SLOT_MAX) + 1];
	struct rnd_slab s;
} mem __align(64);
static struct rnd_slab *const s = &mem.s;
static __u16 states[RND_SLAB_SLOT_MAX];
static __u8 model[RND_SLAB_SLOT_MAX];
/* Slots that were ever taken */
static __u8 touched[RND_SLAB_SLOT_MAX];
static __u64 seq;

static unsigned int below(unsigned int bound)
{
	seq = seq * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned int)((seq >> 33) % bound);
}

static void make(__u8 sc)
{
	memset(mem.byte, 0xee, sizeof(mem.byte));
	memset(states, 0, sizeof(states));
	memset(model, 1, sizeof(model));
	memset(touched, 0, sizeof(touched));
	s->sc = sc;
	s->base = 0x10000;
	rnd_slab_init(s, OWNER);
}

static int setup(void **state)
{
	(void)state;
	seq = 1;
	/* Several words, of slots of 96 bytes */
	make(6);
	return 0;
}

static unsigned int words(void)
{
	return RND_SLAB_WORDS(s->slots);
}

static __bool bit_is_set(const __u64 *bits, unsigned int i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

/* Nothing of its word was ever taken, or, if there is but one, neither it nor
 * anything above
 */
static __bool is_fresh(unsigned int slot)
{
	unsigned int i = words() > 1 ? slot / 64 * 64 : slot;
	unsigned int end = words() > 1 ? i + 64 : s->slots;

	while (i < end && !touched[i])
		i++;
	return i == end;
}

static unsigned int fresh_cnt(void)
{
	unsigned int i, cnt = 0;

	for (i = 0; i < s->slots; i++)
		cnt += is_fresh(i);
	return cnt;
}

static void assert_like_model(void)
{
	const __u64 *bits = rnd_slab_free_bits(s);
	unsigned int i, cnt = 0;

	assert_int_equal(fresh_cnt(), s->fresh_cnt);
	for (i = 0; i < s->slots; i++) {
		cnt += model[i];
		assert_int_equal(model[i], bit_is_set(bits, i));
	}
	for (; i < words() * 64; i++)
		assert_false(bit_is_set(bits, i));
	assert_int_equal(cnt, s->free_cnt);
	assert_true(rnd_slab_is_valid(s, states));
}

/* What rnd_slab_grab() may answer, and what that makes of the model */
static unsigned int grab(__u32 from, __u32 max)
{
	__u32 start = from < words() ? from : 0, cnt, i, word, before;
	__u32 used = s->free_cnt - fresh_cnt();
	__u64 bits = 0, expected = 0;

	before = s->free_cnt;
	assert_int_equal(used, rnd_slab_used_cnt(s));
	word = rnd_slab_grab(s, from, max, &bits);
	if (word == NO_WORD) {
		assert_int_equal(0, before);
		return 0;
	}

	/* The first word with any, from the given one on; with any that was
	 * used, if there is one
	 */
	assert_true(word < words());
	for (; start != word; start = (start + 1) % words())
		for (i = 0; i < 64 && start * 64 + i < s->slots; i++)
			assert_true(!model[start * 64 + i] ||
				    (used && is_fresh(start * 64 + i)));
	assert_true(!used || words() == 1 || !is_fresh(word * 64));
	if (used && words() == 1)
		max = MIN(max, used);

	/* Its lowest bits */
	for (i = 0, cnt = 0; i < 64 && cnt < max; i++)
		if (word * 64 + i < s->slots && model[word * 64 + i]) {
			model[word * 64 + i] = 0;
			touched[word * 64 + i] = 1;
			expected |= 1UL << i;
			cnt++;
		}
	assert_true(cnt != 0);
	assert_true(bits == expected);
	assert_int_equal(before - cnt, s->free_cnt);

	return cnt;
}

static void slab_init_makes_all_slots_free_s1_s2(void **state)
{
	unsigned int i;
	__u8 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		make(sc);
		assert_int_equal(OWNER, s->owner);
		assert_int_equal(rnd_sizeclass[sc].slots, s->slots);
		assert_int_equal(s->slots, s->free_cnt);
		assert_like_model();
		for (i = 0; i < words(); i++)
			assert_true(rnd_slab_remote_bits(s)[i] == 0);

		assert_null(s->next);
		assert_null(s->prev);
		assert_null(s->inbox_next);
		assert_int_equal(0, s->visit);
		assert_int_equal(0, s->active);
		assert_int_equal(0, s->listed);
	}
}

static void slab_parts_do_not_overlap(void **state)
{
	__uptr end;
	__u8 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		make(sc);
		assert_true((__uptr)rnd_slab_free_bits(s) >= (__uptr)(s + 1));
		assert_ptr_equal(rnd_slab_free_bits(s) + words(),
				 rnd_slab_remote_bits(s));
		end = (__uptr)(rnd_slab_remote_bits(s) + words());
		assert_true(end <= (__uptr)s + RND_SLAB_META_LEN(s->slots));

		/* Neighbours share no cache line, nothing is written there */
		assert_int_equal(0, RND_SLAB_META_LEN(s->slots) % 64);
		assert_int_equal(0xee, mem.byte[RND_SLAB_META_LEN(s->slots)]);
	}
}

static void slab_grab_takes_whole_words(void **state)
{
	__u32 i;
	__u8 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		make(sc);
		for (i = words(); i; i--)
			assert_int_equal(MIN(64U, (__u32)s->slots),
					 grab(i - 1, 64));
		assert_int_equal(0, s->free_cnt);
		assert_like_model();
		assert_int_equal(0, grab(0, 64));
	}
}

static void slab_grab_takes_no_more_than_asked_for(void **state)
{
	__u32 max;

	(void)state;
	for (max = 1; max <= 65; max++) {
		make(6);
		assert_int_equal(MIN(max, 64U), grab(3, max));
		assert_int_equal(s->slots - MIN(max, 64U), s->free_cnt);
		assert_like_model();
	}
	while (s->free_cnt)
		assert_int_equal(1, grab(below(words()), 1));
	assert_like_model();
}

static void slab_grab_goes_on_behind_the_last_word(void **state)
{
	__u32 from;
	__u8 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		make(sc);
		/* One slot, in the first word: from anywhere it is found */
		while (s->free_cnt)
			(void)grab(0, 64);
		for (from = 0; from < words() + 20; from++) {
			assert_true(rnd_slab_return(s, 7));
			model[7] = 1;
			assert_int_equal(1, grab(from, 64));
		}
		assert_like_model();
	}
}

/* Pages that are there anyway, before those that would be touched now */
static void slab_grab_takes_used_slots_first(void **state)
{
	unsigned int slot, j;
	__u64 bits;
	__u32 i;
	__u8 sc;

	(void)state;
	for (sc = 1; sc < RND_CLASS_COUNT; sc++) {
		make(sc);
		assert_int_equal(0, rnd_slab_used_cnt(s));
		(void)grab(words() - 1, 5);
		slot = words() > 1 ? s->slots - 64U : 0;
		for (i = 0; i < 5; i++)
			if (!model[slot + i]) {
				assert_true(rnd_slab_return(s, slot + i));
				model[slot + i] = 1;
			}
		/* The same ones come again, wherever the search begins */
		for (i = 0; i < words(); i++) {
			assert_int_equal(words() - 1,
					 rnd_slab_grab(s, i, 5, &bits));
			assert_true(bits == 0x1f);
			for (j = 0; j < 5; j++)
				assert_true(rnd_slab_return(s, slot + j));
		}
		assert_like_model();
	}
}

static void slab_random_history_s1_s2_s6(void **state)
{
	unsigned int i, slot;
	__u8 sc;

	(void)state;
	for (sc = 1; sc < RND_CLASS_COUNT; sc += 6) {
		make(sc);
		for (i = 0; i < 4000; i++) {
			slot = below(s->slots);
			if (below(3)) {
				/* Back, if it is not there already */
				if (!model[slot])
					assert_true(rnd_slab_return(s, slot));
				model[slot] = 1;
			} else {
				(void)grab(below(words() + 2), 1 + below(70));
			}
			if (i % 50 == 0)
				assert_like_model();
		}
		assert_like_model();
	}
}

static void slab_return_sees_what_is_free_already(void **state)
{
	unsigned int slot;

	(void)state;
	for (slot = 0; slot < s->slots; slot++)
		assert_false(rnd_slab_return(s, slot));

	make(6);
	while (s->free_cnt)
		(void)grab(0, 64);
	for (slot = 0; slot < s->slots; slot++) {
		assert_true(rnd_slab_return(s, slot));
		model[slot] = 1;
		assert_int_equal(slot + 1, s->free_cnt);
	}
	assert_like_model();
	for (slot = 0; slot < s->slots; slot++)
		assert_false(rnd_slab_return(s, slot));
}

static void slab_contract(void **state)
{
	(void)state;
	expect_assert_failure(rnd_slab_init(NULL, OWNER));
	s->sc = RND_CLASS_COUNT;
	expect_assert_failure(rnd_slab_init(s, OWNER));
}

static void slab_remote_bit_is_set_once(void **state)
{
	const __u64 *bits;
	unsigned int i;
	__u8 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		make(sc);
		bits = rnd_slab_remote_bits(s);
		for (i = 0; i < s->slots; i += 5) {
			assert_false(bit_is_set(bits, i));
			assert_true(rnd_slab_mark_remote(s, i));
			assert_true(bit_is_set(bits, i));
		}
		for (i = 0; i < s->slots; i++)
			assert_int_equal(i % 5 != 0,
					 rnd_slab_mark_remote(s, i));
		/* Nothing else was touched */
		assert_like_model();
		assert_int_equal(0xee, mem.byte[RND_SLAB_META_LEN(s->slots)]);
	}
}

/* Every word of a short slot: the parts do not disturb one another */
static void slab_live_word_of_a_short_slot(void **state)
{
	__u32 slack, kind, owner;
	__u16 word;
	__sz len;

	(void)state;
	for (len = 16; len <= RND_SHORT_LEN; len += 16)
		for (kind = 0; kind < RND_KIND_COUNT; kind++)
			for (slack = 0; slack <= RND_SLACK_MAX_SHORT; slack++)
				for (owner = 0; owner < RND_CPU_COUNT;
				     owner++) {
					word = rnd_state_live(len, owner, kind,
							      slack);
					assert_int_equal(RND_SLOT_LIVE + kind,
							 word & RND_STATE_MASK);
					assert_int_equal(slack,
							 rnd_state_slack(len,
									 word));
					assert_int_equal(
						owner,
						word >> RND_STATE_OWNER_SHIFT);
				}
}

static void slab_live_word_of_a_long_slot(void **state)
{
	__u32 slack, kind;
	__u16 word;

	(void)state;
	for (kind = 0; kind < RND_KIND_COUNT; kind++)
		for (slack = 0; slack <= RND_SLACK_MAX; slack++) {
			word = rnd_state_live(RND_SHORT_LEN + 16,
					      RND_CPU_COUNT - 1, kind, slack);
			assert_int_equal(RND_SLOT_LIVE + kind,
					 word & RND_STATE_MASK);
			assert_int_equal(slack,
					 rnd_state_slack(RND_SHORT_LEN + 16,
							 word));
		}
}

static void slab_state_word_has_room_for_the_slack_of_all_requests(void **state)
{
	__sz size, len;
	__u32 max;

	(void)state;
	for (size = 1; size <= RND_SMALL_MAX; size++) {
		len = rnd_sizeclass[rnd_sizeclass_of(size)].slot_len;
		max = len <= RND_SHORT_LEN ? RND_SLACK_MAX_SHORT :
					     RND_SLACK_MAX;
		assert_true(len - size <= max);
	}
}

static void slab_only_free_states_may_be_handed_out(void **state)
{
	__u32 cpu, kind;

	(void)state;
	assert_int_equal(0, RND_SLOT_FREE & RND_SLOT_TAKEN);
	for (cpu = 0; cpu < RND_CPU_COUNT; cpu++) {
		__u16 freed = rnd_state_freed(RND_SLOT_FREED, cpu);
		__u16 remote = rnd_state_freed(RND_SLOT_REMOTE, cpu);

		assert_int_equal(0, freed & RND_SLOT_TAKEN);
		assert_int_equal(RND_SLOT_FREED, freed & RND_STATE_MASK);
		assert_int_equal(cpu + 1, freed >> RND_STATE_BITS);

		assert_true(remote & RND_SLOT_TAKEN);
		assert_int_equal(RND_SLOT_REMOTE, remote & RND_STATE_MASK);
		assert_int_equal(cpu + 1, remote >> RND_STATE_BITS);
	}
	for (kind = 0; kind < RND_KIND_COUNT; kind++) {
		__u16 empty = rnd_state_empty(kind);

		assert_int_equal(RND_SLOT_LIVE_EMPTY, empty & RND_STATE_MASK);
		assert_int_equal(kind, empty >> RND_STATE_BITS);
		assert_true(empty & RND_SLOT_TAKEN);
		assert_true((RND_SLOT_LIVE + kind) & RND_SLOT_TAKEN);
	}
}

static void slab_is_valid_looks_at_states_of_free_slots_s1(void **state)
{
	static const __u16 taken[] = { RND_SLOT_REMOTE, RND_SLOT_LIVE,
				       RND_SLOT_LIVE + RND_KIND_NEW,
				       RND_SLOT_LIVE + RND_KIND_NEW_ARRAY,
				       RND_SLOT_LIVE_EMPTY };
	unsigned int i, k;

	(void)state;
	for (i = 0; i < s->slots; i++) {
		for (k = 0; k < ARRAY_SIZE(taken); k++) {
			states[i] = taken[k];
			assert_false(rnd_slab_is_valid(s, states));
		}
		states[i] = rnd_state_freed(RND_SLOT_FREED, 9);
		assert_true(rnd_slab_is_valid(s, states));
	}

	/* One that is not free may have any state */
	while (s->free_cnt)
		(void)grab(0, 64);
	for (i = 0; i < s->slots; i++)
		states[i] = taken[i % ARRAY_SIZE(taken)];
	assert_true(rnd_slab_is_valid(s, states));
}

/* None of them is fresh then */
static void take_and_return(void)
{
	unsigned int i;

	while (s->free_cnt)
		(void)grab(0, 64);
	for (i = 0; i < s->slots; i++)
		assert_true(rnd_slab_return(s, i));
	memset(model, 1, sizeof(model));
	assert_like_model();
}

static void slab_is_valid_counts_free_bits_s2(void **state)
{
	unsigned int i;

	(void)state;
	take_and_return();
	for (i = 0; i < s->slots; i++) {
		rnd_slab_free_bits(s)[i / 64] ^= 1UL << (i % 64);
		assert_false(rnd_slab_is_valid(s, states));
		s->free_cnt--;
		assert_true(rnd_slab_is_valid(s, states));
		s->free_cnt++;
		rnd_slab_free_bits(s)[i / 64] ^= 1UL << (i % 64);
	}
	s->free_cnt--;
	assert_false(rnd_slab_is_valid(s, states));
	s->free_cnt += 2;
	assert_false(rnd_slab_is_valid(s, states));
	s->free_cnt--;
	s->slots /= 2;
	assert_false(rnd_slab_is_valid(s, states));
	s->free_cnt /= 2;
	assert_false(rnd_slab_is_valid(s, states));
}

static void slab_is_valid_sees_fresh_slots_that_are_not_s6(void **state)
{
	static const __u8 classes[] = { 6, RND_CLASS_COUNT - 1 };
	unsigned int i;
	__u64 *bits;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		make(classes[i]);
		(void)grab(0, 1);
		assert_true(rnd_slab_is_valid(s, states));
		s->fresh_cnt++;
		assert_false(rnd_slab_is_valid(s, states));
		s->fresh_cnt--;
		s->fresh ^= 1;
		assert_false(rnd_slab_is_valid(s, states));
		s->fresh ^= 1;
		/* The last one is in use, but fresh */
		bits = rnd_slab_free_bits(s);
		bits[words() - 1] ^= 1UL << ((s->slots - 1U) & 63U);
		s->free_cnt--;
		assert_false(rnd_slab_is_valid(s, states));
	}
}

/* Such a bit would hand out a slot of the slab behind */
static void slab_is_valid_sees_bits_beyond_the_last_slot_s2(void **state)
{
	unsigned int i;

	(void)state;
	make(RND_CLASS_COUNT - 1);
	for (i = s->slots; i < words() * 64; i++) {
		rnd_slab_free_bits(s)[i / 64] ^= 1UL << (i % 64);
		assert_false(rnd_slab_is_valid(s, states));
		rnd_slab_free_bits(s)[i / 64] ^= 1UL << (i % 64);
	}
	assert_true(rnd_slab_is_valid(s, states));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(slab_init_makes_all_slots_free_s1_s2),
		UNIT_TEST(slab_parts_do_not_overlap),
		UNIT_TEST(slab_grab_takes_whole_words),
		UNIT_TEST(slab_grab_takes_no_more_than_asked_for),
		UNIT_TEST(slab_grab_goes_on_behind_the_last_word),
		UNIT_TEST(slab_grab_takes_used_slots_first),
		UNIT_TEST(slab_random_history_s1_s2_s6),
		UNIT_TEST(slab_return_sees_what_is_free_already),
		UNIT_TEST(slab_contract),
		UNIT_TEST(slab_remote_bit_is_set_once),
		UNIT_TEST(slab_live_word_of_a_short_slot),
		UNIT_TEST(slab_live_word_of_a_long_slot),
		UNIT_TEST(
			slab_state_word_has_room_for_the_slack_of_all_requests),
		UNIT_TEST(slab_only_free_states_may_be_handed_out),
		UNIT_TEST(slab_is_valid_looks_at_states_of_free_slots_s1),
		UNIT_TEST(slab_is_valid_counts_free_bits_s2),
		UNIT_TEST(slab_is_valid_sees_fresh_slots_that_are_not_s6),
		UNIT_TEST(slab_is_valid_sees_bits_beyond_the_last_slot_s2),
	};

	return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
