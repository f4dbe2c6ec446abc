/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The address space: what may be written is not executed, nothing leads to
 * the heap from a fixed address, guard pages fault
 */

#include <errno.h>
#include <stdlib.h>

#include <uk/config.h>
#include <uk/alloc.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>

#include "test.h"

#define ATTR_WX (PAGE_ATTR_PROT_WRITE | PAGE_ATTR_PROT_EXEC)

/* Pages of code that the scan can remember */
#define CODE_MAX 64U

static struct scan {
	/* Physical ranges of executable pages */
	__paddr_t start[CODE_MAX], end[CODE_MAX];
	unsigned int cnt;
	unsigned int pass;
	/* Findings */
	unsigned long pages, wx, identity, writable_code, lost;
	/* Mappings of one frame */
	__paddr_t frame;
	unsigned long frame_maps;
} scan;

static void note_code(__paddr_t pa, __sz len)
{
	if (scan.cnt && scan.end[scan.cnt - 1] == pa) {
		scan.end[scan.cnt - 1] += len;
	} else if (scan.cnt < CODE_MAX) {
		scan.start[scan.cnt] = pa;
		scan.end[scan.cnt++] = pa + len;
	} else {
		scan.lost++;
	}
}

static int overlaps_code(__paddr_t pa, __sz len)
{
	unsigned int i;

	for (i = 0; i < scan.cnt; i++)
		if (pa < scan.end[i] && scan.start[i] < pa + len)
			return 1;

	return 0;
}

static int see_page(void *arg __unused, __vaddr_t va, __paddr_t pa, __sz len,
		    unsigned long attr)
{
	scan.pages++;
	scan.wx += (attr & ATTR_WX) == ATTR_WX;
	scan.identity += va == pa;
	scan.frame_maps += scan.frame - pa < len;
	if (scan.pass == 0 && attr & PAGE_ATTR_PROT_EXEC)
		note_code(pa, len);
	if (scan.pass == 1 && attr & PAGE_ATTR_PROT_WRITE)
		scan.writable_code += (unsigned long)overlaps_code(pa, len);
	return 0;
}

/* Two passes: code first, then writable mappings of the same frames */
static void scan_all(__paddr_t frame)
{
	scan = (struct scan){ .frame = frame };
	ukplat_pt_scan(see_page, __NULL);
	scan.pages = scan.wx = scan.identity = scan.frame_maps = 0;
	scan.pass = 1;
	ukplat_pt_scan(see_page, __NULL);
}

static enum test_result no_page_is_writable_and_executable(void)
{
	scan_all(__PADDR_INV);
	EXPECT(scan.pages > 0);
	EXPECT(scan.cnt > 0);
	EXPECT(scan.lost == 0);
	EXPECT(scan.wx == 0);
	return TEST_PASS;
}

static enum test_result code_has_no_writable_alias(void)
{
	scan_all(__PADDR_INV);
	EXPECT(scan.cnt > 0);
	EXPECT(scan.writable_code == 0);
	return TEST_PASS;
}

static enum test_result nothing_is_mapped_at_its_physical_address(void)
{
	scan_all(__PADDR_INV);
	EXPECT(scan.identity == 0);
	return TEST_PASS;
}

static enum test_result heap_frames_are_mapped_once_and_directly(void)
{
	void *ptr = malloc(100000);
	__paddr_t frame;

	EXPECT(ptr);
	frame = ukplat_page_translate(ukplat_pt_get_active(), (__vaddr_t)ptr);
	EXPECT(frame != __PADDR_INV);

	/* The object itself and the direct map, nothing else */
	scan_all(frame);
	EXPECT(scan.frame_maps >= 1 && scan.frame_maps <= 2);
	free(ptr);
	return TEST_PASS;
}

static enum test_result code_cannot_be_written(void)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	__vaddr_t code = (__vaddr_t)see_page;
	__u8 byte;

	EXPECT(ukplat_page_translate(pt, code) != __PADDR_INV);
	EXPECT(ukplat_probe_read(code, &byte) == 0);
	EXPECT(ukplat_probe_write(code, byte) == -EFAULT);
	return TEST_PASS;
}

