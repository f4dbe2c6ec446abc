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

/* What an entry can be that moves */
#define MOVES (X86_PTE_OWNED | X86_PTE_DEMAND)

/* Tests that the pages of a chunk are small ones. pt->lock is held. */
static int chunk_is_small(const struct pt_chunk *chunk)
{
	unsigned long i;

	if (unlikely(!chunk->pte))
		return 0;
	for (i = 0; i < chunk->n; i++)
		if (unlikely(!(pt_load(&chunk->pte[i]) & MOVES)))
			return 0;
	return 1;
}

static int range_is_small(struct uk_pagetable *pt, __vaddr_t va,
			  unsigned long left)
{
	struct pt_chunk chunk;
	unsigned long irqf;
	int is_small = 1;

	for (; left && is_small; left -= chunk.n, va += chunk.n << PAGE_SHIFT) {
		irqf = uk_spin_lock_irqsave(&pt->lock);
		pt_chunk_find(pt, va, left, &chunk);
		is_small = chunk_is_small(&chunk);
		uk_spin_unlock_irqrestore(&pt->lock, irqf);
	}
	return is_small;
}

static __u64 entry_moved(__u64 entry, __u64 bits)
{
	if (entry & X86_PTE_DEMAND)
		return pt_demand_make(bits);
	return (entry & X86_PTE_PADDR_MASK) | bits;
}

/* The tables of the new place exist, and nobody takes them away (P7). A table
 * at a time: the lock is not held for longer the longer a range is.
 */
static void range_move(struct uk_pagetable *pt, __vaddr_t from, __vaddr_t to,
		       unsigned long left, __u64 bits)
{
	struct pt_chunk a, b;
	unsigned long i, irqf;

	for (; left; left -= b.n) {
		irqf = uk_spin_lock_irqsave(&pt->lock);
		pt_chunk_find(pt, from, left, &a);
		pt_chunk_find(pt, to, MIN(left, a.n), &b);
		a.n = b.n;
		UK_ASSERT(chunk_is_small(&a));
		for (i = 0; i < b.n; i++)
			pt_store(&b.pte[i],
				 entry_moved(pt_load(&a.pte[i]), bits));
		pt_entries_clear(pt, &a, b.n);
		uk_spin_unlock_irqrestore(&pt->lock, irqf);
		from += b.n << PAGE_SHIFT;
		to += b.n << PAGE_SHIFT;
	}
}

static int overlaps(__vaddr_t a, __vaddr_t b, __sz len)
{
	return a - b < len || b - a < len;
}

int ukplat_page_move(struct uk_pagetable *pt, __vaddr_t from, __vaddr_t to,
		     unsigned long pages, unsigned long attr)
{
	__u64 bits;
	int rc;

	UK_ASSERT(pt);
	if (unlikely(!pt_range_is_valid(from, pages) ||
		     !pt_range_is_valid(to, pages) ||
		     pt_range_is_ram(from, pages) ||
		     overlaps(from, to, pages << PAGE_SHIFT) ||
		     pt_attr_encode(attr, &bits)))
		return -EINVAL;

	/* Entries first that nobody can use: nothing may fail for want of a
	 * table once pages have moved
	 */
	rc = ukplat_page_map(pt, to, 0, pages, PAGE_ATTR_PROT_NONE, 0);
	if (unlikely(rc))
		return rc;
	if (unlikely(!range_is_small(pt, from, pages))) {
		(void)ukplat_page_unmap(pt, to, pages, PAGE_FLAG_KEEP_FRAMES);
		return -EFAULT;
	}
	range_move(pt, from, to, pages, bits);

	/* Until now others may write to the frames through the old place, which
	 * is why the caller looks at them later
	 */
	ukplat_tlb_shootdown(from, pages);
	pt_tables_trim(pt);
	return 0;
}
