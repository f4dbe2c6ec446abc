/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of page tables: pages that come when they are touched
 *
 * links: plat/common/pt.c plat/common/pt_block.c plat/common/pt_entry.c
 *        plat/common/pt_walk.c plat/common/pt_demand.c plat/common/pt_map.c
 *        plat/common/pt_unmap.c
 *        plat/common/pt_move.c
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

#include <cmocka.h>

#include <uk/plat/bootstrap.h>

#include "fixture_pt.h"

#define UNIT_TEST(fn) cmocka_unit_test_teardown(fn, pt_teardown)

#define RW     PAGE_ATTR_PROT_RW
#define RO     PAGE_ATTR_PROT_READ
#define NONE   PAGE_ATTR_PROT_NONE
#define DEMAND PAGE_FLAG_DEMAND
#define TOUCH  (DEMAND | PAGE_FLAG_TOUCH)
#define WRITE  UKPLAT_PF_WRITE

/* Begins within a table and ends in the next but one */
#define BASE  (PT_LOWER + 300 * PAGE_SIZE)
#define PAGES 1000UL

static __vaddr_t page(unsigned long n)
{
	return BASE + n * PAGE_SIZE;
}

static void mapping_takes_a_promise_and_no_frame(void **state)
{
	unsigned long free = ram_free();

	(void)state;
	assert_int_equal(pt_map(BASE, PAGES, RW, DEMAND), 0);
	assert_int_equal(ram_free(), free);
	assert_int_equal(ram.promised, PAGES);
	pt_check();
	/* They are in the way as others are */
	assert_int_equal(pt_map(page(7), 1, RW, 0), -EEXIST);
	assert_int_equal(pt_map(page(999), 2, RW, DEMAND), -EEXIST);
	assert_int_equal(ram.promised, PAGES);
	assert_int_equal(pt_unmap(BASE, PAGES, 0), 0);
	assert_int_equal(ram.promised, 0);
}

static void touch_brings_the_page(void **state)
{
	unsigned long free = ram_free();

	(void)state;
	assert_int_equal(pt_map(BASE, PAGES, RW, DEMAND), 0);
	assert_int_equal(pt_touch(page(5) + 123, WRITE), 1);
	assert_int_equal(ram_free(), free - 1);
	assert_int_equal(ram.promised, PAGES - 1);
	/* Once */
	assert_int_equal(pt_touch(page(5), WRITE), 0);
	assert_int_equal(pt_touch(page(7), 0), 1);
	assert_int_equal(pt_touch(page(999), 0), 1);
	assert_int_equal(pt_touch(page(1000), 0), 0);
	assert_int_equal(pt_touch(BASE - 1, 0), 0);
	assert_int_equal(ram_free(), free - 3);
	pt_check();
	assert_int_equal(pt_unmap(BASE, PAGES, 0), 0);
}

/* With the mapping, so that the touch needs no fault; the others wait */
static void first_page_may_come_at_once(void **state)
{
	static const unsigned long attrs[] = { RW, RO, NONE };
	unsigned long free = ram_free(), i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		assert_int_equal(pt_map(BASE, PAGES, attrs[i], TOUCH), 0);
		assert_int_equal(ram_free(), free - 1);
		assert_int_equal(ram.promised, PAGES - 1);
		pt_check();
		assert_int_equal(pt_touch(page(0), 0), 0);
		assert_int_equal(pt_touch(page(1), 0),
				 attrs[i] == NONE ? 0 : 1);
		assert_int_equal(pt_unmap(BASE, PAGES, 0), 0);
		assert_int_equal(ram_free(), free);
		assert_int_equal(ram.promised, 0);
	}
	assert_int_equal(pt_map(BASE, 1, RW, TOUCH), 0);
	assert_int_equal(ram_free(), free - 1);
	assert_int_equal(ram.promised, 0);
	assert_int_equal(pt_unmap(BASE, 1, 0), 0);
	pt_check();
}

/* It waits like the others if there is no frame, and goes back if the rest
 * cannot be had
 */
