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
			       len >> PAGE_SHIFT, vma->attr, 0);
}

static int anon_populate(struct uk_vma *vma)
{
	return vma_anon_map(vma, vma->start, uk_vma_len(vma));
}

int vma_anon_unmap(struct uk_vma *vma, __vaddr_t vaddr, __sz len)
{
	return ukplat_page_unmap(vma->vas->pt, vaddr, len >> PAGE_SHIFT, 0);
}

static int anon_set_attr(struct uk_vma *vma, unsigned long attr)
{
	return ukplat_page_set_attr(vma->vas->pt, vma->start,
				    uk_vma_len(vma) >> PAGE_SHIFT, attr, 0);
}

const struct uk_vma_ops uk_vma_anon_ops = {
	.populate = anon_populate,
	.unmap = vma_anon_unmap,
	.set_attr = anon_set_attr,
};
