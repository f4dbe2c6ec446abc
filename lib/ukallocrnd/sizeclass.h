/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_SIZECLASS_H__
#define __UKALLOCRND_SIZECLASS_H__

/* Size classes: request size <-> class <-> slots of a slab
 *
 * Why
 *   Few classes keep caches small, many keep waste low. A request n needs a
 *   slot of n + RND_CANARY_LEN bytes, so a class just above each power of two
 *   is what the commonest requests want: they have little slack to guard.
 *
 * How
 *   Up to 128 in steps of 16. Above, every power of two P contributes the
 *   shortest slot above P whose slabs are not too long, and 5/4 P, 3/2 P and
 *   7/4 P (finer around 128, where the 16 byte step is coarse). The largest
 *   ratio of neighbours is 16/13. From 34,816 on in steps of 7 KiB, because
 *   the slack has to fit in a state word; objects of up to 64 KiB are slots
 *   because it costs a system less to clear them than to map them.
 *
 * Invariants
 *   Z1  Slot lengths are multiples of 16 and ascend with the class.
 *   Z2  Above 128 bytes at most 20 % of a slot is neither requested nor
 *       canary, whatever request it serves (test_sizeclass tests all).
 *   Z3  A slab is a whole number of pages, so that its slots follow those of
 *       the slab before: slot n of a region starts n * slot_len bytes behind
 *       the region's start, whatever slab it is in.
 *   Z4  inverse divides: for all x < 2^47, (x * inverse) >> 64 is
 *       x / slot_len, rounded down.
 *
 * Up to RND_SHORT_MAX bytes the class is a shift away: class c has slots of
 * 16 * c bytes.
 *
 * Class 0 serves requests of zero bytes: its slots have addresses, but never
 * any memory.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "config.h"

#define RND_SLOT_ALIGN	  16U
/* First class whose slots are longer than RND_BULK_SLOT_MIN (bulk.h) */
#define RND_CLASS_BULK	  24U
#define RND_CLASS_COUNT	  49U
#define RND_SLOT_LEN_MAX  66560U
#define RND_SLAB_LEN_MAX  (16UL * 34816)
#define RND_SLAB_SLOT_MAX 1024U

/* Bytes between the requested size and the end of the slot, at least */
#define RND_CANARY_LEN (RND_OPT_CANARY ? 8U : 0U)

/* Longest slot of the classes that go in steps of 16 from class 1 on, and the
 * largest request that they serve
 */
#define RND_SHORT_LEN 128U
#define RND_SHORT_MAX (RND_SHORT_LEN - RND_CANARY_LEN)

/* Largest request that a slot serves */
#define RND_SMALL_MAX (RND_SLOT_LEN_MAX - RND_CANARY_LEN)

/** Geometry of a size class, a constant */
struct rnd_sizeclass {
	__u64 inverse;	 /* 2^64 / slot_len, rounded up */
	__u32 slot_len;	 /* bytes */
	__u16 slots;	 /* slots of a slab, a power of two */
	__u8 slot_shift; /* log2 of it */
};

extern const struct rnd_sizeclass rnd_sizeclass[RND_CLASS_COUNT];

/* Class by slot length in units of 16 bytes, rounded up */
extern const __u8 rnd_sizeclass_table[RND_SLOT_LEN_MAX / RND_SLOT_ALIGN + 1];

/**
 * Finds the class of a request. Constant time.
 *
 * @param size
 *   Requested bytes, in [1, RND_SMALL_MAX]
 *
 * @return
 *   Index of the smallest class with room for size and the canary
 */
static inline unsigned int rnd_sizeclass_of(__sz size)
{
	return rnd_sizeclass_table[(size + RND_CANARY_LEN + 15) >> 4];
}

/** Length of the slots for a request in [1, RND_SHORT_MAX], without a table */
static inline __sz rnd_sizeclass_short_len(__sz size)
{
	return (size + RND_CANARY_LEN + 15) & ~15UL;
}

/**
 * Finds the smallest class whose slots all start at multiples of align.
 *
 * @param size
 *   Requested bytes, in [1, RND_SMALL_MAX]
 * @param align
 *   A power of two
 *
 * @return
 *   A class, or 0 if none fits: the request is one for whole pages
 */
unsigned int rnd_sizeclass_aligned(__sz size, __sz align);

#endif /* __UKALLOCRND_SIZECLASS_H__ */
