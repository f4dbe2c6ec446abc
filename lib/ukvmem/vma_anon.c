/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/plat/paging.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "vmem_priv.h"

int vma_anon_map(const struct uk_vma *vma, __vaddr_t vaddr, __sz len)
{
	return ukplat_page_map(vma->vas->pt, vaddr, __PADDR_ANY,
			       len >> PAGE_SHIFT, vma->attr,
			       vma_is_large(vma) ? PAGE_FLAG_LARGE : 0);
}

static int anon_populate(struct uk_vma *vma)
{
	return vma_anon_map(vma, vma->start, uk_vma_len(vma));
}

/* The frame that the fault starts with, __PADDR_ANY, is the right one. A block
 * that lies in the area comes at once, if large pages were asked for.
 */
int vma_anon_fault(struct uk_vma *vma, struct uk_vm_fault *fault)
{
	__vaddr_t block = ALIGN_DOWN(fault->vaddr, PAGE_LARGE_SIZE);

	if (vma_is_large(vma) && block >= vma->start &&
	    vma->end - block >= PAGE_LARGE_SIZE) {
		fault->vbase = block;
		fault->len = PAGE_LARGE_SIZE;
	}
	return 0;
}

int vma_anon_unmap(struct uk_vma *vma, __vaddr_t vaddr, __sz len)
{
	return ukplat_page_unmap(vma->vas->pt, vaddr, len >> PAGE_SHIFT, 0);
}

int vma_anon_advise(struct uk_vma *vma, __vaddr_t vaddr, __sz len,
		    unsigned long advice __unused)
{
	return ukplat_page_unmap(vma->vas->pt, vaddr, len >> PAGE_SHIFT,
				 PAGE_FLAG_RACY);
}

const struct uk_vma_ops uk_vma_anon_ops = {
	.populate = anon_populate,
	.fault = vma_anon_fault,
	.unmap = vma_anon_unmap,
	.set_attr = vma_pages_set_attr,
	.advise = vma_anon_advise,
};
