/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The machine: operations with their tests, and single entries */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture_pt.h"
#include "../../plat/common/pt_pool.h"

static unsigned long pt_attr_of(__u64 entry)
{
	unsigned long attr = PAGE_ATTR_PROT_READ;

	if (entry & X86_PTE_RW)
		attr |= PAGE_ATTR_PROT_WRITE;
	if (!(entry & X86_PTE_NX))
		attr |= PAGE_ATTR_PROT_EXEC;
	if (entry & X86_PTE_PCD)
		attr |= PAGE_ATTR_DEVICE;
	return attr;
}

static __u64 entry_find(__vaddr_t va, unsigned int *level)
{
	__paddr_t table = machine.pt->pt_pbase;
	__u64 entry;

	for (*level = UKARCH_PT_LEVELS;; --*level) {
		entry = ram_words(table)[(va >> (12 + 9 * (*level - 1))) % 512];
		if (!entry || *level == 1 || entry & X86_PTE_PS)
			return entry;
		table = entry & X86_PTE_PADDR_MASK;
	}
}

__u64 pt_entry(__vaddr_t va)
{
	unsigned int level;

	return entry_find(va, &level);
}

__paddr_t pt_frame(__vaddr_t va)
{
	unsigned int level;
	__u64 entry = entry_find(va, &level);
	__sz len = 1UL << (12 + 9 * (level - 1));

	assert_true(entry && level <= 2);
	return (entry & X86_PTE_PADDR_MASK & ~(len - 1)) |
	       (va & (len - 1) & PAGE_MASK);
}

int pt_is_large(__vaddr_t va)
{
	unsigned int level;

	return entry_find(va, &level) && level == 2;
}

/* What an entry says of rights, whether its page has a frame or not */
static __u64 rights(unsigned long attr)
{
	__u64 bits = 0;

	bits |= attr & PAGE_ATTR_PROT_WRITE ? X86_PTE_RW | X86_PTE_DIRTY : 0;
	bits |= attr & PAGE_ATTR_PROT_EXEC ? 0 : X86_PTE_NX;
	bits |= attr & PAGE_ATTR_DEVICE ? X86_PTE_PCD | X86_PTE_PWT : 0;
	return bits;
}

/* A new page: mapped as wanted, and any CPU may remember it from now on */
static void page_begins(__vaddr_t va, unsigned long attr)
{
	__u64 bits = X86_PTE_OWNED | X86_PTE_ACCESSED;
	__paddr_t paddr = pt_frame(va);

	bits |= attr & 7 ? X86_PTE_PRESENT : 0;
	bits |= rights(attr);
	bits |= pt_is_large(va) ? X86_PTE_PS : 0;
	assert_int_equal(pt_entry(va) & ~X86_PTE_PADDR_MASK, bits);
	assert_int_equal(ukplat_page_translate(machine.pt, va + 5),
			 attr & 7 ? paddr + 5 : __PADDR_INV);
	assert_true(ram_is_zero(paddr));
	assert_true(ram_frame(paddr)->used && !ram_frame(paddr)->need);
	ram_frame(paddr)->need = RAM_NEVER;
}

/* A page that waits for its frame: nothing can be seen of it but its rights */
static void demand_begins(__vaddr_t va, unsigned long attr)
{
	__u64 bits = X86_PTE_DEMAND;

	bits |= attr & 7 ? X86_PTE_ACCESSED : 0;
	bits |= rights(attr);
	assert_int_equal(pt_entry(va), bits);
}

int pt_map(__vaddr_t va, unsigned long pages, unsigned long attr,
	   unsigned long flags)
{
	unsigned long i;
	int rc;

	machine.just_flushed = 0;
	rc = ukplat_page_map(machine.pt, va, __PADDR_ANY, pages, attr, flags);
	assert_int_equal(machine.pt->lock.locked, 0);
	if (rc)
		return rc;
	for (i = 0; i < pages; i++) {
		if (flags & PAGE_FLAG_DEMAND &&
		    (i || !(flags & PAGE_FLAG_TOUCH) || ram.only_promises))
			demand_begins(va + i * PAGE_SIZE, attr);
		else
			page_begins(va + i * PAGE_SIZE, attr);
		assert_true(flags & PAGE_FLAG_LARGE ||
			    !pt_is_large(va + i * PAGE_SIZE));
	}
	return 0;
}

