/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of page tables: pages that move
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

#include "fixture_pt.h"

#define UNIT_TEST(fn) cmocka_unit_test_teardown(fn, pt_teardown)

#define RW   PAGE_ATTR_PROT_RW
#define KEEP PAGE_FLAG_KEEP_FRAMES

/* Both ends in the middle of tables, at different places in them */
#define FROM  (PT_LOWER + 100 * PAGE_SIZE)
#define TO    (PT_LOWER + (1UL << 33) + 333 * PAGE_SIZE)
#define PAGES 1300UL

static __paddr_t frames[PAGES];

static int move(__vaddr_t from, __vaddr_t to, unsigned long pages)
{
	return ukplat_page_move(machine.pt, from, to, pages, RW);
}

static void frames_look(__vaddr_t va)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		frames[i] = pt_frame(va + i * PAGE_SIZE);
}

static void move_takes_frames_along(void **state)
{
	unsigned long i, free, shootdowns;

	(void)state;
	assert_int_equal(pt_map(FROM, PAGES, PAGE_ATTR_PROT_READ, 0), 0);
	frames_look(FROM);
	for (i = 0; i < PAGES; i++)
		ram_words(frames[i])[7] = i + 1;
	free = ram_free();
	shootdowns = machine.shootdowns;
	assert_int_equal(move(FROM, TO, PAGES), 0);
	assert_int_equal(ram_free(), free);
	for (i = 0; i < PAGES; i++) {
		assert_int_equal(pt_entry(FROM + i * PAGE_SIZE), 0);
		assert_int_equal(pt_frame(TO + i * PAGE_SIZE), frames[i]);
		assert_int_equal(pt_entry(TO + i * PAGE_SIZE),
				 frames[i] | X86_PTE_PRESENT | X86_PTE_RW |
					 X86_PTE_NX | X86_PTE_ACCESSED |
					 X86_PTE_DIRTY | X86_PTE_OWNED);
		assert_int_equal(ram_words(frames[i])[7], i + 1);
		ram_words(frames[i])[7] = 0;
	}
	/* All CPUs forget the old place, and no other */
	assert_int_equal(machine.shootdowns, shootdowns + 1);
	assert_int_equal(machine.shot.vaddr, FROM);
	assert_int_equal(machine.shot.pages, PAGES);
	pt_check();
	assert_int_equal(pt_unmap(TO, PAGES, 0), 0);
}

/* Nobody reaches a frame at two places when the others are told */
static void old_place_is_empty(void)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++) {
		assert_int_equal(pt_entry(FROM + i * PAGE_SIZE), 0);
		assert_int_equal(pt_frame(TO + i * PAGE_SIZE), frames[i]);
	}
	machine.on_shootdown = NULL;
}

static void move_is_done_when_others_are_told(void **state)
{
	(void)state;
	assert_int_equal(pt_map(FROM, PAGES, RW, 0), 0);
	frames_look(FROM);
	machine.on_shootdown = old_place_is_empty;
	assert_int_equal(move(FROM, TO, PAGES), 0);
	assert_null(machine.on_shootdown);
	assert_int_equal(pt_unmap(TO, PAGES, 0), 0);
}

static void move_refuses_bad_ranges(void **state)
{
	__u64 before;

	(void)state;
	assert_int_equal(pt_map(FROM, 3, RW, 0), 0);
	before = pt_digest();
	assert_int_equal(move(FROM + 8, TO, 3), -EINVAL);
	assert_int_equal(move(FROM, TO + 8, 3), -EINVAL);
	assert_int_equal(move(FROM, TO, 0), -EINVAL);
	assert_int_equal(move(FROM, UKARCH_VADDR_LOWER_END - PAGE_SIZE, 3),
			 -EINVAL);
	assert_int_equal(move(ram.direct + RAM_START, TO, 1), -EINVAL);
	assert_int_equal(move(ram.window + machine.pt->pt_pbase, TO, 1),
			 -EINVAL);
	assert_int_equal(ukplat_page_move(machine.pt, FROM, TO, 3,
					  RW | PAGE_ATTR_PROT_EXEC),
			 -EINVAL);
	assert_int_equal(move(FROM, ram.direct, 1), -EEXIST);
	assert_int_equal(move(FROM, FROM, 3), -EINVAL);
	assert_int_equal(move(FROM, FROM + 2 * PAGE_SIZE, 3), -EINVAL);
	assert_int_equal(move(FROM, FROM - 2 * PAGE_SIZE, 3), -EINVAL);
	/* Mapped and empty pages in the part that is both */
	assert_int_equal(move(FROM, FROM + 3 * PAGE_SIZE, 6), -EINVAL);
	assert_int_equal(move(FROM + PAGE_SIZE, FROM, 1), -EEXIST);
	assert_int_equal(pt_digest(), before);
	assert_int_equal(pt_unmap(FROM, 3, 0), 0);
}

/* A hole, a zombie or a large page, anywhere in the range */
static void move_needs_all_pages(void **state)
{
	static const unsigned long holes[] = { 0, 1, 411, 412, 700, 1299 };
	unsigned int i;
	__u64 before;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		assert_int_equal(pt_map(FROM, PAGES, RW, 0), 0);
		assert_int_equal(pt_unmap(FROM + holes[i] * PAGE_SIZE, 1,
					  i & 1 ? PAGE_FLAG_LAZY : 0),
				 0);
		(void)ukplat_page_reclaim(machine.pt);
		before = pt_digest();
		assert_int_equal(move(FROM, TO, PAGES), -EFAULT);
		(void)ukplat_page_reclaim(machine.pt);
		assert_int_equal(pt_digest(), before);
		assert_int_equal(pt_unmap(FROM, PAGES, 0), 0);
	}
	assert_int_equal(pt_map(PT_LOWER, 1024, RW, PAGE_FLAG_LARGE), 0);
	assert_true(pt_is_large(PT_LOWER + 512 * PAGE_SIZE));
	assert_int_equal(move(PT_LOWER, TO, 1024), -EFAULT);
	assert_int_equal(pt_entry(TO), 0);
	assert_true(pt_is_large(PT_LOWER + 512 * PAGE_SIZE));
	assert_int_equal(pt_unmap(PT_LOWER, 1024, 0), 0);
}

/* Tables for the new place cannot be had, for any number that is left */
static void move_without_tables_changes_nothing(void **state)
{
	unsigned long n;
	int rc = -ENOMEM;
	__u64 before;

	(void)state;
	assert_int_equal(pt_map(FROM, PAGES, RW, 0), 0);
	(void)ukplat_page_reclaim(machine.pt);
	for (n = 0; rc; n++) {
		pt_pool_limit(n);
		before = pt_digest();
		rc = move(FROM, TO, PAGES);
		assert_true(!rc || rc == -ENOMEM);
		if (rc)
			assert_int_equal(pt_digest(), before);
		pt_pool_unlimit();
	}
	/* Three of the lowest level, one above them */
	assert_in_range(n, 5, 6);
	assert_int_equal(pt_unmap(TO, PAGES, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(move_takes_frames_along),
		UNIT_TEST(move_is_done_when_others_are_told),
		UNIT_TEST(move_refuses_bad_ranges),
		UNIT_TEST(move_needs_all_pages),
		UNIT_TEST(move_without_tables_changes_nothing),
	};

	return cmocka_run_group_tests_name("pt_move", tests, pt_boot, NULL);
}