/* The table behind an entry is nowhere but where the entry is */
static int table_has_no_alias(__vaddr_t va)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	__u64 *entry = ukplat_pt_entry(pt, va);
	__vaddr_t alias;
	__paddr_t table;
	__u8 byte;

	if (!entry)
		return 0;
	table = ukplat_page_translate(pt, (__vaddr_t)entry);
	alias = (__vaddr_t)ukplat_paddr_to_ptr(table);
	scan_all(table);
	return alias != (__vaddr_t)entry && scan.frame_maps == 1 &&
	       ukplat_probe_read(alias, &byte) == -EFAULT;
}

static enum test_result page_tables_are_not_in_the_direct_map(void)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	char *ptr = malloc(100000);
	__u8 byte;

	EXPECT(ptr);
	/* Without a frame there is no entry to look at */
	*ptr = 1;
	EXPECT(table_has_no_alias((__vaddr_t)ptr));
	EXPECT(table_has_no_alias((__vaddr_t)see_page));
	EXPECT(table_has_no_alias((__vaddr_t)&scan));
	byte = 0;
	EXPECT(ukplat_probe_write((__vaddr_t)ukplat_paddr_to_ptr(pt->pt_pbase),
				  byte) == -EFAULT);
	scan_all(pt->pt_pbase);
	EXPECT(scan.frame_maps == 1);
	free(ptr);
	return TEST_PASS;
}

static enum test_result null_is_not_mapped(void)
{
	__u8 byte;

	EXPECT(ukplat_probe_read(0, &byte) == -EFAULT);
	EXPECT(ukplat_probe_read(PAGE_SIZE - 1, &byte) == -EFAULT);
	return TEST_PASS;
}

#ifdef CONFIG_LIBUKALLOCRND
/* A fault within so many pages behind the last byte: canary, then guard */
#define GUARD_PAGES 2UL

static enum test_result large_objects_lie_between_guard_pages(void)
{
	static const __sz sizes[] = { 200000, 1UL << 20, (1UL << 20) + 1 };
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (round = 0; round < 8; round++) {
			__u8 *ptr = malloc(sizes[i]), byte;
			__vaddr_t page, last;
			int rc = 0;

			EXPECT(ptr);
			page = ALIGN_DOWN((__vaddr_t)ptr, PAGE_SIZE);
			EXPECT(ukplat_probe_read(page, &byte) == 0);
			EXPECT(ukplat_probe_read(page - 1, &byte) == -EFAULT);
			last = (__vaddr_t)ptr + sizes[i] - 1;
			EXPECT(ukplat_probe_read(last, &byte) == 0);
			for (page = 1; page <= GUARD_PAGES && !rc; page++)
				rc = ukplat_probe_read(last + page * PAGE_SIZE,
						       &byte);
			EXPECT(rc == -EFAULT);
			free(ptr);
			EXPECT(IS_LARGE_KEPT ||
			       ukplat_probe_read((__vaddr_t)ptr, &byte) ==
				       -EFAULT);
		}
	}
	return TEST_PASS;
}
#else
static enum test_result large_objects_lie_between_guard_pages(void)
{
	SKIP("built without ukallocrnd");
}
#endif /* !CONFIG_LIBUKALLOCRND */

const struct test_case memory_cases[] = {
	{ "no_page_is_writable_and_executable",
	  no_page_is_writable_and_executable },
	{ "code_has_no_writable_alias", code_has_no_writable_alias },
	{ "nothing_is_mapped_at_its_physical_address",
	  nothing_is_mapped_at_its_physical_address },
	{ "heap_frames_are_mapped_once_and_directly",
	  heap_frames_are_mapped_once_and_directly },
	{ "code_cannot_be_written", code_cannot_be_written },
	{ "page_tables_are_not_in_the_direct_map",
	  page_tables_are_not_in_the_direct_map },
	{ "null_is_not_mapped", null_is_not_mapped },
	{ "large_objects_lie_between_guard_pages",
	  large_objects_lie_between_guard_pages },
	{ __NULL, __NULL },
};
