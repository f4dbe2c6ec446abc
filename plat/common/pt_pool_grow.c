/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The pool of page tables: blocks come and go */

#include <errno.h>

#include <uk/essentials.h>
#include <uk/plat/tlb.h>
#include <uk/spinlock.h>

#include "pt.h"
#include "pt_block.h"
#include "pt_pool.h"
#include "pt_pool_priv.h"

static struct uk_spinlock grow_lock = UK_SPINLOCK_INITIALIZER();

/* (a) Free memory when there was no block; see is_hopeless() */
static __sz hopeless;

/* Moves a block between direct map and window: L1. No CPU remembers it at the
 * old place afterwards.
 */
static void block_move(struct uk_pagetable *pt, __vaddr_t from, __vaddr_t to,
		       __paddr_t paddr)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pt->lock);

	pt_block_unmap(pt, from + paddr);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	ukplat_tlb_shootdown(from + paddr, PT_BLOCK_TABLES);
	irqf = uk_spin_lock_irqsave(&pt->lock);
	pt_block_map(pt, to + paddr, paddr);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
}

/* Under grow_lock. To clear 512 tables takes as long as a hundred calls that
 * need one: each is cleared when it is drawn.
 */
static int pool_grow(struct uk_pagetable *pt)
{
	__paddr_t paddr = __PADDR_ANY;

	if (pt_pool_is_full() || pt->fa->falloc(pt->fa, &paddr, PT_BLOCK_TABLES,
						FALLOC_FLAG_ALIGNED))
		return -ENOMEM;
	block_move(pt, pt_direct_map, pt_window, paddr);
	pt_pool_block_add(paddr);
	return 0;
}

/* There was no block, and not much has come back since. Looking for one again
 * and again would make each mapping look at all frames.
 */
static int is_hopeless(const struct uk_pagetable *pt)
{
	__sz was = __atomic_load_n(&hopeless, __ATOMIC_RELAXED);

	return was && __atomic_load_n(&pt->fa->free_memory, __ATOMIC_RELAXED) <
			      was + PAGE_LARGE_SIZE / 2;
}

int pt_pool_want(struct uk_pagetable *pt, unsigned long tables)
{
	unsigned long irqf;
	int rc = 0;

	if (likely(pt_pool_free() >= tables))
		return 0;
	irqf = uk_spin_lock_irqsave(&grow_lock);
	while (!rc && pt_pool_free() < tables)
		rc = pool_grow(pt);
	__atomic_store_n(&hopeless, rc ? pt->fa->free_memory : 0,
			 __ATOMIC_RELAXED);
	uk_spin_unlock_irqrestore(&grow_lock, irqf);
	return rc;
}

void pt_pool_top_up(struct uk_pagetable *pt)
{
	if (unlikely(pt_pool_free() < PT_POOL_LOW) && !is_hopeless(pt))
		(void)pt_pool_want(pt, PT_POOL_LOW);
}

void pt_pool_shrink(struct uk_pagetable *pt)
{
	unsigned long irqf;
	__paddr_t paddr;

	do {
		irqf = uk_spin_lock_irqsave(&grow_lock);
		paddr = pt_pool_block_remove();
		if (paddr != __PADDR_INV) {
			block_move(pt, pt_window, pt_direct_map, paddr);
			uk_ffree(pt->fa, paddr, PT_BLOCK_TABLES);
		}
		uk_spin_unlock_irqrestore(&grow_lock, irqf);
	} while (paddr != __PADDR_INV);
}
