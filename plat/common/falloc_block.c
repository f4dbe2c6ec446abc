/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>
#include <uk/essentials.h>

#include "falloc_block.h"

static int block_is_complete(const struct falloc_block *block)
{
	return block->len == FALLOC_CORE_BLOCK;
}

enum falloc_segment falloc_block_segment(const struct falloc_block *block)
{
	switch (block->state) {
	case FALLOC_BLOCK_WHOLE:
		return FALLOC_SEGMENT_WHOLE;
	case FALLOC_BLOCK_REST:
		return block->nfree ? FALLOC_SEGMENT_REST :
				      FALLOC_SEGMENT_OTHER;
	case FALLOC_BLOCK_OPEN:
		return block->nfree == FALLOC_CORE_BLOCK ? FALLOC_SEGMENT_IDLE :
							   FALLOC_SEGMENT_OTHER;
	default:
		return FALLOC_SEGMENT_OTHER;
	}
}

/* Exchanges two entries of order[] */
static void order_swap(struct falloc_core *core, __u32 a, __u32 b)
{
	__u32 block_a = core->block[a].order;
	__u32 block_b = core->block[b].order;

	core->block[a].order = block_b;
	core->block[block_b].place = a;
	core->block[b].order = block_a;
	core->block[block_a].place = b;
}

/* At each border the block beside it takes its place, and the border moves by
 * one
 */
void falloc_block_order(struct falloc_core *core, __u32 b)
{
	unsigned int to = falloc_block_segment(&core->block[b]);
	unsigned int at = 0;

	while (at < FALLOC_SEGMENT_OTHER &&
	       core->block[b].place >= core->end[at])
		at++;
	for (; at < to; at++)
		order_swap(core, core->block[b].place, --core->end[at]);
	for (; at > to; at--)
		order_swap(core, core->block[b].place, core->end[at - 1]++);
}

/* Leaves the bit of the frame as it is; returns the new number of entries */
static inline __u32 list_remove(__u32 *list, __u32 *pos, __u32 nopen, __u32 idx)
{
	__u32 old = pos[idx], last = list[--nopen];

	list[old & FALLOC_POS_INDEX] = last;
	pos[last] = (pos[last] & FALLOC_POS_ZERO) | (old & FALLOC_POS_INDEX);
	pos[idx] = (old & FALLOC_POS_ZERO) | FALLOC_POS_REST;
	return nopen;
}

int falloc_spot_take(struct falloc_core *core, struct falloc_spot spot)
{
	struct falloc_block *block = &core->block[spot.block];
	int zero = (core->pos[spot.idx] & FALLOC_POS_ZERO) != 0;

	if (block->state == FALLOC_BLOCK_OPEN)
		core->nopen = list_remove(core->list, core->pos, core->nopen,
					  spot.idx);
	core->pos[spot.idx] = FALLOC_POS_USED;
	core->nfree--;
	block->nfree--;
	block->nzero = (__u16)(block->nzero - zero);
	/* It was idle, or rests without a free frame now */
	if (unlikely(block->nfree == FALLOC_CORE_BLOCK - 1 || !block->nfree))
		falloc_block_order(core, spot.block);
	return zero;
}

void falloc_block_add(struct falloc_core *core, __u32 first, __u32 len)
{
	__u32 b = core->nblocks++;
	__u32 i;

	core->block[b] = (struct falloc_block){
		.order = b,
		.place = b,
		.first = first,
		.len = (__u16)len,
		.state = FALLOC_BLOCK_OPEN,
	};
	for (i = first; i < first + len; i++) {
		core->pos[i] = FALLOC_POS_USED;
		core->owned[i] = 0;
	}
	if (!block_is_complete(&core->block[b]))
		return;
	core->block[b].state = FALLOC_BLOCK_TAKEN;
	falloc_block_put(core, b, 0);
}

/* All frames of a block, of which none is in list[]; zero: as in pos[] */
static void list_append_block(struct falloc_core *core, __u32 first, __u32 zero)
{
	__u32 *list = core->list + core->nopen, *pos = core->pos + first, i;
	__u32 place = core->nopen | zero;

	for (i = 0; i < FALLOC_CORE_BLOCK; i++) {
		list[i] = first + i;
		pos[i] = place + i;
	}
	core->nopen += FALLOC_CORE_BLOCK;
}

/* The free ones of a block whose frames may differ in their bits */
static void list_append_free(struct falloc_core *core, __u32 first)
{
	__u32 i, pos;

	for (i = first; i < first + FALLOC_CORE_BLOCK; i++) {
		pos = core->pos[i];
		if (pos != FALLOC_POS_USED)
			falloc_list_append(core, i, pos & FALLOC_POS_ZERO);
	}
}

void falloc_block_open(struct falloc_core *core, __u32 b)
{
	struct falloc_block *block = &core->block[b];

	UK_ASSERT(block->state == FALLOC_BLOCK_WHOLE ||
		  block->state == FALLOC_BLOCK_REST);
	/* nzero overrules the bits of a whole one only */
	if (block->state == FALLOC_BLOCK_REST ||
	    (block->nzero && block->nzero < FALLOC_CORE_BLOCK))
		list_append_free(core, block->first);
	else
		list_append_block(core, block->first,
				  block->nzero ? FALLOC_POS_ZERO : 0);
	block->state = FALLOC_BLOCK_OPEN;
	falloc_block_order(core, b);
}

void falloc_block_close(struct falloc_core *core, __u32 b)
{
	struct falloc_block *block = &core->block[b];
	__u32 *list = core->list, *pos = core->pos, nopen = core->nopen;
	__u32 i, end = block->first + FALLOC_CORE_BLOCK;

	UK_ASSERT(block->state == FALLOC_BLOCK_OPEN);
	UK_ASSERT(block_is_complete(block));
	for (i = block->first; i < end; i++)
		if (pos[i] != FALLOC_POS_USED)
			nopen = list_remove(list, pos, nopen, i);
	core->nopen = nopen;
	block->state = block->nfree == FALLOC_CORE_BLOCK ? FALLOC_BLOCK_WHOLE :
							   FALLOC_BLOCK_REST;
	falloc_block_order(core, b);
}

int falloc_block_take(struct falloc_core *core, __u32 b)
{
	struct falloc_block *block = &core->block[b];
	int zero = block->nzero == FALLOC_CORE_BLOCK;

	UK_ASSERT(block->state == FALLOC_BLOCK_WHOLE);
	block->state = FALLOC_BLOCK_TAKEN;
	block->nfree = 0;
	block->nzero = 0;
	core->nfree -= FALLOC_CORE_BLOCK;
	falloc_block_order(core, b);
	return zero;
}

void falloc_block_put(struct falloc_core *core, __u32 b, int zero)
{
	struct falloc_block *block = &core->block[b];

	UK_ASSERT(block->state == FALLOC_BLOCK_TAKEN);
	block->state = FALLOC_BLOCK_WHOLE;
	block->nfree = FALLOC_CORE_BLOCK;
	block->nzero = zero ? FALLOC_CORE_BLOCK : 0;
	core->nfree += FALLOC_CORE_BLOCK;
	falloc_block_order(core, b);
}

void falloc_block_split(struct falloc_core *core, __u32 b)
{
	struct falloc_block *block = &core->block[b];
	__u32 i;

	UK_ASSERT(block->state == FALLOC_BLOCK_TAKEN);
	block->state = FALLOC_BLOCK_REST;
	for (i = block->first; i < block->first + FALLOC_CORE_BLOCK; i++)
		core->pos[i] = FALLOC_POS_USED;
}
