/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The machine: everything that page tables consist of, looked at at once */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/plat/memory.h>

#include "fixture_pt.h"
#include "../../plat/common/pt.h"
#include "../../plat/common/pt_laden.h"
#include "../../plat/common/pt_pool.h"

/* What a frame is: it can be one of these only */
enum mark {
	MARK_NONE,
	MARK_DATA,
	MARK_TABLE,
	MARK_WAITS,
	MARK_FREE,
};

static __u8 marks[RAM_FRAMES + UKARCH_PT_ENTRIES];
static unsigned long tables, lazy_pages, demand_pages;

static void mark(__paddr_t paddr, enum mark as)
{
	(void)ram_frame(paddr);
	assert_int_equal(marks[paddr >> PAGE_SHIFT], MARK_NONE);
	marks[paddr >> PAGE_SHIFT] = (__u8)as;
	if (as == MARK_DATA) {
		assert_true(ram_frame(paddr)->used);
		assert_false(pt_pool_has(paddr));
	} else {
		assert_true(pt_pool_has(paddr));
		tables++;
	}
}

static int overlaps(__vaddr_t va, __sz len, __vaddr_t map, __sz map_len)
{
	return va < map + map_len && map < va + len;
}

/* Tells whether a page is in direct map or window */
static int is_ram(__vaddr_t va)
{
	return overlaps(va, PAGE_SIZE, ram.direct, RAM_END) ||
	       overlaps(va, PAGE_SIZE, ram.window, RAM_END);
}

/* A page of direct map or window is where it belongs (L1) */
static void ram_page_check(__u64 entry, __vaddr_t va, unsigned int level)
{
	int is_window = va - ram.window < RAM_END;
	__paddr_t paddr = va - (is_window ? ram.window : ram.direct);

	assert_int_equal(entry & X86_PTE_PADDR_MASK, paddr);
	assert_int_equal(pt_pool_has(paddr), is_window);
	assert_int_equal(entry & (X86_PTE_PRESENT | X86_PTE_RW | X86_PTE_NX |
				  X86_PTE_ACCESSED | X86_PTE_DIRTY),
			 X86_PTE_PRESENT | X86_PTE_RW | X86_PTE_NX |
				 X86_PTE_ACCESSED | X86_PTE_DIRTY);
	assert_int_equal(entry & (X86_PTE_OURS | X86_PTE_PS), 0);
	assert_int_equal(level, 1);
}

/* No CPU sees it, and there is no frame in it */
static void demand_check(__u64 entry, unsigned int level)
{
	assert_int_equal(level, 1);
	assert_int_equal(entry & (X86_PTE_PRESENT | X86_PTE_OURS | X86_PTE_PS |
				  X86_PTE_PADDR_MASK),
			 0);
	assert_true(entry & X86_PTE_NX || !(entry & X86_PTE_RW));
	demand_pages++;
}

/* P1, P3, and what states there are */
static void page_check(__u64 entry, __vaddr_t va, unsigned int level)
{
	__paddr_t paddr = entry & X86_PTE_PADDR_MASK;
	__u64 ours = entry & X86_PTE_OURS;
	unsigned long i, n = level == 2 ? UKARCH_PT_ENTRIES : 1;

	if (is_ram(va)) {
		ram_page_check(entry, va, level);
		return;
	}
	if (entry & X86_PTE_DEMAND) {
		demand_check(entry, level);
		return;
	}
	assert_true(ours == X86_PTE_OWNED || ours == X86_PTE_LAZY);
	assert_int_equal(!!(entry & X86_PTE_PS), level == 2);
	if (ours == X86_PTE_OWNED) {
		assert_true(entry & X86_PTE_NX || !(entry & X86_PTE_RW));
		assert_true(entry & X86_PTE_ACCESSED);
		assert_int_equal(!!(entry & X86_PTE_RW),
				 !!(entry & X86_PTE_DIRTY));
	} else {
		assert_int_equal(entry & ~X86_PTE_PADDR_MASK & ~X86_PTE_PS,
				 X86_PTE_LAZY);
		lazy_pages += n;
	}
	assert_int_equal(paddr % (n << PAGE_SHIFT), 0);
	for (i = 0; i < n; i++)
		mark(paddr + (i << PAGE_SHIFT), MARK_DATA);
}

