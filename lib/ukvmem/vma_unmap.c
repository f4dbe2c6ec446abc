/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "vmem_priv.h"

/* Ends the operation: the areas up to stop are gone, the others stay */
static void unmap_end(struct vma_range *range, const struct uk_vma *stop)
{
	struct uk_vas *vas = range->vas;
	struct uk_vma *vma = range->vmas, *next;
	unsigned long irqf = vas_lock(vas);

	for (; vma != stop; vma = next) {
		next = vma->op_next;
		vas_remove(vas, vma);
	}
	vma_range_rest(vas, vma);
	vas_unlock(vas, irqf);
}

/* Unmaps an area together with those behind it that adjoin and are of its
 * kind: pieces that were split share one shootdown. Where nothing was used
 * there is nothing to look for. Receives what comes next.
 */
static int unmap_run(struct uk_vma *vma, struct uk_vma **next)
{
	__vaddr_t start = vma->used_start, end = vma->used_end;
	__vaddr_t limit = vma->end;
	struct uk_vma *v;

	for (v = vma->op_next; v && v->start == limit && v->ops == vma->ops;
	     v = v->op_next) {
		limit = v->end;
		start = MIN(start, v->used_start);
		end = MAX(end, v->used_end);
	}
	*next = v;
	start = MAX(start, vma->start);
	end = MIN(end, limit);
	return start < end ? vma->ops->unmap(vma, start, end - start) : 0;
}

int vma_range_unmap(const struct vma_range *range, struct uk_vma **stop)
{
	struct uk_vma *vma, *next;
	int rc = 0;

	for (vma = range->vmas; vma; vma = next) {
		rc = unmap_run(vma, &next);
		if (rc)
			break;
	}
	*stop = vma;
	return rc;
}

/* One area without pages, whose addresses these are, goes at once: there is
 * nothing to wait for. Otherwise the areas are busy, if nothing failed
 */
static int unmap_begin(struct vma_range *range, __bool *is_done)
{
	struct uk_vas *vas = range->vas;
	unsigned long irqf = vas_lock(vas);
	int rc = 0;

	*is_done = vas_remove_clear(vas, range->start, range->end);
	if (unlikely(!*is_done))
		rc = vma_range_claim(range, 0, 0);
	vas_unlock(vas, irqf);
	return rc;
}

int uk_vma_unmap(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		 unsigned long flags)
{
	unsigned int tries = VMEM_RECLAIM_TRIES;
	struct vma_range range;
	struct uk_vma *stop;
	__bool is_done;
	int rc;

	UK_ASSERT(vas);

	rc = vma_range_init(&range, vas, vaddr, len, flags);
	if (rc)
		return rc;
	do {
		rc = unmap_begin(&range, &is_done);
	} while (vas_reclaim(vas, rc, &tries));
	if (likely(is_done) || rc)
		return rc;

	rc = vma_range_unmap(&range, &stop);
	unmap_end(&range, stop);
	return rc;
}
