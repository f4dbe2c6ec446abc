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
	range->vmas = __NULL;
	return 0;
}

/* Asks an area whether it may be split where the range begins or ends;
 * adds the objects that this takes
 */
static int vma_check_split(const struct vma_range *range,
			   const struct uk_vma *vma, __sz *objects)
{
	const __vaddr_t at[VMA_PER_RANGE] = { range->start, range->end };
	__sz i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		int rc;

		if (at[i] <= vma->start || at[i] >= vma->end)
			continue;
		rc = vma->ops->split ? vma->ops->split(vma, at[i]) : 0;
		if (rc)
			return rc;
		(*objects)++;
	}
	return 0;
}

/* Decides whether the operation can be done, without changing anything */
static int range_check(const struct vma_range *range, __sz *objects)
{
	struct uk_vma *vma = vma_tree_above(range->vas->root, range->start);
	__vaddr_t pos = range->start;

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
		pos = vma->end;
	}
	return range->is_strict && pos < range->end ? -ENOENT : 0;
}

static void range_split(const struct vma_range *range, __vaddr_t vaddr)
{
	struct uk_vma *vma = vma_tree_above(range->vas->root, vaddr);

	if (vma && vma->start < vaddr)
		vma_split(vma, vaddr);
}

static void range_make_busy(struct vma_range *range)
{
	struct uk_vma **link = &range->vmas;
	struct uk_vma *vma = vma_tree_above(range->vas->root, range->start);

	while (vma && vma->start < range->end) {
		vma->busy = 1;
		vma->op_next = __NULL;
		*link = vma;
		link = &vma->op_next;
		vma = vma_tree_above(range->vas->root, vma->end);
	}
}

int vma_range_begin(struct vma_range *range)
{
	struct uk_vas *vas = range->vas;
	unsigned long irqf;
	__sz objects = 0;
	int rc;

	irqf = uk_spin_lock_irqsave(&vas->lock);
	rc = range_check(range, &objects);
	if (!rc)
		rc = vas_pool_want(vas, objects, 0);
	if (!rc) {
		range_split(range, range->start);
		range_split(range, range->end);
		range_make_busy(range);
	}
	uk_spin_unlock_irqrestore(&vas->lock, irqf);
	return rc;
}

void vma_range_keep(struct uk_vma *vma)
{
	UK_ASSERT(vma->busy);

	vma->busy = 0;
	vma->op_next = __NULL;
}
