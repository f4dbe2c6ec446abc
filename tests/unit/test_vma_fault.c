/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vma_fault.c and pagefault.c: what the processor would ask
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

#include <uk/plat/bootstrap.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "vma_pool.h"
#include "vma_tree.h"
#include "vmem_priv.h"

#define FRAMES 256UL
#define RW     PAGE_ATTR_PROT_RW
#define RO     PAGE_ATTR_PROT_READ
#define RX     (PAGE_ATTR_PROT_READ | PAGE_ATTR_PROT_EXEC)
#define NONE   PAGE_ATTR_PROT_NONE
#define PAGES  8UL

#include "fixture_vas.h"

/* An area of PAGES pages at base, not populated */
static void map(unsigned long attr)
{
	__vaddr_t vaddr = base;

	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, PAGES * PAGE_SIZE, attr,
					 0, NULL),
			 0);
}

/* What the processor does with an access to a page */
static int touch(__vaddr_t vaddr, unsigned long access)
{
	int attr = fake_attr(ALIGN_DOWN(vaddr, PAGE_SIZE));

	return fake_pagefault(
		vaddr, access | (attr > 0 ? UKPLAT_PF_PROTECTION : 0), NULL);
}

static void touch_brings_one_page(void **state)
{
	(void)state;
	map(RW);
	assert_int_equal(fake_mapped(), 0);
	assert_int_equal(touch(page(3) + 17, UKPLAT_PF_WRITE), 0);
	assert_int_equal(fake_mapped(), 1);
	assert_int_equal(fake_attr(page(3)), RW);
	assert_int_equal(touch(page(7) + PAGE_SIZE - 1, 0), 0);
	assert_int_equal(fake_attr(page(7)), RW);
	assert_int_equal(fake_mapped(), 2);
}

static void accesses_follow_attributes(void **state)
{
	static const struct {
		unsigned long attr;
		int read, write, fetch;
	} rights[] = {
		{ NONE, -EACCES, -EACCES, -EACCES },
		{ RO, 0, -EACCES, -EACCES },
		{ RW, 0, 0, -EACCES },
		{ PAGE_ATTR_PROT_WRITE, 0, 0, -EACCES },
		{ RX, 0, -EACCES, 0 },
		{ PAGE_ATTR_PROT_EXEC, 0, -EACCES, 0 },
	};
	unsigned int i, there;

	(void)state;
	/* Pages that are not there, then pages that are */
	for (there = 0; there < 2; there++) {
		for (i = 0; i < ARRAY_SIZE(rights); i++) {
			__vaddr_t vaddr = base;

			assert_int_equal(
				uk_vma_map_anon(&vas, &vaddr, 3 * PAGE_SIZE,
						rights[i].attr,
						there ? UK_VMA_MAP_POPULATE : 0,
						NULL),
				0);
			assert_int_equal(touch(page(0), 0), rights[i].read);
			assert_int_equal(touch(page(1), UKPLAT_PF_WRITE),
					 rights[i].write);
			assert_int_equal(touch(page(2), UKPLAT_PF_FETCH),
					 rights[i].fetch);
			assert_int_equal(
				uk_vma_unmap(&vas, base, 3 * PAGE_SIZE, 0), 0);
		}
	}
}

static void other_places_are_no_business_of_ours(void **state)
{
	__vaddr_t vaddr = page(PAGES);

	(void)state;
	map(RW);
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, PAGE_SIZE), 0);
	assert_int_equal(touch(page(PAGES), 0), -EFAULT);
	assert_int_equal(touch(page(PAGES + 1), 0), -EFAULT);
	assert_int_equal(touch(base - 1, 0), -EFAULT);
	assert_int_equal(touch(0, 0), -EFAULT);
	assert_int_equal(touch(UK_VAS_START - 1, 0), -EFAULT);
	assert_int_equal(touch(UK_VAS_END, 0), -EFAULT);
	assert_int_equal(touch(~0UL, 0), -EFAULT);
	assert_int_equal(touch(page(0), UKPLAT_PF_RESERVED), -EFAULT);
	assert_int_equal(fake_mapped(), 0);
}

