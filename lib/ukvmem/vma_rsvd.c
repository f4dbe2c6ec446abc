/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/essentials.h>
#include <uk/plat/paging.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

/* The owner of a reservation may have mapped pages in it, so there is
 * something to unmap although nothing is ever populated. An area of
 * PAGE_ATTR_PROT_NONE has no attributes that could change.
 */
static int rsvd_unmap(struct uk_vma *vma, __vaddr_t vaddr, __sz len)
{
	/* Mostly he has unmapped them before */
	if (likely(ukplat_page_is_unused(vma->vas->pt, vaddr,
					 len >> PAGE_SHIFT)))
		return 0;
	return ukplat_page_unmap(vma->vas->pt, vaddr, len >> PAGE_SHIFT, 0);
}

const struct uk_vma_ops uk_vma_rsvd_ops = {
	.unmap = rsvd_unmap,
};
