/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Demand paging on real page tables: all CPUs at once, what they see, and what
 * a fault costs
 */

#include <errno.h>
#include <string.h>

#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/falloc.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/paging.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "arena.h"
#include "test.h"

#define RW PAGE_ATTR_PROT_RW
#define RO PAGE_ATTR_PROT_READ

#define PAGES  256UL
#define ROUNDS 8U

/* Odd: each CPU goes its own way through the pages, a power of two of them */
static const unsigned long strides[] = { 1, 255, 3, 101, 77, 129, 85, 51 };

/* The area that all CPUs look at */
static volatile __u8 *area;
static unsigned int bad;

/* Maps an area at *vaddr, and makes it the one that all look at */
static int area_map(__vaddr_t *vaddr, unsigned long attr, unsigned long flags)
{
	int rc = uk_vma_map_anon(uk_vas_get_active(), vaddr, PAGES * PAGE_SIZE,
				 attr, flags, "vmem test");

	area = (volatile __u8 *)*vaddr;
	bad = 0;
	return rc;
}

static int area_unmap(void)
{
	return uk_vma_unmap(uk_vas_get_active(), (__vaddr_t)area,
			    PAGES * PAGE_SIZE, 0);
}

static void note_bad(__bool is_bad)
{
	if (is_bad)
		__atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
}

/* Nobody else has written to this CPU's words yet. A word is lost if two CPUs
 * get frames of their own for one page.
 */
static void touch_all(void *arg __unused)
{
	unsigned int self = ukplat_lcpu_idx();
	unsigned long stride = strides[self % ARRAY_SIZE(strides)], i;

	for (i = 0; i < PAGES; i++) {
		unsigned long page = (i * stride + self * 31UL) % PAGES;
		volatile __u32 *words =
			(volatile __u32 *)(area + page * PAGE_SIZE);

		note_bad(words[self] != 0);
		words[self] = self + 1;
	}
}

static enum test_result every_cpu_touches_every_page(void)
{
	unsigned int cpus = ukplat_lcpu_count(), round, cpu;
	__vaddr_t vaddr = __VADDR_ANY;
	volatile __u32 *words;
	__sz before = 0;
	unsigned long i;

	/* The first round leaves tables of the address behind */
	for (round = 0; round < ROUNDS; round++) {
		if (round == 1)
			before = frames_free();
		EXPECT(!area_map(&vaddr, RW, 0));
		EXPECT(on_all_cpus(touch_all, __NULL) == cpus);
		EXPECT(bad == 0);
		for (i = 0; i < PAGES; i++) {
			words = (volatile __u32 *)(area + i * PAGE_SIZE);
			for (cpu = 0; cpu < cpus; cpu++)
				EXPECT(words[cpu] == cpu + 1);
		}
		EXPECT(!area_unmap());
	}
	EXPECT(frames_free() == before);
	return TEST_PASS;
}

static void probe_faults(void *arg __unused)
{
	unsigned long i;
	__u8 byte;

	for (i = 0; i < PAGES; i++)
		note_bad(ukplat_probe_read((__vaddr_t)area + i * PAGE_SIZE,
					   &byte) != -EFAULT);
}

static void probe_is_read_only(void *arg __unused)
{
	unsigned long i;
	__u8 byte;

	for (i = 0; i < PAGES; i++) {
		__vaddr_t page = (__vaddr_t)area + i * PAGE_SIZE;

		note_bad(ukplat_probe_read(page, &byte) != 0 ||
			 byte != (i % 2 ? 0 : 7));
		note_bad(ukplat_probe_write(page, 1) != -EFAULT);
	}
}

static enum test_result attributes_hold_for_pages_that_come_later(void)
{
	unsigned int cpus = ukplat_lcpu_count();
	struct uk_vas *vas = uk_vas_get_active();
	__vaddr_t vaddr = __VADDR_ANY;
	unsigned long i;

	EXPECT(!area_map(&vaddr, RW, 0));
	for (i = 0; i < PAGES; i += 2)
		area[i * PAGE_SIZE] = 7;
	EXPECT(!uk_vma_set_attr(vas, vaddr, PAGES * PAGE_SIZE,
				PAGE_ATTR_PROT_NONE, 0));
	EXPECT(on_all_cpus(probe_faults, __NULL) == cpus);
	EXPECT(bad == 0);
	EXPECT(!uk_vma_set_attr(vas, vaddr, PAGES * PAGE_SIZE, RO, 0));
	EXPECT(on_all_cpus(probe_is_read_only, __NULL) == cpus);
	EXPECT(bad == 0);
	EXPECT(!area_unmap());
	EXPECT(on_all_cpus(probe_faults, __NULL) == cpus);
	EXPECT(bad == 0);
	return TEST_PASS;
}

