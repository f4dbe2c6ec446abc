/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_FALLOC_CORE_H__
#define __UKPLAT_FALLOC_CORE_H__

/* Physical frames: a random one in constant time, and large pages left over
 *
 * Why
 *   Where an object lies in physical memory must not follow from the order of
 *   allocations, and nothing about free frames may be stored in them. But if
 *   a frame were drawn from all that are free, soon no 512 of them would lie
 *   together, and there would be no large page any more.
 *
 * How
 *   All frames have a dense index. An aligned group of 512 frames is a block;
 *   what lies of it at the border of a range is an incomplete block. Single
 *   frames come from open blocks only. A block changes its state so:
 *
 *      WHOLE, REST -> OPEN   a frame is wanted, and open blocks offer few
 *      OPEN -> WHOLE         all its frames are free, the others offer enough
 *      OPEN -> REST          at least half of them are, a frame of it was
 *                            put, the others offer enough, and 256 frames
 *                            were put since the last block was laid to rest
 *      REST -> WHOLE         the last of its frames was put
 *      WHOLE -> TAKEN        512 frames are taken at once, in constant time
 *      TAKEN -> WHOLE        512 frames are put at once, likewise
 *      TAKEN -> REST         a part of it is put
 *
 *   list[] holds the free frames of all open blocks, in no order; pos[] tells
 *   where. A single frame is drawn uniformly from list[]: the last entry
 *   takes its place. If list[] is shorter than FALLOC_CORE_CHOICE, a random
 *   block at rest is opened first, or, if there is none, a whole one.
 *
 *   Blocks rest so that large pages come back after many frames were in use:
 *   frames of a block at rest are put, but not taken.
 *
 *   order[] is a permutation of the blocks. Blocks that are open though all
 *   their frames are free ("idle") wait for the day when the others offer
 *   enough choice without them:
 *
 *      order  | WHOLE  | REST    | OPEN    | OPEN, TAKEN, REST  |
 *             | 512    | some    | 512     | others, none       |  free
 *             0      end[0]    end[1]    end[2]              nblocks
 *
 *   Blocks open below FALLOC_CORE_CHOICE and close above that and two blocks
 *   more, one of which goes. A closed block takes at least 256 frames out of
 *   list[], and as many are put before the next one. The 512 steps of a
 *   change are thus a constant share of each operation.
 *
 *   A run of 512 aligned frames is a whole block, drawn uniformly. Other runs
 *   are found by a search that starts at a random place.
 *
 *   Each free frame has a bit that tells whether it is known to contain only
 *   zeros: the top bit of pos[]. For frames that are not in list[] the rest of
 *   pos[] tells whether they are free. The state of a whole or taken block
 *   overrules that, and nzero of 512 or 0 overrules the bits of a whole one:
 *   a block changes hands without touching its frames.
 *
 *   Frames can be promised: they stay free, nobody knows which ones they will
 *   be, and nobody else gets the last ones. So a page that was asked for can
 *   wait for its frame until it is touched, and is sure to get it.
 *
 *   owned[] tells whose the frames are, not where: 1 while somebody outside
 *   of the allocator has the right to put the frame. A right is given up by
 *   an atomic exchange, and of two who put the same frame one gets a 0. The
 *   caches of frames (frame_cache.h) have no such right, so a frame that was
 *   put into a cache cannot be put again, though the core counts it as used.
 *
 * Invariants (falloc_core_is_valid() tests them)
 *   F1 list[pos[i]] == i for all free frames i of open blocks; there are
 *      nopen of them
 *   F2 nfree is the sum of nfree of all blocks, nfree <= total <= cap
 *   F3 ranges are sorted by first index, without gaps in the indices of
 *      frames and of blocks
 *   F4 order[] is a permutation, with the four segments above
 *   F5 nfree of a block counts its free frames, nzero those of them with the
 *      bit
 *   F6 no block is idle if nopen >= FALLOC_CORE_CHOICE + 2 * 512
 *   F7 a free frame is not owned
 *   F8 promised <= nfree
 *
 * Concurrency
 *   falloc.c holds the frame lock. The functions in this header need none:
 *   ranges are only ever added, and owned[] is atomic. Pure: no memory but
 *   the structure and its metadata is touched.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#define FALLOC_CORE_RANGES 32
#define FALLOC_CORE_MAX	   0x7ffffffeU

/* Frames of a block: a large page */
#define FALLOC_CORE_BLOCK_SHIFT 9
#define FALLOC_CORE_BLOCK	(1U << FALLOC_CORE_BLOCK_SHIFT)

