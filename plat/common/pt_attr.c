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
		pt_chunk_find(pt, va, left, &chunk);
		if (!chunk.pte && !(chunk.large & X86_PTE_OWNED))
			return -EFAULT;
		for (i = 0; chunk.pte && i < chunk.n; i++)
			if (!(pt_load(&chunk.pte[i]) &
			      (X86_PTE_OWNED | X86_PTE_DEMAND)))
				return -EFAULT;
		left -= chunk.n;
		va += chunk.n << PAGE_SHIFT;
	}
	return 0;
}

/* What a change means for CPUs that may remember the entry */
enum attr_change {
	ATTR_SAME,
	/** They may fault on what they could do */
	ATTR_MORE,
	/** They could do what they may not */
	ATTR_LESS
};

static enum attr_change entry_set(__u64 *entry, __u64 bits)
{
	const __u64 caching = X86_PTE_PCD | X86_PTE_PWT;
	__u64 old = pt_load(entry), now = (old & X86_PTE_PADDR_MASK) | bits;

	if (old & X86_PTE_DEMAND)
		pt_store(entry, pt_demand_make(bits));
	if (!(old & X86_PTE_OWNED))
		return ATTR_SAME;
	pt_store(entry, now);
	if (!(old & X86_PTE_PRESENT) || old == now)
		return ATTR_SAME;
	if (!(now & X86_PTE_PRESENT) || old & X86_PTE_RW & ~now ||
	    now & X86_PTE_NX & ~old || (old ^ now) & caching)
		return ATTR_LESS;
	return ATTR_MORE;
}

/* Changes all entries; tells what that means at most.
 * pt->lock is held.
 */
static enum attr_change range_set(const struct uk_pagetable *pt, __vaddr_t va,
				  unsigned long left, __u64 bits)
{
	struct pt_chunk chunk;
	unsigned long i;
	enum attr_change change = ATTR_SAME, one;

	while (left) {
		pt_chunk_find(pt, va, left, &chunk);
		if (chunk.large)
			change = MAX(change,
				     entry_set(chunk.pde, bits | X86_PTE_PS));
		for (i = 0; chunk.pte && i < chunk.n; i++) {
			one = entry_set(&chunk.pte[i], bits);
			change = MAX(change, one);
		}
		left -= chunk.span;
		va += chunk.span << PAGE_SHIFT;
	}
	return change;
}

int ukplat_page_set_attr(struct uk_pagetable *pt, __vaddr_t vaddr,
			 unsigned long pages, unsigned long new_attr,
			 unsigned long flags)
{
	unsigned long irqf;
	enum attr_change change = ATTR_SAME;
	int rc;
	__u64 bits;

	UK_ASSERT(pt);
	if (unlikely(flags & ~(unsigned long)PAGE_FLAG_SKIP_UNMAPPED ||
		     !pt_range_is_valid(vaddr, pages) ||
		     pt_range_is_ram(vaddr, pages) ||
		     pt_attr_encode(new_attr, &bits)))
		return -EINVAL;

	rc = pt_range_split(pt, vaddr, pages);
	if (unlikely(rc))
		return rc;
	irqf = uk_spin_lock_irqsave(&pt->lock);
	if (!flags)
		rc = range_is_mapped(pt, vaddr, pages);
	if (!rc)
		change = range_set(pt, vaddr, pages, bits);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);

	if (change == ATTR_LESS)
		ukplat_tlb_shootdown(vaddr, pages);
	else if (change == ATTR_MORE)
		ukplat_tlb_flush_local(vaddr, pages);
	return rc;
}
