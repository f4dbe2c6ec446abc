/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>
#include <uk/essentials.h>

#include "frame_cache.h"
#include "pt_laden.h"
#include "pt_pool.h"
#include "vector.h"

/* Of all memory, what may be in laden tables (B3) */
#define LADEN_SHARE 16UL

/* Frames that leave a table under one hold of the lock */
#define DRAIN_STEP 64U

/* What a fault gives back at least: each time costs as much as two frames */
#define FAULT_MIN 4UL

#define HAS_FRAME (X86_PTE_OWNED | X86_PTE_LAZY)

struct pt_laden pt_laden = { .lock = UK_SPINLOCK_INITIALIZER() };

static unsigned long frames_max(const struct uk_pagetable *pt)
{
	return (pt->fa->total_memory >> PAGE_SHIFT) / LADEN_SHARE;
}

static int has_room(const struct uk_pagetable *pt, const struct pt_cut *cut)
{
	unsigned long frames =
		pt_laden_frames() + (cut->cnt + 1UL) * UKARCH_PT_ENTRIES;

	return cut->cnt < PT_CUT_MAX && frames <= frames_max(pt);
}

/* Counts the entries of a chunk with a frame, and those that wait for one */
static void chunk_count(const struct pt_chunk *chunk, unsigned long *frames,
			unsigned long *untouched)
{
	const __u64 *pte = chunk->pte, *end = pte + chunk->n;
	unsigned long owned = 0, demand = 0;
	__u64 entry;

	if (vector_and(pte, chunk->n) & X86_PTE_OWNED) {
		owned = chunk->n;
		end = pte;
	}
	for (; pte < end; pte++) {
		entry = pt_load(pte);
		owned += !!(entry & X86_PTE_OWNED);
		demand += !!(entry & X86_PTE_DEMAND);
	}
	*frames = owned;
	*untouched = demand;
}

static void cut_extend(struct pt_cut *cut, __vaddr_t first, __vaddr_t end)
{
	if (!cut->cnt)
		cut->va = first;
	cut->pages = (end - cut->va) >> PAGE_SHIFT;
	cut->cnt++;
}

int pt_laden_cut(struct uk_pagetable *pt, const struct pt_chunk *chunk,
		 __vaddr_t va, const struct ukplat_tlbq_range *zombies,
		 struct pt_cut *cut, unsigned long *untouched)
{
	__u64 link = pt_load(chunk->pde);
	unsigned long used = (link & X86_PTE_USED_MASK) >> X86_PTE_USED_SHIFT;
	unsigned long frames;

	if (used > chunk->n + zombies->pages || !has_room(pt, cut))
		return 0;
	chunk_count(chunk, &frames, untouched);
	frames += zombies->pages;
	if (!frames || frames + *untouched != used)
		return 0;
	cut->table[cut->cnt] = (struct pt_laden_table){
		.paddr = link & X86_PTE_PADDR_MASK,
		.frames = (unsigned int)frames,
		.end = pt_index(va, 1) + (unsigned int)chunk->n,
	};
	/* Nobody else sees to the zombies now */
	cut_extend(cut, zombies->pages ? zombies->vaddr : va,
		   va + (chunk->n << PAGE_SHIFT));
	pt_table_unlink(pt, chunk);
	return 1;
}

static void frames_set(unsigned long frames)
{
	/* Relaxed: only a counter */
	__atomic_store_n(&pt_laden.frames, frames, __ATOMIC_RELAXED);
}

/* Takes so many frames out of a table, which has them; returns their number */
static unsigned int table_unload(struct pt_laden_table *t, __paddr_t *frames,
				 unsigned int want)
{
	unsigned int cnt = 0;
	__u64 *table = pt_table(t->paddr), *pte = table + t->end, entry;

	while (cnt < want) {
		entry = pt_load(--pte);
		pt_store(pte, 0);
		if (entry & HAS_FRAME)
			frames[cnt++] = entry & X86_PTE_PADDR_MASK;
	}
	t->end = (unsigned int)(pte - table);
	t->frames -= cnt;
	if (!t->frames)
		vector_fill(table, t->end, 0);
	return cnt;
}

/* Takes at most `want` frames out of the list, from one table; returns their
 * number, 0 if it is empty
 */
static unsigned int frames_unload(__paddr_t *frames, unsigned int want)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pt_laden.lock);
	struct pt_laden_table *t;
	__paddr_t table = 0;
	unsigned int n = 0;

	if (pt_laden.cnt) {
		t = &pt_laden.table[pt_laden.cnt - 1];
		n = table_unload(t, frames, MIN(t->frames, want));
		frames_set(pt_laden.frames - n);
		if (!t->frames) {
			table = t->paddr;
			pt_laden.cnt--;
		}
	}
	uk_spin_unlock_irqrestore(&pt_laden.lock, irqf);
	if (table)
		pt_pool_put(table);
	return n;
}

unsigned long pt_laden_drain(unsigned long frames)
{
	__paddr_t list[DRAIN_STEP];
	unsigned long done = 0;
	unsigned int n;

	while (done < frames) {
		n = frames_unload(list,
				  (unsigned int)MIN(frames - done, DRAIN_STEP));
		if (!n)
			break;
		frame_put_dirty(list, n);
		done += n;
	}
	return done;
}

static int table_add(const struct pt_laden_table *t)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pt_laden.lock);
	int is_full = pt_laden.cnt == PT_LADEN_MAX;

	if (!is_full) {
		pt_laden.table[pt_laden.cnt++] = *t;
		frames_set(pt_laden.frames + t->frames);
	}
	uk_spin_unlock_irqrestore(&pt_laden.lock, irqf);
	return !is_full;
}

void pt_laden_add(struct pt_cut *cut)
{
	for (; cut->cnt; cut->cnt--)
		while (!table_add(&cut->table[cut->cnt - 1]))
			(void)pt_laden_drain(UKARCH_PT_ENTRIES);
}

void pt_laden_pay_taken(unsigned long frames)
{
	(void)pt_laden_drain(MAX(frames, FAULT_MIN));
}

void pt_laden_pay_left(const struct uk_pagetable *pt, unsigned long frames)
{
	if (likely(pt_laden_frames() <= frames_max(pt) / 2))
		frames = 0;
	(void)pt_laden_drain(MAX(frames, PT_LADEN_PAY));
}
