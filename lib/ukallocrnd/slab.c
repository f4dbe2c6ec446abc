/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>

#include "atomic.h"
#include "bitmap.h"
#include "slab.h"

void rnd_slab_init(struct rnd_slab *s, __u16 owner)
{
	__u64 *bits;
	unsigned int i, words;

	UK_ASSERT(s && s->sc < RND_CLASS_COUNT);

	s->slots = rnd_sizeclass[s->sc].slots;
	s->owner = owner;
	s->next = __NULL;
	s->prev = __NULL;
	s->inbox_next = __NULL;
	s->visit = 0;
	s->active = 0;
	s->listed = 0;
	s->free_cnt = s->slots;

	bits = rnd_slab_free_bits(s);
	words = RND_SLAB_WORDS(s->slots);
	s->fresh = (__u16)(words > 1 ? (1U << words) - 1U : 0U);
	s->fresh_cnt = s->slots;
	for (i = 0; i < words; i++) {
		bits[i] = ~0UL;
		bits[words + i] = 0;
	}
	if (s->slots & 63U)
		bits[words - 1] = (1UL << (s->slots & 63U)) - 1;
}

/* The lowest max bits of a word with more than that */
static __u64 word_lowest(__u64 word, __u32 max)
{
	__u64 rest = word;

	for (; max; max--)
		rest &= rest - 1;

	return word ^ rest;
}

/* The first word with a free slot from a given one on, if there is one */
static __u32 word_find(const struct rnd_slab *s, const __u64 *word, __u32 from)
{
	__u32 i = from, n, words = RND_SLAB_WORDS(s->slots);
	__u32 without = rnd_slab_used_cnt(s) ? s->fresh : 0;

	for (n = 0; n < words; n++, i++) {
		if (i >= words)
			i = 0;
		if (word[i] && !(without >> i & 1))
			return i;
	}

	return ~0U;
}

/* Some slots of a word are not fresh any more. If it is the only one they were
 * the lowest ones, and those above the highest one so far still are
 */
static void slab_use(struct rnd_slab *s, __u32 word, __u64 bits)
{
	__u32 above;

	if (s->slots <= 64) {
		above = s->slots - 64 + (__u32)__builtin_clzl(bits);
		s->fresh_cnt = (__u16)MIN(s->fresh_cnt, above);
	} else if (s->fresh >> word & 1) {
		s->fresh ^= (__u16)(1U << word);
		s->fresh_cnt = (__u16)(s->fresh_cnt - 64U);
	}
}

__u32 rnd_slab_grab(struct rnd_slab *s, __u32 from, __u32 max, __u64 *bits)
{
	__u64 *word = rnd_slab_free_bits(s);
	__u32 i = word_find(s, word, from), cnt;

	if (unlikely(i == ~0U))
		return i;
	/* Those below the fresh ones */
	if (s->slots <= 64 && rnd_slab_used_cnt(s))
		max = MIN(max, rnd_slab_used_cnt(s));

	*bits = word[i];
	cnt = rnd_word_count(*bits);
	if (cnt > max) {
		*bits = word_lowest(*bits, max);
		cnt = max;
	}
	word[i] ^= *bits;
	s->free_cnt -= cnt;
	slab_use(s, i, *bits);

	return i;
}

/* Tests S6 */
static __bool fresh_is_valid(const struct rnd_slab *s, const __u64 *bits)
{
	__u32 i, cnt = 0;

	if (s->slots <= 64) {
		cnt = s->fresh_cnt;
		return !s->fresh && cnt <= s->slots &&
		       (!cnt ||
			bits[0] >> (s->slots - cnt) == ~0UL >> (64 - cnt));
	}
	for (i = 0; i < RND_SLAB_WORDS(s->slots); i++) {
		if (!(s->fresh >> i & 1))
			continue;
		cnt += 64;
		if (bits[i] != ~0UL)
			return 0;
	}

	return cnt == s->fresh_cnt && !(s->fresh >> i);
}

__bool rnd_slab_is_valid(struct rnd_slab *s, const __u16 *states)
{
	const __u64 *bits = rnd_slab_free_bits(s);
	unsigned int i, cnt = 0;

	for (i = 0; i < s->slots; i++) {
		if (!(bits[i / 64] >> (i & 63U) & 1))
			continue;
		cnt++;
		if (states[i] & RND_SLOT_TAKEN)
			return 0;
	}

	/* The last word may have more bits than there are slots */
	if (s->slots & 63U && bits[s->slots / 64] >> (s->slots & 63U))
		return 0;

	return cnt == s->free_cnt && fresh_is_valid(s, bits) &&
	       s->slots == rnd_sizeclass[s->sc].slots;
}
