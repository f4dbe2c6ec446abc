/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/spinlock.h>

#include "vma_pool.h"
#include "vma_tree.h"
#include "vmem_priv.h"

int vma_range_init(struct vma_range *range, struct uk_vas *vas, __vaddr_t vaddr,
		   __sz len, unsigned long flags)
{
	if (!len || (len & (PAGE_SIZE - 1)) || (vaddr & (PAGE_SIZE - 1)))
		return -EINVAL;
	if (vaddr + len < vaddr || (flags & ~UK_VMA_FLAG_STRICT_VMA_CHECK))
		return -EINVAL;

	range->vas = vas;
	range->start = vaddr;
	range->end = vaddr + len;
	range->is_strict = !!(flags & UK_VMA_FLAG_STRICT_VMA_CHECK);
	range->sets_attr = 0;
	range->whole = VMA_WHOLE_NONE;
	range->vmas = __NULL;
	return 0;
}

/* Tells whether an area is to be split at an address; -EPERM if it would have
 * to be and must not
 */
static int split_is_due(const struct vma_range *range, const struct uk_vma *vma,
			__vaddr_t vaddr)
{
	int rc;

	if (vaddr <= vma->start || vaddr >= vma->end ||
	    range->whole == VMA_WHOLE_ALL)
		return 0;
	rc = vma->ops->split ? vma->ops->split(vma, vaddr) : 0;
	if (!rc)
		return 1;
	return range->whole == VMA_WHOLE_KIND ? 0 : rc;
}

/* Adds the objects that splits of an area at both ends of the range take */
static int vma_check_split(const struct vma_range *range,
			   const struct uk_vma *vma, __sz *objects)
{
	const __vaddr_t at[VMA_PER_RANGE] = { range->start, range->end };
	__sz i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		int rc = split_is_due(range, vma, at[i]);

		if (rc < 0)
			return rc;
		*objects += (__sz)rc;
	}
	return 0;
}

int vma_range_check(struct vma_range *range, __sz *objects)
{
	struct uk_vma *vma = vma_tree_above(range->vas->root, range->start);
	__vaddr_t pos = range->start;
	__bool has_faults = 0;

	*objects = 0;
	range->vmas = vma;
	for (; vma && vma->start < range->end;
	     vma = vma_tree_above(range->vas->root, pos)) {
		int rc;

		if (range->is_strict && vma->start > pos)
			return -ENOENT;
		if (vma->busy)
			return -EBUSY;
		if (range->sets_attr && !vma->ops->set_attr)
			return -EPERM;
		rc = vma_check_split(range, vma, objects);
		if (rc)
			return rc;
		if (vma->faults)
			has_faults = 1;
		pos = vma->end;
		if (pos >= range->end)
			break;
	}
	if (range->is_strict && pos < range->end)
		return -ENOENT;
	return has_faults ? -EAGAIN : 0;
}

static void range_split(const struct vma_range *range, __vaddr_t vaddr)
{
	struct uk_vma *vma = vma_tree_above(range->vas->root, vaddr);

	if (vma && split_is_due(range, vma, vaddr) > 0)
		vma_split(vma, vaddr);
}

/* From the first area on */
static void range_make_busy(struct vma_range *range, struct uk_vma *vma)
{
	struct uk_vma **link = &range->vmas;

	*link = __NULL;
	while (vma && vma->start < range->end) {
		vma->busy = vmem_cpu();
		vma->op_next = __NULL;
		*link = vma;
		link = &vma->op_next;
		if (vma->end >= range->end)
			break;
		vma = vma_tree_above(range->vas->root, vma->end);
	}
}

int vma_range_claim(struct vma_range *range, __sz count, __sz keep)
{
	struct uk_vas *vas = range->vas;
	__sz objects;
	int rc;

	while ((rc = vma_range_check(range, &objects)) == -EAGAIN) {
		/* No fault begins while somebody waits, so this ends. Faults
		 * wait for memory and for locks, which this CPU does not hold,
		 * and for its acknowledgement, which the loop gives.
		 */
		vas->closing++;
		vas_lock_yield(vas);
		vas->closing--;
	}
	if (!rc && objects + count)
		rc = vas_pool_want(vas, objects + count, keep);
	if (rc)
		return rc;

	if (unlikely(objects)) {
		range_split(range, range->start);
		range_split(range, range->end);
		range->vmas = vma_tree_above(vas->root, range->start);
	}
	range_make_busy(range, range->vmas);
	return 0;
}

int vma_range_begin(struct vma_range *range)
{
	unsigned long irqf = vas_lock(range->vas);
	int rc = vma_range_claim(range, 0, 0);

	vas_unlock(range->vas, irqf);
	return rc;
}

void vma_range_rest(struct uk_vas *vas, struct uk_vma *vma)
{
	struct uk_vma *next;

	for (; vma; vma = next) {
		UK_ASSERT(vma->busy);
		next = vma->op_next;
		vma->busy = 0;
		vma->op_next = __NULL;
		vma_join(vma);
	}
	vas_pool_trim(vas);
}
