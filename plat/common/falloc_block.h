/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_FALLOC_BLOCK_H__
#define __UKPLAT_FALLOC_BLOCK_H__

/* Blocks of frames: the steps of which the operations of falloc_core.h are
 * made. That header has the essay; the frame lock is held.
 */

#include <uk/arch/types.h>

#include "falloc_core.h"

/* Top bit of pos[]: the frame is free and known to be zero */
#define FALLOC_POS_ZERO	 (1U << 31)
/* The rest: place in list[], or one of the two below */
#define FALLOC_POS_INDEX (~FALLOC_POS_ZERO)
/* In use */
#define FALLOC_POS_USED	 (FALLOC_CORE_MAX + 1)
/* Free, but not in list[] */
#define FALLOC_POS_REST	 FALLOC_CORE_MAX

/* Length of list[] from which blocks are closed: what is left then is a block
 * more than that at which one is opened
 */
#define FALLOC_CHOICE_CLOSE (FALLOC_CORE_CHOICE + 2 * FALLOC_CORE_BLOCK)
/* Free frames of a block that is worth it */
#define FALLOC_CLOSE_FREE   (FALLOC_CORE_BLOCK / 2)

/* Segments of order[] */
enum falloc_segment {
	FALLOC_SEGMENT_WHOLE,
	FALLOC_SEGMENT_REST,
	FALLOC_SEGMENT_IDLE,
	FALLOC_SEGMENT_OTHER
};

/** Where a frame is in the metadata */
struct falloc_spot {
	__u32 idx;
	__u32 block;
};

/** Spot of a frame of this range. */
static inline struct falloc_spot falloc_spot_at(const struct falloc_range *r,
						__u64 pfn)
{
	return (struct falloc_spot){
		.idx = (__u32)pfn + r->to_idx,
		.block = (__u32)(pfn >> FALLOC_CORE_BLOCK_SHIFT) + r->to_block,
	};
}

/** Spot of a frame by its reference. */
static inline struct falloc_spot
falloc_spot_of_ref(const struct falloc_core *core, __u64 ref)
{
	return falloc_spot_at(&core->ranges[ref & FALLOC_REF_RANGE],
			      ref >> FALLOC_REF_SHIFT);
}

/** Spot of a frame that exists. */
static inline struct falloc_spot falloc_spot_of(struct falloc_core *core,
						__u64 pfn)
{
	return falloc_spot_at(&core->ranges[falloc_core_range(core, pfn)], pfn);
}

/** Tells whether a frame is free. */
static inline int falloc_spot_is_free(const struct falloc_core *core,
				      struct falloc_spot spot)
{
	if (core->block[spot.block].state >= FALLOC_BLOCK_WHOLE)
		return core->block[spot.block].state == FALLOC_BLOCK_WHOLE;
	return (core->pos[spot.idx] & FALLOC_POS_INDEX) != FALLOC_POS_USED;
}

/** Tells whether [pfn, pfn + left) begins with all frames of a block that is
 * whole or taken: it changes hands at once then.
 */
static inline int falloc_block_is_at(const struct falloc_core *core,
				     struct falloc_spot spot, __u64 left)
{
	const struct falloc_block *block = &core->block[spot.block];

	return block->state >= FALLOC_BLOCK_WHOLE && spot.idx == block->first &&
	       left >= FALLOC_CORE_BLOCK;
}

/** Segment that a block belongs to. */
enum falloc_segment falloc_block_segment(const struct falloc_block *block);

/**
 * Takes a free frame of an open block or of one at rest.
 *
 * @return
 *   1 if it is known to be zero, otherwise 0
 */
int falloc_spot_take(struct falloc_core *core, struct falloc_spot spot);

/** Moves a block to its segment of order[]. */
void falloc_block_order(struct falloc_core *core, __u32 b);

/** Appends a frame to list[]; zero: FALLOC_POS_ZERO or 0. */
static inline void falloc_list_append(struct falloc_core *core, __u32 idx,
				      __u32 zero)
{
	core->list[core->nopen] = idx;
	core->pos[idx] = core->nopen | zero;
	core->nopen++;
}

/** Puts a frame in use of an open block or of one at rest. */
static inline void falloc_spot_put(struct falloc_core *core,
				   struct falloc_spot spot, int zero)
{
	struct falloc_block *block = &core->block[spot.block];
	__u32 bit = zero ? FALLOC_POS_ZERO : 0;

	core->nfree++;
	block->nfree++;
	block->nzero = (__u16)(block->nzero + !!zero);
	if (block->state == FALLOC_BLOCK_OPEN) {
		falloc_list_append(core, spot.idx, bit);
	} else {
		core->pos[spot.idx] = FALLOC_POS_REST | bit;
		if (block->nfree == FALLOC_CORE_BLOCK)
			block->state = FALLOC_BLOCK_WHOLE;
	}
	/* It is idle or whole, or rested without a free frame */
	if (unlikely(block->nfree == FALLOC_CORE_BLOCK || block->nfree == 1))
		falloc_block_order(core, spot.block);
}

/**
 * Appends a block. A complete one is whole, the frames of others are in use.
 *
 * @param first
 *   Index of its first frame
 * @param len
 *   Number of its frames
 */
void falloc_block_add(struct falloc_core *core, __u32 first, __u32 len);

/** Puts the free frames of a block that is whole or at rest into list[]. */
void falloc_block_open(struct falloc_core *core, __u32 b);

/** Removes the free frames of a complete open block from list[]. */
void falloc_block_close(struct falloc_core *core, __u32 b);

/**
 * Takes a whole block. Constant time.
 *
 * @return
 *   1 if all its frames are known to be zero, otherwise 0
 */
int falloc_block_take(struct falloc_core *core, __u32 b);

/** Makes a taken block whole. Constant time. */
void falloc_block_put(struct falloc_core *core, __u32 b, int zero);

/** Lays a taken block to rest: all its frames are in use. */
void falloc_block_split(struct falloc_core *core, __u32 b);

/** Tells whether a block is open though all its frames are free. */
static inline int falloc_has_idle(const struct falloc_core *core)
{
	return core->end[2] > core->end[1];
}

/** Tells whether there is a point in closing a block that is not idle. */
static inline int falloc_is_worth_closing(const struct falloc_core *core,
					  const struct falloc_block *block)
{
	return block->nfree >= FALLOC_CLOSE_FREE &&
	       core->nputs >= FALLOC_CLOSE_FREE;
}

/**
 * Closes blocks as long as the others offer enough choice: those that are
 * idle, and b if that is worth it.
 */
void falloc_choice_close(struct falloc_core *core, __u32 b);

/**
 * After a put in block b: closes what can be closed, if list[] is long. Many
 * blocks may become worth it at once; but one call, which puts a few hundred
 * frames, is not to close them all.
 */
static inline void falloc_choice_narrow(struct falloc_core *core, __u32 b)
{
	const struct falloc_block *block = &core->block[b];

	if (likely(core->nopen < FALLOC_CHOICE_CLOSE))
		return;
	core->nputs += block->state == FALLOC_BLOCK_OPEN;
	if (falloc_has_idle(core) || falloc_is_worth_closing(core, block))
		falloc_choice_close(core, b);
}

#endif /* __UKPLAT_FALLOC_BLOCK_H__ */
