/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_PCLASS_H__
#define __UKALLOCRND_PCLASS_H__

/* The part of a size class that one CPU owns
 *
 * Why
 *   malloc() and free() of one CPU must meet no lock, no atomic operation
 *   and few cache lines; yet a slot must be unpredictable when it is drawn
 *   and stay away for long when it was freed.
 *
 * How
 *   A CPU owns slabs. Its pool holds free slots of several of them: an array
 *   from which malloc takes a random entry, which the last entry replaces.
 *   Every entry is equally likely, and there are never fewer than pool_min to
 *   choose from. A pool that has shrunk to that is refilled with whole words
 *   of the bitmaps of random slabs, those that were used before first, because
 *   they have memory; the order in which slots get in does not matter. What is
 *   freed goes through the quarantine into the pool, in batches; a pool that is
 *   then too full spills into the slabs.
 *
 *            refill        random entry
 *    slabs --------> pool --------------> user
 *      ^              | ^                  |
 *      +--------------+ +--- quarantine <--+ free
 *            spill
 *
 * Invariants
 *   P1  A pool holds only FREE and FREED slots of slabs of this CPU, each
 *       once, and their free bits are clear.
 *   P2  The quarantine holds only FREED slots of slabs of this CPU.
 *   P3  Every slab with free bits is active or on the partial list (S5).
 *   P4  empty_cnt is the number of slabs on the partial list whose slots are
 *       all free; they are behind all others.
 *   P5  A part that was never used is zero: its pool has nothing to draw.
 *   P6  out is the number of slots of slabs of this CPU whose free bits are
 *       clear.
 *
 * Concurrency
 *   Everything belongs to the owning CPU, which is inside the library
 *   (rnd_pcpu_enter()); other CPUs reach it through the inbox only.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bulk.h"
#include "canary.h"
#include "config.h"
#include "quarantine.h"
#include "region.h"
#include "slab.h"

/* Slabs that a refill takes from */
#define RND_ACTIVE_MAX 8U

/* Least slots to choose from, whatever their size */
#define RND_CHOICE_MIN 6U

/* Long slots that are not in a bitmap, for each one to choose from: who uses
 * many gets the choice that would be a waste of memory for who uses few
 */
#define RND_CHOICE_SHARE 8U

/* Part of what they may be spread over that they start with */
#define RND_CHOICE_FEW 4U

/* Slots that a refill puts into the pool beyond what there is to choose from,
 * if there are so many that were used before, few of long ones, which are
 * memory; when there are three times as many, or five times, some are returned
 * to the slabs. Four times a segment is what the FIFO stage holds: after a
 * refill as much can come and go without a way by the slabs
 */
#define RND_POOL_SPARE(choice)		  ((choice) / 3U + 2U)
#define RND_POOL_SPARE_LONG(choice)	  ((choice) / 8U + 2U)
#define RND_POOL_HIGH(choice, spare)	  ((choice) + 3U * (spare))
#define RND_POOL_HIGH_LONG(choice, spare) ((choice) + 5U * (spare))

/* The same of slots that are in a common quarantine: bytes, and bounds */
#define RND_POOL_BULK_BYTES 32768U
#define RND_POOL_BULK_LEAST 3U
#define RND_POOL_BULK_MOST  RND_QUARANTINE_SEG_MAX

#define RND_POOL_MOST(spare)                                                   \
	((spare) > RND_QUARANTINE_SEG_MAX ? (spare) : RND_QUARANTINE_SEG_MAX)
#define RND_POOL_HIGH_MOST                                                     \
	RND_POOL_HIGH(RND_CHOICE_LEN,                                          \
		      RND_POOL_MOST(RND_POOL_SPARE(RND_CHOICE_LEN)))
/* The choice of long slots is shorter */
#define RND_POOL_HIGH_LONG_MOST                                                \
	RND_POOL_HIGH_LONG(                                                    \
		RND_CHOICE_LEN * 2U / 3U,                                      \
		RND_POOL_MOST(RND_POOL_SPARE_LONG(RND_CHOICE_LEN * 2U / 3U)))

/* Of slots that nobody has used yet, which cost memory, a refill puts two more
 * into the pool than a draw must leave there, and one for so many in use
 */
#define RND_POOL_FRESH 32U

/* Slots that are returned to the slabs at a time: the longest call should not
 * be one that has to return all of them
 */
#define RND_SPILL_LEN 128U

UK_CTASSERT(RND_SPILL_LEN > RND_QUARANTINE_SEG_MAX);

/* What leaves the quarantine is let into the pool without asking whether there
 * is room; then that is seen to
 */