static void nothing_is_served_without_a_space(void **state)
{
	struct uk_vas other;

	(void)state;
	map(RW);
	assert_int_equal(uk_vas_init(&other, &fake_pt, NULL), 0);
	assert_int_equal(uk_vas_set_active(&other), 0);
	assert_int_equal(touch(page(0), 0), -EFAULT);
	uk_vas_destroy(&other);
	assert_int_equal(touch(page(0), 0), -EFAULT);
	assert_int_equal(uk_vas_set_active(&vas), 0);
	assert_int_equal(touch(page(0), 0), 0);
}

/* Another CPU maps the page between look-up and mapping */
static void be_faster(void)
{
	fake_cpu = 2;
	assert_int_equal(touch(page(1), 0), 0);
	fake_cpu = 1;
}

static void loser_of_a_race_tries_again(void **state)
{
	(void)state;
	map(RW);
	fake.hook = be_faster;
	assert_int_equal(touch(page(1), UKPLAT_PF_WRITE), 0);
	assert_int_equal(fake_mapped(), 1);
	assert_int_equal(uk_vma_find(&vas, base)->faults, 0);
}

/* The fault happened before its reason went away: the access is possible now */
static void late_fault_is_tried_again(void **state)
{
	__paddr_t frame;

	(void)state;
	map(RO);
	assert_int_equal(touch(page(0), 0), 0);
	frame = fake_paddr(page(0));
	assert_int_equal(fake_pagefault(page(0), 0, NULL), 0);
	assert_int_equal(uk_vma_set_attr(&vas, base, PAGES * PAGE_SIZE, RW, 0),
			 0);
	assert_int_equal(fake_pagefault(page(0),
					UKPLAT_PF_PROTECTION | UKPLAT_PF_WRITE,
					NULL),
			 0);
	assert_int_equal(fake_paddr(page(0)), frame);
	assert_int_equal(fake_attr(page(0)), RW);

	/* Or the page has gone: it comes when it is touched again */
	assert_int_equal(fake_pagefault(page(1),
					UKPLAT_PF_PROTECTION | UKPLAT_PF_WRITE,
					NULL),
			 0);
	assert_int_equal(fake_mapped(), 1);
}

/* Or it would be tried again for ever */
static void page_gets_the_attributes_of_its_area(void **state)
{
	(void)state;
	map(RW);
	assert_int_equal(touch(page(0), 0), 0);
	assert_int_equal(ukplat_page_set_attr(&fake_pt, page(0), 1, RO, 0), 0);
	assert_int_equal(touch(page(0), UKPLAT_PF_WRITE), 0);
	assert_int_equal(fake_attr(page(0)), RW);
	assert_int_equal(ukplat_page_set_attr(&fake_pt, page(0), 1, NONE, 0),
			 0);
	assert_int_equal(touch(page(0), 0), 0);
	assert_int_equal(fake_attr(page(0)), RW);
}

static int hook_rc;

static void fault_elsewhere(void)
{
	fake_cpu = 2;
	hook_rc = touch(page(1), UKPLAT_PF_WRITE);
	fake_cpu = 1;
}

static void fault_here(void)
{
	hook_rc = touch(page(1), UKPLAT_PF_WRITE);
}

/* Operations change pages at the moment of the hook: a fault on another CPU
 * is put off, and maps nothing with the attributes of before
 */
