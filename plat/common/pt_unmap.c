/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/tlb.h>

#include "frame_promise.h"
#include "pt.h"
#include "pt_laden.h"
#include "pt_leave.h"
#include "vector.h"

/* Empty tables after which an unmapping CPU sees to them: 128 KiB wait at
 * most.
 */
#define TABLES_MAX 32

/* And after which it waits for all others: a handler may have interrupted who
 * holds its queue, and would never get them there
 */
#define TABLES_MANY (8UL * TABLES_MAX)

/* Clearing and verifying take 300 instructions a page. Of more pages than
 * these a CPU does neither if all others sleep: the longest call is shorter.
 */
#define PAGES_SHORT 32UL

/* Entries that are tested together where some have frames */
#define DROP_STEP 64UL

/* What makes a table worth a look whether it can be cut off (pt_laden.h): so
 * many pages with frames in a row, or so many steps
 */
#define CUT_PAGES 32UL
#define CUT_STEPS 8U

/* Takes entries that hold frames away from all CPUs, beginning with the first
 * one of the chunk, until there is one that does not; with no kind they are
 * empty at once (the caller has the frames, and knows when the next mapping
 * may follow). Returns their number.
 */
static unsigned long entries_unmap(const struct pt_unmapping *u,
				   const struct pt_chunk *chunk)
{
	__u64 *pte = chunk->pte, *end = pte + chunk->n;
	__u64 entry, kind = u->kind;

	for (; pte < end; pte++) {
		entry = pt_load(pte);
		if (!(entry & X86_PTE_OWNED))
			break;
		if (kind)
			pt_store(pte, (entry & X86_PTE_PADDR_MASK) | kind);
		else
			pt_entry_clear(u->pt, chunk, pte);
	}
	return (unsigned long)(pte - chunk->pte);
}

/* Other zombies may be in between; these are not ours (P6) */
static void run_extend(struct pt_unmapping *u, __vaddr_t va, unsigned long n)
{
	if (u->run_pages && u->run + (u->run_pages << PAGE_SHIFT) == va) {
		u->run_pages += n;
		return;
	}
	pt_leave_run(u);
	u->run = va;
	u->run_pages = n;
}

/* Takes a large page away from all CPUs. Returns the number of its pages. */
static unsigned long large_unmap(const struct pt_unmapping *u,
				 const struct pt_chunk *chunk)
{
	if (u->kind)
		pt_store(chunk->pde, (chunk->large & X86_PTE_PADDR_MASK) |
					     X86_PTE_PS | u->kind);
	else
		pt_table_unlink(u->pt, chunk);
	return chunk->n;
}

/* Pages of the chunk that are not mapped, from the first one on */
static unsigned long entries_skip(const struct pt_chunk *chunk)
{
	unsigned long i;

	if (chunk->large & X86_PTE_OWNED)
		return 0;
	if (!chunk->pte)
		return chunk->span;
	for (i = 0; i < chunk->n; i++)
		if (pt_load(&chunk->pte[i]) & (X86_PTE_OWNED | X86_PTE_DEMAND))
			break;
	return i;
}

/* Empties entries of pages that wait for their frames, beginning with the first
 * one of the chunk, until there is one that does not. Returns their number.
 */
static unsigned long entries_drop(struct uk_pagetable *pt,
				  const struct pt_chunk *chunk)
{
	const __u64 *pte = chunk->pte, *end = pte + chunk->n;
	unsigned long n;

	if (pte == end || !(pt_load(pte) & X86_PTE_DEMAND))
		return 0;
	/* Nobody else changes them: the lock is held */
	if (vector_and(pte, chunk->n) & X86_PTE_DEMAND)
		pte = end;
	for (; pte < end; pte += n) {
		n = MIN((unsigned long)(end - pte), DROP_STEP);
		if (!(vector_and(pte, n) & X86_PTE_DEMAND))
			break;
	}
	while (pte < end && pt_load(pte) & X86_PTE_DEMAND)
		pte++;
	n = (unsigned long)(pte - chunk->pte);
	if (n)
		pt_entries_clear(pt, chunk, n);
	return n;
}

/* The end of the run, as far as it is in the table of an address behind it */
static struct ukplat_tlbq_range run_in_table(const struct pt_unmapping *u,
					     __vaddr_t va)
{
	__vaddr_t table = ALIGN_DOWN(va, PAGE_LARGE_SIZE);
	__vaddr_t end = u->run + (u->run_pages << PAGE_SHIFT);
	unsigned long pages = 0;

	if (u->run_pages && end > table)
		pages = MIN(u->run_pages, (end - table) >> PAGE_SHIFT);
	return (struct ukplat_tlbq_range){ end - (pages << PAGE_SHIFT), pages };
}

static int is_worth_a_cut(struct pt_unmapping *u, const struct pt_chunk *chunk)
{
	if (++u->steps % CUT_STEPS == 0)
		return 1;
	return chunk->n >= CUT_PAGES && pt_load(chunk->pte) & X86_PTE_OWNED &&
	       vector_and(chunk->pte, CUT_PAGES) & X86_PTE_OWNED;
}

/* Cuts off the table of a chunk, with the end of the run if that is in it */
static int table_cut(struct pt_unmapping *u, const struct pt_chunk *chunk,
		     __vaddr_t va)
{
	struct ukplat_tlbq_range zombies;
	unsigned long untouched;

	if (!u->alone || !chunk->n || !is_worth_a_cut(u, chunk))
		return 0;
	zombies = run_in_table(u, va);
	if (!pt_laden_cut(u->pt, chunk, va, &zombies, u->cut, &untouched))
		return 0;
	u->run_pages -= zombies.pages;
	u->untouched += untouched;
	u->laden += u->cut->table[u->cut->cnt - 1].frames;
	return 1;
}

