/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_REGION_H__
#define __UKALLOCRND_REGION_H__

/* Region: the address range of one size class
 *
 * Why
 *   An address that was handed out for one size class is never used for
 *   another one, and no class can be reached by running over the end of
 *   another. Which slab of the range comes next is not predictable either.
 *
 * How
 *   A region is one reservation at a page-granular random place inside a
 *   random window of the address space; the window's number (the top bits of
 *   a pointer) finds the region in one step. It is an array of possible
 *   slabs. Groups of RND_REGION_GROUP slabs are opened one after the other;
 *   in a group, every (run + 1)-th slab is a guard that is never committed,
 *   and the others are taken in random order: which one is next is drawn when
 *   it is taken. The run grows with the region because every guard costs the
 *   system a separate area.
 *
 *     group 0 (run 1)                      group 8 (run 7)
 *     |slab|####|slab|####|slab|####| ...  |slab|slab| ... |slab|####| ...
 *
 *   Another reservation holds the descriptors of all slabs, one array that
 *   grows down, and behind it the state words of all slots, one that grows up:
 *   what is in use of both is next to the guard between them, and shares the
 *   system's page tables.
 *
 *     |####|      <- descriptors 1, 0|####|state words 0, 1 ->      |####|
 *
 *   Slots are numbered through all slabs, guards included: a slot's number is
 *   its distance from the base in slots and the index of its state word. Purged
 *   slabs keep their descriptor and return through a FIFO.
 *
 * Invariants
 *   R1  State words and descriptors are committed exactly for the groups
 *       below end.
 *   R2  An index is in at most one of: the open group's list, the recycle
 *       list, a committed slab.
 *   R3  Guard slabs are never committed.
 *
 * Concurrency
 *   struct rnd_region is constant (sealed). struct rnd_region_dyn is
 *   protected by its lock (RND_RANK_REGION), held without calling the port
 *   except to commit metadata; end is read without it.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "atomic.h"
#include "lock.h"
#include "sizeclass.h"
#include "slab.h"
#include "vspace.h"

/* Regions do not cross windows of 64 GiB; 47 bits have 2048 of them. A port
 * with less address space has smaller ones.
 */
#ifdef RND_PORT_WINDOW_SHIFT
#define RND_WINDOW_SHIFT RND_PORT_WINDOW_SHIFT
#else
#define RND_WINDOW_SHIFT 36
#endif
#define RND_WINDOW_COUNT (1U << (47 - RND_WINDOW_SHIFT))

/* A region is less than half a window, so that its place inside is random as
 * well: nearly 11 bits for the window (the first one is not used) and a little
 * more than 23 for the page, 34 together
 */
#define RND_REGION_SHIFT      (RND_WINDOW_SHIFT - 1)
#define RND_REGION_SHIFT_MIN  26
#define RND_REGION_LEN(shift) ((31UL << (shift)) / 32)

#define RND_REGION_GROUP 32U

UK_CTASSERT(RND_REGION_GROUP <= 32);

/* Purged slabs that must wait in the FIFO before the oldest is used again */
#define RND_REGION_RECYCLE_MIN 32U

/** The changing part of a region. Field markings: (R) lock, (a) atomic */
struct rnd_region_dyn {
	/** (a) Bytes of the region whose slots have state words */
	__sz end;
	struct rnd_lock lock;
	/** (R) First index that no group has covered yet */
	__u32 next_idx;
	/** (R) Bits of the slabs of the open group that can be taken, counted
	 * from its first one, and how many there are
	 */
	__u32 group;
	__u32 group_cnt;
	/** (R) FIFO of purged slabs */
	struct rnd_slab *recycle_head;
	struct rnd_slab *recycle_tail;
	__u32 recycle_cnt;
	/** (R) Slabs that are committed now */
	__u32 slab_cnt;
};

/** The constant part of a region: one cache line */
struct rnd_region {
	/** First slot; its state word; descriptor of its slab */
	__uptr base;
	__u16 *states;
	__uptr slabs;
	struct rnd_region_dyn *dyn;
	/** Copies of the class's geometry */
	__u64 inverse;
	__u32 slot_len;
	/** Length of a slab; from a descriptor to the next one, which is below
	 * it, modulo 2^64; number of possible slabs
	 */
	__u32 slab_len;
	__u64 desc_step;
	__u32 slab_max;
	__u16 slots;
	__u8 slot_shift;
	__u8 sc;
};

/* Slots of a region have numbers below this; it stands for no slot */
#define RND_SLOT_NONE (~0U)

/** Descriptor of slab idx; the group of idx must have been opened */
static inline struct rnd_slab *rnd_region_slab(const struct rnd_region *r,
					       __u32 idx)
{
	return (struct rnd_slab *)(r->slabs + idx * r->desc_step);
}

/** State words of the slots of a slab */
static inline __u16 *rnd_region_states(const struct rnd_region *r,
				       const struct rnd_slab *s)
{
	return r->states + ((__u64)s->idx << r->slot_shift);
}

/** Address of a slot */
static inline void *rnd_region_slot(const struct rnd_region *r, __u32 n)
{
	return (void *)(r->base + (__u64)n * r->slot_len);
}

/** Number of slabs that have a descriptor. Any context. */
static inline __u32 rnd_region_opened(const struct rnd_region *r)
{
	/* Acquire: the descriptors exist. Pairs with the release in
	 * region_open_group()
	 */
	return (__u32)(rnd_load_acquire(&r->dyn->end) / r->slab_len);
}

/**
 * Reserves a region and its descriptors at random places.
 *
 * @param r
 *   The region; filled in
 * @param dyn
 *   Its changing part, zero
 * @param sc
 *   Size class
 * @param used
 *   Bitmap of RND_WINDOW_COUNT windows that other regions of the heap use;
 *   the chosen one is added
 *
 * @return
 *   - (0): Reserved
 *   - (-ENOMEM): No place; nothing changed
 */
int rnd_region_init(struct rnd_region *r, struct rnd_region_dyn *dyn,
		    unsigned int sc, struct rnd_vspace *vs, __u64 *used);

/** Gives everything back, committed slabs included */
void rnd_region_destroy(struct rnd_region *r);

/**
 * Commits a slab at a random place of the region. All its slots are free.
 * Takes the region lock; commits memory.
 *
 * @param owner
 *   CPU index of the owner
 *
 * @return
 *   The slab, or __NULL if memory, budget or region are exhausted
 */
struct rnd_slab *rnd_region_take(const struct rnd_region *r,
				 struct rnd_vspace *vs, __u16 owner);

/**
 * Gives the memory of a slab back. All its slots are free, it is on no list
 * and nobody can have a valid pointer into it. Decommits, so the caller holds
 * no lock.
 */
void rnd_region_return(const struct rnd_region *r, struct rnd_vspace *vs,
		       struct rnd_slab *s);

#endif /* __UKALLOCRND_REGION_H__ */
