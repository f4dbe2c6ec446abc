/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>

#include "vma_hole.h"
#include "vma_tree.h"
#include "vmem_priv.h"

UK_CTASSERT(UK_VAS_START > 0 && UK_VAS_START < UK_VAS_END);
UK_CTASSERT(UK_VAS_START % PAGE_SIZE == 0 && UK_VAS_END % PAGE_SIZE == 0);
/* The lower half; its last page stays free, because an instruction or an
 * access that runs over the end of the half faults in another way
 */
UK_CTASSERT(UK_VAS_END <= (1UL << 47) - PAGE_SIZE);

/* The word behind those for the hole chooses the gaps */
#define GAP_WORD VMA_HOLE_WORDS
#define GAP_MAX	 ((__u64)CONFIG_LIBUKVMEM_GAP_PAGES_MAX)

/* Alignment that the flags ask for, 0 if there is no such order */
static __sz place_align(unsigned long flags)
{
	switch (UK_VMA_MAP_SIZE_TO_ORDER(flags)) {
	case 0:
		return PAGE_SIZE;
	case 12:
	case 21:
	case 30:
		return 1UL << UK_VMA_MAP_SIZE_TO_ORDER(flags);
	default:
		return 0;
	}
}

static __bool is_usable(const struct vma_place *place)
{
	return !(place->vaddr & (place->align - 1)) &&
	       vma_place_is_inside(place->vaddr, place->len);
}

int vma_place_init(struct vma_place *place, __vaddr_t vaddr, __sz len,
		   unsigned long flags)
{
	place->vaddr = vaddr;
	place->len = len;
	place->align = place_align(flags);
	place->is_hint = !!(flags & UK_VMA_MAP_HINT);
	place->replaces = !!(flags & UK_VMA_MAP_REPLACE);
	if (!place->align || !len || (len & (place->align - 1)) ||
	    (place->is_hint && place->replaces))
		return -EINVAL;

	if (place->vaddr != __VADDR_ANY && !is_usable(place)) {
		if (!place->is_hint)
			return -EINVAL;
		place->vaddr = __VADDR_ANY;
	}
	if (place->vaddr != __VADDR_ANY && !place->is_hint)
		return 0;
	if (len > UK_VAS_END - UK_VAS_START)
		return -ENOSPC;
	ukplat_random_bytes(place->words, sizeof(place->words));
	return 0;
}

/* A number of pages from 1 to GAP_MAX in bytes. Scaling favours some by less
 * than GAP_MAX / 2^32.
 */
static __sz gap_len(__u64 word)
{
	return ((((word & __U32_MAX) * GAP_MAX) >> 32) + 1) << PAGE_SHIFT;
}

static int place_draw(const struct uk_vas *vas, const struct vma_place *place,
		      __vaddr_t *vaddr)
{
	struct vma_hole_req req = {
		.start = UK_VAS_START,
		.end = UK_VAS_END,
		.len = place->len,
		.align = place->align,
	};

	if (GAP_MAX) {
		req.before = gap_len(place->words[GAP_WORD]);
		req.after = gap_len(place->words[GAP_WORD] >> 32);
		if (likely(!vma_hole_draw(vas->root, &req, place->words,
					  vaddr)))
			return 0;
		/* That is a fact about the holes, not about the words, so
		 * they may be used once more
		 */
		req.before = 0;
		req.after = 0;
	}
	return vma_hole_draw(vas->root, &req, place->words, vaddr) ? -ENOSPC :
								     0;
}

int vma_place_choose(const struct uk_vas *vas, const struct vma_place *place,
		     __vaddr_t *vaddr)
{
	const struct uk_vma *vma;

	if (place->vaddr == __VADDR_ANY)
		return place_draw(vas, place, vaddr);

	*vaddr = place->vaddr;
	if (!place->is_hint)
		return 0;
	vma = vma_tree_above(vas->root, place->vaddr);
	if (!vma || vma->start >= place->vaddr + place->len)
		return 0;
	return place_draw(vas, place, vaddr);
}
