/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vma_dma.c
 *
 * links: lib/ukvmem/vas.c lib/ukvmem/vma_pool.c lib/ukvmem/vma_tree.c
 *        lib/ukvmem/vma_hole.c lib/ukvmem/vma_place.c lib/ukvmem/vma_split.c
 *        lib/ukvmem/vma_range.c lib/ukvmem/vma_page.c lib/ukvmem/vma_map.c
 *        lib/ukvmem/vma_replace.c lib/ukvmem/vma_unmap.c
 *        lib/ukvmem/vma_attr.c lib/ukvmem/vma_advise.c
 *        lib/ukvmem/vma_fault.c lib/ukvmem/pagefault.c
 *        lib/ukvmem/vma_rsvd.c lib/ukvmem/vma_anon.c
 *        lib/ukvmem/vma_stack.c lib/ukvmem/vma_dma.c lib/ukvmem/vma_file.c
 *        tests/unit/fake_paging.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/vma_types.h>
#include <uk/vmem.h>

#define FRAMES 64UL
#define RW     PAGE_ATTR_PROT_RW
#define PADDR  0xfee00000UL
#define PAGES  6UL

#include "fixture_vas.h"

static int map(__paddr_t paddr, unsigned long attr, unsigned long flags)
{
	__vaddr_t vaddr = base;

	return uk_vma_map_dma(&vas, &vaddr, PAGES * PAGE_SIZE, attr, flags,
			      "dma", paddr);
}

static void frames_stay_with_their_owner(void **state)
{
	__sz before = fake.frames_free;

	(void)state;
	assert_int_equal(map(PADDR, RW | PAGE_ATTR_DEVICE, UK_VMA_MAP_POPULATE),
			 0);
	assert_int_equal(fake_mapped(), PAGES);
	assert_int_equal(fake_paddr(base + PAGE_SIZE), PADDR + PAGE_SIZE);
	assert_int_equal(fake_attr(base), RW | PAGE_ATTR_DEVICE);
	assert_int_equal(uk_vma_unmap(&vas, base, PAGES * PAGE_SIZE, 0), 0);
	assert_int_equal(fake_mapped(), 0);
	assert_int_equal(fake.frames_free, before);
}

/* Also when the area was split: the frame follows from where it began */
static void touched_pages_show_their_frame(void **state)
{
	(void)state;
	assert_int_equal(map(PADDR, RW, 0), 0);
	assert_int_equal(uk_vma_unmap(&vas, base + 2 * PAGE_SIZE, PAGE_SIZE, 0),
			 0);
	assert_int_equal(uk_vma_unmap(&vas, base, PAGE_SIZE, 0), 0);
	assert_int_equal(fake_pagefault(base + PAGE_SIZE, 0, NULL), 0);
	assert_int_equal(fake_pagefault(base + 4 * PAGE_SIZE, 0, NULL), 0);
	assert_int_equal(fake_pagefault(base + 2 * PAGE_SIZE, 0, NULL),
			 -EFAULT);
	assert_int_equal(fake_paddr(base + PAGE_SIZE), PADDR + PAGE_SIZE);
	assert_int_equal(fake_paddr(base + 4 * PAGE_SIZE),
			 PADDR + 4 * PAGE_SIZE);
	assert_int_equal(uk_vma_set_attr(&vas, base + 3 * PAGE_SIZE,
					 3 * PAGE_SIZE, PAGE_ATTR_PROT_READ, 0),
			 0);
	assert_int_equal(fake_attr(base + 4 * PAGE_SIZE), PAGE_ATTR_PROT_READ);
}

static void advice_does_not_take_frames(void **state)
{
	(void)state;
	assert_int_equal(map(PADDR, RW, 0), 0);
	assert_int_equal(uk_vma_advise(&vas, base, 2 * PAGE_SIZE,
				       UK_VMA_ADV_WILLNEED, 0),
			 0);
	assert_int_equal(fake_mapped(), 2);
	assert_int_equal(uk_vma_advise(&vas, base, 2 * PAGE_SIZE,
				       UK_VMA_ADV_DONTNEED, 0),
			 0);
	assert_int_equal(fake_mapped(), 2);
}

static void bad_ranges_are_refused(void **state)
{
	(void)state;
	assert_int_equal(map(PADDR + 1, RW, 0), -EINVAL);
	assert_int_equal(map(__PADDR_ANY, RW, 0), -EINVAL);
	assert_int_equal(map(-PAGE_SIZE, RW, 0), -EINVAL);
	assert_int_equal(map(UK_VMA_DMA_PADDR_END, RW, 0), -EINVAL);
	assert_int_equal(map(UK_VMA_DMA_PADDR_END - (PAGES - 1) * PAGE_SIZE, RW,
			     0),
			 -EINVAL);
	assert_int_equal(map(PADDR, RW, UK_VMA_MAP_UNINITIALIZED), -EINVAL);
	assert_int_equal(vas.vma_count, 0);
	assert_int_equal(map(UK_VMA_DMA_PADDR_END - PAGES * PAGE_SIZE, RW, 0),
			 0);
}

#define DMA_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DMA_TEST(frames_stay_with_their_owner),
		DMA_TEST(touched_pages_show_their_frame),
		DMA_TEST(advice_does_not_take_frames),
		DMA_TEST(bad_ranges_are_refused),
	};

	return cmocka_run_group_tests_name("vma_dma", tests, NULL, NULL);
}
