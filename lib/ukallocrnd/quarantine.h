/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_QUARANTINE_H__
#define __UKALLOCRND_QUARANTINE_H__

/* Quarantine: a random but bounded delay between free() and reuse
 *
 * Why
 *   A dangling pointer becomes exploitable when its slot is handed out again.
 *   The FIFO stage guarantees a minimum distance to that moment, the random
 *   stage makes the moment unpredictable.
 *
 * How
 *   The quarantine holds references: numbers, not 0, by which its owner names
 *   slots. Every freed slot enters the random stage at a random index and
 *   evicts whatever was there. The evicted slot enters the FIFO stage and
 *   evicts the oldest slot, which leaves the quarantine.
 *
 *             +-----------------+  evicted  +-----------------+  oldest
 *   free ---> | rand[], R slots | --------> | fifo[], F slots | -------> slab
 *             +-----------------+           +-----------------+
 *
 *   R and F differ from one size class to another, because long stages of
 *   large slots would hold too much memory back. The arrays have room for the
 *   longest.
 *
 * Invariants (rnd_quarantine_is_valid() tests all but Q2 and Q3)
 *   Q1  A slot is in the quarantine at most once.
 *   Q2  A slot leaves the FIFO stage exactly F evictions after it entered;
 *       once both stages are full, exactly R + F slots are held back.
 *   Q3  The quarantine never reads or writes the memory of a slot.
 *   Q4  Entries beyond R and F are empty. So are, while the FIFO stage is
 *       filling up, all of its entries from fifo_head on.
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

/**
 * Quarantine of one CPU and size class
 *
 * Field markings: (c) constant after init, (o) owner
 */
struct rnd_quarantine {
	/** (c) R - 1; R is a power of two */
	__u32 rand_mask;

	/** (c) F */
	__u32 fifo_len;

	/** (o) Next entry of fifo[] to be replaced: the oldest one, if any */
	__u32 fifo_head;

	/** (o) Random stage; 0 marks an entry not filled yet */
	__u64 rand[RND_QUARANTINE_RAND_LEN];

	/** (o) FIFO stage, a ring; 0 marks an entry not filled yet */
	__u64 fifo[RND_QUARANTINE_FIFO_LEN];
};

/* One random byte has to reach every entry of the random stage */
UK_CTASSERT(RND_QUARANTINE_RAND_LEN <= 1U + __U8_MAX);

/** Receives one reference from rnd_quarantine_drain() */
typedef void (*rnd_quarantine_func)(void *arg, __u64 ref);

/**
 * Initializes an empty quarantine. Constant time: the memory is zero already,
 * because it was just committed, and is not touched beyond the first fields.
 *
 * @param q
 *   The quarantine, all bytes zero
 * @param rand_len
 *   Length R of the random stage, a power of two, at most
 *   RND_QUARANTINE_RAND_LEN
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
 * @param ref
 *   The freed slot, not 0; must not be in quarantine already (Q1)
 *
 * @return
 *   A slot that has left the quarantine and may be reused, or 0 while the
 *   quarantine is still filling up
 */
static inline __u64 rnd_quarantine_push(struct rnd_quarantine *q,
					struct rnd_rng *rng, __u64 ref)
{
	__u64 evicted, oldest;
	__u32 i;

	if (!RND_OPT_QUARANTINE)
		return ref;

	i = rnd_rng_u8(rng) & q->rand_mask;
	evicted = q->rand[i];
	q->rand[i] = ref;
	if (unlikely(!evicted))
		return 0;

	i = q->fifo_head;
	oldest = q->fifo[i];
	q->fifo[i] = evicted;
	i++;
	q->fifo_head = i == q->fifo_len ? 0 : i;
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
__bool rnd_quarantine_contains(const struct rnd_quarantine *q, __u64 ref);

/**
 * Tests the invariants. Quadratic in the number of entries, thus for tests
 * and integrity checks only.
 */
__bool rnd_quarantine_is_valid(const struct rnd_quarantine *q);

#endif /* __UKALLOCRND_QUARANTINE_H__ */