/* What comes first in a range, within one table, in this order: pages that are
 * not mapped, that wait for frames, have them, and wait for them; or, behind
 * the first two, all that are left, cut off
 */
struct pt_step {
	unsigned long skipped, dropped, n, behind, cut;
};

/* Who uses an object from its start on leaves a few pages with frames in front
 * of many without: both go under one hold of the lock. The chunk begins with
 * those that have frames afterwards. pt->lock is held.
 */
static void step_entries(struct pt_unmapping *u, struct pt_chunk *chunk,
			 __vaddr_t va, struct pt_step *s)
{
	chunk->pte += s->skipped;
	chunk->n -= s->skipped;
	s->dropped = entries_drop(u->pt, chunk);
	chunk->pte += s->dropped;
	chunk->n -= s->dropped;
	if (table_cut(u, chunk,
		      va + ((s->skipped + s->dropped) << PAGE_SHIFT))) {
		s->cut = chunk->n;
		return;
	}
	s->n = entries_unmap(u, chunk);
	/* Without a kind the last entry of the table may be empty */
	if (!s->n || !u->kind)
		return;
	chunk->pte += s->n;
	chunk->n -= s->n;
	s->behind = entries_drop(u->pt, chunk);
	chunk->pte -= s->n;
}

/* Unmaps what comes first in the range; returns how far it came */
static unsigned long unmap_step(struct pt_unmapping *u, __vaddr_t va,
				unsigned long left)
{
	struct pt_step s = { .skipped = 0 };
	struct pt_chunk chunk;
	unsigned long irqf;

	if (unlikely(u->cut->cnt == PT_CUT_MAX))
		pt_leave_cut(u);
	irqf = uk_spin_lock_irqsave(&u->pt->lock);
	pt_chunk_find(u->pt, va, left, &chunk);
	s.skipped = entries_skip(&chunk);
	if (unlikely(chunk.large & X86_PTE_OWNED))
		s.n = large_unmap(u, &chunk);
	else if (s.skipped < chunk.n)
		step_entries(u, &chunk, va, &s);
	uk_spin_unlock_irqrestore(&u->pt->lock, irqf);

	u->cnt += s.n;
	u->untouched += s.dropped + s.behind;
	if (s.n && u->kind && !u->alone)
		pt_frames_clear(&chunk, s.n);
	if (s.n && u->kind == X86_PTE_LAZY)
		run_extend(u, va + ((s.skipped + s.dropped) << PAGE_SHIFT),
			   s.n);
	return s.skipped + s.dropped + s.n + s.behind + s.cut;
}

static int flags_are_valid(unsigned long flags)
{
	return !flags || flags == PAGE_FLAG_LAZY || flags == PAGE_FLAG_RACY ||
	       flags == PAGE_FLAG_KEEP_FRAMES ||
	       flags == (PAGE_FLAG_KEEP_FRAMES | PAGE_FLAG_NO_FLUSH);
}

static __u64 zombie_kind(__vaddr_t va, unsigned long flags)
{
	if (flags & PAGE_FLAG_KEEP_FRAMES)
		return 0;
	/* CPUs that sleep may remember pages of the upper half */
	if (flags & PAGE_FLAG_LAZY && va < UKARCH_VADDR_LOWER_END)
		return X86_PTE_LAZY;
	return X86_PTE_ZOMBIE;
}

void pt_tables_trim(struct uk_pagetable *pt)
{
	if (unlikely(pt->empty_cnt >= TABLES_MAX))
		pt_lazy_tables();
	if (unlikely(pt->empty_cnt >= TABLES_MANY))
		pt_tables_forget(pt, 0);
	if (unlikely(pt->limbo_cnt >= TABLES_MAX))
		pt_tables_forget(pt, 1);
}

int ukplat_page_unmap(struct uk_pagetable *pt, __vaddr_t vaddr,
		      unsigned long pages, unsigned long flags)
{
	struct pt_cut cut;
	struct pt_unmapping u = { .pt = pt, .cut = &cut };
	unsigned long done;
	int rc;

	UK_ASSERT(pt);
	if (unlikely(!flags_are_valid(flags) ||
		     !pt_range_is_valid(vaddr, pages) ||
		     pt_range_is_ram(vaddr, pages)))
		return -EINVAL;
	rc = pt_range_split(pt, vaddr, pages);
	if (unlikely(rc))
		return rc;

	cut.cnt = 0;
	u.kind = zombie_kind(vaddr, flags);
	u.alone = u.kind == X86_PTE_LAZY && pages > PAGES_SHORT &&
		  ukplat_tlb_is_alone();
	for (done = 0; done < pages;)
		done += unmap_step(&u, vaddr + (done << PAGE_SHIFT),
				   pages - done);
	pt_leave_run(&u);
	pt_leave_cut(&u);
	frame_promise_end(u.untouched);
	if (u.cnt && u.kind != X86_PTE_LAZY && !(flags & PAGE_FLAG_NO_FLUSH))
		ukplat_tlb_shootdown(vaddr, pages);
	if (u.cnt && u.kind == X86_PTE_ZOMBIE)
		pt_range_collect(pt, vaddr, pages, u.kind,
				 !!(flags & PAGE_FLAG_RACY));
	if (!(flags & PAGE_FLAG_NO_FLUSH)) {
		pt_tables_trim(pt);
		pt_laden_leave(pt, u.laden);
	}
	return 0;
}