/* The table of a block stays in either map */
static int is_kept(__vaddr_t va, unsigned int level)
{
	const __paddr_t first = ALIGN_UP(RAM_START, PAGE_LARGE_SIZE);
	const __sz len = RAM_BLOCKS * PAGE_LARGE_SIZE - first;

	return level == 2 &&
	       (overlaps(va, PAGE_LARGE_SIZE, ram.direct + first, len) ||
		overlaps(va, PAGE_LARGE_SIZE, ram.window + first, len));
}

/* A table and all below it (P2); returns the number of entries in use */
static unsigned long table_check(__paddr_t table, __vaddr_t base,
				 unsigned int level)
{
	unsigned long used, n = 0;
	unsigned int i;
	__vaddr_t va;
	__u64 entry;

	mark(table, MARK_TABLE);
	for (i = 0; i < UKARCH_PT_ENTRIES; i++) {
		entry = ram_words(table)[i];
		if (!entry)
			continue;
		n++;
		va = base + ((__vaddr_t)i << (12 + 9 * (level - 1)));
		if (level == UKARCH_PT_LEVELS && i >= UKARCH_PT_UPPER_HALF)
			va |= UKARCH_VADDR_UPPER_START;
		if (level == 1 || (level == 2 && entry & X86_PTE_PS)) {
			page_check(entry, va, level);
			continue;
		}
		assert_int_equal(entry & ~X86_PTE_PADDR_MASK &
					 ~X86_PTE_USED_MASK,
				 PT_ENTRY_TABLE);
		used = table_check(entry & X86_PTE_PADDR_MASK, va, level - 1);
		assert_int_equal((entry & X86_PTE_USED_MASK) >>
					 X86_PTE_USED_SHIFT,
				 used);
		/* Tables of blocks, and high ones of the upper half, stay */
		assert_true(used || is_kept(va, level) ||
			    (level == UKARCH_PT_LEVELS &&
			     i >= UKARCH_PT_UPPER_HALF));
	}
	return n;
}

/* A list of tables that are empty but for the link */
static void list_check(__paddr_t paddr, unsigned long cnt)
{
	__u64 link;

	for (; cnt; cnt--, paddr = link) {
		mark(paddr, MARK_WAITS);
		link = ram_words(paddr)[0];
		assert_int_equal(link & X86_PTE_PRESENT, 0);
		ram_words(paddr)[0] = 0;
		assert_true(ram_is_zero(paddr));
		ram_words(paddr)[0] = link;
	}
	assert_int_equal(paddr, 0);
}

/* A laden table: what is in it is the list's, what is behind its end is clear
 * (B1 to B3)
 */
static unsigned long laden_check(const struct pt_laden_table *t)
{
	unsigned int i, frames = 0;
	__u64 entry;

	mark(t->paddr, MARK_WAITS);
	assert_in_range(t->end, 1, UKARCH_PT_ENTRIES);
	for (i = 0; i < UKARCH_PT_ENTRIES; i++) {
		entry = ram_words(t->paddr)[i];
		if (entry)
			assert_true(i < t->end);
		if (!(entry & (X86_PTE_OWNED | X86_PTE_LAZY)))
			continue;
		mark(entry & X86_PTE_PADDR_MASK, MARK_DATA);
		assert_int_equal(ram_frame(entry & X86_PTE_PADDR_MASK)->need,
				 0);
		frames++;
	}
	assert_int_equal(frames, t->frames);
	assert_true(frames);
	return frames;
}

static void ladens_check(void)
{
	unsigned long frames = 0;
	unsigned int i;

	for (i = 0; i < pt_laden.cnt; i++)
		frames += laden_check(&pt_laden.table[i]);
	assert_int_equal(pt_laden_frames(), frames);
	assert_true(frames <= (ram_falloc.total_memory >> PAGE_SHIFT) / 16);
}

static void batches_check(void)
{
	const struct ukplat_tlbq_batch *b;
	unsigned int cpu, i;

	for (cpu = 0; cpu < PT_CPUS; cpu++) {
		for (i = 0; i < UKPLAT_TLBQ_DEPTH; i++) {
			b = machine.batch[cpu][i];
			if (pt_batch_waits(cpu, i))
				list_check(b->frames, b->frames_cnt);
		}
	}
}

