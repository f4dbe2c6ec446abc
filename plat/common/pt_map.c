/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <string.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "frame_cache.h"
#include "frame_promise.h"
#include "pt.h"
#include "pt_laden.h"
#include "pt_pool.h"
#include "vector.h"

/* How often memory is looked for that waits somewhere */
#define MAP_TRIES 8U

/* Everything about one call of ukplat_page_map() */
struct pt_mapping {
	struct uk_pagetable *pt;
	__vaddr_t vaddr;
	/** First frame, or __PADDR_ANY: then `data` has the frames, if any */
	__paddr_t paddr;
	unsigned long pages;
	/** Bits of the entries */
	__u64 bits;
	/** The frames come later */
	int is_demand;
	/** But for that of the first page: __PADDR_INV if there is none */
	int is_touched;
	__paddr_t first;
	struct pt_frames data;
	/** First frames of large pages; the first parts of the range that may
	 * be large pages get them
	 */
	struct pt_frames runs;
	/** Parts of the range that may be large pages */
	unsigned long parts;
	/** Frames for tables that do not exist yet */
	struct pt_frames tables;
	/** Number of them */
	unsigned long missing;
};

/* What is in the way: a page, or what will have gone soon */
static int entry_error(__u64 entry)
{
	return (entry & X86_PTE_LAZY) ? -EAGAIN : -EEXIST;
}

/* The first entry of a chunk that is in use, 0 if there is none */
static __u64 chunk_used(const struct pt_chunk *chunk)
{
	const __u64 *pte = chunk->pte, *end;

	/* A large page is in the way like any other */
	if (!pte)
		return chunk->large;
	end = pte + chunk->n;
	while (end - pte >= 4 && !(pt_load(pte) | pt_load(pte + 1) |
				   pt_load(pte + 2) | pt_load(pte + 3)))
		pte += 4;
	for (; pte < end; pte++)
		if (pt_load(pte))
			return pt_load(pte);
	return 0;
}

/* Goes on to the next lowest level table of a range, of which so many pages are
 * left from va on. But for `span`, which nobody here asks for
 */
static void chunk_next(const struct uk_pagetable *pt, struct pt_chunk *c,
		       __vaddr_t va, unsigned long left)
{
	__u64 entry;

	if (!pt_index(va, 2)) {
		pt_chunk_find(pt, va, left, c);
		return;
	}
	/* Its entry is the next one in the same table, if there is that */
	c->n = MIN(left, UKARCH_PT_ENTRIES + 0UL);
	c->pte = __NULL;
	c->large = 0;
	if (!c->pde)
		return;
	c->pde++;
	entry = pt_load(c->pde);
	if (unlikely(entry & X86_PTE_PS))
		c->large = entry;
	else if (entry)
		c->pte = pt_next(entry);
}

/* Tests that a range is empty and counts the tables that it lacks. A table
 * of a higher level is counted at the first chunk of the range that needs it.
 * Receives the last chunk.
 */
static int range_inspect(struct pt_mapping *m, struct pt_chunk *chunk)
{
	unsigned long left = m->pages;
	__vaddr_t va = m->vaddr;
	unsigned long runs = m->runs.cnt;
	unsigned long missing = 0;
	int first = 1;
	__u64 used;

	pt_chunk_find(m->pt, va, left, chunk);
	for (;;) {
		used = chunk_used(chunk);
		if (unlikely(used))
			return entry_error(used);
		if (runs && pt_is_large_part(va, left))
			runs--;
		else if (!chunk->pte)
			missing++;
		if (!chunk->pde && (first || !pt_index(va, 2)))
			missing++;
		if (!chunk->pdpte &&
		    (first || (!pt_index(va, 2) && !pt_index(va, 3))))
			missing++;
		first = 0;
		left -= chunk->n;
		if (!left)
			break;
		va += chunk->n << PAGE_SHIFT;
		chunk_next(m->pt, chunk, va, left);
	}
	m->missing = missing;
	return 0;
}

static __paddr_t frame_next(struct pt_mapping *m)
{
	__paddr_t paddr = m->paddr;

	if (paddr == __PADDR_ANY)
		return pt_frames_pop(&m->data);
	m->paddr += PAGE_SIZE;
	return paddr;
}

