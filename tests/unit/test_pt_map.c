/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of page tables: mapping, translation, and what fails
 *
 * links: plat/common/pt.c plat/common/pt_block.c plat/common/pt_entry.c
 *        plat/common/pt_walk.c plat/common/pt_demand.c plat/common/pt_map.c
 *        plat/common/pt_unmap.c
 *        plat/common/pt_attr.c plat/common/pt_collect.c plat/common/pt_laden.c
 *        plat/common/pt_lazy.c plat/common/pt_leave.c
 *        plat/common/pt_split.c plat/common/pt_pool.c
 *        plat/common/pt_pool_grow.c
 *        plat/common/pt_reclaim.c plat/common/tlbq.c plat/common/rng.c
 *        plat/common/chacha.c plat/common/vector.c
 *        tests/unit/fixture_pt.c
 *        tests/unit/fixture_pt_ops.c tests/unit/fixture_pt_check.c
 *        tests/unit/fake_ram.c tests/unit/fake_tlb.c tests/unit/fake_assert.c
 *        plat/common/loader/tables.c plat/common/memregion.c
 *        tests/unit/fixture_pt_load.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_pt.h"

#define UNIT_TEST(fn) cmocka_unit_test_teardown(fn, pt_teardown)

#define RW  PAGE_ATTR_PROT_RW
#define GIB (1UL << 30)

/* Physical addresses without memory, as devices have them */
#define DEVICE 0x0000000fe0000000UL

/* Where three levels of tables begin anew */
#define BORDER (PT_LOWER & ~(512 * GIB - 1))

static const __vaddr_t places[] = { PT_LOWER, PT_UPPER, BORDER - PAGE_SIZE };

static int map_at(__vaddr_t va, unsigned long pages)
{
	return ukplat_page_map(machine.pt, va, __PADDR_ANY, pages, RW, 0);
}

static void map_refuses_bad_ranges(void **state)
{
	const __vaddr_t low = UKARCH_VADDR_LOWER_END;
	const __vaddr_t high = UKARCH_VADDR_UPPER_START;
	__u64 before = pt_digest();

	(void)state;
	assert_int_equal(map_at(PT_LOWER + 1, 1), -EINVAL);
	assert_int_equal(map_at(PT_LOWER, 0), -EINVAL);
	assert_int_equal(map_at(PT_LOWER, ~0UL), -EINVAL);
	assert_int_equal(map_at(PT_LOWER, 1UL << 52), -EINVAL);
	assert_int_equal(map_at(low, 1), -EINVAL);
	assert_int_equal(map_at(low - PAGE_SIZE, 2), -EINVAL);
	assert_int_equal(map_at(high - PAGE_SIZE, 1), -EINVAL);
	assert_int_equal(map_at(high - PAGE_SIZE, 2), -EINVAL);
	assert_int_equal(map_at(-PAGE_SIZE, 2), -EINVAL);
	assert_int_equal(pt_digest(), before);

	/* The last pages on both sides of the hole are as good as any */
	assert_int_equal(pt_map(low - PAGE_SIZE, 1, RW, 0), 0);
	assert_int_equal(pt_map(high, 1, RW, 0), 0);
	assert_int_equal(pt_map(-PAGE_SIZE, 1, RW, 0), 0);
	pt_check();
	assert_int_equal(pt_unmap(low - PAGE_SIZE, 1, 0), 0);
	assert_int_equal(pt_unmap(high, 1, 0), 0);
	assert_int_equal(pt_unmap(-PAGE_SIZE, 1, 0), 0);
}

static void map_refuses_bad_attributes_flags_and_frames(void **state)
{
	static const unsigned long attrs[] = { 0x08, 0x20, 0x06,
					       0x07, 0x16, ~0UL };
	static const unsigned long flags[] = { 0x01,
					       PAGE_FLAG_KEEP_FRAMES,
					       PAGE_FLAG_NO_FLUSH,
					       PAGE_FLAG_LAZY,
					       0x40,
					       ~0UL };
	static const __paddr_t frames[] = { 0x1001, X86_PTE_PADDR_MASK,
					    1UL << 52, __PADDR_INV };
	__u64 before = pt_digest();
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		assert_int_equal(pt_map(PT_LOWER, 1, attrs[i], 0), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		assert_int_equal(pt_map(PT_LOWER, 1, RW, flags[i]), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(frames); i++)
		assert_int_equal(ukplat_page_map(machine.pt, PT_LOWER,
						 frames[i], 2, RW, 0),
				 -EINVAL);
	assert_int_equal(pt_digest(), before);
}

static void map_gives_exactly_these_rights(void **state)
{
	static const unsigned long attrs[] = {
		PAGE_ATTR_PROT_NONE,
		PAGE_ATTR_PROT_READ,
		PAGE_ATTR_PROT_WRITE,
		RW,
		PAGE_ATTR_PROT_EXEC,
		PAGE_ATTR_PROT_EXEC | PAGE_ATTR_PROT_READ,
		RW | PAGE_ATTR_DEVICE,
		PAGE_ATTR_DEVICE
	};
	unsigned int i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		for (j = 0; j < ARRAY_SIZE(places); j++)
			assert_int_equal(pt_map(places[j], 3, attrs[i], 0), 0);
		pt_check();
		for (j = 0; j < ARRAY_SIZE(places); j++)
			assert_int_equal(pt_unmap(places[j], 3, 0), 0);
	}
}

