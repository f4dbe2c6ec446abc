/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "vma_tree.h"
#include "vmem_priv.h"

#define ADVICE_ALL (UK_VMA_ADV_DONTNEED | UK_VMA_ADV_WILLNEED)

static void dontneed_end(const struct vma_range *range)
{
	unsigned long irqf = vas_lock(range->vas);

	vma_range_rest(range->vas, range->vmas);
	vas_unlock(range->vas, irqf);
}

static int dontneed_do(const struct vma_range *range)
{
	struct uk_vma *vma;
	int rc;

	for (vma = range->vmas; vma; vma = vma->op_next) {
		__vaddr_t start = range->start, end = range->end;

		if (!vma->ops->advise || !vma_clip_used(vma, &start, &end))
			continue;
		rc = vma->ops->advise(vma, start, end - start,
				      UK_VMA_ADV_DONTNEED);
		if (rc)
			return rc;
	}
	return 0;
}

/* Splits areas for the time being, so that others can work on their rest. But
 * memory comes back also if there is none for a split, or a kind denies it.
 */
static int dontneed(struct vma_range *range)
{
	int rc;

	range->whole = VMA_WHOLE_KIND;
	rc = vma_range_begin(range);
	if (rc == -ENOMEM) {
		range->whole = VMA_WHOLE_ALL;
		rc = vma_range_begin(range);
	}
	if (rc)
		return rc;
	rc = dontneed_do(range);
	dontneed_end(range);
	return rc;
}

/* The next page at or above an address whose kind has pages; the end of the
 * range if there is none
 */
static __vaddr_t willneed_next(const struct vma_range *range, __vaddr_t pos)
{
	struct uk_vas *vas = range->vas;
	unsigned long irqf = vas_lock(vas);
	const struct uk_vma *vma = vma_tree_above(vas->root, pos);

	while (vma && vma->start < range->end && !vma->ops->fault)
		vma = vma_tree_above(vas->root, vma->end);
	if (!vma || vma->start >= range->end)
		pos = range->end;
	else
		pos = MAX(pos, vma->start);
	vas_unlock(vas, irqf);
	return pos;
}

/* An operation that waits for faults lets none begin; it does not take long */
static int willneed_page(struct uk_vas *vas, __vaddr_t vaddr)
{
	const unsigned int type = UK_VMA_FAULT_SOFT | UK_VMA_FAULT_NONPRESENT;
	unsigned long irqf;
	int rc;

	for (;;) {
		irqf = uk_spin_irq_save();
		rc = vas_fault(vas, vaddr, type, __NULL);
		uk_spin_irq_restore(irqf);
		if (rc != -EAGAIN)
			return rc;
		uk_spin_poll();
		__builtin_ia32_pause();
	}
}

/* Page by page, so that nobody has to wait for the whole range */
static int willneed(const struct vma_range *range)
{
	__vaddr_t pos = range->start;
	int rc;

	while ((pos = willneed_next(range, pos)) < range->end) {
		rc = willneed_page(range->vas, pos);
		if (rc)
			return rc;
		pos += PAGE_SIZE;
	}
	return 0;
}

static int willneed_check(struct vma_range *range)
{
	unsigned long irqf = vas_lock(range->vas);
	__sz objects;
	int rc;

	range->whole = VMA_WHOLE_ALL;
	rc = vma_range_check(range, &objects);
	vas_unlock(range->vas, irqf);
	/* Faults under way do not disturb others */
	return rc == -EAGAIN ? 0 : rc;
}

int uk_vma_advise(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		  unsigned long advice, unsigned long flags)
{
	struct vma_range range;
	int rc;

	UK_ASSERT(vas);

	rc = vma_range_init(&range, vas, vaddr, len, flags);
	if (rc)
		return rc;
	if (!advice || (advice & ~ADVICE_ALL))
		return -EINVAL;
	if (advice & UK_VMA_ADV_DONTNEED)
		rc = dontneed(&range);
	if (!rc && (advice & UK_VMA_ADV_WILLNEED)) {
		rc = willneed_check(&range);
		if (!rc)
			rc = willneed(&range);
	}
	return rc;
}
