/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* What becomes of zombies when all CPUs have forgotten them */

#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/console.h>
#include <uk/plat/falloc.h>

#include "frame_cache.h"
#include "pt.h"
#include "vector.h"

/* Entries that are emptied under one hold of the lock */
#define COLLECT_MAX 64UL

#ifdef CONFIG_UKPLAT_UNMAP_VERIFY
#define VERIFIES 1

static void __noreturn dirty_report(__vaddr_t va, __paddr_t paddr, __sz off)
{
	ukplat_console_panic();
	ukplat_printk(
		"paging: BUG: write after unmap: addr=0x%lx paddr=0x%lx\n",
		va + off, paddr + off);
	ukplat_fault_describe(va + off);
	ukplat_crash();
}

/* Looks for what a CPU wrote through a translation that it still had */
static void frame_verify(__vaddr_t va, __paddr_t paddr)
{
	const __u64 *w = pt_data(paddr);
	__sz i = 0;

	if (likely(vector_page_is_zero(w)))
		return;
	while (!w[i])
		i++;
	dirty_report(va, paddr, i * sizeof(*w));
}
#else
#define VERIFIES 0

static void frame_verify(__vaddr_t va __unused, __paddr_t paddr __unused) {}
#endif

/* The zombies of a range keep the table where it is (P7) */
static void chunk_verify(const struct pt_chunk *chunk, __vaddr_t va, __u64 kind)
{
	unsigned long i;
	__u64 entry;

	for (i = 0; i < chunk->n; i++, va += PAGE_SIZE) {
		entry = pt_load(&chunk->pte[i]);
		if (entry & kind)
			frame_verify(va, entry & X86_PTE_PADDR_MASK);
	}
}

static unsigned long chunk_zombies(const struct pt_chunk *chunk, __u64 kind)
{
	unsigned long i, zombies = 0;

	for (i = 0; chunk->pte && i < chunk->n; i++)
		zombies += !!(pt_load(&chunk->pte[i]) & kind);
	return zombies;
}

/* Empties the zombies; returns their number. pt->lock is held. */
static unsigned int chunk_empty(struct uk_pagetable *pt,
				const struct pt_chunk *chunk, __u64 kind,
				__paddr_t *frames)
{
	__u64 *pte = chunk->pte, *end = pte + chunk->n;
	unsigned int cnt = 0;
	__u64 entry;

	for (; pte < end; pte++) {
		entry = pt_load(pte);
		if (!(entry & kind))
			continue;
		frames[cnt++] = entry & X86_PTE_PADDR_MASK;
		pt_store(pte, 0);
	}
	if (cnt)
		pt_table_release(pt, chunk, cnt);
	return cnt;
}

/* Gives frames back. `verified`: they are known to be zero */
static void frames_free(const __paddr_t *frames, unsigned int cnt, int verified)
{
	if (verified)
		frame_put_many(frames, cnt);
	else
		frame_put_dirty(frames, cnt);
}

/* What comes first in a range, within one table; pt->lock is held */
static void chunk_find(const struct uk_pagetable *pt, __vaddr_t va,
		       unsigned long left, struct pt_chunk *chunk)
{
	pt_chunk_find(pt, va, left, chunk);
	if (chunk->pte)
		chunk->n = chunk->span = MIN(chunk->n, COLLECT_MAX);
}

static void large_collect(struct uk_pagetable *pt, const struct pt_chunk *chunk,
			  __vaddr_t va, int verify)
{
	__paddr_t paddr = chunk->large & X86_PTE_PADDR_MASK;
	unsigned long irqf;
	__sz off;

	for (off = 0; verify && off < PAGE_LARGE_SIZE; off += PAGE_SIZE)
		frame_verify(va + off, paddr + off);
	irqf = uk_spin_lock_irqsave(&pt->lock);
	pt_table_unlink(pt, chunk);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	uk_ffree(pt->fa, paddr, UKARCH_PT_ENTRIES);
}

/* Verifies the small zombies of what comes first in a range */
static void step_verify(struct uk_pagetable *pt, __vaddr_t va,
			unsigned long left, __u64 kind)
{
	struct pt_chunk chunk;
	unsigned long irqf = uk_spin_lock_irqsave(&pt->lock), zombies;

	chunk_find(pt, va, left, &chunk);
	zombies = chunk_zombies(&chunk, kind);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	if (zombies)
		chunk_verify(&chunk, va, kind);
}

/* Collects what comes first in a range, within one table; returns how far it
 * came.
 */
static unsigned long collect_step(struct uk_pagetable *pt, __vaddr_t va,
				  unsigned long left, __u64 kind, int verify)
{
	__paddr_t frames[COLLECT_MAX];
	struct pt_chunk chunk;
	unsigned int cnt = 0;
	unsigned long irqf;

	if (verify)
		step_verify(pt, va, left, kind);
	irqf = uk_spin_lock_irqsave(&pt->lock);
	chunk_find(pt, va, left, &chunk);
	if (chunk.pte)
		cnt = chunk_empty(pt, &chunk, kind, frames);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	if (unlikely(chunk.large & kind))
		large_collect(pt, &chunk, va, verify);
	else
		frames_free(frames, cnt, verify);
	return chunk.span;
}

void pt_range_collect(struct uk_pagetable *pt, __vaddr_t va,
		      unsigned long pages, __u64 kind, int racy)
{
	int verify = VERIFIES && !racy;
	unsigned long done = 0;

	while (done < pages)
		done += collect_step(pt, va + (done << PAGE_SHIFT),
				     pages - done, kind, verify);
}