static void look_for_zeros(void *arg __unused)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		note_bad(area[i * PAGE_SIZE + 5] != 0);
}

static void look_for_marks(void *arg __unused)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		note_bad(area[i * PAGE_SIZE + 5] != 1);
}

static void mark_all(void)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		area[i * PAGE_SIZE + 5] = 1;
}

static enum test_result forgotten_pages_are_zero_on_every_cpu(void)
{
	unsigned int cpus = ukplat_lcpu_count(), round;
	struct uk_vas *vas = uk_vas_get_active();
	__vaddr_t vaddr = __VADDR_ANY;

	EXPECT(!area_map(&vaddr, RW, 0));
	for (round = 0; round < ROUNDS; round++) {
		mark_all();
		EXPECT(on_all_cpus(look_for_marks, __NULL) == cpus);
		EXPECT(bad == 0);
		/* In turns: forgotten, and replaced by a new area */
		if (round % 2)
			EXPECT(!uk_vma_advise(vas, vaddr, PAGES * PAGE_SIZE,
					      UK_VMA_ADV_DONTNEED, 0));
		else
			EXPECT(!area_map(&vaddr, RW, UK_VMA_MAP_REPLACE));
		EXPECT(on_all_cpus(look_for_zeros, __NULL) == cpus);
		EXPECT(bad == 0);
	}
	EXPECT(!area_unmap());
	return TEST_PASS;
}

static enum test_result needed_pages_do_not_fault(void)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	__vaddr_t vaddr = __VADDR_ANY, page;

	EXPECT(!area_map(&vaddr, RW, 0));
	EXPECT(ukplat_page_translate(pt, vaddr) == __PADDR_INV);
	EXPECT(!uk_vma_advise(uk_vas_get_active(), vaddr, PAGES * PAGE_SIZE,
			      UK_VMA_ADV_WILLNEED, 0));
	for (page = vaddr; page < vaddr + PAGES * PAGE_SIZE; page += PAGE_SIZE)
		EXPECT(ukplat_page_translate(pt, page) != __PADDR_INV);
	EXPECT(!area_unmap());
	return TEST_PASS;
}

#define FILE_LEN (PAGES * PAGE_SIZE / 2 + 1234)

static __u8 file_byte(__sz off)
{
	return (__u8)(off / PAGE_SIZE * 7 + off % 251 + 1);
}

static __ssz file_read(void *arg __unused, __off off, void *page, __sz len)
{
	__u8 *bytes = page;
	__sz i;

	for (i = 0; i < len && (__sz)off + i < FILE_LEN; i++)
		bytes[i] = file_byte((__sz)off + i);
	return (__ssz)i;
}

static void compare_file(void *arg __unused)
{
	unsigned int self = ukplat_lcpu_idx();
	unsigned long stride = strides[self % ARRAY_SIZE(strides)], i;

	for (i = 0; i < PAGES; i++) {
		__sz off = (i * stride + self) % PAGES * PAGE_SIZE;
		__sz end = off + PAGE_SIZE;

		for (; off < end; off += 61)
			note_bad(area[off] !=
				 (off < FILE_LEN ? file_byte(off) : 0));
	}
}

static enum test_result files_are_read_when_touched(void)
{
	static const struct uk_vma_file_args args = { .read = file_read };
	unsigned int cpus = ukplat_lcpu_count();
	__vaddr_t vaddr = __VADDR_ANY;

	EXPECT(!uk_vma_map_file(uk_vas_get_active(), &vaddr, PAGES * PAGE_SIZE,
				RO, 0, "file", &args));
	area = (volatile __u8 *)vaddr;
	bad = 0;
	EXPECT(on_all_cpus(compare_file, __NULL) == cpus);
	EXPECT(bad == 0);
	EXPECT(!area_unmap());
	return TEST_PASS;
}

static enum test_result physical_memory_is_shown(void)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	__paddr_t frame = uk_falloc(pt->fa, 1);
	__vaddr_t first = __VADDR_ANY, second = __VADDR_ANY;
	struct uk_vas *vas = uk_vas_get_active();

	EXPECT(frame != __PADDR_INV);
	EXPECT(!uk_vma_map_dma(vas, &first, PAGE_SIZE, RW, 0, "dma", frame));
	EXPECT(!uk_vma_map_dma(vas, &second, PAGE_SIZE, RO, UK_VMA_MAP_POPULATE,
			       "dma", frame));
	*(volatile __u8 *)first = 42;
	EXPECT(*(volatile __u8 *)second == 42);
	EXPECT(ukplat_probe_write(second, 1) == -EFAULT);
	EXPECT(ukplat_page_translate(pt, first) == frame);
	EXPECT(!uk_vma_unmap(vas, first, PAGE_SIZE, 0));
	EXPECT(!uk_vma_unmap(vas, second, PAGE_SIZE, 0));
	uk_ffree(pt->fa, frame, 1);
	return TEST_PASS;
}