unsigned long pt_touch(__vaddr_t va, unsigned long error_code)
{
	__vaddr_t page = va & PAGE_MASK;
	unsigned long cnt = 0;
	__u64 before[PT_TOUCH_MAX], now;
	int rc;

	for (cnt = 0; cnt < PT_TOUCH_MAX; cnt++)
		before[cnt] = pt_entry(page + cnt * PAGE_SIZE);
	machine.just_flushed = 0;
	rc = ukplat_page_fill(machine.pt, va, error_code);
	assert_int_equal(machine.pt->lock.locked, 0);
	for (cnt = 0; cnt < PT_TOUCH_MAX; cnt++) {
		now = pt_entry(page + cnt * PAGE_SIZE);
		if (now == before[cnt])
			break;
		assert_int_equal(before[cnt], before[0]);
		page_begins(page + cnt * PAGE_SIZE, pt_attr_of(before[cnt]));
	}
	assert_int_equal(rc, cnt != 0);
	return cnt;
}

/* The pages with frames of the range that is being unmapped */
static struct {
	__vaddr_t va;
	__paddr_t frame;
} leaving[RAM_FRAMES];
static unsigned long leaving_cnt;

static void leaving_find(__vaddr_t va, unsigned long pages)
{
	leaving_cnt = 0;
	for (; pages--; va += PAGE_SIZE) {
		if (!(pt_entry(va) & X86_PTE_OWNED))
			continue;
		leaving[leaving_cnt].va = va;
		leaving[leaving_cnt++].frame = pt_frame(va);
	}
}

unsigned long pt_cut_forget(const struct ukplat_tlbq_range *range)
{
	unsigned long i, cnt = 0;

	for (i = 0; i < leaving_cnt; i++) {
		if (leaving[i].va - range->vaddr >= range->pages * PAGE_SIZE ||
		    pt_entry(leaving[i].va))
			continue;
		ram_frame(leaving[i].frame)->need = 0;
		cnt++;
	}
	return cnt;
}

/* Frames that the caller keeps: all CPUs have forgotten the pages if it did
 * not want to see to that itself
 */
static void leaving_check(unsigned long flags)
{
	struct ram_frame *f;
	unsigned long i;

	for (i = 0; i < leaving_cnt; i++) {
		assert_false(pt_entry(leaving[i].va) & X86_PTE_OWNED);
		f = ram_frame(leaving[i].frame);
		if (flags & PAGE_FLAG_KEEP_FRAMES) {
			assert_true(f->used);
			f->need = 0;
		} else if (!(flags & PAGE_FLAG_LAZY)) {
			assert_false(f->used);
		}
	}
	leaving_cnt = 0;
}

int pt_unmap(__vaddr_t va, unsigned long pages, unsigned long flags)
{
	unsigned long shootdowns = machine.shootdowns;
	int rc;

	machine.just_flushed = 0;
	machine.cut.pages = 0;
	machine.unmapping = pages;
	leaving_find(va, pages);
	rc = ukplat_page_unmap(machine.pt, va, pages, flags);
	assert_int_equal(machine.pt->lock.locked, 0);
	if (rc)
		return rc;
	if (!(flags & (PAGE_FLAG_LAZY | PAGE_FLAG_NO_FLUSH)) && leaving_cnt) {
		assert_true(machine.shootdowns > shootdowns);
		assert_int_equal(machine.shot.vaddr, va);
		assert_int_equal(machine.shot.pages, pages);
	}
	leaving_check(flags);
	return 0;
}

static __paddr_t held[RAM_FRAMES];
static unsigned long held_cnt;

void pt_pool_limit(unsigned long left)
{
	assert_int_equal(held_cnt, 0);
	while (pt_pool_free() > left)
		held[held_cnt++] = pt_pool_take(__PADDR_MAX);
	ram.runs_left = 0;
}

void pt_pool_unlimit(void)
{
	while (held_cnt)
		pt_pool_put(held[--held_cnt]);
	ram.runs_left = RAM_NEVER;
}