/* The upper half and nothing else (P5) */
static void idle_check(void)
{
	const __u64 *idle = ram_words(ukplat_pt_idle_root());
	const __u64 *root = ram_words(machine.pt->pt_pbase);
	unsigned int i;

	mark(ukplat_pt_idle_root(), MARK_TABLE);
	for (i = 0; i < UKARCH_PT_ENTRIES; i++) {
		/* Without the count, which nobody reads there */
		if (i < UKARCH_PT_UPPER_HALF)
			assert_int_equal(idle[i], 0);
		else
			assert_int_equal(idle[i] & ~X86_PTE_USED_MASK,
					 root[i] & ~X86_PTE_USED_MASK);
	}
}

/* All tables of the pool are drawn, looked at, and given back (L2, L3) */
static void pool_check(void)
{
	static __paddr_t drawn[RAM_FRAMES];
	unsigned long n = 0, expected = pt_pool_free(), blocks = 0, i;

	for (i = 0; i <= RAM_BLOCKS; i++)
		blocks += (unsigned long)pt_pool_has(i * PAGE_LARGE_SIZE);
	while (n < RAM_FRAMES) {
		drawn[n] = pt_pool_take(__PADDR_MAX);
		if (drawn[n] == __PADDR_INV)
			break;
		mark(drawn[n], MARK_FREE);
		assert_true(ram_is_zero(drawn[n]));
		n++;
	}
	assert_int_equal(pt_pool_free(), 0);
	assert_int_equal(n, expected);
	while (n)
		pt_pool_put(drawn[--n]);
	assert_int_equal(pt_pool_free(), expected);
	/* Each table of each block is one of these */
	assert_int_equal(tables, blocks * UKARCH_PT_ENTRIES);
}

/* All pages of a range wait in it (P6) */
static unsigned long range_pages;
static void range_check(const struct ukplat_tlbq_range *range)
{
	unsigned long i;

	for (i = 0; i < range->pages; i++)
		assert_int_equal(pt_entry(range->vaddr + i * PAGE_SIZE) &
					 X86_PTE_OURS,
				 X86_PTE_LAZY);
	range_pages += range->pages;
}

/* Blocks and borders of RAM: in one of the two maps (L1) */
static void maps_check(void)
{
	__paddr_t paddr;
	int in_pool;

	for (paddr = RAM_START; paddr < RAM_END; paddr += PAGE_SIZE) {
		in_pool = pt_pool_has(paddr & ~(PAGE_LARGE_SIZE - 1));
		assert_int_equal(!pt_entry(ram.direct + paddr), in_pool);
		assert_int_equal(!pt_entry(ram.window + paddr), !in_pool);
	}
}

void pt_check(void)
{
	memset(marks, MARK_NONE, sizeof(marks));
	tables = 0;
	lazy_pages = 0;
	demand_pages = 0;
	range_pages = 0;
	(void)table_check(machine.pt->pt_pbase, 0, UKARCH_PT_LEVELS);
	idle_check();
	list_check(machine.pt->empty, machine.pt->empty_cnt);
	list_check(machine.pt->limbo, machine.pt->limbo_cnt);
	batches_check();
	ladens_check();
	pool_check();
	maps_check();
	pt_pending_foreach(range_check);
	/* None waits in two ranges, none in none */
	assert_int_equal(range_pages, lazy_pages);
	/* P8 */
	assert_int_equal(demand_pages, ram.promised);
}

static __u64 table_digest(__paddr_t table, unsigned int level, __u64 sum)
{
	unsigned int i;
	__u64 entry;

	for (i = 0; i < UKARCH_PT_ENTRIES; i++) {
		entry = ram_words(table)[i];
		if (!entry)
			continue;
		sum = (sum ^ entry ^ i) * 0x100000001b3UL;
		if (level > 1 && !(entry & X86_PTE_PS))
			sum = table_digest(entry & X86_PTE_PADDR_MASK,
					   level - 1, sum);
	}
	return sum;
}

__u64 pt_digest(void)
{
	__u64 sum = ram_free() * 1000003 + pt_pool_free() + ram.promised * 77;

	return table_digest(machine.pt->pt_pbase, UKARCH_PT_LEVELS, sum);
}