static void entries_fill(struct pt_mapping *m, __u64 *pte, unsigned long n)
{
	const __u64 *end = pte + n;

	if (m->is_demand) {
		if (m->first != __PADDR_INV) {
			pt_store(pte++, m->first | pt_demand_bits(m->bits));
			m->first = __PADDR_INV;
			n--;
		}
		vector_fill(pte, n, m->bits);
		return;
	}
	for (; pte < end; pte++)
		pt_store(pte, frame_next(m) | m->bits);
}

/* The entry of the lowest level table that a chunk lacks, with the tables above
 * it. The chunk has it then. Each new table is one entry more in the one above
 */
static void chunk_pde_get(struct pt_mapping *m, struct pt_chunk *c,
			  __vaddr_t va)
{
	if (!c->pdpte)
		c->pdpte = pt_table_get(m->pt, c->pml4e, __NULL, &m->tables) +
			   pt_index(va, 3);
	c->pde = pt_table_add(c->pdpte, c->pml4e, &m->tables) + pt_index(va, 2);
}

/* Fills one lowest level table */
static void chunk_fill(struct pt_mapping *m, struct pt_chunk *c, __vaddr_t va,
		       unsigned long left)
{
	if (!c->pde)
		chunk_pde_get(m, c, va);
	if (m->runs.cnt && pt_is_large_part(va, left)) {
		UK_ASSERT(!pt_load(c->pde));
		pt_store(c->pde,
			 pt_frames_pop(&m->runs) | m->bits | X86_PTE_PS);
		pt_store(c->pdpte, pt_load(c->pdpte) + X86_PTE_USED_ONE);
		return;
	}
	if (!c->pte)
		c->pte = pt_table_add(c->pde, c->pdpte, &m->tables) +
			 pt_index(va, 1);
	entries_fill(m, c->pte, c->n);
	pt_store(c->pde, pt_load(c->pde) + c->n * X86_PTE_USED_ONE);
}

/* Nothing can fail (P4). The chunk is the last one of the range */
static void range_fill(struct pt_mapping *m, struct pt_chunk *chunk)
{
	unsigned long left = m->pages;
	__vaddr_t va = m->vaddr;

	/* Mostly the only one, too */
	if (unlikely(chunk->n < left))
		pt_chunk_find(m->pt, va, left, chunk);
	for (;;) {
		chunk_fill(m, chunk, va, left);
		left -= chunk->n;
		if (!left)
			break;
		va += chunk->n << PAGE_SHIFT;
		chunk_next(m->pt, chunk, va, left);
	}
	UK_ASSERT(!m->tables.cnt);
}

static int mapping_install(struct pt_mapping *m)
{
	unsigned long irqf;
	struct pt_chunk chunk;
	int rc;

	irqf = uk_spin_lock_irqsave(&m->pt->lock);
	rc = range_inspect(m, &chunk);
	if (!rc)
		rc = pt_pool_take_list(&m->tables, m->missing);
	if (!rc) {
		/* Relaxed: who changes the pages waits until they are there,
		 * and that is under the lock
		 */
		if (unlikely(m->runs.cnt))
			__atomic_store_n(&m->pt->has_large, 1,
					 __ATOMIC_RELAXED);
		range_fill(m, &chunk);
	}
	uk_spin_unlock_irqrestore(&m->pt->lock, irqf);
	return rc;
}

/* Takes as many large pages as there are, for the parts that may be large */
static void runs_alloc(struct pt_mapping *m)
{
	struct uk_falloc *fa = m->pt->fa;
	__paddr_t paddr;

	while (m->runs.cnt < m->parts) {
		paddr = __PADDR_ANY;
		if (fa->falloc(fa, &paddr, UKARCH_PT_ENTRIES,
			       FALLOC_FLAG_ALIGNED))
			return;
		memset(pt_data(paddr), 0, PAGE_LARGE_SIZE);
		pt_frames_push(&m->runs, paddr);
	}
}

static void runs_free(struct pt_mapping *m)
{
	while (m->runs.cnt)
		uk_ffree(m->pt->fa, pt_frames_pop(&m->runs), UKARCH_PT_ENTRIES);
}

/* Tells whether there are more frames now: those of laden tables, no more than
 * are wanted. Others can wait for the rest.
 */
static int has_more(unsigned long frames)
{
	return pt_laden_drain(frames) != 0;
}