static void map_takes_no_page_twice(void **state)
{
	__u64 before;

	(void)state;
	assert_int_equal(pt_map(PT_LOWER, 1, PAGE_ATTR_PROT_NONE, 0), 0);
	assert_int_equal(pt_map(PT_LOWER + GIB, 512, RW, PAGE_FLAG_LARGE), 0);
	assert_true(pt_is_large(PT_LOWER + GIB));
	before = pt_digest();
	assert_int_equal(map_at(PT_LOWER, 1), -EEXIST);
	assert_int_equal(map_at(PT_LOWER - 5 * PAGE_SIZE, 6), -EEXIST);
	assert_int_equal(map_at(PT_LOWER + GIB + 9 * PAGE_SIZE, 1), -EEXIST);
	assert_int_equal(map_at(PT_LOWER + GIB - PAGE_SIZE, 2), -EEXIST);
	/* Direct map and window, where there is something and where not */
	assert_int_equal(map_at(ram.direct + RAM_START, 1), -EEXIST);
	assert_int_equal(map_at(ram.window + machine.pt->pt_pbase, 1), -EEXIST);
	assert_int_equal(map_at(ram.direct, 1), -EEXIST);
	assert_int_equal(map_at(ram.window + RAM_END - PAGE_SIZE, 1), -EEXIST);
	assert_int_equal(pt_digest(), before);
	assert_int_equal(pt_unmap(PT_LOWER, 1, 0), 0);
	assert_int_equal(pt_unmap(PT_LOWER + GIB, 512, 0), 0);
}

static void map_uses_the_frames_of_the_caller(void **state)
{
	unsigned long i;

	(void)state;
	assert_int_equal(ukplat_page_map(machine.pt, BORDER - 3 * PAGE_SIZE,
					 DEVICE, 600, RW | PAGE_ATTR_DEVICE,
					 PAGE_FLAG_LARGE),
			 0);
	assert_int_equal(ram_free(), machine.free);
	for (i = 0; i < 600 * PAGE_SIZE; i += PAGE_SIZE)
		assert_int_equal(
			ukplat_page_translate(machine.pt,
					      BORDER - 3 * PAGE_SIZE + i + 7),
			DEVICE + i + 7);
	assert_int_equal(ukplat_page_unmap(machine.pt, BORDER - 3 * PAGE_SIZE,
					   600, PAGE_FLAG_KEEP_FRAMES),
			 0);
}

static void translate_knows_what_would_fault(void **state)
{
	__paddr_t paddr = RAM_START + 0x123;

	(void)state;
	assert_int_equal(ukplat_page_translate(machine.pt, PT_LOWER),
			 __PADDR_INV);
	assert_int_equal(ukplat_page_translate(machine.pt,
					       UKARCH_VADDR_LOWER_END),
			 __PADDR_INV);
	assert_int_equal(ukplat_page_translate(machine.pt, ram.direct + paddr),
			 paddr);
	assert_int_equal(ukplat_page_translate(machine.pt, ram.window + paddr),
			 __PADDR_INV);
	paddr = machine.pt->pt_pbase + 0x456;
	assert_int_equal(ukplat_page_translate(machine.pt, ram.window + paddr),
			 paddr);
	assert_int_equal(ukplat_page_translate(machine.pt, ram.direct + paddr),
			 __PADDR_INV);
}

static void entry_is_that_of_a_small_page_with_a_frame(void **state)
{
	__u64 *entry;

	(void)state;
	assert_null(ukplat_pt_entry(machine.pt, PT_LOWER));
	assert_null(ukplat_pt_entry(machine.pt, UKARCH_VADDR_LOWER_END));
	assert_null(
		ukplat_pt_entry(machine.pt, ram.window + machine.pt->pt_pbase));
	assert_int_equal(pt_map(PT_LOWER, 1, PAGE_ATTR_PROT_NONE, 0), 0);
	entry = ukplat_pt_entry(machine.pt, PT_LOWER + 9);
	assert_non_null(entry);
	assert_int_equal(*entry, pt_entry(PT_LOWER));
	assert_null(ukplat_pt_entry(machine.pt, PT_LOWER + PAGE_SIZE));
	assert_int_equal(pt_unmap(PT_LOWER, 1, PAGE_FLAG_LAZY), 0);
	assert_null(ukplat_pt_entry(machine.pt, PT_LOWER));
}