#define RND_POOL_LEN                                                           \
	((RND_POOL_HIGH_MOST > RND_POOL_HIGH_LONG_MOST ?                       \
		  RND_POOL_HIGH_MOST :                                         \
		  RND_POOL_HIGH_LONG_MOST) +                                   \
	 RND_QUARANTINE_SEG_MAX)

/* An entry is chosen by 16 random bits: the most likely one by at most
 * RND_POOL_LEN / 2^16 more often than the least likely one
 */
UK_CTASSERT(RND_POOL_LEN <= 0x2000);

/* Slabs whose slots are all free are kept, because memory that comes back from
 * the system is dear, until they were not needed for so many visits of
 * rnd_pclass_age(); then so many are purged at a visit, until they are so many
 * bytes, and visits go on here
 */
#define RND_EMPTY_AGE	64U
#define RND_EMPTY_BATCH 8U
#define RND_EMPTY_LEN	262144UL

/* Pages of long slots that only free ones touch are given back when a part was
 * not used for so many visits, twice as many each time, so that one that is
 * used now and then does not fault them in for ever; of slabs below this index,
 * so that a visit is short
 */
#define RND_IDLE_AGE(cnt) (16U << (cnt))
#define RND_IDLE_MAX	  2U
#define RND_IDLE_SLABS	  64U

/**
 * Field markings: (c) constant after init, (p) owning CPU
 */
struct rnd_pclass {
	/** (p) Slots in the pool; (p) what a draw must leave in it */
	__u32 pool_cnt;
	__u32 pool_min;
	/** (c) Copies of the region's constants, for the fast paths */
	__uptr base;
	__u16 *states;
	__u64 inverse;
	/** (p) Bytes from base that hold all slabs of this CPU */
	__sz end;
	struct rnd_canary_key key;
	/** (c) Length of a slot; state words, but for kind and slack, of what
	 * is live here and of what is freed here
	 */
	__u32 slot_len;
	__u16 live;
	__u16 freed;
	/** (c) For finding descriptors */
	__uptr slabs;
	__u64 desc_step;
	__u32 slot_shift;
	/** (c) CPU index of the owner */
	__u32 cpu;
	/** (c) Quarantine of long slots that this part shares with others of
	 * the CPU, or __NULL: q
	 */
	struct rnd_bulk *bulk;
	/** (p) The largest pool_min; slots in the pool after a refill; at most,
	 * before it spills
	 */
	__u32 choice;
	__u32 pool_max;
	__u32 pool_high;
	/** (c) Bounds of choice */
	__u32 choice_least;
	__u32 choice_most;
	/** (p) Slots of the slabs of this CPU that are not in a bitmap: live,
	 * waiting or in the pool
	 */
	__u32 out;
	/** (p) Slabs that refills take from */
	__u32 active_cnt;
	/** (p) By how much the quarantine grows when another CPU frees for the
	 * first time; 0: it has, or never does
	 */
	__u32 burst;
	/** (p) Freed slots that wait */
	struct rnd_quarantine q;
	/** (p) Numbers of slots; beyond pool_cnt without meaning */
	__u32 pool[RND_POOL_LEN];
	/** (c) Where slabs come from; __NULL: never used */
	const struct rnd_region *region;
	struct rnd_vspace *vs;
	struct rnd_rng *rng;
	/** (p) Slabs on the partial list whose slots are all free; the least
	 * number of them since that was last asked; visits since then
	 */
	__u32 empty_cnt;
	__u32 empty_low;
	__u32 empty_age;
	/** (p) Visits since the part was last used, how often pages were given
	 * back then, and how use is seen
	 */
	__u32 idle_age;
	__u32 idle_cnt;
	__u64 idle_seen;
	struct rnd_slab *active[RND_ACTIVE_MAX];
	/** (p) Other slabs with free slots: the first, the last */
	struct rnd_slab *partial;
	struct rnd_slab *partial_last;
	/** (p) Refills so far */
	__u64 refills;
	/** Makes the length an odd multiple of two cache lines, so that the
	 * first lines of several parts are in different sets of the cache
	 */
	__u64 unused[6];
} __align(64);

/** Address of a slot */
static inline void *rnd_pclass_slot(const struct rnd_pclass *pl, __uptr n)
{
	return (void *)(pl->base + n * pl->slot_len);
}

/** Descriptor of the slab that a slot is in */
static inline struct rnd_slab *rnd_pclass_slab(const struct rnd_pclass *pl,
					       __uptr n)
{
	return (struct rnd_slab *)(pl->slabs + ((__u32)n >> pl->slot_shift) *
						       pl->desc_step);
}

/** Tells whether rnd_pclass_draw() may be called */
static inline __bool rnd_pclass_can_draw(const struct rnd_pclass *pl)
{
	return likely(pl->pool_cnt > pl->pool_min);
}

