/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/tlb.h>

#include "pt.h"

/* Tests that all pages of a range are mapped. pt->lock is held. */
static int range_is_mapped(const struct uk_pagetable *pt, __vaddr_t va,
			   unsigned long left)
{
	struct pt_chunk chunk;
	unsigned long i;

	while (left) {
		if (pt_chunk_find(pt, va, left, &chunk))
			return -EINVAL;
		if (!chunk.pte && !(chunk.large & X86_PTE_OWNED))
			return -EFAULT;
		for (i = 0; chunk.pte && i < chunk.n; i++)
			if (!(pt_load(&chunk.pte[i]) & X86_PTE_OWNED))
				return -EFAULT;
		left -= chunk.n;
		va += chunk.n << PAGE_SHIFT;
	}
	return 0;
}

/* Changes an entry; tells whether a CPU may remember it */
static int entry_set(__u64 *entry, __u64 bits)
{
	__u64 old = pt_load(entry), new = (old & X86_PTE_PADDR_MASK) | bits;

	pt_store(entry, new);
	return old & X86_PTE_PRESENT && old != new;
}

/* Changes all entries; tells whether a CPU may remember one of them.
 * pt->lock is held.
 */
static int range_set(const struct uk_pagetable *pt, __vaddr_t va,
		     unsigned long left, __u64 bits)
{
	struct pt_chunk chunk;
	unsigned long i;
	int seen = 0;

	while (left) {
		(void)pt_chunk_find(pt, va, left, &chunk);
		if (chunk.large)
			seen |= entry_set(chunk.pde, bits | X86_PTE_PS);
		for (i = 0; chunk.pte && i < chunk.n; i++)
			seen |= entry_set(&chunk.pte[i], bits);
		left -= chunk.n;
		va += chunk.n << PAGE_SHIFT;
	}
	return seen;
}

int ukplat_page_set_attr(struct uk_pagetable *pt, __vaddr_t vaddr,
			 unsigned long pages, unsigned long new_attr,
			 unsigned long flags)
{
	unsigned long irqf;
	int rc, seen = 0;
	__u64 bits;

	UK_ASSERT(pt);
	if (unlikely(flags || !pt_range_is_valid(vaddr, pages) ||
		     pt_attr_encode(new_attr, &bits)))
		return -EINVAL;

	rc = pt_range_split(pt, vaddr, pages);
	if (unlikely(rc))
		return rc;
	irqf = uk_spin_lock_irqsave(&pt->lock);
	rc = range_is_mapped(pt, vaddr, pages);
	if (!rc)
		seen = range_set(pt, vaddr, pages, bits);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);

	/* More rights, too: a CPU would fault on what it remembers */
	if (seen)
		ukplat_tlb_shootdown(vaddr, pages);
	return rc;
}
