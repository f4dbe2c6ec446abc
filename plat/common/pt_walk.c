/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/tlb.h>

#include "pt.h"
#include "vector.h"

/* Rounds of waiting for the lock in a page fault of somebody who may hold it,
 * which is a mistake: several seconds. Others hold it for a while if they map
 * gigabytes
 */
#define FAULT_TRIES (1U << 26)

/* Pages of a range that one entry of a level is for, from vaddr on */
static unsigned long entry_span(__vaddr_t vaddr, unsigned long pages,
				unsigned int level)
{
	unsigned long len = 1UL << (9 * (level - 1));

	return MIN(pages, len - ((vaddr >> PAGE_SHIFT) & (len - 1)));
}

static inline void chunk_find(const struct uk_pagetable *pt, __vaddr_t vaddr,
			      unsigned long pages, struct pt_chunk *chunk)
{
	__u64 entry;

	chunk->n = entry_span(vaddr, pages, 2);
	chunk->span = chunk->n;
	chunk->pml4e = pt_table(pt->pt_pbase) + pt_index(vaddr, 4);
	chunk->pdpte = __NULL;
	chunk->pde = __NULL;
	chunk->pte = __NULL;
	chunk->large = 0;

	entry = pt_load(chunk->pml4e);
	if (!(entry & X86_PTE_PRESENT)) {
		chunk->span = entry_span(vaddr, pages, 4);
		return;
	}
	chunk->pdpte = pt_next(entry) + pt_index(vaddr, 3);
	entry = pt_load(chunk->pdpte);
	if (!(entry & X86_PTE_PRESENT)) {
		chunk->span = entry_span(vaddr, pages, 3);
		return;
	}
	chunk->pde = pt_next(entry) + pt_index(vaddr, 2);
	entry = pt_load(chunk->pde);
	if (unlikely(entry & X86_PTE_PS))
		chunk->large = entry;
	else if (entry)
		chunk->pte = pt_next(entry) + pt_index(vaddr, 1);
}

void pt_chunk_find(const struct uk_pagetable *pt, __vaddr_t vaddr,
		   unsigned long pages, struct pt_chunk *chunk)
{
	chunk_find(pt, vaddr, pages, chunk);
}

int ukplat_page_is_unused(struct uk_pagetable *pt, __vaddr_t vaddr,
			  unsigned long pages)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pt->lock);
	struct pt_chunk chunk;
	__u64 bits = 0;

	chunk_find(pt, vaddr, pages, &chunk);
	if (chunk.pte)
		bits = vector_or(chunk.pte, chunk.n);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	/* Zombies are not mapped any more */
	return !(bits & (X86_PTE_OWNED | X86_PTE_DEMAND)) && !chunk.large &&
	       chunk.span == pages;
}

/* The last entry of a walk, 0 if there is none */
static __u64 chunk_entry(const struct pt_chunk *chunk)
{
	if (chunk->pte)
		return pt_load(chunk->pte);
	return chunk->large;
}

/* The entry that an address leads to, and the length of its page. A table may
 * be unlinked and freed while somebody else reads it, so even a single
 * translation takes the lock.
 */
static __u64 entry_read(struct uk_pagetable *pt, __vaddr_t vaddr, __sz *len)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pt->lock);
	struct pt_chunk chunk;
	__u64 entry;

	pt_chunk_find(pt, vaddr, 1, &chunk);
	entry = chunk_entry(&chunk);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	*len = chunk.large ? PAGE_LARGE_SIZE : PAGE_SIZE;
	return entry;
}

__paddr_t ukplat_page_translate(struct uk_pagetable *pt, __vaddr_t vaddr)
{
	unsigned long irqf;
	__u64 entry;
	__sz len;

	if (!pt_range_is_valid(vaddr & PAGE_MASK, 1))
		return __PADDR_INV;

	entry = entry_read(pt, vaddr, &len);
	if (unlikely(entry & X86_PTE_DEMAND)) {
		/* As in a fault: a handler must not find the lock taken */
		irqf = uk_spin_irq_save();
		(void)ukplat_page_fill(pt, vaddr, UKPLAT_PF_PATIENT);
		uk_spin_irq_restore(irqf);
		entry = entry_read(pt, vaddr, &len);
	}
	if (!(entry & X86_PTE_PRESENT))
		return __PADDR_INV;
	return ALIGN_DOWN(entry & X86_PTE_PADDR_MASK, len) |
	       (vaddr & (len - 1));
}

