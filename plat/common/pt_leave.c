/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Where unmapped pages go: to all CPUs that may remember them, and then away */

#include <string.h>

#include <uk/essentials.h>
#include <uk/plat/tlb.h>

#include "pt.h"
#include "pt_laden.h"
#include "pt_leave.h"
#include "vector.h"

void pt_frames_clear(const struct pt_chunk *chunk, unsigned long n)
{
	const __u64 *pte = chunk->pte;

	if (unlikely(chunk->large)) {
		memset(pt_data(chunk->large & X86_PTE_PADDR_MASK), 0,
		       PAGE_LARGE_SIZE);
		return;
	}
	while (n--)
		vector_page_clear(pt_data(pt_load(pte++) & X86_PTE_PADDR_MASK));
}

/* Clears the frames of the run: all of it are zombies, and small ones stay so
 * (P6); nobody splits a large one
 */
static void run_clear(const struct pt_unmapping *u)
{
	unsigned long irqf, left = u->run_pages;
	__vaddr_t va = u->run;
	struct pt_chunk chunk;

	for (; left; left -= chunk.n, va += chunk.n << PAGE_SHIFT) {
		irqf = uk_spin_lock_irqsave(&u->pt->lock);
		pt_chunk_find(u->pt, va, left, &chunk);
		uk_spin_unlock_irqrestore(&u->pt->lock, irqf);
		pt_frames_clear(&chunk, chunk.n);
	}
}

/* Puts the run into the quarantine, or waits for all CPUs and collects it */
static void run_leave(const struct pt_unmapping *u)
{
	if (likely(pt_lazy_add(u->run, u->run_pages)))
		return;
	ukplat_tlb_shootdown(u->run, u->run_pages);
	pt_range_collect(u->pt, u->run, u->run_pages, u->kind, 0);
}

void pt_leave_run(struct pt_unmapping *u)
{
	if (!u->run_pages)
		return;
	ukplat_tlb_flush_local(u->run, u->run_pages);
	if (u->alone && likely(ukplat_tlb_is_alone())) {
		pt_range_collect(u->pt, u->run, u->run_pages, u->kind, 1);
	} else {
		if (u->alone)
			run_clear(u);
		run_leave(u);
	}
	u->run_pages = 0;
}

void pt_leave_cut(struct pt_unmapping *u)
{
	if (!u->cut->cnt)
		return;
	ukplat_tlb_flush_local(u->cut->va, u->cut->pages);
	if (unlikely(!ukplat_tlb_is_alone()))
		ukplat_tlb_shootdown(u->cut->va, u->cut->pages);
	pt_laden_add(u->cut);
}
