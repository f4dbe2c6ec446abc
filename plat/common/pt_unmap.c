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

/* Empty tables that make an unmapping CPU pay for their shootdown: at most
 * 128 KiB wait, and an interrupt to sleeping CPUs is spread over many calls.
 */
#define LIMBO_TRIM 32

/* Takes the entries of one table away from all CPUs. `drop`: the caller has
 * the frames, the entries are empty at once (it also knows when the next
 * mapping may follow).
 */
static void chunk_unmap(struct uk_pagetable *pt, const struct pt_chunk *chunk,
			int drop)
{
	unsigned long i;
	__u64 entry;

	for (i = 0; i < chunk->n; i++) {
		entry = pt_load(&chunk->pte[i]);
		if (!(entry & X86_PTE_OWNED))
			continue;
		if (drop)
			pt_entry_clear(pt, chunk, &chunk->pte[i]);
		else
			pt_store(&chunk->pte[i],
				 (entry & X86_PTE_PADDR_MASK) | X86_PTE_ZOMBIE);
	}
}

/* Frees what the zombies of one table hold, and empties them */
static void chunk_collect(struct uk_pagetable *pt, const struct pt_chunk *chunk)
{
	unsigned long i;
	__u64 entry;

	for (i = 0; i < chunk->n; i++) {
		entry = pt_load(&chunk->pte[i]);
		if (!(entry & X86_PTE_ZOMBIE))
			continue;
		pt_entry_clear(pt, chunk, &chunk->pte[i]);
		uk_ffree(pt->fa, entry & X86_PTE_PADDR_MASK, 1);
	}
}

enum unmap_step {
	UNMAP_CHECK,
	UNMAP_DROP,
	UNMAP_ZOMBIE,
	UNMAP_COLLECT
};

/* Does one step on all tables of a range, each under the lock */
static int range_step(struct uk_pagetable *pt, __vaddr_t va, unsigned long left,
		      enum unmap_step step)
{
	struct pt_chunk chunk;
	unsigned long irqf;
	int rc;

	while (left) {
		irqf = uk_spin_lock_irqsave(&pt->lock);
		rc = pt_chunk_find(pt, va, left, &chunk);
		if (!rc && chunk.pte) {
			if (step == UNMAP_COLLECT)
				chunk_collect(pt, &chunk);
			else if (step != UNMAP_CHECK)
				chunk_unmap(pt, &chunk, step == UNMAP_DROP);
		}
		uk_spin_unlock_irqrestore(&pt->lock, irqf);
		if (unlikely(rc))
			return rc;
		left -= chunk.n;
		va += chunk.n << PAGE_SHIFT;
	}
	return 0;
}

int ukplat_page_unmap(struct uk_pagetable *pt, __vaddr_t vaddr,
		      unsigned long pages, unsigned long flags)
{
	const unsigned long known = PAGE_FLAG_KEEP_FRAMES | PAGE_FLAG_NO_FLUSH;
	int keep = !!(flags & PAGE_FLAG_KEEP_FRAMES);
	int rc;

	UK_ASSERT(pt);
	if (unlikely(flags & ~known || flags == PAGE_FLAG_NO_FLUSH ||
		     !pt_range_is_valid(vaddr, pages)))
		return -EINVAL;

	/* All or nothing, which comes by itself within one table. Large pages
	 * do not come and go: one look suffices.
	 */
	if (pages > UKARCH_PT_ENTRIES - pt_index(vaddr, 1)) {
		rc = range_step(pt, vaddr, pages, UNMAP_CHECK);
		if (unlikely(rc))
			return rc;
	}
	rc = range_step(pt, vaddr, pages, keep ? UNMAP_DROP : UNMAP_ZOMBIE);
	if (unlikely(rc))
		return rc;
	if (!(flags & PAGE_FLAG_NO_FLUSH))
		ukplat_tlb_shootdown(vaddr, pages);
	if (!keep)
		(void)range_step(pt, vaddr, pages, UNMAP_COLLECT);
	if (!(flags & PAGE_FLAG_NO_FLUSH) && pt->limbo_cnt >= LIMBO_TRIM)
		ukplat_pt_trim(pt);
	return 0;
}
