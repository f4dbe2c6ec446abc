/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vma_replace.c
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

#include "vma_pool.h"
#include "vma_tree.h"

#define FRAMES 256UL
#define RW     PAGE_ATTR_PROT_RW
#define RO     PAGE_ATTR_PROT_READ

#include "fixture_vas.h"

static int map(__sz first, __sz pages, unsigned long attr, unsigned long flags)
{
	__vaddr_t vaddr = page(first);
	int rc = uk_vma_map_anon(&vas, &vaddr, pages * PAGE_SIZE, attr, flags,
				 NULL);

	assert_int_equal(vaddr, page(first));
	assert_true(vma_tree_is_valid(vas.root));
	assert_true(vma_pool_is_valid(&vas.pool));
	assert_int_equal(vas.pool.total - vas.pool.free, vas.vma_count);
	return rc;
}

static void replaces_parts_holes_and_whole_areas(void **state)
{
	const struct uk_vma *vma;

	(void)state;
	assert_int_equal(map(0, 4, RW, UK_VMA_MAP_POPULATE), 0);
	assert_int_equal(map(5, 1, RW, UK_VMA_MAP_POPULATE), 0);
	assert_int_equal(map(6, 4, RW, UK_VMA_MAP_POPULATE), 0);
	*(__u8 *)fake_paddr(page(2)) = 7;
	assert_int_equal(map(2, 6, RO, UK_VMA_MAP_REPLACE), 0);
	assert_int_equal(vas.vma_count, 3);
	vma = uk_vma_find(&vas, page(4));
	assert_int_equal(vma->start, page(2));
	assert_int_equal(vma->end, page(8));
	assert_int_equal(vma->attr, RO);
	assert_false(vma->busy);
	assert_int_equal(fake_mapped(), 4);
	assert_int_equal(fake_attr(page(1)), RW);
	assert_int_equal(fake_attr(page(8)), RW);
	assert_int_equal(vas.mapped_len, 10 * PAGE_SIZE);

	assert_int_equal(
		map(0, 10, RO, UK_VMA_MAP_REPLACE | UK_VMA_MAP_POPULATE), 0);
	assert_int_equal(vas.vma_count, 1);
	assert_int_equal(fake_mapped(), 10);
	assert_int_equal(*(__u8 *)fake_paddr(page(2)), 0);
}

/* As mapping does */
static void replacing_leaves_the_reserve(void **state)
{
	__sz i;

	(void)state;
	assert_int_equal(map(0, 200, RW, 0), 0);
	for (i = 0; i < 100; i++) {
		assert_int_equal(map(2 * i, 1, RO, UK_VMA_MAP_REPLACE), 0);
		assert_true(vas.pool.free >= VMA_POOL_RESERVE);
	}
	assert_int_equal(vas.vma_count, 200);
}

static void replaces_nothing(void **state)
{
	__vaddr_t vaddr = __VADDR_ANY;

	(void)state;
	assert_int_equal(map(0, 4, RW, UK_VMA_MAP_REPLACE), 0);
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, PAGE_SIZE, RW,
					 UK_VMA_MAP_REPLACE, NULL),
			 0);
	assert_int_equal(vas.vma_count, 2);
}

static void reservation_takes_the_place(void **state)
{
	__vaddr_t vaddr = page(1);

	(void)state;
	assert_int_equal(map(0, 4, RW, UK_VMA_MAP_POPULATE), 0);
	assert_int_equal(uk_vma_reserve_ex(&vas, &vaddr, 2 * PAGE_SIZE,
					   PAGE_ATTR_PROT_NONE,
					   UK_VMA_MAP_REPLACE, "r"),
			 0);
	assert_int_equal(fake_mapped(), 2);
	assert_int_equal(
		map(1, 1, RW, UK_VMA_MAP_REPLACE | UK_VMA_MAP_POPULATE), 0);
	assert_int_equal(fake_mapped(), 3);
	assert_int_equal(vas.vma_count, 4);
}

