/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/essentials.h>

#include "falloc_block.h"
#include "falloc_core.h"

/* Counters of a block, and the places of its free frames: F1, F5 */
static int frames_are_valid(const struct falloc_core *core,
			    const struct falloc_block *block)
{
	__u32 nfree = 0;
	__u32 nzero = 0;
	__u32 i, pos;

	for (i = block->first; i < block->first + block->len; i++) {
		if (core->pos[i] == FALLOC_POS_USED)
			continue;
		pos = core->pos[i] & FALLOC_POS_INDEX;
		if (block->state == FALLOC_BLOCK_OPEN ?
			    pos >= core->nopen || core->list[pos] != i :
			    pos != FALLOC_POS_REST)
			return 0;
		nfree++;
		nzero += (core->pos[i] & FALLOC_POS_ZERO) != 0;
	}
	return nfree == block->nfree && nzero == block->nzero;
}

/* The bits of a whole block, unless they are overruled: F5 */
static int bits_are_valid(const struct falloc_core *core,
			  const struct falloc_block *block)
{
	__u32 nzero = 0;
	__u32 i;

	if (!block->nzero || block->nzero == FALLOC_CORE_BLOCK)
		return 1;
	for (i = block->first; i < block->first + block->len; i++)
		nzero += (core->pos[i] & FALLOC_POS_ZERO) != 0;
	return nzero == block->nzero;
}

/* F4 for one block */
static int place_is_valid(const struct falloc_core *core, __u32 b)
{
	const struct falloc_block *block = &core->block[b];
	unsigned int segment = falloc_block_segment(block);

	return block->place < core->nblocks &&
	       core->block[block->place].order == b &&
	       (segment == FALLOC_SEGMENT_WHOLE ||
		block->place >= core->end[segment - 1]) &&
	       (segment == FALLOC_SEGMENT_OTHER ||
		block->place < core->end[segment]);
}

static int block_is_valid(const struct falloc_core *core, __u32 b)
{
	const struct falloc_block *block = &core->block[b];
	int complete = block->len == FALLOC_CORE_BLOCK;

	if (!place_is_valid(core, b))
		return 0;
	switch (block->state) {
	case FALLOC_BLOCK_OPEN:
		return frames_are_valid(core, block);
	case FALLOC_BLOCK_REST:
		return complete && block->nfree < FALLOC_CORE_BLOCK &&
		       frames_are_valid(core, block);
	case FALLOC_BLOCK_WHOLE:
		return complete && block->nfree == FALLOC_CORE_BLOCK &&
		       bits_are_valid(core, block);
	case FALLOC_BLOCK_TAKEN:
		return complete && !block->nfree && !block->nzero;
	default:
		return 0;
	}
}

/* F3, and each block is of the frames that its place says */
static int ranges_are_valid(const struct falloc_core *core)
{
	const struct falloc_range *r;
	__u32 first = 0;
	__u32 b = 0;
	__u32 i;
	__u64 end;

	for (i = 0; i < core->nranges; i++) {
		r = &core->ranges[i];
		if (r->first != first || r->block != b)
			return 0;
		end = r->pfn + r->cnt;
		first += r->cnt;
		b += (__u32)(((end - 1) >> FALLOC_CORE_BLOCK_SHIFT) -
			     (r->pfn >> FALLOC_CORE_BLOCK_SHIFT) + 1);
	}
	if (first != core->total || b != core->nblocks)
		return 0;
	for (first = 0, b = 0; b < core->nblocks; b++) {
		if (core->block[b].first != first)
			return 0;
		first += core->block[b].len;
	}
	return first == core->total;
}

/* F7 */
static int owners_are_valid(const struct falloc_core *core)
{
	const struct falloc_block *block;
	struct falloc_spot spot;

	for (spot.block = 0; spot.block < core->nblocks; spot.block++) {
		block = &core->block[spot.block];
		for (spot.idx = block->first;
		     spot.idx < block->first + block->len; spot.idx++)
			if (falloc_spot_is_free(core, spot) &&
			    __atomic_load_n(&core->owned[spot.idx],
					    __ATOMIC_RELAXED))
				return 0;
	}
	return 1;
}

int falloc_core_is_valid(const struct falloc_core *core)
{
	__u32 nopen = 0;
	__u32 nfree = 0;
	__u32 b;

	if (core->nfree > core->total || core->total > core->cap) /* F2 */
		return 0;
	if (core->promised > core->nfree) /* F8 */
		return 0;
	if (core->end[0] > core->end[1] || core->end[1] > core->end[2] ||
	    core->end[2] > core->nblocks || !ranges_are_valid(core))
		return 0;
	for (b = 0; b < core->nblocks; b++) {
		if (!block_is_valid(core, b))
			return 0;
		nfree += core->block[b].nfree;
		if (core->block[b].state == FALLOC_BLOCK_OPEN)
			nopen += core->block[b].nfree;
	}
	if (nopen != core->nopen || nfree != core->nfree) /* F1, F2 */
		return 0;
	if (core->end[2] > core->end[1] &&
	    core->nopen >= FALLOC_CORE_CHOICE + 2 * FALLOC_CORE_BLOCK) /* F6 */
		return 0;
	return owners_are_valid(core);
}