#define LARGE_BLOCKS 3UL

static __vaddr_t large_area;

/* Every CPU begins somewhere else */
static void touch_blocks(void *arg __unused)
{
	unsigned int self = ukplat_lcpu_idx();
	unsigned long i;

	for (i = 0; i < LARGE_BLOCKS; i++) {
		__vaddr_t va = large_area +
			       (i + self) % LARGE_BLOCKS * PAGE_LARGE_SIZE +
			       (self * 17 % 512) * PAGE_SIZE;

		note_bad(*(volatile __u8 *)va != 0);
	}
}

/* Large pages come by faults of all CPUs at once, and go in part */
static enum test_result large_pages_come_by_fault(void)
{
	struct uk_vas *vas = uk_vas_get_active();
	const __sz len = LARGE_BLOCKS * PAGE_LARGE_SIZE;
	struct uk_pagetable *pt = vas->pt;
	__vaddr_t part;
	__sz before;

	large_area = __VADDR_ANY;
	EXPECT(!uk_vma_map_anon(vas, &large_area, len, RW, UK_VMA_MAP_SIZE_2MB,
				"large"));
	EXPECT(!(large_area & (PAGE_LARGE_SIZE - 1)));
	EXPECT(!uk_vma_unmap(vas, large_area, len, 0));
	before = frames_free();
	large_area = __VADDR_ANY;
	EXPECT(!uk_vma_map_anon(vas, &large_area, len, RW, UK_VMA_MAP_SIZE_2MB,
				"large"));
	bad = 0;
	EXPECT(on_all_cpus(touch_blocks, __NULL) == ukplat_lcpu_count());
	EXPECT(bad == 0);
	/* One translation for a block: no entries of pages */
	EXPECT(!ukplat_pt_entry(pt, large_area));
	EXPECT(ukplat_page_translate(pt, large_area + PAGE_LARGE_SIZE - 1) ==
	       ukplat_page_translate(pt, large_area) + PAGE_LARGE_SIZE - 1);

	memset((void *)large_area, 7, len);
	part = large_area + PAGE_LARGE_SIZE + 3 * PAGE_SIZE;
	EXPECT(!uk_vma_set_attr(vas, part, PAGE_SIZE, RO, 0));
	EXPECT(ukplat_probe_write(part, 1) == -EFAULT);
	EXPECT(!ukplat_probe_write(part + PAGE_SIZE, 7));
	EXPECT(!uk_vma_advise(vas, part + PAGE_SIZE, PAGE_SIZE,
			      UK_VMA_ADV_DONTNEED, 0));
	EXPECT(*(volatile __u8 *)(part + PAGE_SIZE) == 0);
	EXPECT(*(volatile __u8 *)part == 7);
	EXPECT(*(volatile __u8 *)(part + 2 * PAGE_SIZE) == 7);
	EXPECT(!uk_vma_unmap(vas, large_area, len, 0));
	EXPECT(frames_free() == before);
	return TEST_PASS;
}

#define LIVES 40U

/* Set while the area is changed */
static unsigned int living;

/* The others may write to the area, and some do. Who writes to what is unmapped
 * is found out: they may not when the area is replaced or removed.
 */
static unsigned int may_write, writers;

static void write_once(__vaddr_t at)
{
	/* Seq_cst: either this sees that writing is over, or writers_let()
	 * sees the writer
	 */
	__atomic_add_fetch(&writers, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&may_write, __ATOMIC_SEQ_CST))
		(void)ukplat_probe_write(at, 1);
	__atomic_sub_fetch(&writers, 1, __ATOMIC_SEQ_CST);
}

static void writers_let(unsigned int may)
{
	__atomic_store_n(&may_write, may, __ATOMIC_SEQ_CST);
	while (!may && __atomic_load_n(&writers, __ATOMIC_SEQ_CST)) {
		ukplat_tlb_poll();
		ukarch_spinwait();
	}
}

/* An area that is made, changed in part, forgotten, replaced and removed;
 * its pages come by the faults of the others, too
 */
