/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_SLAB_H__
#define __UKALLOCRND_SLAB_H__

/* Slab: one span of equal slots, described out of line
 *
 * Why
 *   Nothing that the allocator trusts may lie next to what the user writes.
 *   All knowledge about a slab is in its descriptor and in the state words of
 *   its slots, in a reservation of their own between guards.
 *
 * How
 *   A descriptor is a header and two bitmaps:
 *
 *     +--------+-------------+-------------+
 *     | header | free bitmap | remote bits |
 *     +--------+-------------+-------------+
 *
 *   The state words of all slots of a region are one array (region.h). A word
 *   holds the state in bits 0-2, and above who freed the slot or, as long as
 *   it is live, its slack (slot length - requested size). The slack of short
 *   slots leaves room for the owner: its free() need not look it up.
 *
 *      15            8 7       3 2   0
 *     +---------------+---------+-----+
 *     |     owner     |  slack  |state|  live, short
 *     |          slack          |state|  live
 *     |      freed by CPU + 1   |state|  FREED, REMOTE
 *     +-------------------------+-----+
 *
 * Invariants
 *   S1  A slot whose free bit is set is FREE or FREED.
 *   S2  free_cnt is the number of free bits.
 *   S3  A slot is in exactly one of: the bitmap, the owner's quarantine or
 *       pool (FREE or FREED), the remote path (REMOTE: a CPU's outgoing batch
 *       or the remote bits), the user's hands (LIVE...).
 *   S4  A slot that is not live is zero.
 *   S5  A slab with free bits is on its owner's partial list or among its
 *       active slabs; a full one is on neither.
 *   S6  All slots of fresh words are free, and fresh_cnt is their number; so
 *       are the last fresh_cnt slots of a single word.
 *
 * Concurrency
 *   Header, free bitmap and the transitions of a state word belong to the
 *   owner, with two exceptions: any CPU turns LIVE into REMOTE when it frees,
 *   and sets remote bits (atomic). A double free that races over CPUs is thus
 *   found when the second remote bit is set or, at the latest, when the owner
 *   takes the bit and does not find REMOTE.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "atomic.h"
#include "rng.h"
#include "sizeclass.h"

/* Where a slot is need not be said by its state as long as nobody can have a
 * pointer to it: a slot moves between bitmap, quarantine and pool without a
 * change of its word. The states in which it may be handed out lack the bits
 * of RND_SLOT_TAKEN.
 */
enum rnd_slot_state {
	RND_SLOT_FREE = 0,	 /* never handed out */
	RND_SLOT_REMOTE = 1,	 /* freed, on its way to the owner */
	RND_SLOT_FREED = 2,	 /* freed */
	RND_SLOT_LIVE = 4,	 /* + enum rnd_kind */
	RND_SLOT_LIVE_EMPTY = 7, /* zero-size object, class 0 */
};

#define RND_SLOT_TAKEN (RND_SLOT_REMOTE | RND_SLOT_LIVE)

/* Function family that allocated a live object */
enum rnd_kind {
	RND_KIND_MALLOC,
	RND_KIND_NEW,
	RND_KIND_NEW_ARRAY,
	RND_KIND_COUNT
};

#define RND_STATE_BITS 3
#define RND_STATE_MASK 7U

#define RND_STATE_OWNER_SHIFT 8

/* Largest slack that fits in the state word of a short slot, of another one */
#define RND_SLACK_MAX_SHORT 31U
#define RND_SLACK_MAX	    ((1U << (16 - RND_STATE_BITS)) - 1)

UK_CTASSERT(RND_SLOT_FREE == 0);
UK_CTASSERT(RND_SLOT_LIVE + RND_KIND_COUNT <= RND_SLOT_LIVE_EMPTY);
UK_CTASSERT((RND_CPU_COUNT << RND_STATE_BITS) <= 0xffff);
UK_CTASSERT(RND_CPU_COUNT <= 1U << (16 - RND_STATE_OWNER_SHIFT));

/**
 * State word of a live slot.
 *
 * @param len
 *   Length of the slot, decides which of the two layouts it is
 * @param owner
 *   CPU index of the slab's owner
 * @param slack
 *   At most RND_SLACK_MAX_SHORT or RND_SLACK_MAX
 */
static inline __u16 rnd_state_live(__sz len, __u32 owner, __u32 kind,
				   __u32 slack)
{
	__u32 word = slack << RND_STATE_BITS | (RND_SLOT_LIVE + kind);

	if (len <= RND_SHORT_LEN)
		word |= owner << RND_STATE_OWNER_SHIFT;

	return (__u16)word;
}

/** Slack of a live slot of a class other than 0 */
static inline __u32 rnd_state_slack(__sz len, __u32 state)
{
	__u32 slack = state >> RND_STATE_BITS;

	return len <= RND_SHORT_LEN ? slack & RND_SLACK_MAX_SHORT : slack;
}