/**
 * Takes a slot out of the pool, each with the same probability. Eight
 * instructions.
 *
 * @param rng
 *   Generator of the owner, with 16 bits ready
 *
 * @return
 *   Number of the slot
 */
static inline __uptr rnd_pclass_draw(struct rnd_pclass *pl, struct rnd_rng *rng)
{
	__u32 cnt = pl->pool_cnt, i, *at, n;

	if (RND_OPT_RANDOM_SLOTS)
		i = (rnd_rng_take16(rng) * cnt) >> 16;
	else
		i = cnt - 1;

	at = &pl->pool[i];
	n = *at;
	pl->pool_cnt = --cnt;
	*at = pl->pool[cnt];

	return n;
}

/** Initializes the part of a CPU; pl is zero and outlived by all else */
void rnd_pclass_init(struct rnd_pclass *pl, const struct rnd_region *region,
		     const struct rnd_canary_key *key, struct rnd_vspace *vs,
		     struct rnd_rng *rng, __u32 cpu);

/**
 * Fills the pool. Bounded: takes at most pool_max slots, each from a word that
 * is found among at most 16, and commits at most RND_ACTIVE_MAX slabs.
 *
 * @return
 *   1 if rnd_pclass_draw() can be called; 0: no memory
 */
__bool rnd_pclass_refill(struct rnd_pclass *pl);

/** Returns some of what is too much in the pool to the slabs */
void rnd_pclass_spill(struct rnd_pclass *pl);

/**
 * Purges free slabs that were not needed for long, and gives back pages of a
 * part that was not used for long. To be called again and again; purges
 * RND_EMPTY_BATCH slabs at most, or looks at RND_IDLE_SLABS, thus no lock is
 * held.
 *
 * @return
 *   1: there may be more slabs to purge
 */
__bool rnd_pclass_age(struct rnd_pclass *pl);

/**
 * Makes a part for long slots use the common quarantine of its CPU, where there
 * are quarantines. All parts that do are elements of one array, at the index of
 * their class.
 */
void rnd_pclass_join(struct rnd_pclass *pl, struct rnd_bulk *bulk);

/** Puts a FREED slot of a part with a common quarantine there */
void rnd_pclass_quarantine_bulk(struct rnd_pclass *pl, __u32 n);

/** Moves all slots of a common quarantine into the pools of their classes */
void rnd_pclass_drain_bulk(struct rnd_pclass *cls, struct rnd_bulk *bulk);

/** Puts a FREED slot into the quarantine */
static inline void rnd_pclass_quarantine(struct rnd_pclass *pl, __u32 n)
{
	if (RND_OPT_QUARANTINE && pl->bulk) {
		rnd_pclass_quarantine_bulk(pl, n);
		return;
	}
	pl->pool_cnt += rnd_quarantine_push(&pl->q, pl->rng, n,
					    &pl->pool[pl->pool_cnt]);
	if (unlikely(pl->pool_cnt > pl->pool_high))
		rnd_pclass_spill(pl);
}

/** Tells whether rnd_pclass_step() may be called */
static inline __bool rnd_pclass_can_step(const struct rnd_pclass *pl,
					 const struct rnd_rng *rng)
{
	if (!RND_OPT_QUARANTINE)
		return likely(pl->pool_cnt < pl->pool_high);

	return rnd_quarantine_can_step(&pl->q, rng);
}

/** Does what rnd_pclass_quarantine() does, in the usual case */
static inline void rnd_pclass_step(struct rnd_pclass *pl, struct rnd_rng *rng,
				   __u32 n)
{
	if (RND_OPT_QUARANTINE)
		rnd_quarantine_step(&pl->q, rng, n);
	else
		pl->pool[pl->pool_cnt++] = n;
}

/**
 * Takes what other CPUs freed in a slab of this CPU into quarantine. The slab
 * has just left the inbox.
 *
 * @return
 *   Number of slots taken
 */
__u32 rnd_pclass_take_remote(struct rnd_pclass *pl, struct rnd_slab *s);

/** Returns all slots of pool and quarantine to their slabs */
void rnd_pclass_flush(struct rnd_pclass *pl);

/**
 * Purges slabs without used slots, active ones included, until they are enough.
 * What is left counts as not needed for long.
 *
 * @param want
 *   Bytes that are enough
 *
 * @return
 *   Number of bytes given back; less than want: there were no more
 */
__sz rnd_pclass_trim(struct rnd_pclass *pl, __sz want);

/**
 * Purges all slabs without used slots, active ones included, and pages of
 * others that no used slot touches.
 *
 * @return
 *   Number of bytes given back
 */
__sz rnd_pclass_purge(struct rnd_pclass *pl);

#endif /* __UKALLOCRND_PCLASS_H__ */
