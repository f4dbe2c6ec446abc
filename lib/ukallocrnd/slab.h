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
 *   All knowledge about a slab is in its descriptor, in a reservation of its
 *   own between guards.
 *
 * How
 *   A descriptor is a header, two bitmaps and one 16 bit word per slot:
 *
 *     +--------+-------------+--------------+---------------------------+
 *     | header | free bitmap | remote bits  | state[slots] | 0 |        |
 *     +--------+-------------+--------------+---------------------------+
 *
 *   A state word holds the state in bits 0-2. Bits 3-15 are the slack of a
 *   live slot (slot length - requested size), or who freed it: CPU + 1.
 *   The word behind the last slot is always 0, so that an address in the
 *   unused rest of a slab looks like a slot that was never handed out.
 *
 * Invariants
 *   S1  A slot's free bit is set exactly if its state is RND_SLOT_FREE.
 *   S2  free_cnt is the number of free bits.
 *   S3  A slot is in exactly one of: bitmap (FREE), a magazine of the owner
 *       (DRAWN), the owner's quarantine (QUARANTINED), the remote path
 *       (REMOTE: a CPU's outgoing batch or the remote bits), the user's
 *       hands (LIVE...).
 *   S4  A slot that is not live is zero.
 *   S5  A slab with free slots is on its owner's partial list or among its
 *       active slabs; a full one is on neither.
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

#include "rng.h"
#include "sizeclass.h"

enum rnd_slot_state {
	RND_SLOT_FREE = 0,	  /* in the bitmap */
	RND_SLOT_DRAWN = 1,	  /* in a magazine */
	RND_SLOT_QUARANTINED = 2, /* in the owner's quarantine */
	RND_SLOT_REMOTE = 3,	  /* on its way to the owner */
	RND_SLOT_LIVE = 4,	  /* + enum rnd_kind */
	RND_SLOT_LIVE_EMPTY = 7,  /* zero-size object, class 0 */
};

/* Function family that allocated a live object */
enum rnd_kind {
	RND_KIND_MALLOC,
	RND_KIND_NEW,
	RND_KIND_NEW_ARRAY,
	RND_KIND_COUNT
};

#define RND_STATE_BITS 3
#define RND_STATE_MASK 7U

UK_CTASSERT(RND_SLOT_FREE == 0);
UK_CTASSERT(RND_SLOT_LIVE + RND_KIND_COUNT <= RND_SLOT_LIVE_EMPTY);
UK_CTASSERT((RND_CPU_COUNT << RND_STATE_BITS) <= 0xffff);

/** State word of a live slot */
#define rnd_state_live(kind, slack)                                            \
	((__u16)(((slack) << RND_STATE_BITS) | (RND_SLOT_LIVE + (kind))))
/** State word of a live object of no bytes: its slack is no news */
#define rnd_state_empty(kind)                                                  \
	((__u16)(((kind) << RND_STATE_BITS) | RND_SLOT_LIVE_EMPTY))
/** State word of a slot that a CPU freed */
#define rnd_state_freed(state, cpu)                                            \
	((__u16)((((cpu) + 1U) << RND_STATE_BITS) | (state)))

/* Largest slack that fits in a state word */
#define RND_SLACK_MAX ((1U << (16 - RND_STATE_BITS)) - 1)

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
};

#define RND_SLAB_HDR_LEN 64U

/* Values of visit */
#define RND_SLAB_IN_INBOX 1U
#define RND_SLAB_VISITOR  2U

UK_CTASSERT(sizeof(struct rnd_slab) <= RND_SLAB_HDR_LEN);

/** Words of one bitmap of a slab with so many slots */
#define RND_SLAB_WORDS(slots) (((slots) + 63U) / 64U)
/** Offset of the state words, and length of a whole descriptor, in bytes */
#define RND_SLAB_STATE_OFF(slots)                                              \
	(RND_SLAB_HDR_LEN + 2U * 8U * RND_SLAB_WORDS(slots))
#define RND_SLAB_META_LEN(slots)                                               \
	ALIGN_UP(RND_SLAB_STATE_OFF(slots) + 2U * ((slots) + 1U), 64U)

static inline __u64 *rnd_slab_free_bits(struct rnd_slab *s)
{
	return (__u64 *)(void *)((char *)s + RND_SLAB_HDR_LEN);
}

static inline __u64 *rnd_slab_remote_bits(struct rnd_slab *s)
{
	return rnd_slab_free_bits(s) + RND_SLAB_WORDS(s->slots);
}

static inline __u16 *rnd_slab_states(struct rnd_slab *s)
{
	return (__u16 *)(void *)(rnd_slab_remote_bits(s) +
				 RND_SLAB_WORDS(s->slots));
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

/**
 * Draws a given slot if it is free, and marks it DRAWN. Owner only.
 *
 * @param slot
 *   Below s->slots
 *
 * @return
 *   1 if the slot was free
 */
__bool rnd_slab_try(struct rnd_slab *s, unsigned int slot);

/**
 * Draws the n-th free slot in ascending order and marks it DRAWN. Owner only.
 *
 * @param n
 *   Below s->free_cnt
 *
 * @return
 *   Index of the slot
 */
unsigned int rnd_slab_take(struct rnd_slab *s, unsigned int n);

/**
 * Makes a slot free again; its state was set by the caller's transition from
 * QUARANTINED or DRAWN. Owner only.
 */
void rnd_slab_return(struct rnd_slab *s, unsigned int slot);

/**
 * Marks a slot as freed by a CPU that does not own the slab. Any CPU.
 *
 * @return
 *   - (1): Marked
 *   - (0): It was marked before: freed twice
 */
__bool rnd_slab_mark_remote(struct rnd_slab *s, unsigned int slot);

/** Tests S1, S2 and the terminating word; quadratic in nothing */
__bool rnd_slab_is_valid(struct rnd_slab *s);

#endif /* __UKALLOCRND_SLAB_H__ */
