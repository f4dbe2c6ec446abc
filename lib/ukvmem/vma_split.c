/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>
#include <uk/essentials.h>

#include "vma_pool.h"
#include "vma_tree.h"
#include "vmem_priv.h"

void vma_split(struct uk_vma *vma, __vaddr_t vaddr)
{
	struct uk_vas *vas = vma->vas;
	struct uk_vma *upper = vma_pool_take(&vas->pool);
	__vaddr_t end = vma->end;

	UK_ASSERT(upper);
	UK_ASSERT(vma->start < vaddr && vaddr < end);
	UK_ASSERT(!vma->faults);

	*upper = *vma;
	upper->start = vaddr;
	vma_tree_resize(vas->root, vma, vma->start, vaddr);
	vma_tree_insert(&vas->root, upper);
	vas->vma_count++;
}

static __bool is_joinable(const struct uk_vma *below,
			  const struct uk_vma *above)
{
	return below && above && below->end == above->start &&
	       below->id == above->id && below->attr == above->attr &&
	       below->priv == above->priv && !below->busy && !above->busy;
}

static void join_next(struct uk_vma *vma)
{
	struct uk_vas *vas = vma->vas;
	struct uk_vma *next = vma_tree_above(vas->root, vma->end);
	__vaddr_t end;

	if (!is_joinable(vma, next))
		return;
	/* A fault knows the object that would leave (V2) */
	if (next->faults) {
		next->join_later = 1;
		return;
	}

	end = next->end;
	vma_note_used(vma, next->used_start, next->used_end);
	vma_tree_remove(&vas->root, next);
	vma_tree_resize(vas->root, vma, vma->start, end);
	vma_pool_return(&vas->pool, next);
	vas->vma_count--;
}

void vma_join(struct uk_vma *vma)
{
	struct uk_vma *prev;

	join_next(vma);
	prev = vma_tree_below(vma->vas->root, vma->start);
	if (is_joinable(prev, vma))
		join_next(prev);
}