/* A reference to a frame: number of its range, whether it is known to be zero,
 * and from this bit on its number
 */
#define FALLOC_REF_RANGE 0x1fUL
#define FALLOC_REF_ZERO	 0x20UL
#define FALLOC_REF_SHIFT 12

UK_CTASSERT(FALLOC_CORE_RANGES == FALLOC_REF_RANGE + 1);

/* Frames to draw one from as long as whole blocks are left: 11 bits */
#define FALLOC_CORE_CHOICE 2048U

/* Entries of near[], a power of two */
#define FALLOC_CORE_NEAR 256U

/** Consecutive frames, as the memory map has them */
struct falloc_range {
	/** Number of the first frame: its address divided by the page size */
	__u64 pfn;
	/** Index of the first frame */
	__u32 first;
	/** Number of frames */
	__u32 cnt;
	/** Index of the block of the first frame */
	__u32 block;
	/** What makes of the number of a frame its index, and of that of its
	 * block the block's, by addition modulo 2^32
	 */
	__u32 to_idx, to_block;
};

enum falloc_block_state {
	/** Free frames are in list[] */
	FALLOC_BLOCK_OPEN,
	/** Complete, in use, free frames are not in list[] */
	FALLOC_BLOCK_REST,
	/** Complete and free */
	FALLOC_BLOCK_WHOLE,
	/** Complete and taken at once */
	FALLOC_BLOCK_TAKEN
};

/** Frames of one range with the same number but for the last 9 bits */
struct falloc_block {
	/** Entry of the permutation of blocks: order[i] is block[i].order */
	__u32 order;
	/** Where this block is in order[] */
	__u32 place;
	/** Index of its first frame */
	__u32 first;
	/** Number of its frames */
	__u16 len;
	/** Number of its free frames, and how many of them are zero */
	__u16 nfree;
	__u16 nzero;
	/** enum falloc_block_state */
	__u16 state;
};

/** (c) constant after start, (a) atomic; all others: the frame lock */
struct falloc_core {
	/** (c)(a) For each frame: 1 if somebody may put it */
	__u8 *owned;
	/** (a) Number of ranges; (c) each of them */
	unsigned int nranges;
	struct falloc_range ranges[FALLOC_CORE_RANGES];
	/** (a) By the number of a block, modulo the length: the range of the
	 * frame of such a block that was looked for last
	 */
	__u8 near[FALLOC_CORE_NEAR];

	/** Free frames of open blocks, and for all frames where in there */
	__u32 *list __align(128);
	__u32 *pos;
	struct falloc_block *block;
	/** (c) Frames there is room for */
	__u32 cap;
	/** Frames that exist, those that are free, those in list[] */
	__u32 total;
	__u32 nfree;
	__u32 nopen;
	/** Free frames that are promised */
	__u32 promised;
	/** Frames that joined list[] while it was long, since the last block
	 * was laid to rest
	 */
	__u32 nputs;
	/** Blocks that exist, ends of the first three segments of order[] */
	__u32 nblocks;
	__u32 end[3];
	/** (c) Draws from [0, bound) */
	__u32 (*rand)(void *arg, __u32 bound);
	void *rand_arg;
};

/** Bytes of metadata for a number of frames. */
__sz falloc_core_meta_len(__u64 cap);

/**
 * Starts without frames.
 *
 * @param meta
 *   falloc_core_meta_len(cap) bytes, aligned to 8; contents do not matter
 * @param cap
 *   Number of frames that may be added, at most FALLOC_CORE_MAX
 * @param rand, rand_arg
 *   Source of randomness
 */
void falloc_core_init(struct falloc_core *core, void *meta, __u32 cap,
		      __u32 (*rand)(void *arg, __u32 bound), void *rand_arg);

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
 * Takes a random free frame of the open blocks. Constant time, amortised.
 *
 * @param[out] pfn
 *   Receives the frame number
 * @param[out] zero
 *   Receives 1 if the frame is known to contain only zeros, otherwise 0
 *
 * @return
 *   - (0): Taken
 *   - (-ENOMEM): No frame is free that is not promised
 */
int falloc_core_take(struct falloc_core *core, __u64 *pfn, int *zero);

/**
 * Promises frames.
 *
 * @return
 *   - (0): Promised
 *   - (-ENOMEM): Not that many are free
 */
int falloc_core_promise(struct falloc_core *core, __u64 cnt);

/** Takes a promise of frames back; there is one of at least so many. */
void falloc_core_promise_end(struct falloc_core *core, __u64 cnt);