static void first_page_costs_no_mapping(void **state)
{
	unsigned long free = ram_free();

	(void)state;
	ram.only_promises = 1;
	assert_int_equal(pt_map(BASE, PAGES, RW, TOUCH), 0);
	ram.only_promises = 0;
	assert_int_equal(ram_free(), free);
	assert_int_equal(ram.promised, PAGES);
	assert_int_equal(pt_map(page(999), 2, RW, TOUCH), -EEXIST);
	assert_int_equal(pt_map(page(PAGES), free, RW, TOUCH), -ENOMEM);
	assert_int_equal(ram_free(), free);
	assert_int_equal(ram.promised, PAGES);
	pt_check();
	assert_int_equal(pt_touch(page(0), WRITE), 1);
	assert_int_equal(pt_unmap(BASE, PAGES, 0), 0);
}

/* Faults of who goes through all pages: each brings half as many more as there
 * are already, and in the end 16
 */
static void pages_in_a_row_come_together(void **state)
{
	static const unsigned long expected[] = { 1, 1, 2, 3, 4, 6, 16, 16 };
	unsigned long i, at = 0, came;

	(void)state;
	/* The first page of a table: what lies before it is in another one */
	assert_int_equal(pt_map(PT_LOWER, 512, RW, DEMAND), 0);
	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		came = pt_touch(PT_LOWER + at * PAGE_SIZE, WRITE);
		assert_int_equal(came, expected[i]);
		at += came;
	}
	/* Backwards, or here and there, each alone */
	for (i = 511; i > 500; i -= 2)
		assert_int_equal(pt_touch(PT_LOWER + i * PAGE_SIZE, 0), 1);
	pt_check();
	assert_int_equal(pt_unmap(PT_LOWER, 512, 0), 0);
}

/* Pages with frames at [first, first + cnt) of those of a range, and all others
 * without: each way to take such a range down leaves nothing, and counts right
 */
static void unmap_around(unsigned long pages, unsigned long first,
			 unsigned long cnt, unsigned long flags)
{
	unsigned long free = ram_free(), i;

	assert_int_equal(pt_map(BASE, pages, RW, DEMAND), 0);
	for (i = 0; i < cnt; i++)
		(void)pt_touch(page(first + i), WRITE);
	assert_true(ram_free() <= free - cnt);
	assert_int_equal(pt_unmap(BASE, pages, flags), 0);
	assert_int_equal(ram.promised, 0);
	pt_check();
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(ram_free(), free);
	for (i = 0; i < pages; i++)
		assert_int_equal(pt_entry(page(i)), 0);
	pt_check();
}

static void unmap_finds_frames_among_promises(void **state)
{
	/* 212 is the first page of the next table */
	static const unsigned long at[] = { 0,	 1,   2,   63,	64,  65,
					    100, 210, 211, 212, 213, 299 };
	unsigned long i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		unmap_around(300, at[i], 1, PAGE_FLAG_LAZY);
		unmap_around(at[i] + 1, at[i], 1, PAGE_FLAG_LAZY);
		unmap_around(300, at[i], 1, 0);
		unmap_around(at[i] + 3, at[i], 3, PAGE_FLAG_LAZY);
	}
}

/* What is brought along is like what was touched, and ends at a gap, at other
 * rights and at the end of the table
 */
static void only_equal_pages_come_along(void **state)
{
	unsigned long i;

	(void)state;
	assert_int_equal(pt_map(BASE, 40, RW, 0), 0);
	assert_int_equal(pt_map(page(40), 3, RW, DEMAND), 0);
	assert_int_equal(pt_map(page(43), 3, RO, DEMAND), 0);
	assert_int_equal(pt_map(page(47), 3, RO, DEMAND), 0);
	assert_int_equal(pt_touch(page(40), WRITE), 3);
	assert_int_equal(pt_touch(page(43), 0), 3);
	assert_int_equal(pt_touch(page(47), 0), 1);
	/* 212 is the first page of the next table */
	for (i = 190; i < 209; i++)
		assert_int_equal(pt_map(page(i), 1, RW, 0), 0);
	assert_int_equal(pt_map(page(209), 100, RW, DEMAND), 0);
	assert_int_equal(pt_touch(page(209), WRITE), 3);
	assert_int_equal(pt_touch(page(212), WRITE), 1);
	pt_check();
	assert_int_equal(pt_unmap(BASE, PAGES, 0), 0);
}

