/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_FALLOC_CORE_H__
#define __UKPLAT_FALLOC_CORE_H__

/* Physical frames: a random one in constant time
 *
 * Why
 *   Where an object lies in physical memory must not follow from the order of
 *   allocations, and nothing about free frames may be stored in them.
 *
 * How
 *   All frames have a dense index. perm[] is a permutation of the indices:
 *   the first `nfree` are free, the rest is in use. pos[] is its inverse.
 *
 *      perm  | free frames, in no order | frames in use |
 *            0                        nfree           total
 *
 *   Allocating swaps a random free entry to the border and moves the border;
 *   freeing does the reverse. Any given frame can be taken as cheaply.
 *   Consecutive frames are found by a search that starts at a random place.
 *
 * Invariants (falloc_core_is_valid() tests them)
 *   F1 perm[pos[i]] == i for all i < total
 *   F2 nfree <= total <= cap
 *   F3 the ranges are sorted by first index, without gaps in the indices
 *
 * Concurrency
 *   None of its own; falloc.c holds the frame lock. Pure: no memory but the
 *   structure and its arrays is touched.
 */

#include <uk/arch/types.h>

#define FALLOC_CORE_RANGES 32
#define FALLOC_CORE_NONE   __U32_MAX

/** Consecutive frames, as the memory map has them */
struct falloc_range {
	/** Number of the first frame: its address divided by the page size */
	__u64 pfn;
	/** Index of the first frame */
	__u32 first;
	/** Number of frames */
	__u32 cnt;
};

struct falloc_core {
	/** Permutation of all indices and its inverse */
	__u32 *perm;
	__u32 *pos;
	/** Entries of the two arrays */
	__u32 cap;
	/** Frames that exist, and those that are free */
	__u32 total;
	__u32 nfree;
	/** Draws from [0, bound) */
	__u32 (*rand)(void *arg, __u32 bound);
	void *rand_arg;
	unsigned int nranges;
	struct falloc_range ranges[FALLOC_CORE_RANGES];
};

/**
 * Starts without frames.
 *
 * @param perm, pos
 *   Two arrays of cap entries; contents do not matter
 * @param cap
 *   Number of frames that may be added
 * @param rand, rand_arg
 *   Source of randomness
 */
void falloc_core_init(struct falloc_core *core, __u32 *perm, __u32 *pos,
		      __u32 cap, __u32 (*rand)(void *arg, __u32 bound),
		      void *rand_arg);

/**
 * Adds free frames. Linear in their number.
 *
 * @return
 *   - (0): Added
 *   - (-EINVAL): No frames, or some are known already
 *   - (-ENOMEM): More frames or ranges than there is room for
 */
int falloc_core_add(struct falloc_core *core, __u64 pfn, __u64 cnt);

/**
 * Takes a random free frame. Constant time.
 *
 * @param[out] pfn
 *   Receives the frame number
 *
 * @return
 *   - (0): Taken
 *   - (-ENOMEM): No frame is free
 */
int falloc_core_take(struct falloc_core *core, __u64 *pfn);

/**
 * Takes consecutive frames from a random place. Linear in the number of all
 * frames.
 *
 * @param cnt
 *   Number of frames, at least 1
 * @param align
 *   The frame number is a multiple of this power of two
 * @param min, max
 *   All frame numbers are within [min, max)
 * @param[out] pfn
 *   Receives the first frame number
 *
 * @return
 *   - (0): Taken
 *   - (-ENOMEM): There is no such run
 */
int falloc_core_take_run(struct falloc_core *core, __u64 cnt, __u64 align,
			 __u64 min, __u64 max, __u64 *pfn);

/**
 * Takes these frames.
 *
 * @return
 *   - (0): Taken
 *   - (-EINVAL): Not all of them exist
 *   - (-ENOMEM): Not all of them are free; nothing was taken
 */
int falloc_core_take_at(struct falloc_core *core, __u64 pfn, __u64 cnt);

/**
 * Gives frames back. Nothing changes unless all are in use.
 *
 * @param[out] bad
 *   Receives the first offending frame number on failure
 *
 * @return
 *   - (0): Free now
 *   - (-EINVAL): A frame does not exist
 *   - (-EEXIST): A frame is free already
 */
int falloc_core_put(struct falloc_core *core, __u64 pfn, __u64 cnt, __u64 *bad);

/** Tests the invariants; linear in the number of frames. */
int falloc_core_is_valid(const struct falloc_core *core);

#endif /* __UKPLAT_FALLOC_CORE_H__ */