/* The promise comes first: no page may be touched without one */
static int demand_try(struct pt_mapping *m)
{
	unsigned long pages = m->pages - (m->first != __PADDR_INV);
	int rc = frame_promise(pages);

	if (unlikely(rc) && has_more(pages))
		rc = frame_promise(pages);
	if (unlikely(rc))
		return rc;
	rc = mapping_install(m);
	if (unlikely(rc))
		frame_promise_end(pages);
	return rc;
}

static int touched_try(struct pt_mapping *m)
{
	__paddr_t first = frame_take();
	int rc;

	m->first = first;
	rc = demand_try(m);
	if (unlikely(rc) && first != __PADDR_INV)
		frame_put(first);
	return rc;
}

/* Frames and tables first, then the entries */
static int mapping_try(struct pt_mapping *m)
{
	unsigned long singles;
	int rc = 0;

	if (m->is_demand)
		return m->is_touched ? touched_try(m) : demand_try(m);
	if (m->paddr == __PADDR_ANY) {
		runs_alloc(m);
		singles = m->pages - m->runs.cnt * UKARCH_PT_ENTRIES;
		rc = pt_frames_alloc(&m->data, singles);
		if (unlikely(rc) && has_more(singles))
			rc = pt_frames_alloc(&m->data, singles);
	}
	if (!rc)
		rc = mapping_install(m);
	if (unlikely(rc)) {
		pt_frames_free(&m->data);
		runs_free(m);
	}
	return rc;
}

static int flags_are_valid(unsigned long flags, __paddr_t paddr)
{
	if (flags == PAGE_FLAG_DEMAND ||
	    flags == (PAGE_FLAG_DEMAND | PAGE_FLAG_TOUCH))
		return paddr == __PADDR_ANY;
	return !flags || flags == PAGE_FLAG_LARGE;
}

/* Parts of a range that may be large pages */
static unsigned long large_parts(__vaddr_t va, unsigned long pages)
{
	__vaddr_t first = ALIGN_UP(va, PAGE_LARGE_SIZE);
	__vaddr_t last = va + (pages << PAGE_SHIFT);

	return last > first ? (last - first) >> PAGE_LARGE_SHIFT : 0;
}

/* Looks for memory elsewhere; 1 if there is a point in another try. What is in
 * the way only (-EAGAIN) is gone afterwards, even if others took the memory
 */
static int memory_find(const struct pt_mapping *m)
{
	if (pt_pool_free() < m->missing && !pt_pool_want(m->pt, m->missing))
		return 1;
	return ukplat_page_reclaim(m->pt);
}

int ukplat_page_map(struct uk_pagetable *pt, __vaddr_t vaddr, __paddr_t paddr,
		    unsigned long pages, unsigned long attr,
		    unsigned long flags)
{
	struct pt_mapping m = {
		.pt = pt,
		.vaddr = vaddr,
		.paddr = paddr,
		.pages = pages,
		.is_touched = !!(flags & PAGE_FLAG_TOUCH),
		.first = __PADDR_INV,
		.tables = { .tables = 1 },
	};
	unsigned int tries = MAP_TRIES;
	int rc;

	UK_ASSERT(pt);
	if (unlikely(!flags_are_valid(flags, paddr) ||
		     !pt_range_is_valid(vaddr, pages) ||
		     pt_attr_encode(attr, &m.bits)))
		return -EINVAL;
	if (flags & PAGE_FLAG_LARGE)
		m.parts = large_parts(vaddr, pages);
	if (flags & PAGE_FLAG_DEMAND) {
		m.is_demand = 1;
		m.bits = pt_demand_make(m.bits);
	}
	if (paddr != __PADDR_ANY &&
	    (paddr & ~X86_PTE_PADDR_MASK ||
	     (X86_PTE_PADDR_MASK - paddr) >> PAGE_SHIFT < pages))
		return -EINVAL;
	if (unlikely(pt_range_is_ram(vaddr, pages)))
		return -EEXIST;

	pt_pool_top_up(pt);
	/* Others may be faster to take what comes back */
	do
		rc = mapping_try(&m);
	while (unlikely(rc == -ENOMEM || rc == -EAGAIN) && tries-- &&
	       (memory_find(&m) || rc == -EAGAIN));
	pt_laden_take(PT_LADEN_PAY + (m.is_demand ? 0 : pages));
	return rc == -EAGAIN ? -ENOMEM : rc;
}
