/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "pt.h"

/* Entries of one table for the frames of pages in one other table. Under the
 * lock.
 */
static int entries_copy(const struct pt_chunk *from, const struct pt_chunk *to,
			__u64 bits)
{
	unsigned long i;
	__u64 entry;

	if (unlikely(!from->pte))
		return -EFAULT;
	for (i = 0; i < to->n; i++) {
		entry = pt_load(&from->pte[i]);
		if (unlikely(!(entry & X86_PTE_OWNED)))
			return -EFAULT;
		pt_store(&to->pte[i], (entry & X86_PTE_PADDR_MASK) | bits);
	}
	return 0;
}

/* The tables of the new place exist, and nobody takes them away (P7) */
static int range_copy(struct uk_pagetable *pt, __vaddr_t from, __vaddr_t to,
		      unsigned long left, __u64 bits)
{
	struct pt_chunk a, b;
	unsigned long irqf;
	int rc = 0;

	while (left && !rc) {
		irqf = uk_spin_lock_irqsave(&pt->lock);
		pt_chunk_find(pt, from, left, &a);
		pt_chunk_find(pt, to, MIN(left, a.n), &b);
		rc = entries_copy(&a, &b, bits);
		uk_spin_unlock_irqrestore(&pt->lock, irqf);
		left -= b.n;
		from += b.n << PAGE_SHIFT;
		to += b.n << PAGE_SHIFT;
	}
	return rc;
}

int ukplat_page_move(struct uk_pagetable *pt, __vaddr_t from, __vaddr_t to,
		     unsigned long pages, unsigned long attr)
{
	__u64 bits;
	int rc;

	UK_ASSERT(pt);
	if (unlikely(!pt_range_is_valid(from, pages) ||
		     pt_range_is_ram(from, pages) ||
		     pt_attr_encode(attr, &bits)))
		return -EINVAL;

	/* Entries first that nobody can use: nothing may fail for want of a
	 * table once frames are at two places
	 */
	rc = ukplat_page_map(pt, to, 0, pages, PAGE_ATTR_PROT_NONE, 0);
	if (unlikely(rc))
		return rc;
	rc = range_copy(pt, from, to, pages, bits);
	/* Only now: who still writes to the old place writes to these frames,
	 * before the caller looks at them
	 */
	(void)ukplat_page_unmap(pt, rc ? to : from, pages,
				PAGE_FLAG_KEEP_FRAMES);
	return rc;
}
