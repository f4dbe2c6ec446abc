/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/falloc.h>
#include <uk/plat/memory.h>
#include <uk/plat/tlb.h>

#include "bootinfo.h"
#include "frame_cache.h"
#include "pt.h"
#include "pt_pool.h"
#include "vector.h"

#define PADDR_4GIB (1UL << 32)

__vaddr_t pt_direct_map;
__vaddr_t pt_window;
__sz pt_map_len;

static struct uk_pagetable pt_system;

/* (c) See P5 */
static __paddr_t pt_idle;

/* Tables of ukplat_pt_trampoline(), top level first */
static __paddr_t trampoline[UKARCH_PT_LEVELS];
static unsigned int trampoline_cnt;

struct uk_pagetable *ukplat_pt_get_active(void)
{
	return &pt_system;
}

void *ukplat_paddr_to_ptr(__paddr_t paddr)
{
	return (void *)(pt_direct_map + paddr);
}

void pt_frames_free(struct pt_frames *list)
{
	if (list->tables)
		pt_pool_put_list(list);
	while (list->cnt)
		frame_put(pt_frames_pop(list));
}

int pt_frames_alloc(struct pt_frames *list, unsigned long cnt)
{
	__paddr_t paddr;

	if (list->tables) {
		if (likely(!pt_pool_take_list(list, cnt)))
			return 0;
		pt_frames_free(list);
		return -ENOMEM;
	}
	while (cnt--) {
		paddr = frame_take();
		if (unlikely(paddr == __PADDR_INV)) {
			pt_frames_free(list);
			return -ENOMEM;
		}
		pt_frames_push(list, paddr);
	}
	return 0;
}

/* Lists of tables that nobody finds any more; under the lock */
static void table_retire(struct uk_pagetable *pt, __paddr_t paddr, int upper)
{
	__paddr_t *head = upper ? &pt->limbo : &pt->empty;
	unsigned long *cnt = upper ? &pt->limbo_cnt : &pt->empty_cnt;

	/* The link has bit 0 clear: a walk that is still under way finds
	 * nothing present in the table
	 */
	*pt_table(paddr) = *head;
	*head = paddr;
	*cnt += 1;
}

struct pt_frames pt_tables_take(struct uk_pagetable *pt, int upper)
{
	__paddr_t *head = upper ? &pt->limbo : &pt->empty;
	unsigned long *cnt = upper ? &pt->limbo_cnt : &pt->empty_cnt;
	unsigned long irqf = uk_spin_lock_irqsave(&pt->lock);
	struct pt_frames list = { *head, *cnt, 1 };

	*head = 0;
	*cnt = 0;
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	return list;
}

static inline int is_upper(const struct uk_pagetable *pt,
			   const struct pt_chunk *chunk)
{
	return chunk->pml4e - pt_table(pt->pt_pbase) >= UKARCH_PT_UPPER_HALF;
}

/* So many entries less in the table that an entry points to. Returns 1 if it
 * has become empty, and is unlinked: that is one entry less in the table that
 * the entry is in
 */
static inline int link_release(struct uk_pagetable *pt,
			       const struct pt_chunk *chunk, __u64 *entry,
			       unsigned long cnt)
{
	__u64 link = pt_load(entry) - cnt * X86_PTE_USED_ONE;

	if (link & X86_PTE_USED_MASK) {
		pt_store(entry, link);
		return 0;
	}
	pt_store(entry, 0);
	table_retire(pt, link & X86_PTE_PADDR_MASK, is_upper(pt, chunk));
	return 1;
}

/* The tables of the second highest level stay in the upper half */
static void top_release(struct uk_pagetable *pt, const struct pt_chunk *chunk)
{
	if (is_upper(pt, chunk))
		pt_store(chunk->pml4e,
			 pt_load(chunk->pml4e) - X86_PTE_USED_ONE);
	else
		(void)link_release(pt, chunk, chunk->pml4e, 1);
}

void pt_table_release(struct uk_pagetable *pt, const struct pt_chunk *chunk,
		      unsigned long n)
{
	if (link_release(pt, chunk, chunk->pde, n) &&
	    link_release(pt, chunk, chunk->pdpte, 1))
		top_release(pt, chunk);
}

void pt_entry_clear(struct uk_pagetable *pt, const struct pt_chunk *chunk,
		    __u64 *entry)
{
	pt_store(entry, 0);
	pt_table_release(pt, chunk, 1);
}

void pt_entries_clear(struct uk_pagetable *pt, const struct pt_chunk *chunk,
		      unsigned long n)
{
	vector_fill(chunk->pte, n, 0);
	pt_table_release(pt, chunk, n);
}

void pt_table_unlink(struct uk_pagetable *pt, const struct pt_chunk *chunk)
{
	pt_store(chunk->pde, 0);
	if (link_release(pt, chunk, chunk->pdpte, 1))
		top_release(pt, chunk);
}

