/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>
#include <uk/essentials.h>

#include "vma_pool.h"
#include "vmem_priv.h"

/* The old areas leave the set in the same critical section in which the new
 * one comes, so nobody finds the addresses free, holes included. Their pages
 * go afterwards; faults meanwhile meet a busy area, and wait.
 */
static int replace_insert(struct vma_range *range, const struct uk_vma *model,
			  struct uk_vma **vma)
{
	struct uk_vas *vas = range->vas;
	unsigned long irqf = vas_lock(vas);
	struct uk_vma *old;
	int rc;

	rc = vma_range_claim(range, VMA_PER_MAP, VMA_POOL_RESERVE);
	if (!rc) {
		for (old = range->vmas; old; old = old->op_next)
			vas_take_out(vas, old);
		*vma = vma_insert_busy(model, range->start);
		UK_ASSERT(*vma);
	}
	vas_unlock(vas, irqf);
	return rc;
}

/* The old areas up to stop are gone. If there are others, they come back in
 * the place of the new one.
 */
static void replace_end(struct vma_range *range, const struct uk_vma *stop,
			struct uk_vma *fresh)
{
	struct uk_vas *vas = range->vas;
	struct uk_vma *vma = range->vmas, *next;
	unsigned long irqf = vas_lock(vas);

	for (; vma != stop; vma = next) {
		next = vma->op_next;
		vma_pool_return(&vas->pool, vma);
	}
	if (vma)
		vas_remove(vas, fresh);
	range->vmas = vma;
	for (; vma; vma = vma->op_next)
		vas_insert(vas, vma);
	vma_range_rest(vas, range->vmas);
	vas_unlock(vas, irqf);
}

int vma_replace(const struct uk_vma *model, __vaddr_t vaddr,
		struct uk_vma **vma)
{
	struct vma_range range;
	struct uk_vma *stop;
	int rc;

	rc = vma_range_init(&range, model->vas, vaddr, model->end, 0);
	UK_ASSERT(!rc);
	rc = replace_insert(&range, model, vma);
	if (rc)
		return rc;
	rc = vma_range_unmap(&range, &stop);
	replace_end(&range, stop, *vma);
	return rc;
}
