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
 *   A CPU owns slabs. Its magazine holds slots that were drawn ahead, at
 *   random, from all slots that are free in up to RND_ACTIVE_MAX slabs; malloc
 *   pops. What is freed goes to the quarantine and from there to its slab,
 *   never into the magazine.
 *
 *            draw                 malloc
 *    slabs --------> magazine -----------> user
 *      ^                                    |
 *      +---------- quarantine <-------------+ free
 *
 *   A reference names a slot of the region in 64 bits: the upper half counts
 *   state words from the start of the descriptors, the lower half counts
 *   units of 16 bytes from the start of the region. Both are needed on the
 *   fast path, and neither can be made from the other cheaply. A reference
 *   is never 0, because descriptors begin with a header.
 *
 * Invariants
 *   P1  A magazine holds only DRAWN slots of slabs of this CPU, each once.
 *   P2  The quarantine holds only QUARANTINED slots of slabs of this CPU.
 *   P3  Every slab with free slots is active or on the partial list (S5).
 *   P4  empty_cnt is the number of slabs on the partial list whose slots are
 *       all free: at most RND_EMPTY_MAX, and those that other CPUs visited
 *       when they became free.
 *
 * Concurrency
 *   Everything belongs to the owning CPU, which is inside the library
 *   (rnd_pcpu_enter()); other CPUs reach it through the inbox only.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "canary.h"
#include "config.h"
#include "quarantine.h"
#include "region.h"
#include "slab.h"

/* Slabs that a refill draws from */
#define RND_ACTIVE_MAX 8U

/* Free slots among the active slabs before a refill draws, if memory lasts:
 * as many as fit in this many bytes, within these bounds. The count is what
 * the next object's place is uncertain by.
 */
#define RND_CHOICE_LEN (128UL * 1024)
#define RND_CHOICE_MIN 16UL
#define RND_CHOICE_MAX 1024UL

/* Picks that may hit a used slot before a draw counts instead */
#define RND_DRAW_TRIES 6U

UK_CTASSERT(RND_ACTIVE_MAX *RND_SLAB_SLOT_MAX <= 0x10000);

/* Free slabs kept for the next refill; more are purged at once */
#define RND_EMPTY_MAX 4U

/* Bytes that a magazine may hold back */
#define RND_MAGAZINE_BYTES (128UL * 1024)

/**
 * Field markings: (c) constant after init, (p) owning CPU
 */
struct rnd_pclass {
	/** (p) Slots in the magazine */
	__u32 mag_cnt;
	/** (c) Copies of the region's constants, for the fast path */
	__u32 slot_len;
	__uptr base;
	__uptr meta;
	struct rnd_canary_key key;
	/** (p) The magazine; the top is handed out next */
	__u64 mag[RND_MAGAZINE_LEN];
	/** (p) Freed slots that wait */
	struct rnd_quarantine q;
	/** (c) Where slabs come from */
	const struct rnd_region *region;
	struct rnd_vspace *vs;
	struct rnd_rng *rng;
	/** (c) CPU index of the owner; lengths of the stages */
	__u16 cpu;
	__u16 mag_max;
	__u32 choice;
	/** (p) Slabs that refills draw from */
	struct rnd_slab *active[RND_ACTIVE_MAX];
	__u32 active_cnt;
	/** (p) Other slabs with free slots */
	__u32 empty_cnt;
	struct rnd_slab *partial;
	/** (p) Refills so far */
	__u64 refills;
};

/** Slot address of a reference */
static inline void *rnd_ref_slot(const struct rnd_pclass *pl, __u64 ref)
{
	return (void *)(pl->base + ((__uptr)(__u32)ref << 4));
}

/** State word of a reference */
static inline __u16 *rnd_ref_state(const struct rnd_pclass *pl, __u64 ref)
{
	return (__u16 *)(pl->meta + ((ref >> 32) << 1));
}

/** Reference of a slot of this region */
static inline __u64 rnd_ref_make(const struct rnd_region *r, const void *slot,
				 const __u16 *state)
{
	return (((__uptr)state - r->meta) >> 1 << 32) |
	       (((__uptr)slot - r->base) >> 4);
}

/** Initializes the part of a CPU; pl is zero and outlived by all else */
void rnd_pclass_init(struct rnd_pclass *pl, const struct rnd_region *region,
		     const struct rnd_canary_key *key, struct rnd_vspace *vs,
		     struct rnd_rng *rng, __u16 cpu);

/**
 * Fills the empty magazine with slots drawn at random. Bounded: draws at most
 * RND_MAGAZINE_LEN slots, commits at most RND_ACTIVE_MAX slabs.
 *
 * @return
 *   1 if there is at least one slot in the magazine; 0: no memory
 */
__bool rnd_pclass_refill(struct rnd_pclass *pl);

/**
 * Returns a slot that has left the quarantine to its slab, after testing
 * that it was in quarantine exactly once. May purge a slab.
 */
void rnd_pclass_release(struct rnd_pclass *pl, __u64 ref);

/** Puts a QUARANTINED slot into the quarantine and releases what falls out */
static inline void rnd_pclass_quarantine(struct rnd_pclass *pl, __u64 ref)
{
	ref = rnd_quarantine_push(&pl->q, pl->rng, ref);
	if (likely(ref))
		rnd_pclass_release(pl, ref);
}

/**
 * Takes what other CPUs freed in a slab of this CPU into quarantine. The slab
 * has just left the inbox.
 *
 * @return
 *   Number of slots taken
 */
__u32 rnd_pclass_take_remote(struct rnd_pclass *pl, struct rnd_slab *s);

/** Returns all slots of the magazine to their slabs */
void rnd_pclass_flush_magazine(struct rnd_pclass *pl);

/** Returns all slots of magazine and quarantine to their slabs */
void rnd_pclass_flush(struct rnd_pclass *pl);

/**
 * Purges all slabs without used slots, active ones included.
 *
 * @return
 *   Number of bytes given back
 */
__sz rnd_pclass_purge(struct rnd_pclass *pl);

#endif /* __UKALLOCRND_PCLASS_H__ */
