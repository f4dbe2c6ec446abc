/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>
#include <uk/essentials.h>

#include "quarantine.h"

static __u32 random_len(const struct rnd_quarantine *q)
{
	return q->rand_mask + 1;
}

void rnd_quarantine_init(struct rnd_quarantine *q, __u32 rand_len,
			 __u32 fifo_len)
{
	UK_ASSERT(q);
	UK_ASSERT(POWER_OF_2(rand_len) && rand_len <= RND_QUARANTINE_RAND_LEN);
	UK_ASSERT(fifo_len >= 1 && fifo_len <= RND_QUARANTINE_FIFO_LEN);

	q->rand_mask = rand_len - 1;
	q->fifo_len = fifo_len;
	q->fifo_head = 0;
}

/* Empties one entry; only then is the slot nobody else's */
static void entry_drain(__u64 *entry, rnd_quarantine_func fn, void *arg)
{
	__u64 ref = *entry;

	if (!ref)
		return;

	*entry = 0;
	fn(arg, ref);
}

void rnd_quarantine_drain(struct rnd_quarantine *q, rnd_quarantine_func fn,
			  void *arg)
{
	__u32 i, n;

	UK_ASSERT(q);
	UK_ASSERT(fn);

	i = q->fifo_head;
	for (n = 0; n < q->fifo_len; n++) {
		entry_drain(&q->fifo[i], fn, arg);
		i = i + 1 == q->fifo_len ? 0 : i + 1;
	}
	q->fifo_head = 0;

	for (i = 0; i < random_len(q); i++)
		entry_drain(&q->rand[i], fn, arg);
}

static __u32 entries_used(const __u64 *entries, __u32 len)
{
	__u32 i, n = 0;

	for (i = 0; i < len; i++)
		n += entries[i] != 0;

	return n;
}

static __u32 entries_equal(const __u64 *entries, __u32 len, __u64 ref)
{
	__u32 i, n = 0;

	for (i = 0; i < len; i++)
		n += entries[i] == ref;

	return n;
}

static __u32 ref_count(const struct rnd_quarantine *q, __u64 ref)
{
	return entries_equal(q->rand, random_len(q), ref) +
	       entries_equal(q->fifo, q->fifo_len, ref);
}

__u32 rnd_quarantine_count(const struct rnd_quarantine *q)
{
	UK_ASSERT(q);

	return entries_used(q->rand, random_len(q)) +
	       entries_used(q->fifo, q->fifo_len);
}

__bool rnd_quarantine_contains(const struct rnd_quarantine *q, __u64 ref)
{
	UK_ASSERT(q);
	UK_ASSERT(ref);

	return ref_count(q, ref) != 0;
}

/* Lengths and positions are possible, and Q4 */
static __bool shape_is_valid(const struct rnd_quarantine *q)
{
	__u32 used;

	if (!POWER_OF_2(random_len(q)) ||
	    random_len(q) > RND_QUARANTINE_RAND_LEN)
		return 0;
	if (!q->fifo_len || q->fifo_len > RND_QUARANTINE_FIFO_LEN ||
	    q->fifo_head >= q->fifo_len)
		return 0;

	if (entries_used(q->rand, RND_QUARANTINE_RAND_LEN) !=
	    entries_used(q->rand, random_len(q)))
		return 0;

	/* A full ring may have its head anywhere */
	used = entries_used(q->fifo, RND_QUARANTINE_FIFO_LEN);
	if (used == q->fifo_len)
		return entries_used(q->fifo, q->fifo_len) == used;
	return used == q->fifo_head &&
	       entries_used(q->fifo, q->fifo_head) == used;
}

__bool rnd_quarantine_is_valid(const struct rnd_quarantine *q)
{
	__u32 i;

	UK_ASSERT(q);

	if (!shape_is_valid(q))
		return 0;

	for (i = 0; i < random_len(q); i++)
		if (q->rand[i] && ref_count(q, q->rand[i]) != 1)
			return 0;

	for (i = 0; i < q->fifo_len; i++)
		if (q->fifo[i] && ref_count(q, q->fifo[i]) != 1)
			return 0;

	return 1;
}