static void fault_waits_for_operation(void **state)
{
	(void)state;
	map(RW);
	assert_int_equal(touch(page(0), 0), 0);

	hook_rc = -1;
	fake.hook = fault_elsewhere;
	assert_int_equal(uk_vma_set_attr(&vas, base, PAGES * PAGE_SIZE, RO, 0),
			 0);
	assert_int_equal(hook_rc, 0);
	assert_int_equal(fake_attr(page(1)), -1);
	assert_int_equal(touch(page(1), UKPLAT_PF_WRITE), -EACCES);

	hook_rc = -1;
	fake.hook = fault_elsewhere;
	assert_int_equal(uk_vma_unmap(&vas, base, PAGES * PAGE_SIZE, 0), 0);
	assert_int_equal(hook_rc, 0);
	assert_int_equal(fake_mapped(), 0);
	assert_int_equal(touch(page(1), 0), -EFAULT);
}

static void fault_in_own_operation_is_an_error(void **state)
{
	int inside, below, above;
	unsigned long irqf;

	(void)state;
	map(RW);
	assert_int_equal(touch(page(0), 0), 0);
	fake.hook = fault_here;
	assert_int_equal(uk_vma_set_attr(&vas, base, PAGES * PAGE_SIZE, RW, 0),
			 0);
	assert_int_equal(hook_rc, -EDEADLK);

	/* What lies outside is reported whoever holds the lock */
	irqf = vas_lock(&vas);
	inside = touch(page(1), 0);
	below = touch(UK_VAS_START - 1, 0);
	above = touch(UK_VAS_END, 0);
	vas_unlock(&vas, irqf);
	assert_int_equal(inside, -EDEADLK);
	assert_int_equal(below, -EFAULT);
	assert_int_equal(above, -EFAULT);
	assert_int_equal(touch(page(1), 0), 0);
}

/* The counter of faults is held up while an operation waits for them */
static void closing_space_puts_faults_off(void **state)
{
	(void)state;
	map(RW);
	vas.closing = 1;
	assert_int_equal(touch(page(0), 0), 0);
	assert_int_equal(fake_mapped(), 0);
	vas.closing = 0;
	assert_int_equal(touch(page(0), 0), 0);
	assert_int_equal(fake_mapped(), 1);
}

static void memory_is_reclaimed_before_a_fault_fails(void **state)
{
	(void)state;
	map(RW);
	fake.fail_after = 0;
	assert_int_equal(touch(page(0), 0), -ENOMEM);
	assert_int_equal(fake.reclaims, 1);
	assert_int_equal(uk_vma_find(&vas, base)->faults, 0);

	fake.reclaimable = 1;
	assert_int_equal(touch(page(0), 0), 0);
	assert_int_equal(fake.reclaims, 2);
	assert_int_equal(fake_mapped(), 1);
}

/* Others may take what came back each time */
static void reclaiming_comes_to_an_end(void **state)
{
	(void)state;
	map(RW);
	fake.fail_after = 0;
	fake.reclaim_in_vain = 1;
	assert_int_equal(touch(page(0), 0), -ENOMEM);
	assert_int_equal(fake.reclaims, VMEM_RECLAIM_TRIES);
}

static void join_waits_for_a_fault(void **state)
{
	struct uk_vma *upper;

	(void)state;
	map(RW);
	assert_int_equal(uk_vma_set_attr(&vas, base, 4 * PAGE_SIZE, RO, 0), 0);
	assert_int_equal(vas.vma_count, 2);

	/* A fault on the upper part that takes its time */
	upper = vma_tree_above(vas.root, page(4));
	upper->faults++;
	assert_int_equal(uk_vma_set_attr(&vas, base, 4 * PAGE_SIZE, RW, 0), 0);
	assert_int_equal(vas.vma_count, 2);
	assert_int_equal(upper->start, page(4));
	upper->faults--;
	assert_int_equal(touch(page(5), 0), 0);
	assert_int_equal(vas.vma_count, 1);
	assert_true(vma_tree_is_valid(vas.root));
	assert_true(vma_pool_is_valid(&vas.pool));
	assert_int_equal(fake_attr(page(5)), RW);
	assert_int_equal(uk_vma_unmap(&vas, base, PAGES * PAGE_SIZE, 0), 0);
	assert_int_equal(fake_mapped(), 0);
}

