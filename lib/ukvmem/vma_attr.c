/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "vmem_priv.h"

/* Ends the operation */
static void attr_end(struct vma_range *range, unsigned long attr, int rc)
{
	struct uk_vas *vas = range->vas;
	unsigned long irqf = vas_lock(vas);
	struct uk_vma *vma;

	for (vma = range->vmas; vma && !rc; vma = vma->op_next)
		vma->attr = attr;
	vma_range_rest(vas, range->vmas);
	vas_unlock(vas, irqf);
}

int uk_vma_set_attr(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		    unsigned long attr, unsigned long flags)
{
	unsigned int tries = VMEM_RECLAIM_TRIES;
	struct vma_range range;
	struct uk_vma *vma, *done;
	int rc;

	UK_ASSERT(vas);

	rc = vma_range_init(&range, vas, vaddr, len, flags);
	if (!rc)
		rc = vmem_attr_check(attr);
	if (rc)
		return rc;
	range.sets_attr = 1;
	do {
		rc = vma_range_begin(&range);
	} while (vas_reclaim(vas, rc, &tries));
	if (rc)
		return rc;

	for (vma = range.vmas; vma; vma = vma->op_next) {
		rc = vma->ops->set_attr(vma, attr);
		if (rc)
			break;
	}
	/* The tables that the old attributes need are there already */
	for (done = range.vmas; rc && done != vma; done = done->op_next) {
		int undo_rc = done->ops->set_attr(done, done->attr);

		UK_ASSERT(!undo_rc);
	}
	attr_end(&range, attr, rc);
	return rc;
}
