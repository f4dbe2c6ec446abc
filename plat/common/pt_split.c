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

/* Tells whether a large page of ours begins before an address and goes on
 * behind it. Under the lock.
 */
static int is_inside(const struct uk_pagetable *pt, __vaddr_t va,
		     struct pt_chunk *chunk)
{
	if (!(va & (PAGE_LARGE_SIZE - 1)))
		return 0;
	pt_chunk_find(pt, va, 1, chunk);
	return (chunk->large & X86_PTE_OWNED) != 0;
}

static void split_at(const struct uk_pagetable *pt, __vaddr_t va,
		     struct pt_frames *tables)
{
	struct pt_chunk chunk;

	if (is_inside(pt, va, &chunk))
		large_split(&chunk, pt_frames_pop(tables));
}

/* Both ends or none. Under the lock. */
static int ends_split(const struct uk_pagetable *pt, __vaddr_t start,
		      __vaddr_t end)
{
	struct pt_frames tables = { .tables = 1 };
	struct pt_chunk chunk;
	unsigned long need = (unsigned long)is_inside(pt, start, &chunk);

	/* One table does for two ends in one page */
	if (!need || ALIGN_DOWN(start, PAGE_LARGE_SIZE) !=
			     ALIGN_DOWN(end, PAGE_LARGE_SIZE))
		need += (unsigned long)is_inside(pt, end, &chunk);
	if (pt_frames_alloc(&tables, need))
		return -ENOMEM;
	split_at(pt, start, &tables);
	split_at(pt, end, &tables);
	UK_ASSERT(!tables.cnt);
	return 0;
}

/* Looks for large pages; 1 if one of ours is there only in part */
static int range_needs_split(struct uk_pagetable *pt, __vaddr_t va,
			     unsigned long left)
{
	struct pt_chunk chunk;
	unsigned long irqf;
	int part = 0;

	while (left) {
		irqf = uk_spin_lock_irqsave(&pt->lock);
		pt_chunk_find(pt, va, left, &chunk);
		uk_spin_unlock_irqrestore(&pt->lock, irqf);
		part |= chunk.large & X86_PTE_OWNED &&
			!pt_is_large_part(va, left);
		left -= chunk.span;
		va += chunk.span << PAGE_SHIFT;
	}
	return part;
}

int pt_range_split_slow(struct uk_pagetable *pt, __vaddr_t va,
			unsigned long pages)
{
	unsigned long irqf;
	int rc = 0, again = 1;

	if (likely(!range_needs_split(pt, va, pages)))
		return 0;
	do {
		pt_pool_top_up(pt);
		irqf = uk_spin_lock_irqsave(&pt->lock);
		rc = ends_split(pt, va, va + (pages << PAGE_SHIFT));
		uk_spin_unlock_irqrestore(&pt->lock, irqf);
	} while (unlikely(rc) && again-- && ukplat_page_reclaim(pt));
	return rc;
}