void pt_tables_forget(struct uk_pagetable *pt, int upper)
{
	struct pt_frames list = pt_tables_take(pt, upper);

	if (!list.cnt)
		return;
	ukplat_tlb_shootdown_tables();
	pt_frames_free(&list);
}

__u64 *pt_table_get(const struct uk_pagetable *pt, __u64 *entry, __u64 *parent,
		    struct pt_frames *frames)
{
	long idx = entry - pt_table(pt->pt_pbase);

	if (!pt_load(entry)) {
		pt_store(entry, pt_frames_pop(frames) | PT_ENTRY_TABLE);
		if (parent)
			pt_store(parent, pt_load(parent) + X86_PTE_USED_ONE);
		else if (idx >= UKARCH_PT_UPPER_HALF) /* P5 */
			pt_store(pt_table(pt_idle) + idx, pt_load(entry));
	}
	return pt_next(pt_load(entry));
}

__paddr_t ukplat_pt_idle_root(void)
{
	return pt_idle;
}

void pt_take_over(const struct boot_info *info)
{
	pt_direct_map = info->direct_map;
	pt_window = info->window;
	pt_map_len = info->map_len;
	pt_idle = info->pt_idle;
	pt_system.fa = ukplat_falloc_get();
	pt_system.pt_pbase = info->pt_root;
	pt_system.pt_vbase = (__vaddr_t)pt_table(pt_system.pt_pbase);
}

/* Fills, or empties, the entries of a block: bits of its pages, or 0 */
static void block_set(const struct uk_pagetable *pt, __vaddr_t va, __paddr_t pa,
		      __u64 bits)
{
	unsigned long i, left = PT_BLOCK_TABLES;
	struct pt_chunk chunk;
	__u64 used;

	for (; left; left -= chunk.n, va += chunk.n << PAGE_SHIFT) {
		pt_chunk_find(pt, va, left, &chunk);
		UK_ASSERT(chunk.pte);
		used = chunk.n * X86_PTE_USED_ONE;
		if (bits) {
			UK_ASSERT(!vector_or(chunk.pte, chunk.n));
			for (i = 0; i < chunk.n; i++, pa += PAGE_SIZE)
				pt_store(&chunk.pte[i], pa | bits);
		} else {
			UK_ASSERT(vector_and(chunk.pte, chunk.n) &
				  X86_PTE_PRESENT);
			vector_fill(chunk.pte, chunk.n, 0);
			used = -used;
		}
		pt_store(chunk.pde, pt_load(chunk.pde) + used);
	}
}

void pt_block_map(const struct uk_pagetable *pt, __vaddr_t va, __paddr_t pa)
{
	block_set(pt, va, pa, PT_ENTRY_RAM);
}

void pt_block_unmap(const struct uk_pagetable *pt, __vaddr_t va)
{
	block_set(pt, va, 0, 0);
}

void ukplat_pt_trampoline_free(void)
{
	__paddr_t paddr;

	while (trampoline_cnt) {
		paddr = trampoline[--trampoline_cnt];
		memset(pt_table(paddr), 0, PAGE_SIZE);
		pt_pool_put(paddr);
	}
}

__paddr_t ukplat_pt_trampoline(__paddr_t page)
{
	unsigned int level;
	__paddr_t paddr;
	__u64 bits;

	UK_ASSERT(!trampoline_cnt);
	UK_ASSERT(page < PADDR_4GIB && !(page & ~PAGE_MASK));
	while (trampoline_cnt < UKARCH_PT_LEVELS) {
		paddr = pt_pool_take(PADDR_4GIB);
		if (paddr == __PADDR_INV) {
			ukplat_pt_trampoline_free();
			return __PADDR_INV;
		}
		trampoline[trampoline_cnt++] = paddr;
	}

	for (level = UKARCH_PT_LEVELS; level > 1; level--)
		pt_table(trampoline[UKARCH_PT_LEVELS -
				    level])[pt_index(page, level)] =
			trampoline[UKARCH_PT_LEVELS - level + 1] |
			PT_ENTRY_TABLE;
	(void)pt_attr_encode(PAGE_ATTR_PROT_EXEC, &bits);
	pt_table(trampoline[UKARCH_PT_LEVELS - 1])[pt_index(page, 1)] = page |
									bits;
	/* The image may be in the lower half. The page is in the first entry,
	 * where the idle root has none.
	 */
	memcpy(pt_table(trampoline[0]) + 1, pt_table(pt_idle) + 1,
	       (UKARCH_PT_UPPER_HALF - 1) * sizeof(__u64));
	memcpy(pt_table(trampoline[0]) + UKARCH_PT_UPPER_HALF,
	       pt_table(pt_system.pt_pbase) + UKARCH_PT_UPPER_HALF,
	       PAGE_SIZE / 2);
	return trampoline[0];
}
