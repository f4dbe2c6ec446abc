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
 *   evicts whatever was there. The evicted slot enters the FIFO stage, a ring
 *   of segments that is filled from its end down: one store. When a segment
 *   is full, all that is in the next one, the oldest, leaves for the pool
 *   (pclass.h) at once: of the several hundred slots there, each allocation
 *   takes one at random.
 *
 *             +---------+         +----+----+----+----+----+       +------+
 *   free ---> | rand, R | ------> |....|full|full|full|full| ----> | pool |
 *             +---------+ evicted +----+----+----+----+----+       +------+
 *                                    ^ filled   S slots each, F in all
 *
 *   F differs from one size class to another, because long stages of large
 *   slots would hold too much memory back, and it can grow: empty segments get
 *   in before the oldest one. R is 0 in the default profile: the
 *   pool is a random stage many times as long, and costs nothing.
 *
 * Invariants (rnd_quarantine_is_valid() tests all but Q2 and Q3)
 *   Q1  A slot is in the quarantine at most once.
 *   Q2  A slot leaves the FIFO stage at least F and less than F + 2 S
 *       evictions after it entered.
 *   Q3  The quarantine never reads or writes the memory of a slot.
 *   Q4  Entries beyond R are empty, and so are those that the segment being
 *       filled still has room for. Another segment is full, or empty if it is
 *       new; those that are empty are filled next. Beyond the ring entries
 *       have no meaning.
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

/* Longest segment */
#define RND_QUARANTINE_SEG_MAX 64U

/* Longest FIFO stage, which grows by whole segments; the ring has less than
 * two of them beyond F
 */
#define RND_QUARANTINE_FIFO_MAX                                                \
	(RND_QUARANTINE_FIFO_LEN + RND_QUARANTINE_BURST_LEN +                  \
	 (RND_QUARANTINE_BURST_LEN ? RND_QUARANTINE_SEG_MAX : 0U))
#define RND_QUARANTINE_RING_MAX                                                \
	(RND_QUARANTINE_FIFO_MAX + 2 * RND_QUARANTINE_SEG_MAX)

/**
 * Quarantine of one CPU and size class
 *
 * Field markings: (c) constant after init, (o) owner
 */
struct rnd_quarantine {
	/** (o) Entries of the ring that are filled before it starts over, from
	 * the end down: the next one is the one before this index
	 */
	__u32 left;

	/** (o) Start of the segment being filled, and one more: what would fill
	 * it is not for the fast path
	 */
	__u32 floor;

	/** (c) R, a power of two or 0 */
	__u32 rand_len;

	/** (o) F, S and the length of the ring, a multiple of S */
	__u32 fifo_len;
	__u32 seg_len;
	__u32 ring_len;

	/** (o) Random stage; one entry that is not used if there is none */
	__u32 rand[RND_QUARANTINE_RAND_LEN + !RND_QUARANTINE_RAND_LEN];

	/** (o) FIFO stage, a ring of segments. Last: what is beyond the ring is
	 * not touched
	 */
	__u32 fifo[RND_QUARANTINE_RING_MAX];
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
 *   Length F of the FIFO stage, from 1 to RND_QUARANTINE_FIFO_MAX
 * @param seg_len
 *   Length S of its segments, from 1 to RND_QUARANTINE_SEG_MAX
 */
void rnd_quarantine_init(struct rnd_quarantine *q, __u32 rand_len,
			 __u32 fifo_len, __u32 seg_len);

/**
 * Makes the FIFO stage longer, by more entries rounded up to whole segments. A
 * slot that is in it stays that much longer.
 *
 * @param more
 *   At least 1; F is at most RND_QUARANTINE_FIFO_MAX then
 */
void rnd_quarantine_grow(struct rnd_quarantine *q, __u32 more);

/* Passes a slot through the random stage; what comes out, or none */
static inline __u32 rnd_quarantine_mix(struct rnd_quarantine *q, __u32 random,
				       __u32 slot)
{
	__u32 i = random & (q->rand_len - 1), old = q->rand[i];

	q->rand[i] = slot;

	return old;
}

/**
 * Puts a freed slot into quarantine and releases others, if it is time.
 * Without CONFIG_LIBUKALLOCRND_QUARANTINE the slot itself is released.
 *
 * @param q
 *   The quarantine
 * @param rng
 *   Source of randomness of the same owner
 * @param slot
 *   The freed slot; must not be in quarantine already (Q1)
 * @param[out] out
 *   Slots that have left the quarantine and may be reused: room for S, or 1
 *
 * @return
 *   Their number: 0, or S
 */
__u32 rnd_quarantine_push(struct rnd_quarantine *q, struct rnd_rng *rng,
			  __u32 slot, __u32 *out);

/**
 * Tells whether rnd_quarantine_step() may be called: no segment gets full,
 * and there are random bits.
 */
static inline __bool rnd_quarantine_can_step(const struct rnd_quarantine *q,
					     const struct rnd_rng *rng)
{
	return likely(q->left > q->floor) &&
	       (!RND_QUARANTINE_RAND_LEN || rnd_rng_has16(rng));
}

/** Does what rnd_quarantine_push() does, in the usual case */
static inline void rnd_quarantine_step(struct rnd_quarantine *q,
				       struct rnd_rng *rng, __u32 slot)
{
	__u32 i;

	if (RND_QUARANTINE_RAND_LEN) {
		slot = rnd_quarantine_mix(q, rnd_rng_take16(rng), slot);
		if (unlikely(slot == RND_QUARANTINE_NONE))
			return;
	}

	i = q->left - 1;
	q->fifo[i] = slot;
	q->left = i;
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
