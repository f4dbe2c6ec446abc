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

/* Changes the pages that are there. The page table changes all pages of a
 * range or none, so a range with a hole is halved until its parts are full or
 * a single page. Runs of pages share a shootdown. Recursion is as deep as the
 * number of pages has bits.
 */
static int pages_set_attr(struct uk_pagetable *pt, __vaddr_t start,
			  __vaddr_t end, unsigned long attr)
{
	__sz pages = (end - start) >> PAGE_SHIFT;
	__vaddr_t middle = start + (pages / 2 << PAGE_SHIFT);
	int rc;

	rc = ukplat_page_set_attr(pt, start, pages, attr, 0);
	if (rc != -EFAULT)
		return rc;
	if (pages == 1)
		return 0;
	rc = pages_set_attr(pt, start, middle, attr);
	return rc ? rc : pages_set_attr(pt, middle, end, attr);
}

int vma_pages_set_attr(struct uk_vma *vma, unsigned long attr)
{
	struct uk_pagetable *pt = vma->vas->pt;
	__vaddr_t start = vma->start, end = vma->end;
	int rc, undo_rc;

	if (!vma_clip_used(vma, &start, &end))
		return 0;
	rc = pages_set_attr(pt, start, end, attr);
	if (rc) {
		/* The tables that the old attributes need are there */
		undo_rc = pages_set_attr(pt, start, end, vma->attr);
		UK_ASSERT(!undo_rc);
	}
	return rc;
}