static int live_once(__vaddr_t vaddr, unsigned int life)
{
	struct uk_vas *vas = uk_vas_get_active();
	__sz off = life % (PAGES / 2) * PAGE_SIZE;
	const __sz len = PAGES / 2 * PAGE_SIZE;
	unsigned long i;

	if (uk_vma_map_anon(vas, &vaddr, PAGES * PAGE_SIZE, RW, 0, "life"))
		return -1;
	mark_all();
	writers_let(1);
	if (uk_vma_set_attr(vas, vaddr + off, len, RO, 0) ||
	    ukplat_probe_write(vaddr + off, 1) != -EFAULT ||
	    uk_vma_advise(vas, vaddr + off, len, UK_VMA_ADV_DONTNEED, 0))
		return -1;
	for (i = 0; i < PAGES / 2; i++)
		if (area[off + i * PAGE_SIZE + 5])
			return -1;
	if (uk_vma_set_attr(vas, vaddr, PAGES * PAGE_SIZE, RW, 0))
		return -1;
	writers_let(0);
	mark_all();
	vaddr += off;
	if (uk_vma_map_anon(vas, &vaddr, len, RW, UK_VMA_MAP_REPLACE, "life") ||
	    area[off + 5])
		return -1;
	return area_unmap();
}

static void live_or_touch(void *arg __unused)
{
	unsigned int self = ukplat_lcpu_idx(), i = 0;
	unsigned long irqf;
	__vaddr_t page;
	__u8 byte;

	if (!self) {
		for (i = 0; i < LIVES; i++)
			note_bad(live_once((__vaddr_t)area, i) != 0);
		__atomic_store_n(&living, 0, __ATOMIC_RELAXED);
	}
	/* What they get depends on the moment, but no fault may be fatal. With
	 * interrupts disabled the CPU has to acknowledge while it waits.
	 */
	while (__atomic_load_n(&living, __ATOMIC_RELAXED)) {
		page = (__vaddr_t)area + (i += 37 + self) % PAGES * PAGE_SIZE;
		irqf = ukplat_lcpu_save_irqf();
		(void)ukplat_probe_read(page, &byte);
		ukplat_lcpu_restore_irqf(irqf);
		write_once(page + 64 + self);
		ukarch_spinwait();
	}
}

static enum test_result areas_change_while_others_touch_them(void)
{
	unsigned int cpus = ukplat_lcpu_count(), round;
	__vaddr_t vaddr = __VADDR_ANY;
	__sz before = 0;

	/* The first round leaves tables of the address behind */
	EXPECT(!area_map(&vaddr, RW, UK_VMA_MAP_POPULATE));
	EXPECT(!area_unmap());
	for (round = 0; round < 2; round++) {
		before = round ? frames_free() : 0;
		living = 1;
		EXPECT(on_all_cpus(live_or_touch, __NULL) == cpus);
		EXPECT(bad == 0);
	}
	EXPECT(frames_free() == before);
	return TEST_PASS;
}

/* Each page once, by the CPU that touches it */
static enum test_result page_faults_are_counted(void)
{
	struct ukplat_lcpu_stats before, after;
	__vaddr_t vaddr = __VADDR_ANY;
	unsigned int i, times;

	EXPECT(!area_map(&vaddr, RW, 0));
	ukplat_lcpu_stats_get(ukplat_lcpu_idx(), &before);
	for (times = 0; times < 2; times++)
		for (i = 0; i < PAGES; i++)
			area[i * PAGE_SIZE] = 1;
	ukplat_lcpu_stats_get(ukplat_lcpu_idx(), &after);
	EXPECT(after.page_faults == before.page_faults + PAGES);
	EXPECT(!area_unmap());
	return TEST_PASS;
}

const struct test_case vmem_cases[] = {
	{ "page_faults_are_counted", page_faults_are_counted },
	{ "large_pages_come_by_fault", large_pages_come_by_fault },
	{ "every_cpu_touches_every_page", every_cpu_touches_every_page },
	{ "attributes_hold_for_pages_that_come_later",
	  attributes_hold_for_pages_that_come_later },
	{ "forgotten_pages_are_zero_on_every_cpu",
	  forgotten_pages_are_zero_on_every_cpu },
	{ "needed_pages_do_not_fault", needed_pages_do_not_fault },
	{ "files_are_read_when_touched", files_are_read_when_touched },
	{ "areas_change_while_others_touch_them",
	  areas_change_while_others_touch_them },
	{ "physical_memory_is_shown", physical_memory_is_shown },
	{ __NULL, __NULL },
};