static void rights_are_those_of_the_mapping(void **state)
{
	(void)state;
	assert_int_equal(pt_map(page(0), 1, RO, DEMAND), 0);
	assert_int_equal(pt_map(page(1), 1, NONE, DEMAND), 0);
	assert_int_equal(pt_map(page(2), 1, PAGE_ATTR_PROT_EXEC, DEMAND), 0);
	assert_int_equal(pt_touch(page(0), WRITE), 0);
	assert_int_equal(pt_touch(page(0), UKPLAT_PF_FETCH), 0);
	assert_int_equal(pt_touch(page(1), 0), 0);
	assert_int_equal(pt_touch(page(2), WRITE), 0);
	/* Not what the processor says of a page that is there */
	assert_int_equal(pt_touch(page(0), UKPLAT_PF_PROTECTION), 0);
	assert_int_equal(pt_touch(page(0), UKPLAT_PF_RESERVED), 0);
	assert_int_equal(ram.promised, 3);
	assert_int_equal(pt_touch(page(0), 0), 1);
	assert_int_equal(pt_touch(page(2), UKPLAT_PF_FETCH), 1);
	pt_check();
	assert_int_equal(pt_unmap(BASE, 3, 0), 0);
}

static int attr(unsigned long n, unsigned long cnt, unsigned long to)
{
	return ukplat_page_set_attr(machine.pt, page(n), cnt, to, 0);
}

/* Rights change before the first touch as they do later; nobody is told */
static void rights_change_before_the_touch(void **state)
{
	unsigned long shootdowns = machine.shootdowns;

	(void)state;
	assert_int_equal(pt_map(BASE, 4, RW, DEMAND), 0);
	assert_int_equal(attr(0, 2, RO), 0);
	assert_int_equal(attr(1, 1, NONE), 0);
	assert_int_equal(attr(0, 5, RO), -EFAULT);
	assert_int_equal(machine.shootdowns, shootdowns);
	assert_int_equal(pt_touch(page(0), WRITE), 0);
	assert_int_equal(pt_touch(page(0), 0), 1);
	assert_int_equal(pt_touch(page(1), 0), 0);
	assert_int_equal(attr(1, 1, RW), 0);
	assert_int_equal(pt_touch(page(1), WRITE), 1);
	assert_int_equal(pt_touch(page(2), WRITE), 2);
	pt_check();
	assert_int_equal(pt_unmap(BASE, 4, 0), 0);
}

/* Touched pages wait for the others, untouched ones for nobody */
static void unmap_tells_nobody_of_untouched_pages(void **state)
{
	static const unsigned long flags[] = { 0, PAGE_FLAG_LAZY,
					       PAGE_FLAG_RACY };
	unsigned long i, shootdowns = machine.shootdowns;
	unsigned long flushes = machine.flushes;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		assert_int_equal(pt_map(BASE, PAGES, RW, DEMAND), 0);
		assert_int_equal(ukplat_page_unmap(machine.pt, BASE, PAGES,
						   flags[i]),
				 0);
		assert_int_equal(pt_entry(page(0)), 0);
		assert_int_equal(pt_entry(page(999)), 0);
	}
	assert_int_equal(machine.shootdowns, shootdowns);
	assert_int_equal(machine.flushes, flushes);
	assert_int_equal(ram.promised, 0);

	assert_int_equal(pt_map(BASE, PAGES, RW, DEMAND), 0);
	for (i = 0; i < PAGES; i += 100)
		assert_int_equal(pt_touch(page(i), WRITE), 1);
	assert_int_equal(pt_unmap(BASE, PAGES, PAGE_FLAG_LAZY), 0);
	for (i = 0; i < PAGES; i++)
		assert_int_equal(pt_entry(page(i)) & X86_PTE_OURS,
				 i % 100 ? 0 : X86_PTE_LAZY);
	assert_int_equal(ram.promised, 0);
	pt_check();
}