static void stacks_are_replaced_as_a_whole_or_not(void **state)
{
	__vaddr_t vaddr = page(32);
	__sz guard = UK_VMA_STACK_BOTTOM_GUARD_SIZE / PAGE_SIZE;

	(void)state;
	assert_int_equal(map(0, 4, RW, UK_VMA_MAP_POPULATE), 0);
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, 4 * PAGE_SIZE, 0, NULL,
					  4 * PAGE_SIZE),
			 0);
	assert_int_equal(map(2, 32, RW, UK_VMA_MAP_REPLACE), -EPERM);
	assert_int_equal(fake_mapped(), 8);
	assert_int_equal(vas.vma_count, 2);
	assert_int_equal(
		map(32 - guard, guard + 4 + 32, RW, UK_VMA_MAP_REPLACE), 0);
	assert_int_equal(fake_mapped(), 4);
}

static int hook_rc[3];

/* While old pages go, others find the new area: busy, and no place free */
static void meddle(void)
{
	__vaddr_t vaddr = page(4);

	fake_cpu = 2;
	hook_rc[0] = uk_vma_reserve(&vas, &vaddr, PAGE_SIZE);
	hook_rc[1] = uk_vma_unmap(&vas, page(0), PAGE_SIZE, 0);
	hook_rc[2] = fake_pagefault(page(1), 0, NULL);
	fake_cpu = 1;
}

static void addresses_are_never_free(void **state)
{
	(void)state;
	assert_int_equal(map(0, 4, RW, UK_VMA_MAP_POPULATE), 0);
	assert_int_equal(map(5, 1, RW, UK_VMA_MAP_POPULATE), 0);
	fake.hook = meddle;
	assert_int_equal(map(0, 8, RO, UK_VMA_MAP_REPLACE), 0);
	assert_int_equal(hook_rc[0], -EEXIST);
	assert_int_equal(hook_rc[1], -EBUSY);
	assert_int_equal(hook_rc[2], 0);
	assert_int_equal(fake_mapped(), 0);
}

static void kind_that_fails_keeps_its_area(void **state)
{
	__vaddr_t vaddr = page(2);

	(void)state;
	assert_int_equal(map(0, 2, RW, UK_VMA_MAP_POPULATE), 0);
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, PAGE_SIZE), 0);
	assert_int_equal(map(3, 3, RW, UK_VMA_MAP_POPULATE), 0);
	fake.fail_unmap_after = 2;
	assert_int_equal(map(1, 4, RO, UK_VMA_MAP_REPLACE), -EINVAL);

	/* The part of the first area and the reservation are gone, the last
	 * area is whole
	 */
	assert_int_equal(vas.vma_count, 2);
	assert_int_equal(vas.mapped_len, 4 * PAGE_SIZE);
	assert_int_equal(fake_mapped(), 4);
	assert_null(uk_vma_find(&vas, page(2)));
	assert_int_equal(uk_vma_len(uk_vma_find(&vas, page(3))), 3 * PAGE_SIZE);
	assert_false(uk_vma_find(&vas, page(3))->busy);
}

static void populating_without_memory_leaves_a_hole(void **state)
{
	(void)state;
	assert_int_equal(map(0, 8, RW, UK_VMA_MAP_POPULATE), 0);
	fake.fail_after = 0;
	assert_int_equal(map(2, 4, RO,
			     UK_VMA_MAP_REPLACE | UK_VMA_MAP_POPULATE),
			 -ENOMEM);
	assert_int_equal(fake_mapped(), 4);
	assert_int_equal(vas.vma_count, 2);
	assert_null(uk_vma_find(&vas, page(2)));
	assert_null(uk_vma_find(&vas, page(5)));
}

#define REPLACE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REPLACE_TEST(replaces_parts_holes_and_whole_areas),
		REPLACE_TEST(replacing_leaves_the_reserve),
		REPLACE_TEST(replaces_nothing),
		REPLACE_TEST(reservation_takes_the_place),
		REPLACE_TEST(stacks_are_replaced_as_a_whole_or_not),
		REPLACE_TEST(addresses_are_never_free),
		REPLACE_TEST(kind_that_fails_keeps_its_area),
		REPLACE_TEST(populating_without_memory_leaves_a_hole),
	};

	return cmocka_run_group_tests_name("vma_replace", tests, NULL, NULL);
}
