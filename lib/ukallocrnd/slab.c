/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>

#include "atomic.h"
#include "bitmap.h"
#include "report.h"
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

/* Only a wild write, or a bug of our own, gets here */
static void __noinline __noreturn slab_report(const struct rnd_slab *s,
					      const char *where)
{
	struct rnd_bug_info info = {
		.bug = RND_BUG_METADATA,
		.op = "malloc",
		.ptr = (const void *)s->base,
		.slot_len = rnd_sizeclass[s->sc].slot_len,
		.where = where,
	};

	rnd_report(&info);
}

__bool rnd_slab_try(struct rnd_slab *s, unsigned int slot)
{
	__u64 *word = rnd_slab_free_bits(s) + slot / 64;
	__u64 bit = 1UL << (slot & 63U);
	__u16 *state;

	if (!(*word & bit))
		return 0;

	state = rnd_slab_states(s) + slot;
	if (unlikely((*state & RND_STATE_MASK) != RND_SLOT_FREE))
		slab_report(s, "its bitmap and its state disagree (S1)");
	*word &= ~bit;
	s->free_cnt--;
	*state = (__u16)((*state & ~RND_STATE_MASK) | RND_SLOT_DRAWN);

	return 1;
}

unsigned int rnd_slab_take(struct rnd_slab *s, unsigned int n)
{
	const __u64 *bits = rnd_slab_free_bits(s);
	unsigned int i, slot, cnt;

	UK_ASSERT(n < s->free_cnt);

	for (i = 0;; i++) {
		UK_ASSERT(i < RND_SLAB_WORDS(s->slots));
		cnt = rnd_word_count(bits[i]);
		if (n < cnt)
			break;
		n -= cnt;
	}

	slot = i * 64 + rnd_word_select(bits[i], n);
	(void)rnd_slab_try(s, slot);

	return slot;
}

void rnd_slab_return(struct rnd_slab *s, unsigned int slot)
{
	__u64 *bits = rnd_slab_free_bits(s);
	__u16 *state = rnd_slab_states(s) + slot;

	UK_ASSERT(slot < s->slots);
	if (unlikely(bits[slot / 64] & (1UL << (slot & 63U))))
		slab_report(s, "a used slot is in its bitmap (S1)");

	/* RND_SLOT_FREE is 0 */
	*state = (__u16)(*state & ~RND_STATE_MASK);
	bits[slot / 64] |= 1UL << (slot & 63U);
	s->free_cnt++;
}

__bool rnd_slab_mark_remote(struct rnd_slab *s, unsigned int slot)
{
	__u64 bit = 1UL << (slot & 63U);

	/* Acquire and release: what was written to the slot and its state is
	 * visible to the owner who takes the bit, and the in-inbox flag that is
	 * set next is ordered behind the owner's clearing it. Pairs with the
	 * exchange in rnd_pclass_take_remote()
	 */
	return !(
		rnd_fetch_or_acq_rel(rnd_slab_remote_bits(s) + slot / 64, bit) &
		bit);
}

__bool rnd_slab_is_valid(struct rnd_slab *s)
{
	const __u64 *bits = rnd_slab_free_bits(s);
	const __u16 *states = rnd_slab_states(s);
	unsigned int i, cnt = 0;
	__bool is_free;

	for (i = 0; i < s->slots; i++) {
		is_free = (bits[i / 64] >> (i & 63U)) & 1;
		cnt += is_free;
		if (is_free != ((states[i] & RND_STATE_MASK) == RND_SLOT_FREE))
			return 0;
	}

	return cnt == s->free_cnt && states[s->slots] == 0 &&
	       s->slots == rnd_sizeclass[s->sc].slots;
}