static void frames_may_be_kept(void **state)
{
	__paddr_t frame;

	(void)state;
	assert_int_equal(pt_map(BASE, 5, RW, DEMAND), 0);
	assert_int_equal(pt_touch(page(2), WRITE), 1);
	frame = pt_frame(page(2));
	assert_int_equal(pt_unmap(BASE, 5, PAGE_FLAG_KEEP_FRAMES), 0);
	assert_true(ram_frame(frame)->used);
	assert_int_equal(ram.promised, 0);
	uk_ffree(&ram_falloc, frame, 1);
}

/* The promise is kept when there is no other frame */
static void touch_cannot_fail(void **state)
{
	unsigned long i;

	(void)state;
	assert_int_equal(pt_map(BASE, PAGES, RW, DEMAND), 0);
	ram.frames_left = 0;
	for (i = 0; i < 20; i++)
		assert_int_equal(pt_touch(page(i), WRITE), 1);
	/* A part of what would come along */
	ram.frames_left = 3;
	assert_int_equal(pt_touch(page(20), WRITE), 3);
	ram.frames_left = RAM_NEVER;
	assert_int_equal(ram.promised, PAGES - 23);
	pt_check();
	assert_int_equal(pt_unmap(BASE, PAGES, 0), 0);
}

static void no_promise_without_memory(void **state)
{
	unsigned long free = ram_free();
	__u64 before = pt_digest();

	(void)state;
	assert_int_equal(pt_map(BASE, free + 1, RW, DEMAND), -ENOMEM);
	assert_int_equal(pt_digest(), before);
	/* All but for tables, of which there are more in a block of 512 */
	assert_int_equal(pt_map(BASE, free - 600, RW, DEMAND), 0);
	assert_int_equal(pt_map(PT_LOWER + (1UL << 33), 601, RW, 0), -ENOMEM);
	pt_check();
	assert_int_equal(pt_unmap(BASE, free, 0), 0);
}

/* Tables cannot be had: the promise ends */
static void no_promise_without_tables(void **state)
{
	__u64 before;

	(void)state;
	pt_pool_limit(1);
	before = pt_digest();
	assert_int_equal(pt_map(BASE, PAGES, RW, DEMAND), -ENOMEM);
	assert_int_equal(pt_digest(), before);
	pt_pool_unlimit();
}

static void bad_flags_are_refused(void **state)
{
	const unsigned long both = DEMAND | PAGE_FLAG_LARGE;

	(void)state;
	assert_int_equal(pt_map(BASE, 1, RW, both), -EINVAL);
	assert_int_equal(pt_map(BASE, 1, RW, both | PAGE_FLAG_TOUCH), -EINVAL);
	assert_int_equal(pt_map(BASE, 1, RW, PAGE_FLAG_TOUCH), -EINVAL);
	assert_int_equal(ukplat_page_map(machine.pt, BASE, RAM_START, 1, RW,
					 DEMAND),
			 -EINVAL);
	assert_int_equal(ram.promised, 0);
}

/* Who wants the physical address of a page wants to use it */
static void translation_brings_the_page(void **state)
{
	__paddr_t paddr;

	(void)state;
	assert_int_equal(pt_map(BASE, 2, RO, DEMAND), 0);
	assert_int_equal(pt_map(page(2), 1, NONE, DEMAND), 0);
	paddr = ukplat_page_translate(machine.pt, page(1) + 9);
	assert_int_equal(paddr, pt_frame(page(1)) + 9);
	assert_int_not_equal(pt_frame(page(1)), 0);
	assert_int_equal(ukplat_page_translate(machine.pt, page(2)),
			 __PADDR_INV);
	assert_int_equal(ram.promised, 2);
	assert_int_equal(pt_unmap(BASE, 3, 0), 0);
}

static void pages_move_with_their_promises(void **state)
{
	unsigned long i;

	(void)state;
	assert_int_equal(pt_map(BASE, 20, RO, DEMAND), 0);
	assert_int_equal(pt_touch(page(3), 0), 1);
	assert_int_equal(ukplat_page_move(machine.pt, BASE, page(600), 20, RW),
			 0);
	assert_int_equal(ram.promised, 19);
	for (i = 0; i < 20; i++) {
		assert_int_equal(pt_entry(page(i)), 0);
		assert_int_equal(!!(pt_entry(page(600 + i)) & X86_PTE_OWNED),
				 i == 3);
	}
	assert_int_equal(pt_touch(page(604), WRITE), 1);
	assert_int_equal(pt_touch(page(605), WRITE), 2);
	pt_check();
	assert_int_equal(pt_unmap(page(600), 20, 0), 0);
}

