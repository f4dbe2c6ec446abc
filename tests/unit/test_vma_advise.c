/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vma_advise.c
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
#include "vmem_priv.h"

#define FRAMES	 256UL
#define RW	 PAGE_ATTR_PROT_RW
#define RO	 PAGE_ATTR_PROT_READ
#define PAGES	 8UL
#define DONTNEED UK_VMA_ADV_DONTNEED
#define WILLNEED UK_VMA_ADV_WILLNEED

#include "fixture_vas.h"

static int map(__sz first, __sz pages, unsigned long flags)
{
	__vaddr_t vaddr = page(first);

	return uk_vma_map_anon(&vas, &vaddr, pages * PAGE_SIZE, RW, flags,
			       NULL);
}

static int advise(__sz first, __sz pages, unsigned long advice)
{
	int rc = uk_vma_advise(&vas, page(first), pages * PAGE_SIZE, advice, 0);

	assert_true(vma_tree_is_valid(vas.root));
	assert_true(vma_pool_is_valid(&vas.pool));
	return rc;
}

static void dontneed_forgets_contents(void **state)
{
	(void)state;
	assert_int_equal(map(0, PAGES, UK_VMA_MAP_POPULATE), 0);
	memset((void *)fake_paddr(page(2)), 7, PAGE_SIZE);
	memset((void *)fake_paddr(page(5)), 7, PAGE_SIZE);
	assert_int_equal(advise(2, 3, DONTNEED), 0);
	assert_int_equal(fake_mapped(), PAGES - 3);
	assert_int_equal(vas.vma_count, 1);
	assert_int_equal(fake_attr(page(2)), -1);
	assert_int_equal(fake_attr(page(4)), -1);
	assert_int_equal(*(__u8 *)fake_paddr(page(5)), 7);

	assert_int_equal(fake_pagefault(page(2), 0, NULL), 0);
	assert_int_equal(*(__u8 *)fake_paddr(page(2)), 0);
}

static void willneed_brings_what_is_missing(void **state)
{
	(void)state;
	assert_int_equal(map(0, PAGES, 0), 0);
	assert_int_equal(fake_pagefault(page(3), 0, NULL), 0);
	*(__u8 *)fake_paddr(page(3)) = 7;
	assert_int_equal(advise(1, 6, WILLNEED), 0);
	assert_int_equal(fake_mapped(), 6);
	assert_int_equal(*(__u8 *)fake_paddr(page(3)), 7);
	assert_int_equal(vas.vma_count, 1);
}

static void both_advices_renew_pages(void **state)
{
	(void)state;
	assert_int_equal(map(0, PAGES, UK_VMA_MAP_POPULATE), 0);
	*(__u8 *)fake_paddr(page(3)) = 7;
	assert_int_equal(advise(0, PAGES, DONTNEED | WILLNEED), 0);
	assert_int_equal(fake_mapped(), PAGES);
	assert_int_equal(*(__u8 *)fake_paddr(page(3)), 0);
}

static void pages_without_access_can_be_advised(void **state)
{
	__vaddr_t vaddr = base;

	(void)state;
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, 2 * PAGE_SIZE,
					 PAGE_ATTR_PROT_NONE, 0, NULL),
			 0);
	assert_int_equal(advise(0, 2, WILLNEED), 0);
	assert_int_equal(fake_mapped(), 2);
	assert_int_equal(advise(0, 2, WILLNEED), 0);
	assert_int_equal(fake_attr(page(1)), PAGE_ATTR_PROT_NONE);
	assert_int_equal(advise(0, 2, DONTNEED), 0);
	assert_int_equal(fake_mapped(), 0);
}

static void holes_and_reservations_are_skipped(void **state)
{
	__vaddr_t vaddr = page(4);

	(void)state;
	assert_int_equal(map(1, 2, 0), 0);
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, 2 * PAGE_SIZE), 0);
	assert_int_equal(
		ukplat_page_map(&fake_pt, page(4), __PADDR_ANY, 1, RW, 0), 0);
	assert_int_equal(map(7, 1, 0), 0);
	assert_int_equal(advise(0, 20, WILLNEED), 0);
	assert_int_equal(fake_mapped(), 4);
	assert_int_equal(advise(0, 20, DONTNEED), 0);
	assert_int_equal(fake_mapped(), 1);
	assert_int_equal(fake_attr(page(4)), RW);
	assert_int_equal(uk_vma_advise(&vas, base, 3 * PAGE_SIZE, WILLNEED,
				       UK_VMA_FLAG_STRICT_VMA_CHECK),
			 -ENOENT);
	assert_int_equal(uk_vma_advise(&vas, base, 3 * PAGE_SIZE, DONTNEED,
				       UK_VMA_FLAG_STRICT_VMA_CHECK),
			 -ENOENT);
	assert_int_equal(uk_vma_advise(&vas, page(1), 2 * PAGE_SIZE, WILLNEED,
				       UK_VMA_FLAG_STRICT_VMA_CHECK),
			 0);
}

