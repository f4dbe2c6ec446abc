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

#include "pt.h"

/* Entries that are emptied under one hold of the lock */
#define COLLECT_MAX 64UL

#define FRAME_WORDS (PAGE_SIZE / sizeof(__u64))

static void __noreturn dirty_report(__vaddr_t va, __paddr_t paddr, __sz off)
{
	ukplat_console_panic();
	ukplat_printk(
		"paging: BUG: write after unmap: addr=0x%lx paddr=0x%lx\n",
		va + off, paddr + off);
	ukplat_crash();
}

#ifdef CONFIG_UKPLAT_UNMAP_VERIFY
/* Looks for what a CPU wrote through a translation that it still had */
static void frame_verify(__vaddr_t va, __paddr_t paddr)
{
	const __u64 *w = pt_table(paddr);
	__sz i;

	for (i = 0; i < FRAME_WORDS; i += 8)
		if (unlikely(w[i] | w[i + 1] | w[i + 2] | w[i + 3] | w[i + 4] |
			     w[i + 5] | w[i + 6] | w[i + 7]))
			break;
	if (likely(i == FRAME_WORDS))
		return;
	while (!w[i])
		i++;
	dirty_report(va, paddr, i * sizeof(*w));
}
#else
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
	unsigned int cnt = 0;
	unsigned long i;
	__u64 entry;

	for (i = 0; i < chunk->n; i++) {
		entry = pt_load(&chunk->pte[i]);
		if (!(entry & kind))
			continue;
		frames[cnt++] = entry & X86_PTE_PADDR_MASK;
		pt_entry_clear(pt, chunk, &chunk->pte[i]);
	}
	return cnt;
}

static void chunk_collect(struct uk_pagetable *pt, const struct pt_chunk *chunk,
			  __vaddr_t va, __u64 kind)
{
	__paddr_t frames[COLLECT_MAX];
	unsigned long irqf;
	unsigned int cnt;

	chunk_verify(chunk, va, kind);
	irqf = uk_spin_lock_irqsave(&pt->lock);
	cnt = chunk_empty(pt, chunk, kind, frames);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	while (cnt)
		uk_ffree(pt->fa, frames[--cnt], 1);
}

void pt_range_collect(struct uk_pagetable *pt, __vaddr_t va,
		      unsigned long pages, __u64 kind)
{
	unsigned long irqf, zombies;
	struct pt_chunk chunk;

	while (pages) {
		irqf = uk_spin_lock_irqsave(&pt->lock);
		(void)pt_chunk_find(pt, va, MIN(pages, COLLECT_MAX), &chunk);
		zombies = chunk_zombies(&chunk, kind);
		uk_spin_unlock_irqrestore(&pt->lock, irqf);
		if (zombies)
			chunk_collect(pt, &chunk, va, kind);
		pages -= chunk.n;
		va += chunk.n << PAGE_SHIFT;
	}
}
