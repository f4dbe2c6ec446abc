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
			 __u32 fifo_len)
{
	UK_ASSERT(q);
	UK_ASSERT(rand_len < RND_QUARANTINE_RAND_LEN + 1U);
	UK_ASSERT(!RND_QUARANTINE_RAND_LEN || POWER_OF_2(rand_len));
	UK_ASSERT(fifo_len >= 1 && fifo_len <= RND_QUARANTINE_FIFO_LEN);

	q->rand_len = rand_len;
	q->fifo_len = fifo_len;
	q->fifo_left = fifo_len;
	/* RND_QUARANTINE_NONE everywhere */
	memset(q->rand, 0xff, sizeof(q->rand));
	memset(q->fifo, 0xff, sizeof(q->fifo));
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

	i = q->fifo_left;
	for (n = 0; n < q->fifo_len; n++) {
		i = i ? i - 1 : q->fifo_len - 1;
		entry_drain(&q->fifo[i], fn, arg);
	}
	q->fifo_left = q->fifo_len;

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
	       entries_equal(q->fifo, q->fifo_len, slot);
}

__u32 rnd_quarantine_count(const struct rnd_quarantine *q)
{
	UK_ASSERT(q);

	return entries_used(q->rand, q->rand_len) +
	       entries_used(q->fifo, q->fifo_len);
}

__bool rnd_quarantine_contains(const struct rnd_quarantine *q, __u32 slot)
{
	UK_ASSERT(q);
	UK_ASSERT(slot != RND_QUARANTINE_NONE);

	return slot_count(q, slot) != 0;
}

/* Lengths and positions are possible, and Q4 */
static __bool shape_is_valid(const struct rnd_quarantine *q)
{
	__u32 used;

	if (q->rand_len > RND_QUARANTINE_RAND_LEN ||
	    (q->rand_len & (q->rand_len - 1)))
		return 0;
	if (!q->fifo_len || q->fifo_len > RND_QUARANTINE_FIFO_LEN ||
	    !q->fifo_left || q->fifo_left > q->fifo_len)
		return 0;

	if (entries_used(q->rand, ARRAY_SIZE(q->rand)) !=
	    entries_used(q->rand, q->rand_len))
		return 0;

	/* A full ring may start anywhere */
	used = entries_used(q->fifo, RND_QUARANTINE_FIFO_LEN);
	if (used == q->fifo_len)
		return entries_used(q->fifo, q->fifo_len) == used;
	return used == q->fifo_len - q->fifo_left &&
	       !entries_used(q->fifo, q->fifo_left);
}

__bool rnd_quarantine_is_valid(const struct rnd_quarantine *q)
{
	__u32 i;

	UK_ASSERT(q);

	if (!shape_is_valid(q))
		return 0;

	for (i = 0; i < q->rand_len; i++)
		if (q->rand[i] != RND_QUARANTINE_NONE &&
		    slot_count(q, q->rand[i]) != 1)
			return 0;

	for (i = 0; i < q->fifo_len; i++)
		if (q->fifo[i] != RND_QUARANTINE_NONE &&
		    slot_count(q, q->fifo[i]) != 1)
			return 0;

	return 1;
}
