/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "vma_pool.h"
#include "vmem_priv.h"

/* The owner of a reservation may have mapped pages in it, so there is
 * something to unmap although nothing is ever populated. An area of
 * PAGE_ATTR_PROT_NONE has no attributes that could change.
 */
static int rsvd_unmap(struct uk_vma *vma, __vaddr_t vaddr, __sz len)
{
	return ukplat_page_unmap(vma->vas->pt, vaddr, len >> PAGE_SHIFT, 0);
}

/* Mostly he has unmapped them before */
static __bool rsvd_is_clear(const struct uk_vma *vma)
{
	return ukplat_page_is_unused(vma->vas->pt, vma->start,
				     uk_vma_len(vma) >> PAGE_SHIFT) != 0;
}

const struct uk_vma_ops uk_vma_rsvd_ops = {
	.unmap = rsvd_unmap,
	.is_clear = rsvd_is_clear,
};

/* All but the place in the tree, which the insertion fills in */
static void reserve_init(struct uk_vma *vma, struct uk_vas *vas,
			 __vaddr_t vaddr, __sz len, const char *name)
{
	vma->start = vaddr;
	vma->end = vaddr + len;
	vma->vas = vas;
	vma->ops = &uk_vma_rsvd_ops;
	vma->attr = PAGE_ATTR_PROT_NONE;
	vma->flags = 0;
	vma->name = name;
	vma->priv = 0;
	vma->id = vas->next_id++;
	vma->origin = vaddr;
	vma->used_start = vaddr;
	vma->used_end = vaddr + len;
	vma->busy = 0;
	vma->faults = 0;
	vma->join_later = 0;
	vma->op_next = __NULL;
}

static int reserve_try(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		       const char *name)
{
	unsigned long irqf = vas_lock(vas);
	int rc = vas_pool_want(vas, VMA_PER_MAP, VMA_POOL_RESERVE);
	struct uk_vma *vma;

	if (likely(!rc)) {
		vma = vma_pool_take(&vas->pool);
		reserve_init(vma, vas, vaddr, len, name);
		if (unlikely(!vas_try_insert(vas, vma))) {
			vma_pool_return(&vas->pool, vma);
			rc = -EEXIST;
		}
	}
	vas_unlock(vas, irqf);
	return rc;
}

int uk_vma_reserve_at(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		      const char *name)
{
	unsigned int tries = VMEM_RECLAIM_TRIES;
	int rc;

	UK_ASSERT(vas);

	if (unlikely(!len || (vaddr | len) & (PAGE_SIZE - 1) ||
		     !vma_place_is_inside(vaddr, len)))
		return -EINVAL;
	do {
		rc = reserve_try(vas, vaddr, len, name);
	} while (vas_reclaim(vas, rc, &tries));
	return rc;
}
