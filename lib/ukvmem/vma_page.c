/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>

#include "vmem_priv.h"

void vma_note_used(struct uk_vma *vma, __vaddr_t start, __vaddr_t end)
{
	vma->used_start = MIN(vma->used_start, start);
	vma->used_end = MAX(vma->used_end, end);
}

__bool vma_clip_used(const struct uk_vma *vma, __vaddr_t *start, __vaddr_t *end)
{
	*start = MAX(*start, vma->start);
	*start = MAX(*start, vma->used_start);
	*end = MIN(*end, vma->end);
	*end = MIN(*end, vma->used_end);
	return *start < *end;
}

int vma_pages_set_attr(struct uk_vma *vma, unsigned long attr)
{
	__vaddr_t start = vma->start, end = vma->end;

	if (!vma_clip_used(vma, &start, &end))
		return 0;
	return ukplat_page_set_attr(vma->vas->pt, start,
				    (end - start) >> PAGE_SHIFT, attr,
				    PAGE_FLAG_SKIP_UNMAPPED);
}
