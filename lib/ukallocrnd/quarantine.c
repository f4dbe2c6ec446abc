/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "quarantine.h"

void rnd_quarantine_init(struct rnd_quarantine *q, __u32 rand_len,
			 __u32 fifo_len, __u32 seg_len)
{
	UK_ASSERT(q);
	UK_ASSERT(rand_len < RND_QUARANTINE_RAND_LEN + 1U);
	UK_ASSERT(!RND_QUARANTINE_RAND_LEN || POWER_OF_2(rand_len));
	UK_ASSERT(fifo_len >= 1 && fifo_len <= RND_QUARANTINE_FIFO_MAX);
	UK_ASSERT(seg_len >= 1 && seg_len <= RND_QUARANTINE_SEG_MAX);

	q->rand_len = rand_len;
	q->fifo_len = fifo_len;
	q->seg_len = seg_len;
	q->ring_len = (DIV_ROUND_UP(fifo_len, seg_len) + 1) * seg_len;
	q->left = q->ring_len;
	q->floor = q->ring_len - seg_len + 1;
	/* RND_QUARANTINE_NONE everywhere */
	memset(q->rand, 0xff, sizeof(q->rand));
	memset(q->fifo, 0xff, q->ring_len * sizeof(*q->fifo));
}

void rnd_quarantine_grow(struct rnd_quarantine *q, __u32 more)
{
	__u32 seg = q->floor - 1, *at = &q->fifo[seg];

	UK_ASSERT(more);

	/* All but what was filled in earlier rounds makes room */
	more = DIV_ROUND_UP(more, q->seg_len) * q->seg_len;
	UK_ASSERT(q->fifo_len + more <= RND_QUARANTINE_FIFO_MAX);
	memmove(at + more, at, (q->ring_len - seg) * sizeof(*at));
	memset(at, 0xff, more * sizeof(*at));
	q->left += more;
	q->floor += more;
	q->fifo_len += more;
	q->ring_len += more;
}

/* The segment is full: the next one is filled from now on. What is in there
 * leaves; there is nothing unless all others are full
 */
static __u32 quarantine_turn(struct rnd_quarantine *q, __u32 *out)
{
	__sz len = q->seg_len * sizeof(*q->fifo);
	__u32 *seg;

	if (!q->left)
		q->left = q->ring_len;
	q->floor = q->left - q->seg_len + 1;

	seg = &q->fifo[q->left - q->seg_len];
	if (*seg == RND_QUARANTINE_NONE)
		return 0;
	if (q->seg_len == 1) {
		*out = *seg;
		*seg = RND_QUARANTINE_NONE;
		return 1;
	}
	memcpy(out, seg, len);
	memset(seg, 0xff, len);

	return q->seg_len;
}

__u32 rnd_quarantine_push(struct rnd_quarantine *q, struct rnd_rng *rng,
			  __u32 slot, __u32 *out)
{
	if (!RND_OPT_QUARANTINE) {
		*out = slot;
		return 1;
	}

	if (RND_QUARANTINE_RAND_LEN) {
		slot = rnd_quarantine_mix(q, rnd_rng_u8(rng), slot);
		if (unlikely(slot == RND_QUARANTINE_NONE))
			return 0;
	}

	q->fifo[--q->left] = slot;

	return q->left < q->floor ? quarantine_turn(q, out) : 0;
}

/* Empties one entry; only then is the slot nobody else's */
static void entry_drain(__u32 *entry, rnd_quarantine_func fn, void *arg)
{
	__u32 slot = *entry;

	if (slot == RND_QUARANTINE_NONE)
		return;

	*entry = RND_QUARANTINE_NONE;
	fn(arg, slot);
}

void rnd_quarantine_drain(struct rnd_quarantine *q, rnd_quarantine_func fn,
			  void *arg)
{
	__u32 i, n;

	UK_ASSERT(q);
	UK_ASSERT(fn);

	i = q->left;
	for (n = 0; n < q->ring_len; n++) {
		i = i ? i - 1 : q->ring_len - 1;
		entry_drain(&q->fifo[i], fn, arg);
	}
	q->left = q->ring_len;
	q->floor = q->ring_len - q->seg_len + 1;

	for (i = 0; i < q->rand_len; i++)
		entry_drain(&q->rand[i], fn, arg);
}

static __u32 entries_used(const __u32 *entries, __u32 len)
{
	__u32 i, n = 0;

	for (i = 0; i < len; i++)
		n += entries[i] != RND_QUARANTINE_NONE;

	return n;
}

static __u32 entries_equal(const __u32 *entries, __u32 len, __u32 slot)
{
	__u32 i, n = 0;

	for (i = 0; i < len; i++)
		n += entries[i] == slot;

	return n;
}

static __u32 slot_count(const struct rnd_quarantine *q, __u32 slot)
{
	return entries_equal(q->rand, q->rand_len, slot) +
	       entries_equal(q->fifo, q->ring_len, slot);
}

__u32 rnd_quarantine_count(const struct rnd_quarantine *q)
{
	UK_ASSERT(q);

	return entries_used(q->rand, q->rand_len) +
	       entries_used(q->fifo, q->ring_len);
}

__bool rnd_quarantine_contains(const struct rnd_quarantine *q, __u32 slot)
{
	UK_ASSERT(q);
	UK_ASSERT(slot != RND_QUARANTINE_NONE);

	return slot_count(q, slot) != 0;
}

/* Lengths and positions are possible */
static __bool shape_is_valid(const struct rnd_quarantine *q)
{
	__u32 seg = q->floor - 1;

	if (q->rand_len > RND_QUARANTINE_RAND_LEN ||
	    (q->rand_len & (q->rand_len - 1)))
		return 0;
	if (!q->fifo_len || q->fifo_len > RND_QUARANTINE_FIFO_MAX ||
	    !q->seg_len || q->seg_len > RND_QUARANTINE_SEG_MAX ||
	    q->ring_len !=
		    (DIV_ROUND_UP(q->fifo_len, q->seg_len) + 1) * q->seg_len)
		return 0;

	return seg < q->ring_len && seg % q->seg_len == 0 && q->left > seg &&
	       q->left - seg <= q->seg_len;
}

/* Q4 */
static __bool entries_are_valid(const struct rnd_quarantine *q)
{
	__u32 seg = q->floor - 1, i, used;
	__bool is_new = 0;

	if (entries_used(q->rand, ARRAY_SIZE(q->rand)) !=
	    entries_used(q->rand, q->rand_len))
		return 0;

	/* The one being filled, those filled before, others */
	if (entries_used(&q->fifo[seg], q->left - seg) ||
	    entries_used(&q->fifo[q->left], q->ring_len - q->left) !=
		    q->ring_len - q->left)
		return 0;
	for (i = 0; i < seg; i += q->seg_len) {
		used = entries_used(&q->fifo[i], q->seg_len);
		if (used && used != q->seg_len)
			return 0;
		/* Full ones, then empty ones, in this order */
		if (used && is_new)
			return 0;
		is_new = !used;
	}

	return 1;
}

__bool rnd_quarantine_is_valid(const struct rnd_quarantine *q)
{
	__u32 i;

	UK_ASSERT(q);

	if (!shape_is_valid(q) || !entries_are_valid(q))
		return 0;

	for (i = 0; i < q->rand_len; i++)
		if (q->rand[i] != RND_QUARANTINE_NONE &&
		    slot_count(q, q->rand[i]) != 1)
			return 0;

	for (i = 0; i < q->ring_len; i++)
		if (q->fifo[i] != RND_QUARANTINE_NONE &&
		    slot_count(q, q->fifo[i]) != 1)
			return 0;

	return 1;
}
