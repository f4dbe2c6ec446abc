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

__u32 rnd_slab_grab(struct rnd_slab *s, __u32 from, __u32 max, __u64 *bits)
{
	__u64 *word = rnd_slab_free_bits(s);
	__u32 i, n, cnt, words = RND_SLAB_WORDS(s->slots);

	for (n = 0, i = from; n < words; n++, i++) {
		if (i >= words)
			i = 0;
		if (word[i])
			break;
	}
	if (unlikely(n == words))
		return ~0U;

	*bits = word[i];
	cnt = rnd_word_count(*bits);
	if (unlikely(cnt > max)) {
		*bits = word_lowest(*bits, max);
		cnt = max;
	}
	word[i] ^= *bits;
	s->free_cnt -= cnt;

	return i;
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

	return cnt == s->free_cnt && s->slots == rnd_sizeclass[s->sc].slots;
}