static void bad_arguments_are_refused(void **state)
{
	(void)state;
	assert_int_equal(map(0, PAGES, 0), 0);
	assert_int_equal(advise(0, 0, WILLNEED), -EINVAL);
	assert_int_equal(advise(0, 1, 0), -EINVAL);
	assert_int_equal(advise(0, 1, 4), -EINVAL);
	assert_int_equal(uk_vma_advise(&vas, base + 1, PAGE_SIZE, WILLNEED, 0),
			 -EINVAL);
	assert_int_equal(uk_vma_advise(&vas, base, 17, WILLNEED, 0), -EINVAL);
	assert_int_equal(uk_vma_advise(&vas, base, -PAGE_SIZE, WILLNEED, 0),
			 -EINVAL);
	assert_int_equal(uk_vma_advise(&vas, base, PAGE_SIZE, WILLNEED, 1),
			 -EINVAL);
	assert_int_equal(fake_mapped(), 0);
}

static void willneed_without_memory_keeps_what_is_there(void **state)
{
	(void)state;
	assert_int_equal(map(0, PAGES, 0), 0);
	assert_int_equal(fake_pagefault(page(5), 0, NULL), 0);
	*(__u8 *)fake_paddr(page(5)) = 7;
	fake.fail_after = 3;
	assert_int_equal(advise(0, PAGES, WILLNEED), -ENOMEM);
	assert_int_equal(*(__u8 *)fake_paddr(page(5)), 7);
	assert_int_equal(fake_mapped(), 4);
	assert_int_equal(fake.reclaims, 1);
	fake.reclaimable = 8;
	assert_int_equal(advise(0, PAGES, WILLNEED), 0);
	assert_int_equal(fake_mapped(), PAGES);
}

static void dontneed_needs_no_memory(void **state)
{
	struct uk_vma *taken = NULL, *vma;

	(void)state;
	assert_int_equal(map(0, PAGES, UK_VMA_MAP_POPULATE), 0);
	fake.fail_after = 0;
	while (vas.pool.free > 1) {
		vma = vma_pool_take(&vas.pool);
		vma->op_next = taken;
		taken = vma;
	}
	assert_int_equal(advise(1, 2, DONTNEED), 0);
	assert_int_equal(fake_mapped(), PAGES - 2);
	assert_int_equal(vas.vma_count, 1);
	assert_int_equal(fake.reclaims, 0);

	while ((vma = taken)) {
		taken = vma->op_next;
		vma_pool_return(&vas.pool, vma);
	}
}

static int hook_rc[3];

/* Others meet the pages that are advised, and pages beside them */
static void meddle(void)
{
	fake_cpu = 2;
	hook_rc[0] = uk_vma_unmap(&vas, page(2), PAGE_SIZE, 0);
	hook_rc[1] = fake_pagefault(page(2), 0, NULL);
	hook_rc[2] = uk_vma_advise(&vas, page(5), PAGE_SIZE, DONTNEED, 0);
	fake_cpu = 1;
}

static void dontneed_disturbs_only_its_pages(void **state)
{
	(void)state;
	assert_int_equal(map(0, PAGES, UK_VMA_MAP_POPULATE), 0);
	fake.hook = meddle;
	assert_int_equal(advise(1, 2, DONTNEED), 0);
	assert_int_equal(hook_rc[0], -EBUSY);
	assert_int_equal(hook_rc[1], 0);
	assert_int_equal(hook_rc[2], 0);
	assert_int_equal(fake_mapped(), PAGES - 3);
	assert_int_equal(vas.vma_count, 1);
}

static void part_of_a_stack_can_be_advised(void **state)
{
	__vaddr_t vaddr = base;

	(void)state;
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, PAGES * PAGE_SIZE, 0,
					  NULL, PAGES * PAGE_SIZE),
			 0);
	assert_int_equal(advise(0, 3, DONTNEED), 0);
	assert_int_equal(fake_mapped(), PAGES - 3);
	assert_int_equal(advise(1, 2, WILLNEED), 0);
	assert_int_equal(fake_mapped(), PAGES - 1);
	assert_int_equal(advise(-1UL, 2, WILLNEED), -EFAULT);
	assert_int_equal(advise(PAGES, 1, WILLNEED), -EFAULT);
	assert_int_equal(vas.vma_count, 1);
}

#define ADVISE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ADVISE_TEST(dontneed_forgets_contents),
		ADVISE_TEST(willneed_brings_what_is_missing),
		ADVISE_TEST(both_advices_renew_pages),
		ADVISE_TEST(pages_without_access_can_be_advised),
		ADVISE_TEST(holes_and_reservations_are_skipped),
		ADVISE_TEST(bad_arguments_are_refused),
		ADVISE_TEST(willneed_without_memory_keeps_what_is_there),
		ADVISE_TEST(dontneed_needs_no_memory),
		ADVISE_TEST(dontneed_disturbs_only_its_pages),
		ADVISE_TEST(part_of_a_stack_can_be_advised),
	};

	return cmocka_run_group_tests_name("vma_advise", tests, NULL, NULL);
}