/* Any number of pages, also across tables */
static void backed_tells_which_have_frames(void **state)
{
	static __u8 is_there[PAGES];
	unsigned long i, n, k;
	__u64 bits;

	(void)state;
	assert_int_equal(pt_map(page(10), 900, RW, DEMAND), 0);
	/* Backwards each comes alone */
	for (i = 899; i >= 10; i -= i % 3 ? 1 : 7) {
		assert_int_equal(pt_touch(page(i), WRITE), 1);
		is_there[i] = 1;
	}
	for (i = 0; i < PAGES - 64; i++) {
		n = 1 + i * 7 % 64;
		bits = ukplat_page_backed(machine.pt, page(i), n);
		for (k = 0; k < n; k++)
			assert_int_equal(bits >> k & 1, is_there[i + k]);
		assert_true(n == 64 || !(bits >> n));
	}
	assert_int_equal(pt_unmap(BASE, PAGES, 0), 0);
}

/* While the frames are taken, the page goes, or another CPU is faster */
static __vaddr_t race_page;
static int race_unmaps;

static void race(void)
{
	ram.on_take = NULL;
	if (race_unmaps)
		assert_int_equal(ukplat_page_unmap(machine.pt, race_page, 1, 0),
				 0);
	else
		assert_int_equal(ukplat_page_fill(machine.pt, race_page, WRITE),
				 1);
}

static void others_may_be_faster(void **state)
{
	unsigned long free = ram_free();

	(void)state;
	assert_int_equal(pt_map(BASE, 8, RW, DEMAND), 0);
	race_page = page(1);
	ram.on_take = race;
	assert_int_equal(ukplat_page_fill(machine.pt, race_page, WRITE), 1);
	assert_int_equal(ram_free(), free - 1);
	assert_int_equal(ram.promised, 7);
	pt_check();

	race_unmaps = 1;
	race_page = page(5);
	ram.on_take = race;
	assert_int_equal(ukplat_page_fill(machine.pt, race_page, WRITE), 1);
	assert_int_equal(pt_entry(race_page), 0);
	assert_int_equal(ukplat_page_fill(machine.pt, race_page, WRITE), 0);
	assert_int_equal(ram.promised, 6);
	pt_check();

	/* The last one of the table: that is no table any more */
	assert_int_equal(pt_unmap(BASE, 8, 0), 0);
	assert_int_equal(pt_map(race_page, 1, RW, DEMAND), 0);
	ram.on_take = race;
	assert_int_equal(ukplat_page_fill(machine.pt, race_page, WRITE), 1);
	assert_int_equal(pt_entry(race_page), 0);
	assert_int_equal(ram.promised, 0);
	race_unmaps = 0;
}

int main(int argc __unused, char *argv[] __unused)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(mapping_takes_a_promise_and_no_frame),
		UNIT_TEST(touch_brings_the_page),
		UNIT_TEST(first_page_may_come_at_once),
		UNIT_TEST(first_page_costs_no_mapping),
		UNIT_TEST(pages_in_a_row_come_together),
		UNIT_TEST(unmap_finds_frames_among_promises),
		UNIT_TEST(only_equal_pages_come_along),
		UNIT_TEST(rights_are_those_of_the_mapping),
		UNIT_TEST(rights_change_before_the_touch),
		UNIT_TEST(unmap_tells_nobody_of_untouched_pages),
		UNIT_TEST(frames_may_be_kept),
		UNIT_TEST(touch_cannot_fail),
		UNIT_TEST(no_promise_without_memory),
		UNIT_TEST(no_promise_without_tables),
		UNIT_TEST(bad_flags_are_refused),
		UNIT_TEST(translation_brings_the_page),
		UNIT_TEST(pages_move_with_their_promises),
		UNIT_TEST(backed_tells_which_have_frames),
		UNIT_TEST(others_may_be_faster),
	};

	return cmocka_run_group_tests_name("pt_demand", tests, pt_boot, NULL);
}
