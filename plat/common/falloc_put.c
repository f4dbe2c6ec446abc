/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Frames that are given back, and blocks that are closed for it */

#include <errno.h>

#include <uk/essentials.h>

#include "falloc_block.h"
#include "falloc_core.h"

void falloc_choice_close(struct falloc_core *core, __u32 b)
{
	const struct falloc_block *block = &core->block[b];

	while (core->nopen >= FALLOC_CHOICE_CLOSE && falloc_has_idle(core))
		falloc_block_close(core, core->block[core->end[1]].order);
	if (core->nopen < FALLOC_CHOICE_CLOSE ||
	    !falloc_is_worth_closing(core, block) ||
	    block->state != FALLOC_BLOCK_OPEN || block->len < FALLOC_CORE_BLOCK)
		return;
	falloc_block_close(core, b);
	core->nputs = 0;
}

/* One frame, to whatever its block is then */
static inline void spot_put_back(struct falloc_core *core,
				 struct falloc_spot spot, int zero)
{
	if (unlikely(core->block[spot.block].state == FALLOC_BLOCK_TAKEN))
		falloc_block_split(core, spot.block);
	falloc_spot_put(core, spot, zero);
	falloc_choice_narrow(core, spot.block);
}

/* One that is not in an open block, or changes what its block is; 0 if it is
 * free
 */
static int __noinline ref_put_back(struct falloc_core *core, __u64 ref)
{
	struct falloc_spot spot = falloc_spot_of_ref(core, ref);

	if (unlikely(falloc_spot_is_free(core, spot)))
		return 0;
	spot_put_back(core, spot, !!(ref & FALLOC_REF_ZERO));
	return 1;
}

/* Length of list[] up to which nothing can be closed but idle blocks */
static __u32 quiet_len(const struct falloc_core *core)
{
	__u32 len = MAX(core->nopen, FALLOC_CHOICE_CLOSE - 1);

	return core->nputs < FALLOC_CLOSE_FREE ?
		       len + FALLOC_CLOSE_FREE - 1 - core->nputs :
		       len;
}

/* Puts frames as long as no block changes its state or its place; returns their
 * number. As falloc_spot_put(), but gcc need not read the core anew for each,
 * which it could have changed through list[] for all it knows.
 */
static unsigned int refs_append(struct falloc_core *core, const __u64 *refs,
				unsigned int cnt)
{
	__u32 *list = core->list, *pos = core->pos, nopen = core->nopen;
	struct falloc_block *blocks = core->block, *block;
	const __u64 *ref = refs, *end = refs + cnt;
	__u32 zero, max, quiet = quiet_len(core);
	struct falloc_spot spot;

	for (; ref < end; ref++) {
		spot = falloc_spot_of_ref(core, *ref);
		block = &blocks[spot.block];
		max = nopen < quiet ? FALLOC_CORE_BLOCK : FALLOC_CLOSE_FREE;
		/* It becomes idle, whole or worth closing, or was full */
		if (unlikely(block->state > FALLOC_BLOCK_REST ||
			     pos[spot.idx] != FALLOC_POS_USED ||
			     block->nfree - 1U >= max - 2))
			break;
		zero = *ref & FALLOC_REF_ZERO ? FALLOC_POS_ZERO : 0;
		block->nfree++;
		block->nzero = (__u16)(block->nzero + !!zero);
		pos[spot.idx] = FALLOC_POS_REST | zero;
		if (unlikely(block->state == FALLOC_BLOCK_REST))
			continue;
		list[nopen] = spot.idx;
		pos[spot.idx] = nopen++ | zero;
	}
	if (nopen >= FALLOC_CHOICE_CLOSE)
		core->nputs +=
			nopen - MAX(core->nopen, FALLOC_CHOICE_CLOSE - 1);
	core->nopen = nopen;
	core->nfree += (__u32)(ref - refs);
	return (unsigned int)(ref - refs);
}

unsigned int falloc_core_put_refs(struct falloc_core *core, const __u64 *refs,
				  unsigned int cnt)
{
	unsigned int done = 0;

	while (done < cnt) {
		if (likely(!falloc_has_idle(core)))
			done += refs_append(core, refs + done, cnt - done);
		if (done == cnt)
			break;
		if (unlikely(!ref_put_back(core, refs[done])))
			break;
		done++;
	}
	return done;
}

int falloc_core_put(struct falloc_core *core, __u64 pfn, __u64 cnt, int zero,
		    __u64 *bad)
{
	struct falloc_spot spot;
	unsigned int r;
	__u64 i;

	for (i = 0; i < cnt; i++) {
		*bad = pfn + i;
		r = falloc_core_range(core, pfn + i);
		if (r == FALLOC_CORE_RANGES)
			return -EINVAL;
		if (falloc_spot_is_free(core, falloc_spot_at(&core->ranges[r],
							     pfn + i)))
			return -EEXIST;
	}
	for (i = 0; i < cnt;) {
		spot = falloc_spot_of(core, pfn + i);
		if (falloc_block_is_at(core, spot, cnt - i)) {
			falloc_block_put(core, spot.block, zero);
			i += FALLOC_CORE_BLOCK;
			continue;
		}
		spot_put_back(core, spot, zero);
		i++;
	}
	return 0;
}
