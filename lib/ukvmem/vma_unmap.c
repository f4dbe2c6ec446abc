/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/spinlock.h>

#include "vmem_priv.h"

/* Ends the operation: the areas up to stop are gone, the others stay */
static void unmap_end(struct vma_range *range, const struct uk_vma *stop)
{
	struct uk_vas *vas = range->vas;
	struct uk_vma *vma = range->vmas, *next;
	unsigned long irqf = uk_spin_lock_irqsave(&vas->lock);

	for (; vma != stop; vma = next) {
		next = vma->op_next;
		vas_remove(vas, vma);
	}
	for (; vma; vma = next) {
		next = vma->op_next;
		vma_range_keep(vma);
		vma_join(vma);
	}
	vas_pool_trim(vas);
	uk_spin_unlock_irqrestore(&vas->lock, irqf);
}

/* Unmaps an area together with those behind it that adjoin and are of its
 * kind: pieces that were split share one shootdown. Receives what comes next.
 */
static int unmap_run(struct uk_vma *vma, struct uk_vma **next)
{
	__vaddr_t end = vma->end;
	struct uk_vma *v;

	for (v = vma->op_next; v && v->start == end && v->ops == vma->ops;
	     v = v->op_next)
		end = v->end;
	*next = v;
	return vma->ops->unmap(vma, vma->start, end - vma->start);
}

int uk_vma_unmap(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		 unsigned long flags)
{
	struct vma_range range;
	struct uk_vma *vma, *next;
	int rc;

	UK_ASSERT(vas);

	rc = vma_range_init(&range, vas, vaddr, len, flags);
	if (!rc)
		rc = vma_range_begin(&range);
	if (rc)
		return rc;

	/* Busy areas belong to this operation, so no lock is needed */
	for (vma = range.vmas; vma; vma = next) {
		rc = unmap_run(vma, &next);
		if (rc)
			break;
	}
	unmap_end(&range, vma);
	return rc;
}
