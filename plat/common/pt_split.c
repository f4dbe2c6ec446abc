/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "pt.h"
#include "pt_pool.h"

/* Puts a table with the same pages in the place of a large one. No flush: the
 * translations stay the same. What changes one of them afterwards flushes it,
 * and an invalidation of a page takes the large page with it (SDM 3A 4.10.4).
 * Under the lock.
 */
static void large_split(const struct pt_chunk *chunk, __paddr_t table)
{
	__u64 entry = chunk->large & ~X86_PTE_PS;
	__u64 *pte = pt_table(table);
	unsigned int i;

	for (i = 0; i < UKARCH_PT_ENTRIES; i++)
		pt_store(&pte[i], entry + i * PAGE_SIZE);
	/* Release: the table is complete before a walk finds it; stores are in
	 * order for walks, too
	 */
	__atomic_store_n(chunk->pde,
			 (table | PT_ENTRY_TABLE) +
				 UKARCH_PT_ENTRIES * X86_PTE_USED_ONE,
			 __ATOMIC_RELEASE);
}

/* Splits the page at an address if it is large and begins before it. Under
 * the lock.
 */
static int split_at(const struct uk_pagetable *pt, __vaddr_t va)
{
	struct pt_chunk chunk;
	__paddr_t table;
	int rc;

	if (!(va & (PAGE_LARGE_SIZE - 1)))
		return 0;
	rc = pt_chunk_find(pt, va, 1, &chunk);
	if (rc || !(chunk.large & X86_PTE_OWNED))
		return rc;
	table = pt_pool_take(__PADDR_MAX);
	if (table == __PADDR_INV)
		return -ENOMEM;
	large_split(&chunk, table);
	return 0;
}

/* Looks for large pages; 1 if one of ours is there only in part */
static int range_needs_split(struct uk_pagetable *pt, __vaddr_t va,
			     unsigned long left)
{
	struct pt_chunk chunk;
	unsigned long irqf;
	int rc, part = 0;

	while (left) {
		irqf = uk_spin_lock_irqsave(&pt->lock);
		rc = pt_chunk_find(pt, va, left, &chunk);
		uk_spin_unlock_irqrestore(&pt->lock, irqf);
		if (unlikely(rc))
			return rc;
		part |= chunk.large & X86_PTE_OWNED &&
			!pt_is_large_part(va, left);
		left -= chunk.span;
		va += chunk.span << PAGE_SHIFT;
	}
	return part;
}

int pt_range_split(struct uk_pagetable *pt, __vaddr_t va, unsigned long pages)
{
	int rc = range_needs_split(pt, va, pages);
	unsigned long irqf;

	if (likely(rc <= 0))
		return rc;
	(void)pt_pool_want(pt, PT_POOL_LOW);
	irqf = uk_spin_lock_irqsave(&pt->lock);
	rc = split_at(pt, va);
	if (!rc)
		rc = split_at(pt, va + (pages << PAGE_SHIFT));
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	return rc;
}