static void late_pages_get_new_attributes(void **state)
{
	(void)state;
	map(RW);
	assert_int_equal(touch(page(1), 0), 0);
	assert_int_equal(touch(page(6), 0), 0);
	assert_int_equal(uk_vma_set_attr(&vas, page(1), 6 * PAGE_SIZE, RO, 0),
			 0);
	assert_int_equal(touch(page(2), 0), 0);
	assert_int_equal(touch(page(7), 0), 0);
	assert_int_equal(fake_attr(page(1)), RO);
	assert_int_equal(fake_attr(page(2)), RO);
	assert_int_equal(fake_attr(page(6)), RO);
	assert_int_equal(fake_attr(page(7)), RW);
	assert_int_equal(fake_mapped(), 4);
}

static void no_access_keeps_contents(void **state)
{
	(void)state;
	map(RW);
	assert_int_equal(touch(page(2), 0), 0);
	*(__u8 *)fake_paddr(page(2)) = 42;
	assert_int_equal(
		uk_vma_set_attr(&vas, base, PAGES * PAGE_SIZE, NONE, 0), 0);
	assert_int_equal(touch(page(2), 0), -EACCES);
	assert_int_equal(touch(page(3), 0), -EACCES);
	assert_int_equal(uk_vma_set_attr(&vas, base, PAGES * PAGE_SIZE, RW, 0),
			 0);
	assert_int_equal(*(__u8 *)fake_paddr(page(2)), 42);
	assert_int_equal(fake_mapped(), 1);
}

/* The page table is not asked about what was never used: that would take all
 * day here
 */
static void huge_areas_cost_what_is_used(void **state)
{
	const __sz len = 1UL << 46;
	__vaddr_t vaddr = UK_VAS_START;

	(void)state;
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, len, RW, 0, NULL), 0);
	assert_int_equal(uk_vma_set_attr(&vas, vaddr, len, RO, 0), 0);
	assert_int_equal(touch(vaddr + len / 2, 0), 0);
	assert_int_equal(uk_vma_set_attr(&vas, vaddr, len, RW, 0), 0);
	assert_int_equal(fake_attr(vaddr + len / 2), RW);
	assert_int_equal(
		uk_vma_advise(&vas, vaddr, len, UK_VMA_ADV_DONTNEED, 0), 0);
	assert_int_equal(fake_mapped(), 0);
	assert_int_equal(
		uk_vma_unmap(&vas, vaddr + PAGE_SIZE, len - PAGE_SIZE, 0), 0);
	assert_int_equal(uk_vma_unmap(&vas, vaddr, PAGE_SIZE, 0), 0);
}

#define FAULT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc __unused, char *argv[] __unused)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(touch_brings_one_page),
		FAULT_TEST(accesses_follow_attributes),
		FAULT_TEST(other_places_are_no_business_of_ours),
		FAULT_TEST(nothing_is_served_without_a_space),
		FAULT_TEST(loser_of_a_race_tries_again),
		FAULT_TEST(late_fault_is_tried_again),
		FAULT_TEST(page_gets_the_attributes_of_its_area),
		FAULT_TEST(fault_waits_for_operation),
		FAULT_TEST(fault_in_own_operation_is_an_error),
		FAULT_TEST(closing_space_puts_faults_off),
		FAULT_TEST(memory_is_reclaimed_before_a_fault_fails),
		FAULT_TEST(reclaiming_comes_to_an_end),
		FAULT_TEST(join_waits_for_a_fault),
		FAULT_TEST(late_pages_get_new_attributes),
		FAULT_TEST(no_access_keeps_contents),
		FAULT_TEST(huge_areas_cost_what_is_used),
	};

	return cmocka_run_group_tests_name("vma_fault", tests, NULL, NULL);
}
