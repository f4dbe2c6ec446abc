/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_QUARANTINE_H__
#define __UKALLOCRND_QUARANTINE_H__

/* Quarantine: a bounded delay between free() and reuse
 *
 * Why
 *   A dangling pointer becomes exploitable when its slot is handed out again.
 *   The FIFO stage guarantees a minimum distance to that moment; the random
 *   stages before and behind it make the moment unpredictable.
 *
 * How
 *   The quarantine holds numbers by which its owner names slots. Every freed
 *   slot enters the random stage, if there is one, at a random index and
 *   evicts whatever was there. The evicted slot enters the FIFO stage and
 *   evicts the oldest slot, which leaves for the pool (pclass.h): of the
 *   several hundred slots there, each allocation takes one at random.
 *
 *             +-------------+         +-------------+          +------+
 *   free ---> | rand[], R   | ------> | fifo[], F   | -------> | pool |
 *             +-------------+ evicted +-------------+  oldest  +------+
 *
 *   F differs from one size class to another, because long stages of large
 *   slots would hold too much memory back. R is 0 in the default profile: the
 *   pool is a random stage many times as long, and costs nothing.
 *
 * Invariants (rnd_quarantine_is_valid() tests all but Q2 and Q3)
 *   Q1  A slot is in the quarantine at most once.
 *   Q2  A slot leaves the FIFO stage exactly F evictions after it entered;
 *       once both stages are full, exactly R + F slots are held back.
 *   Q3  The quarantine never reads or writes the memory of a slot.
 *   Q4  Entries beyond R and F are empty. So are, while the FIFO stage is
 *       filling up, all of its entries below fifo_left.
 *
 * Concurrency
 *   None of its own: a quarantine belongs to one CPU and size class. The
 *   functions do not block, allocate or call out (rnd_quarantine_drain()
 *   calls what it is told to).
 *
 * Source
 *   Two stages as in hardened_malloc (MIT), README.md, Security properties.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "config.h"
#include "rng.h"

/* Marks an entry not filled yet; no slot has this number */
#define RND_QUARANTINE_NONE (~0U)

/**
 * Quarantine of one CPU and size class
 *
 * Field markings: (c) constant after init, (o) owner
 */
struct rnd_quarantine {
	/** (c) R, a power of two or 0 */
	__u32 rand_len;

	/** (c) F */
	__u32 fifo_len;

	/** (o) Entries of fifo[] until the ring starts over, from the end down:
	 * the one before this index is the oldest, and is replaced next
	 */
	__u32 fifo_left;

	/** (o) FIFO stage, a ring */
	__u32 fifo[RND_QUARANTINE_FIFO_LEN];

	/** (o) Random stage; one entry that is not used if there is none */
	__u32 rand[RND_QUARANTINE_RAND_LEN + !RND_QUARANTINE_RAND_LEN];
};

/* One random byte has to reach every entry of the random stage */
UK_CTASSERT(RND_QUARANTINE_RAND_LEN <= 1U + __U8_MAX);

/** Receives one slot from rnd_quarantine_drain() */
typedef void (*rnd_quarantine_func)(void *arg, __u32 slot);

/**
 * Initializes an empty quarantine.
 *
 * @param q
 *   The quarantine
 * @param rand_len
 *   Length R of the random stage, a power of two, at most
 *   RND_QUARANTINE_RAND_LEN; 0 if that is 0
 * @param fifo_len
 *   Length F of the FIFO stage, from 1 to RND_QUARANTINE_FIFO_LEN
 */
void rnd_quarantine_init(struct rnd_quarantine *q, __u32 rand_len,
			 __u32 fifo_len);

/**
 * Puts a freed slot into quarantine and releases at most one other slot.
 * Without CONFIG_LIBUKALLOCRND_QUARANTINE the slot itself is released.
 *
 * @param q
 *   The quarantine
 * @param rng
 *   Source of randomness of the same owner
 * @param slot
 *   The freed slot; must not be in quarantine already (Q1)
 *
 * @return
 *   A slot that has left the quarantine and may be reused, or
 *   RND_QUARANTINE_NONE while the quarantine is still filling up
 */
static inline __u32 rnd_quarantine_push(struct rnd_quarantine *q,
					struct rnd_rng *rng, __u32 slot)
{
	__u32 oldest, i;

	if (!RND_OPT_QUARANTINE)
		return slot;

	if (RND_QUARANTINE_RAND_LEN) {
		i = rnd_rng_u8(rng) & (q->rand_len - 1);
		oldest = q->rand[i];
		q->rand[i] = slot;
		slot = oldest;
		if (unlikely(slot == RND_QUARANTINE_NONE))
			return slot;
	}

	i = q->fifo_left - 1;
	oldest = q->fifo[i];
	q->fifo[i] = slot;
	q->fifo_left = i ? i : q->fifo_len;
	return oldest;
}

/**
 * Tells whether rnd_quarantine_step() may be called: the ring does not start
 * over, and there are random bits.
 */
static inline __bool rnd_quarantine_can_step(const struct rnd_quarantine *q,
					     const struct rnd_rng *rng)
{
	return likely(q->fifo_left > 1) &&
	       (!RND_QUARANTINE_RAND_LEN || rnd_rng_has16(rng));
}

/** Does what rnd_quarantine_push() does, in the usual case */
static inline __u32 rnd_quarantine_step(struct rnd_quarantine *q,
					struct rnd_rng *rng, __u32 slot)
{
	__u32 i, oldest;

	if (RND_QUARANTINE_RAND_LEN) {
		i = rnd_rng_take16(rng) & (q->rand_len - 1);
		oldest = q->rand[i];
		q->rand[i] = slot;
		slot = oldest;
		if (unlikely(slot == RND_QUARANTINE_NONE))
			return slot;
	}

	i = q->fifo_left - 1;
	oldest = q->fifo[i];
	q->fifo[i] = slot;
	q->fifo_left = i;

	return oldest;
}

/**
 * Empties the quarantine: first the FIFO stage, oldest slot first, then the
 * random stage.
 *
 * @param q
 *   The quarantine; empty when fn is first called for its last slot, and fn
 *   must not push into it
 * @param fn
 *   Called once per slot
 * @param arg
 *   First argument of fn
 */
void rnd_quarantine_drain(struct rnd_quarantine *q, rnd_quarantine_func fn,
			  void *arg);

/** Number of slots in quarantine. Linear in R + F. */
__u32 rnd_quarantine_count(const struct rnd_quarantine *q);

/** Tells whether a slot is in quarantine. Linear in R + F. */
__bool rnd_quarantine_contains(const struct rnd_quarantine *q, __u32 slot);

/**
 * Tests the invariants. Quadratic in the number of entries, thus for tests
 * and integrity checks only.
 */
__bool rnd_quarantine_is_valid(const struct rnd_quarantine *q);

#endif /* __UKALLOCRND_QUARANTINE_H__ */
