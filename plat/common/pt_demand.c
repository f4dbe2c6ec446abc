/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Pages that get their frames when they are touched */

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>

#include "frame_cache.h"
#include "frame_promise.h"
#include "pt.h"
#include "pt_laden.h"

/* Most pages that one touch brings */
#define DEMAND_MAX 16U

/* Who goes through pages one after the other does not fault at each: half as
 * many more come as there are before this one, in the end as many. Who touches
 * here and there gets what he touches, also if a neighbour is there by chance.
 */
static unsigned int pages_wanted(const struct pt_chunk *chunk, __vaddr_t va)
{
	unsigned int most = MIN(DEMAND_MAX - 1, pt_index(va, 1));
	const __u64 *pte = chunk->pte;
	unsigned int before = 0, more, n = 1;

	while (before < most && pt_load(pte - before - 1) & X86_PTE_PRESENT)
		before++;
	more = before < DEMAND_MAX - 1 ? before / 2 : before;
	while (n <= more && n < chunk->n && pt_load(pte + n) == pt_load(pte))
		n++;
	return n;
}

/* Pages that an access brings; 0 if it is none that may bring any */
static unsigned int demand_look(struct uk_pagetable *pt, __vaddr_t va,
				unsigned long error_code, __u64 *seen)
{
	struct pt_chunk chunk;
	unsigned int n = 0;

	if (unlikely(!pt_lock_in_fault(pt, error_code)))
		return 0;
	pt_chunk_find(pt, va, DEMAND_MAX, &chunk);
	*seen = chunk.pte ? pt_load(chunk.pte) : 0;
	if (*seen & X86_PTE_DEMAND &&
	    pt_entry_permits(pt_demand_bits(*seen), error_code))
		n = pages_wanted(&chunk, va);
	uk_spin_unlock(&pt->lock);
	return n;
}

/* Gives pages their frames, as long as they are what they were; returns how
 * many frames were used. If there was none the first page gets the one that was
 * promised, which may have to be cleared under the lock: memory is all but full
 * then. pt->lock is held.
 */
static unsigned int demand_install(const struct pt_chunk *chunk, __u64 seen,
				   const __paddr_t *frame, unsigned int cnt)
{
	__u64 bits = pt_demand_bits(seen);
	unsigned int i;

	if (unlikely(!chunk->pte))
		return 0;
	if (unlikely(!cnt) && pt_load(chunk->pte) == seen)
		pt_store(chunk->pte, frame_take_promised() | bits);
	for (i = 0; i < cnt && pt_load(&chunk->pte[i]) == seen; i++)
		pt_store(&chunk->pte[i], frame[i] | bits);
	frame_promise_end(i);
	return i;
}

int ukplat_page_fill(struct uk_pagetable *pt, __vaddr_t vaddr,
		     unsigned long error_code)
{
	__paddr_t frame[DEMAND_MAX];
	__vaddr_t va = vaddr & PAGE_MASK;
	struct pt_chunk chunk;
	unsigned int cnt, used = 0;
	__u64 seen;
	int is_locked;

	if (error_code & (UKPLAT_PF_PROTECTION | UKPLAT_PF_RESERVED) ||
	    !pt_range_is_valid(va, 1))
		return 0;
	cnt = demand_look(pt, va, error_code, &seen);
	if (!cnt)
		return 0;

	/* Not under the lock: frames may have to be cleared */
	cnt = frame_take_many(frame, cnt);
	is_locked = pt_lock_in_fault(pt, error_code);
	if (likely(is_locked)) {
		pt_chunk_find(pt, va, DEMAND_MAX, &chunk);
		used = demand_install(&chunk, seen, frame, cnt);
		uk_spin_unlock(&pt->lock);
	}
	/* Another CPU was faster, or the page has gone: see at the next try */
	frame_put_many(frame + used, cnt - used);
	pt_laden_take(used);
	return is_locked;
}

/* The entry that leads to the lowest level table of pages that are mapped: all
 * tables above are there, too
 */
static __u64 leaf_find(const struct uk_pagetable *pt, __vaddr_t va)
{
	const __u64 *entry = pt_table(pt->pt_pbase) + pt_index(va, 4);

	entry = pt_next(pt_load(entry)) + pt_index(va, 3);
	entry = pt_next(pt_load(entry)) + pt_index(va, 2);
	return pt_load(entry);
}

/* A bit for each entry, the lowest for the first. Compilers take half as many
 * instructions again
 */
static __u64 entries_backed(const __u64 *pte, unsigned long n)
{
	__u64 bits = 0;

	__asm__ __volatile__(
		"1:\n"
		"btl %[owned], -8(%[pte],%[n],8)\n"
		"adcq %[bits], %[bits]\n"
		"decq %[n]\n"
		"jnz 1b\n"
		: [bits] "+r"(bits), [n] "+r"(n)
		: [pte] "r"(pte), [owned] "i"(__builtin_ctzl(X86_PTE_OWNED))
		: "cc", "memory");
	return bits;
}

/* The tables stay where they are (P7) */
__u64 ukplat_page_backed(const struct uk_pagetable *pt, __vaddr_t vaddr,
			 unsigned long pages)
{
	unsigned long done, n;
	__u64 leaf, bits = 0;

	UK_ASSERT(pages && pages <= 64);
	for (done = 0; done < pages; done += n, vaddr += n << PAGE_SHIFT) {
		n = MIN(pages - done,
			UKARCH_PT_ENTRIES - (unsigned long)pt_index(vaddr, 1));
		leaf = leaf_find(pt, vaddr);
		if (likely(!(leaf & X86_PTE_PS)))
			bits |= entries_backed(
					pt_next(leaf) + pt_index(vaddr, 1), n)
				<< done;
		else if (leaf & X86_PTE_OWNED)
			bits |= ~0UL >> (64 - n) << done;
	}
	return bits;
}