/** What a scan has seen outside of direct map and window */
struct seen {
	__vaddr_t last;
	__sz len;
	unsigned int visits, large;
};

static int see(void *arg, __vaddr_t va, __paddr_t pa, __sz len,
	       unsigned long attr)
{
	struct seen *s = arg;

	assert_true(!s->visits || va > s->last);
	assert_int_equal(ukplat_page_translate(machine.pt, va), pa);
	s->last = va;
	s->len += len;
	s->visits++;
	if (va != PT_LOWER && va != PT_UPPER)
		return 0;
	assert_int_equal(attr, va == PT_UPPER ? PAGE_ATTR_PROT_READ |
							PAGE_ATTR_PROT_EXEC :
						RW | PAGE_ATTR_DEVICE);
	s->large += len == PAGE_LARGE_SIZE;
	return va == PT_UPPER;
}

static void scan_visits_everything_in_order(void **state)
{
	const __sz all = RAM_END - RAM_START;
	struct seen s = { .visits = 0 };

	(void)state;
	assert_int_equal(pt_map(PT_LOWER, 512, RW | PAGE_ATTR_DEVICE,
				PAGE_FLAG_LARGE),
			 0);
	assert_int_equal(pt_map(PT_LOWER + GIB, 1, PAGE_ATTR_PROT_NONE, 0), 0);
	assert_int_equal(pt_map(PT_UPPER, 2, PAGE_ATTR_PROT_EXEC, 0), 0);
	/* Ends where it is told to */
	assert_int_equal(ukplat_pt_scan(see, &s),
			 all + PAGE_LARGE_SIZE + PAGE_SIZE);
	assert_int_equal(s.len, all + PAGE_LARGE_SIZE + PAGE_SIZE);
	assert_int_equal(s.large, 1);
	assert_int_equal(s.last, PT_UPPER);
	assert_int_equal(pt_unmap(PT_UPPER, 2, 0), 0);
	assert_int_equal(pt_unmap(PT_LOWER, 512, 0), 0);
	assert_int_equal(pt_unmap(PT_LOWER + GIB, 1, 0), 0);
	s = (struct seen){ .visits = 0 };
	assert_int_equal(ukplat_pt_scan(see, &s), all);
}

/* The n-th frame cannot be had, for every n */
static void map_without_frames_changes_nothing(void **state)
{
	const __vaddr_t va = BORDER - 200 * PAGE_SIZE;
	const unsigned long pages = 600;
	__u64 before = pt_digest();
	unsigned long n;

	(void)state;
	for (n = 0; n < pages; n++) {
		ram.frames_left = n;
		assert_int_equal(pt_map(va, pages, RW, 0), -ENOMEM);
		assert_int_equal(pt_digest(), before);
	}
	ram.frames_left = pages;
	assert_int_equal(pt_map(va, pages, RW, 0), 0);
	assert_int_equal(pt_unmap(va, pages, 0), 0);
}

/* The n-th table cannot be had, for every n; three on each side of the border
 */
static void map_without_tables_changes_nothing(void **state)
{
	const __vaddr_t va = BORDER - PAGE_SIZE;
	unsigned long n;
	__u64 before;

	(void)state;
	for (n = 0; n <= 6; n++) {
		pt_pool_limit(n);
		before = pt_digest();
		assert_int_equal(pt_map(va, 2, RW, 0), n < 6 ? -ENOMEM : 0);
		if (n < 6)
			assert_int_equal(pt_digest(), before);
		pt_pool_unlimit();
	}
	pt_check();
	assert_int_equal(pt_unmap(va, 2, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(map_refuses_bad_ranges),
		UNIT_TEST(map_refuses_bad_attributes_flags_and_frames),
		UNIT_TEST(map_gives_exactly_these_rights),
		UNIT_TEST(map_takes_no_page_twice),
		UNIT_TEST(map_uses_the_frames_of_the_caller),
		UNIT_TEST(translate_knows_what_would_fault),
		UNIT_TEST(entry_is_that_of_a_small_page_with_a_frame),
		UNIT_TEST(scan_visits_everything_in_order),
		UNIT_TEST(map_without_frames_changes_nothing),
		UNIT_TEST(map_without_tables_changes_nothing),
	};

	return cmocka_run_group_tests_name("pt_map", tests, pt_boot, NULL);
}