int pt_entry_permits(__u64 entry, unsigned long error_code)
{
	if (!(entry & X86_PTE_PRESENT))
		return 0;
	if (error_code & UKPLAT_PF_WRITE && !(entry & X86_PTE_RW))
		return 0;
	return !(error_code & UKPLAT_PF_FETCH && entry & X86_PTE_NX);
}

int pt_lock_in_fault(struct uk_pagetable *pt, unsigned long error_code)
{
	unsigned int tries = FAULT_TRIES;

	if (unlikely(!pt->pt_pbase))
		return 0;
	while (!uk_spin_trylock(&pt->lock)) {
		if (!(error_code & UKPLAT_PF_PATIENT) && !tries--)
			return 0;
		ukplat_tlb_poll();
		ukarch_spinwait();
	}
	return 1;
}

int ukplat_page_permits(struct uk_pagetable *pt, __vaddr_t vaddr,
			unsigned long error_code)
{
	struct pt_chunk chunk;
	int permits;

	if (error_code & UKPLAT_PF_RESERVED ||
	    !pt_range_is_valid(vaddr & PAGE_MASK, 1))
		return 0;
	if (!pt_lock_in_fault(pt, error_code))
		return 0;
	pt_chunk_find(pt, vaddr, 1, &chunk);
	permits = pt_entry_permits(chunk_entry(&chunk), error_code);
	uk_spin_unlock(&pt->lock);
	return permits;
}

__u64 *ukplat_pt_entry(struct uk_pagetable *pt, __vaddr_t vaddr)
{
	struct pt_chunk chunk;
	unsigned long irqf;

	if (!pt_range_is_valid(vaddr & PAGE_MASK, 1))
		return __NULL;
	irqf = uk_spin_lock_irqsave(&pt->lock);
	pt_chunk_find(pt, vaddr, 1, &chunk);
	if (chunk.pte && !(pt_load(chunk.pte) & X86_PTE_OWNED))
		chunk.pte = __NULL;
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	return chunk.pte;
}

/** State of a scan */
struct pt_scan {
	int (*fn)(void *arg, __vaddr_t va, __paddr_t pa, __sz len,
		  unsigned long attr);
	void *arg;
	/** Bytes visited so far */
	__sz len;
};

/* Visits the present entries below one table; recursion ends at level 1 */
static int table_scan(struct pt_scan *scan, const __u64 *table, __vaddr_t base,
		      unsigned int level)
{
	unsigned int shift = PAGE_SHIFT + 9 * (level - 1);
	unsigned int i;
	__vaddr_t va;
	__u64 entry;
	int rc = 0;

	for (i = 0; i < UKARCH_PT_ENTRIES && !rc; i++) {
		entry = pt_load(&table[i]);
		if (!(entry & X86_PTE_PRESENT))
			continue;
		va = base + ((__vaddr_t)i << shift);
		if (level == UKARCH_PT_LEVELS && i >= UKARCH_PT_UPPER_HALF)
			va |= UKARCH_VADDR_UPPER_START;
		if (level > 1 && !(entry & X86_PTE_PS)) {
			rc = table_scan(scan, pt_next(entry), va, level - 1);
			continue;
		}
		scan->len += 1UL << shift;
		rc = scan->fn(scan->arg, va,
			      ALIGN_DOWN(entry & X86_PTE_PADDR_MASK,
					 1UL << shift),
			      1UL << shift, pt_attr_decode(entry));
	}
	return rc;
}

__sz ukplat_pt_scan(int (*fn)(void *arg, __vaddr_t va, __paddr_t pa, __sz len,
			      unsigned long attr),
		    void *arg)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	struct pt_scan scan = { .fn = fn, .arg = arg, .len = 0 };

	(void)table_scan(&scan, pt_table(pt->pt_pbase), 0, UKARCH_PT_LEVELS);
	return scan.len;
}
