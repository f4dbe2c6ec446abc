/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/essentials.h>
#include <uk/plat/paging.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "vmem_priv.h"

/* priv is the physical address of the origin */
static int dma_create(struct uk_vma *vma, const void *data)
{
	const struct uk_vma_dma_args *args = data;

	if ((args->paddr & (PAGE_SIZE - 1)) ||
	    args->paddr > UK_VMA_DMA_PADDR_END ||
	    uk_vma_len(vma) > UK_VMA_DMA_PADDR_END - args->paddr)
		return -EINVAL;
	if (vma->flags & UK_VMA_MAP_UNINITIALIZED)
		return -EINVAL;
	vma->priv = args->paddr;
	return 0;
}

static int dma_populate(struct uk_vma *vma)
{
	return ukplat_page_map(vma->vas->pt, vma->start, vma->priv,
			       uk_vma_len(vma) >> PAGE_SHIFT, vma->attr, 0);
}

static int dma_fault(struct uk_vma *vma, struct uk_vm_fault *fault)
{
	fault->paddr = vma->priv + (fault->vbase - vma->origin);
	return 0;
}

static int dma_unmap(struct uk_vma *vma, __vaddr_t vaddr, __sz len)
{
	return ukplat_page_unmap(vma->vas->pt, vaddr, len >> PAGE_SHIFT,
				 PAGE_FLAG_KEEP_FRAMES);
}

const struct uk_vma_ops uk_vma_dma_ops = {
	.create = dma_create,
	.populate = dma_populate,
	.fault = dma_fault,
	.unmap = dma_unmap,
	.set_attr = vma_pages_set_attr,
};