/**
 * As falloc_core_take(), for somebody who has a promise of a frame, which ends.
 * Cannot fail.
 */
void falloc_core_take_promised(struct falloc_core *core, __u64 *pfn, int *zero);

/**
 * Takes consecutive frames from a random place. Constant time for 512 frames
 * aligned to 512 without limits; otherwise linear in the number of all
 * frames.
 *
 * @param cnt
 *   Number of frames, at least 1
 * @param align
 *   The frame number is a multiple of this power of two
 * @param min, max
 *   All frame numbers are within [min, max); 0 and __U64_MAX are no limits
 * @param[out] pfn
 *   Receives the first frame number
 * @param[out] zero
 *   Receives 1 if all frames are known to contain only zeros, otherwise 0
 *
 * @return
 *   - (0): Taken
 *   - (-ENOMEM): There is no such run
 */
int falloc_core_take_run(struct falloc_core *core, __u64 cnt, __u64 align,
			 __u64 min, __u64 max, __u64 *pfn, int *zero);

/**
 * Takes these frames.
 *
 * @param[out] zero
 *   Receives 1 if all are known to contain only zeros, otherwise 0
 *
 * @return
 *   - (0): Taken
 *   - (-EINVAL): Not all of them exist
 *   - (-ENOMEM): Not all of them are free, or so many are promised that not
 *     as many are left; nothing was taken
 */
int falloc_core_take_at(struct falloc_core *core, __u64 pfn, __u64 cnt,
			int *zero);

/**
 * Gives frames back. Nothing changes unless all are in use.
 *
 * @param zero
 *   Not 0 if all of them contain only zeros
 * @param[out] bad
 *   Receives the first offending frame number on failure
 *
 * @return
 *   - (0): Free now
 *   - (-EINVAL): A frame does not exist
 *   - (-EEXIST): A frame is free already
 */
int falloc_core_put(struct falloc_core *core, __u64 pfn, __u64 cnt, int zero,
		    __u64 *bad);

/**
 * As falloc_core_put(), for frames by their references.
 *
 * @return
 *   cnt, or the number of the first one that is free already; those before it
 *   were put
 */
unsigned int falloc_core_put_refs(struct falloc_core *core, const __u64 *refs,
				  unsigned int cnt);

/** Tests the invariants; linear in the number of frames. */
int falloc_core_is_valid(const struct falloc_core *core);

/** Where near[] has a frame. */
static inline unsigned int falloc_core_near(__u64 pfn)
{
	return (unsigned int)(pfn >> FALLOC_CORE_BLOCK_SHIFT) %
	       FALLOC_CORE_NEAR;
}

/** As falloc_core_range(), by a look at each of them. */
unsigned int falloc_core_range_find(struct falloc_core *core, __u64 pfn);

/**
 * Number of the range that a frame belongs to, FALLOC_CORE_RANGES if there is
 * no such frame. Without a lock.
 */
static inline unsigned int falloc_core_range(struct falloc_core *core,
					     __u64 pfn)
{
	unsigned int i;

	/* Acquire: the range is complete. Pairs with the release in
	 * falloc_core_range_find(). At first it is 0, the range that is there
	 * before anybody looks for a frame.
	 */
	i = __atomic_load_n(&core->near[falloc_core_near(pfn)],
			    __ATOMIC_ACQUIRE);
	if (likely(pfn - core->ranges[i].pfn < core->ranges[i].cnt))
		return i;
	return falloc_core_range_find(core, pfn);
}

/** Index of a frame of this range. Without a lock. */
static inline __u32 falloc_core_index(const struct falloc_core *core,
				      unsigned int range, __u64 pfn)
{
	return (__u32)pfn + core->ranges[range].to_idx;
}

/** Gives somebody the right to put a frame. Without a lock. */
static inline void falloc_core_own(const struct falloc_core *core, __u32 idx)
{
	/* Relaxed: frames change hands by locks, and by what their users do */
	__atomic_store_n(&core->owned[idx], 1, __ATOMIC_RELAXED);
}

/**
 * Gives up the right to put a frame. Without a lock.
 *
 * @return
 *   1, or 0 if nobody has this right: the frame is free
 */
static inline int falloc_core_disown(const struct falloc_core *core, __u32 idx)
{
	/* Relaxed: as above; of two at the same time one gets the 1 */
	return __atomic_exchange_n(&core->owned[idx], 0, __ATOMIC_RELAXED);
}

#endif /* __UKPLAT_FALLOC_CORE_H__ */