/** State word of a live object of no bytes: its slack is no news */
#define rnd_state_empty(kind)                                                  \
	((__u16)(((kind) << RND_STATE_BITS) | RND_SLOT_LIVE_EMPTY))
/** State word of a slot that a CPU freed */
#define rnd_state_freed(state, cpu)                                            \
	((__u16)((((cpu) + 1U) << RND_STATE_BITS) | (state)))

/**
 * Field markings: (c) constant while committed, (p) owning CPU, (a) atomic,
 * (R) region lock
 */
struct rnd_slab {
	/** (c) First slot */
	__uptr base;
	/** (p) Neighbours in the owner's partial list; (R) recycle list */
	struct rnd_slab *next;
	struct rnd_slab *prev;
	/** (a) Next in the owner's inbox; written by who put it there */
	struct rnd_slab *inbox_next;
	/** (a) RND_SLAB_IN_INBOX, and RND_SLAB_VISITOR for every CPU that
	 * sets remote bits: the slab must not be purged meanwhile
	 */
	__u32 visit;
	/** (c) Index in the region */
	__u32 idx;
	/** (c) Size class, owner, number of slots */
	__u16 owner;
	__u16 slots;
	__u8 sc;
	/** (R) 1: the slots are backed by memory */
	__u8 committed;
	/** (p) 1: among the active slabs of the owner */
	__u8 active;
	__u8 listed;
	/** (p) Number of free bits */
	__u32 free_cnt;
	/** (p) If there are several words: those from which nothing was taken
	 * since the slab was committed, a bit for each
	 */
	__u16 fresh;
	/** (p) Slots of these words, or the last ones of a single word, which
	 * were not taken either: nobody has touched them
	 */
	__u16 fresh_cnt;
};

#define RND_SLAB_HDR_LEN 64U

/* Values of visit */
#define RND_SLAB_IN_INBOX 1U
#define RND_SLAB_VISITOR  2U

UK_CTASSERT(sizeof(struct rnd_slab) <= RND_SLAB_HDR_LEN);

/** Words of one bitmap of a slab with so many slots */
#define RND_SLAB_WORDS(slots) (((slots) + 63U) / 64U)
/** Length of a descriptor in bytes */
#define RND_SLAB_META_LEN(slots)                                               \
	(RND_SLAB_HDR_LEN + ALIGN_UP(2U * 8U * RND_SLAB_WORDS(slots), 64U))

static inline __u64 *rnd_slab_free_bits(struct rnd_slab *s)
{
	return (__u64 *)(void *)((char *)s + RND_SLAB_HDR_LEN);
}

static inline __u64 *rnd_slab_remote_bits(struct rnd_slab *s)
{
	return rnd_slab_free_bits(s) + RND_SLAB_WORDS(s->slots);
}

/**
 * Makes all slots of a slab free. The slots are zero; the state words keep
 * what they say about earlier frees.
 *
 * @param s
 *   Descriptor with base, idx, sc set; the caller owns it alone
 * @param owner
 *   CPU index of the new owner
 */
void rnd_slab_init(struct rnd_slab *s, __u16 owner);

/** Number of free slots that are not known to be fresh */
static inline __u32 rnd_slab_used_cnt(const struct rnd_slab *s)
{
	return s->free_cnt - s->fresh_cnt;
}

/**
 * Takes free slots out of the bitmap: up to max of one word, the first one
 * with any from a given one on. Fresh words are the last ones to be taken
 * from: they cost memory. Owner only. Bounded by the words of a slab.
 *
 * @param from
 *   Word to begin with; beyond the last one it wraps around
 * @param max
 *   Slots wanted at most, not 0
 * @param[out] bits
 *   Slots taken of the word
 *
 * @return
 *   Number of the word, or ~0: no slot is free
 */
__u32 rnd_slab_grab(struct rnd_slab *s, __u32 from, __u32 max, __u64 *bits);

/**
 * Makes a slot free again. Owner only.
 *
 * @return
 *   - (1): Free
 *   - (0): It was free already
 */
static inline __bool rnd_slab_return(struct rnd_slab *s, unsigned int slot)
{
	__u64 *word = rnd_slab_free_bits(s) + slot / 64;
	__u64 bit = 1UL << (slot & 63U), old = *word;

	*word = old | bit;
	s->free_cnt++;

	return likely(!(old & bit));
}

/**
 * Marks a slot as freed by a CPU that does not own the slab. Any CPU.
 *
 * @return
 *   - (1): Marked
 *   - (0): It was marked before: freed twice
 */
static inline __bool rnd_slab_mark_remote(struct rnd_slab *s, unsigned int slot)
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

/**
 * Tests S1, S2 and S6.
 *
 * @param states
 *   State words of its slots
 */
__bool rnd_slab_is_valid(struct rnd_slab *s, const __u16 *states);

#endif /* __UKALLOCRND_SLAB_H__ */
