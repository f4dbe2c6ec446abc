/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of page tables: unmapping at once, and changes of rights
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

#define RW   PAGE_ATTR_PROT_RW
#define READ PAGE_ATTR_PROT_READ
#define NONE PAGE_ATTR_PROT_NONE
#define KEEP PAGE_FLAG_KEEP_FRAMES

static __vaddr_t page(unsigned long n)
{
	return PT_LOWER + n * PAGE_SIZE;
}

static int set_attr(__vaddr_t va, unsigned long pages, unsigned long attr)
{
	machine.just_flushed = 0;
	return ukplat_page_set_attr(machine.pt, va, pages, attr, 0);
}

/* Ranges that nobody but the platform may touch: both ends of either map, what
 * is mapped there and what is not, and one that has both ends inside
 */
static const struct ukplat_tlbq_range *ram_range(unsigned int i)
{
	static struct ukplat_tlbq_range r[7];
	__paddr_t block = machine.pt->pt_pbase;

	r[0] = (struct ukplat_tlbq_range){ ram.direct, 1 };
	r[1] = (struct ukplat_tlbq_range){ ram.direct - PAGE_SIZE, 2 };
	r[2] = (struct ukplat_tlbq_range){ ram.direct + block, 1 };
	r[3] = (struct ukplat_tlbq_range){ ram.window + block, 512 };
	r[4] = (struct ukplat_tlbq_range){ ram.window + RAM_START, 1 };
	r[5] = (struct ukplat_tlbq_range){ ram.window + RAM_END - PAGE_SIZE,
					   1 };
	r[6] = (struct ukplat_tlbq_range){ ram.direct - PAGE_SIZE,
					   RAM_FRAMES + 2 };
	return i < ARRAY_SIZE(r) ? &r[i] : __NULL;
}

static int is_unused(__vaddr_t va, unsigned long pages)
{
	return ukplat_page_is_unused(machine.pt, va, pages);
}

/* Whatever a page of a range is like, and wherever it is, it is not overlooked;
 * and when it has gone that is seen
 */
static void unused_ranges_are_told(void **state)
{
	/* Of one page behind the first, in tables farther and farther away */
	static const unsigned long at[] = { 0,	       1,
					    511,       512,
					    1UL << 18, (1UL << 18) + 5,
					    1UL << 27, (1UL << 27) + 700 };
	unsigned long i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		assert_int_equal(is_unused(page(at[i]), 1), 1);
		assert_int_equal(pt_map(page(at[i]), 1, NONE, 0), 0);
		assert_int_equal(is_unused(PT_LOWER, at[i] + 1), 0);
		assert_int_equal(is_unused(page(at[i]), 1UL << 28), 0);
		assert_int_equal(pt_unmap(page(at[i]), 1, PAGE_FLAG_LAZY), 0);
		/* A zombie is nothing to unmap */
		assert_int_equal(is_unused(page(at[i]), 1), 1);
		assert_int_equal(is_unused(page(at[i]), 512), !(at[i] % 512));
		(void)ukplat_page_reclaim(machine.pt);
		assert_int_equal(is_unused(page(at[i]), 1), 1);
		assert_int_equal(pt_map(page(at[i]), 1, RW, PAGE_FLAG_DEMAND),
				 0);
		assert_int_equal(is_unused(PT_LOWER, at[i] + 1), 0);
		assert_int_equal(pt_unmap(page(at[i]), 1, 0), 0);
	}
	assert_int_equal(pt_map(PT_LOWER, 512, RW, PAGE_FLAG_LARGE), 0);
	assert_int_equal(is_unused(page(3), 1), 0);
	assert_int_equal(pt_unmap(PT_LOWER, 512, 0), 0);
	assert_int_equal(is_unused(page(3), 1), 1);
	pt_check();
}

static int unmap_raw(const struct ukplat_tlbq_range *r, unsigned long flags)
{
	return ukplat_page_unmap(machine.pt, r->vaddr, r->pages, flags);
}

static void unmap_refuses_bad_flags_and_ranges(void **state)
{
	static const unsigned long flags[] = { 0x01,
					       PAGE_FLAG_NO_FLUSH,
					       PAGE_FLAG_LAZY | KEEP,
					       PAGE_FLAG_LAZY |
						       PAGE_FLAG_NO_FLUSH,
					       PAGE_FLAG_LARGE,
					       ~0UL };
	__u64 before = pt_digest();
	const struct ukplat_tlbq_range *r;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		assert_int_equal(pt_unmap(PT_LOWER, 1, flags[i]), -EINVAL);
	assert_int_equal(pt_unmap(PT_LOWER + 8, 1, 0), -EINVAL);
	assert_int_equal(pt_unmap(PT_LOWER, 0, 0), -EINVAL);
	assert_int_equal(pt_unmap(UKARCH_VADDR_LOWER_END, 1, 0), -EINVAL);
	for (i = 0; (r = ram_range(i)); i++) {
		assert_int_equal(unmap_raw(r, 0), -EINVAL);
		assert_int_equal(unmap_raw(r, KEEP), -EINVAL);
		assert_int_equal(unmap_raw(r, PAGE_FLAG_LAZY), -EINVAL);
	}
	assert_int_equal(pt_digest(), before);
}

static void unmap_skips_what_is_not_mapped(void **state)
{
	unsigned long shootdowns = machine.shootdowns;
	__u64 before = pt_digest();

	(void)state;
	assert_int_equal(pt_unmap(page(0), RAM_FRAMES, 0), 0);
	assert_int_equal(ukplat_page_unmap(machine.pt, page(0), 1UL << 33, 0),
			 0);
	assert_int_equal(machine.shootdowns, shootdowns);
	assert_int_equal(pt_digest(), before);

	assert_int_equal(pt_map(page(3), 1, RW, 0), 0);
	assert_int_equal(pt_map(page(700), 2, NONE, 0), 0);
	assert_int_equal(pt_unmap(page(0), RAM_FRAMES, 0), 0);
	assert_int_equal(machine.shootdowns, shootdowns + 1);
	assert_int_equal(pt_entry(page(3)), 0);
	assert_int_equal(pt_entry(page(701)), 0);
}

/* What a missing table is for is passed over, and not a page more */
static void unmap_finds_pages_behind_missing_tables(void **state)
{
	static const unsigned int shifts[] = { 21, 30, 39 };
	__paddr_t paddr;
	unsigned int i;
	__vaddr_t va;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		va = PT_LOWER + (1UL << shifts[i]);
		va &= ~((1UL << shifts[i]) - 1);
		assert_int_equal(pt_map(va, 1, RW, 0), 0);
		paddr = pt_frame(va);
		/* Without a flush of so many pages */
		assert_int_equal(ukplat_page_unmap(machine.pt, page(0),
						   1UL << (shifts[i] - 11),
						   KEEP | PAGE_FLAG_NO_FLUSH),
				 0);
		assert_int_equal(pt_entry(va), 0);
		ram_frame(paddr)->need = 0;
		uk_ffree(&ram_falloc, paddr, 1);
	}
}

static void unmap_takes_nothing_else(void **state)
{
	unsigned long i;

	(void)state;
	assert_int_equal(pt_map(page(0), 1100, RW, 0), 0);
	assert_int_equal(pt_unmap(page(1), 1098, 0), 0);
	pt_check();
	for (i = 0; i < 1100; i++)
		assert_int_equal(!!pt_entry(page(i)), !i || i == 1099);
	assert_int_equal(pt_unmap(page(0), 1, 0), 0);
	assert_int_equal(pt_unmap(page(1099), 1, 0), 0);
	/* Upper half: nothing is ever lazy there */
	assert_int_equal(pt_map(PT_UPPER, 10, RW, 0), 0);
	assert_int_equal(pt_unmap(PT_UPPER, 9, PAGE_FLAG_LAZY), 0);
	assert_int_equal(pt_entry(PT_UPPER), 0);
	assert_int_equal(ram_free(), machine.free - 1);
	assert_int_equal(pt_unmap(PT_UPPER, 10, 0), 0);
}

static void unmap_leaves_frames_that_are_kept(void **state)
{
	unsigned long shootdowns;
	__paddr_t frames[20];
	unsigned long i;

	(void)state;
	assert_int_equal(pt_map(page(0), 20, RW, 0), 0);
	for (i = 0; i < 20; i++) {
		frames[i] = pt_frame(page(i));
		ram_words(frames[i])[7] = i + 1;
	}
	assert_int_equal(pt_unmap(page(0), 10, KEEP), 0);
	shootdowns = machine.shootdowns;
	assert_int_equal(pt_unmap(page(0), 20, KEEP | PAGE_FLAG_NO_FLUSH), 0);
	assert_int_equal(machine.shootdowns, shootdowns);
	pt_check();
	for (i = 0; i < 20; i++) {
		assert_int_equal(pt_entry(page(i)), 0);
		assert_int_equal(ram_words(frames[i])[7], i + 1);
		uk_ffree(&ram_falloc, frames[i], 1);
	}
}

/* Tables of the upper half wait until sleeping CPUs have forgotten them */
static void tables_of_the_upper_half_wait(void **state)
{
	unsigned long calls = machine.table_shootdowns;

	(void)state;
	assert_int_equal(pt_map(PT_UPPER, 1, RW, 0), 0);
	assert_int_equal(pt_unmap(PT_UPPER, 1, 0), 0);
	/* The one below the top stays (P5) */
	assert_int_equal(machine.pt->limbo_cnt, 2);
	assert_int_equal(machine.pt->empty_cnt, 0);
	assert_int_equal(machine.table_shootdowns, calls);
	pt_check();
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(machine.table_shootdowns, calls + 1);
	assert_int_equal(machine.pt->limbo_cnt, 0);
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(machine.table_shootdowns, calls + 1);
}

static void many_tables_of_the_upper_half_do_not_wait(void **state)
{
	unsigned long calls = machine.table_shootdowns, i;
	__paddr_t paddr;
	__vaddr_t va;

	(void)state;
	for (i = 0; i < 40; i++)
		assert_int_equal(
			pt_map(PT_UPPER + i * PAGE_LARGE_SIZE, 1, RW, 0), 0);
	for (i = 0; i < 40; i++) {
		va = PT_UPPER + i * PAGE_LARGE_SIZE;
		paddr = pt_frame(va);
		assert_int_equal(pt_unmap(va, 1, KEEP | PAGE_FLAG_NO_FLUSH), 0);
		uk_ffree(&ram_falloc, paddr, 1);
		/* With the last one goes the table above */
		assert_int_equal(machine.pt->limbo_cnt, i + 1 + (i == 39));
	}
	assert_int_equal(machine.table_shootdowns, calls);
	assert_int_equal(pt_map(PT_UPPER, 1, RW, 0), 0);
	assert_int_equal(pt_unmap(PT_UPPER, 1, 0), 0);
	assert_int_equal(machine.table_shootdowns, calls + 1);
	assert_int_equal(machine.pt->limbo_cnt, 0);
}

static void attr_refuses_bad_arguments(void **state)
{
	const struct ukplat_tlbq_range *r;
	unsigned int i;
	__u64 before;

	(void)state;
	assert_int_equal(pt_map(page(0), 4, RW, 0), 0);
	before = pt_digest();
	assert_int_equal(ukplat_page_set_attr(machine.pt, page(0), 1, RW, 1),
			 -EINVAL);
	assert_int_equal(set_attr(page(0), 1, 0x06), -EINVAL);
	assert_int_equal(set_attr(page(0), 1, 0x20), -EINVAL);
	assert_int_equal(set_attr(page(0) + 1, 1, RW), -EINVAL);
	assert_int_equal(set_attr(page(0), 0, RW), -EINVAL);
	assert_int_equal(set_attr(UKARCH_VADDR_LOWER_END, 1, RW), -EINVAL);
	for (i = 0; (r = ram_range(i)); i++)
		assert_int_equal(set_attr(r->vaddr, r->pages, READ), -EINVAL);
	/* One page without a frame is enough, at either end, in any state */
	assert_int_equal(set_attr(page(0), 5, READ), -EFAULT);
	assert_int_equal(set_attr(page(-1UL), 5, READ), -EFAULT);
	assert_int_equal(set_attr(page(0), 1UL << 30, READ), -EFAULT);
	assert_int_equal(pt_digest(), before);
	assert_int_equal(pt_unmap(page(3), 1, PAGE_FLAG_LAZY), 0);
	before = pt_digest();
	assert_int_equal(set_attr(page(0), 4, READ), -EFAULT);
	assert_int_equal(pt_digest(), before);
	assert_int_equal(pt_unmap(page(0), 4, 0), 0);
}

/* Whether other CPUs have to be told depends on what they may remember */
static void attr_tells_who_may_remember(void **state)
{
	unsigned long shootdowns = machine.shootdowns;
	__paddr_t paddr;

	(void)state;
	assert_int_equal(pt_map(page(0), 600, NONE, 0), 0);
	paddr = pt_frame(page(599));
	assert_int_equal(set_attr(page(0), 600, RW), 0);
	assert_int_equal(machine.shootdowns, shootdowns);
	assert_int_equal(ukplat_page_translate(machine.pt, page(599)), paddr);
	assert_int_equal(set_attr(page(0), 600, RW), 0);
	assert_int_equal(machine.shootdowns, shootdowns);

	assert_int_equal(set_attr(page(599), 1, READ), 0);
	assert_int_equal(machine.shootdowns, shootdowns + 1);
	assert_int_equal(machine.shot.vaddr, page(599));
	assert_int_equal(machine.shot.pages, 1);
	assert_int_equal(pt_entry(page(599)) & (X86_PTE_RW | X86_PTE_DIRTY), 0);
	assert_true(pt_entry(page(598)) & X86_PTE_RW);
	/* New rights are for those who fault */
	assert_int_equal(set_attr(page(0), 600, RW), 0);
	assert_int_equal(machine.shootdowns, shootdowns + 1);
	/* One of many is enough */
	assert_int_equal(set_attr(page(0), 600, NONE), 0);
	assert_int_equal(machine.shootdowns, shootdowns + 2);
	assert_int_equal(ukplat_page_translate(machine.pt, page(0)),
			 __PADDR_INV);
	assert_int_equal(pt_frame(page(599)), paddr);
	pt_check();
	assert_int_equal(pt_unmap(page(0), 600, 0), 0);
}

/* A hole is an error, or is passed over with one shootdown for all */
static void attr_skips_holes_if_it_may(void **state)
{
	unsigned long shootdowns = machine.shootdowns;

	(void)state;
	assert_int_equal(pt_map(page(0), 2, RW, 0), 0);
	assert_int_equal(pt_map(page(4), 2, RW, 0), 0);
	assert_int_equal(pt_map(page(1500), 1, RW, 0), 0);
	assert_int_equal(set_attr(page(0), 1501, READ), -EFAULT);
	assert_true(pt_entry(page(0)) & X86_PTE_RW);
	assert_int_equal(ukplat_page_set_attr(machine.pt, page(0), 1501, READ,
					      PAGE_FLAG_SKIP_UNMAPPED),
			 0);
	assert_int_equal(machine.shootdowns, shootdowns + 1);
	assert_int_equal(pt_entry(page(1)) & X86_PTE_RW, 0);
	assert_int_equal(pt_entry(page(2)), 0);
	assert_int_equal(pt_entry(page(5)) & X86_PTE_RW, 0);
	assert_int_equal(pt_entry(page(1500)) & X86_PTE_RW, 0);
	/* What waits in a quarantine is no page any more */
	assert_int_equal(pt_unmap(page(4), 1, PAGE_FLAG_LAZY), 0);
	assert_int_equal(ukplat_page_set_attr(machine.pt, page(0), 6, RW,
					      PAGE_FLAG_SKIP_UNMAPPED),
			 0);
	assert_int_equal(pt_entry(page(4)) & X86_PTE_OURS, X86_PTE_LAZY);
	assert_true(pt_entry(page(5)) & X86_PTE_RW);
	pt_check();
	assert_int_equal(pt_unmap(page(0), 1501, 0), 0);
}

/* Somebody else has a page in each table of [0, 1024): none is cut off */
static void neighbours_map(void)
{
	assert_int_equal(pt_map(page(0), 1, RW, 0), 0);
	assert_int_equal(pt_map(page(1023), 1, RW, 0), 0);
}

static void neighbours_unmap(void)
{
	machine.alone = 0;
	assert_int_equal(pt_unmap(page(0), 1024, 0), 0);
}

/* Nobody remembers the pages: no batch, no clearing, no verifying */
static void alone_frames_are_free_at_once(void **state)
{
	unsigned long i, free, closes = fake_tlb.closes;
	__paddr_t frame;

	(void)state;
	neighbours_map();
	free = ram_free();
	assert_int_equal(pt_map(page(1), 700, RW, 0), 0);
	frame = pt_frame(page(5));
	for (i = 1; i <= 700; i++)
		ram_words(pt_frame(page(i)))[17] = i;
	machine.alone = RAM_NEVER;
	assert_int_equal(pt_unmap(page(1), 700, PAGE_FLAG_LAZY), 0);
	assert_int_equal(fake_tlb.closes, closes);
	assert_int_equal(ram_free(), free);
	assert_int_equal(pt_entry(page(1)), 0);
	assert_true(ram_frame(frame)->dirty);
	pt_check();
	/* What is taken again is zero: pt_map() looks */
	assert_int_equal(pt_map(page(1), 700, RW, 0), 0);
	assert_int_equal(pt_unmap(page(1), 700, PAGE_FLAG_LAZY), 0);
	neighbours_unmap();
}

/* What is short is verified whoever sleeps */
static void alone_few_pages_wait(void **state)
{
	(void)state;
	machine.alone = RAM_NEVER;
	assert_int_equal(pt_map(page(0), 32, RW, 0), 0);
	assert_int_equal(pt_unmap(page(0), 32, PAGE_FLAG_LAZY), 0);
	assert_int_equal(pt_entry(page(31)) & X86_PTE_OURS, X86_PTE_LAZY);
	pt_check();
}

/* A CPU wakes up in between: all is as if it had never slept */
static void who_wakes_up_finds_clear_frames(void **state)
{
	unsigned long i;
	__paddr_t frame;

	(void)state;
	neighbours_map();
	assert_int_equal(pt_map(page(1), 100, RW, 0), 0);
	for (i = 1; i <= 100; i++)
		ram_words(pt_frame(page(i)))[17] = i;
	machine.alone = 1;
	frame = pt_frame(page(100));
	assert_int_equal(pt_unmap(page(1), 100, PAGE_FLAG_LAZY), 0);
	assert_true(ram_frame(frame)->used);
	for (i = 1; i <= 100; i++) {
		assert_int_equal(pt_entry(page(i)) & X86_PTE_OURS,
				 X86_PTE_LAZY);
		assert_true(ram_is_zero(pt_frame(page(i))));
	}
	pt_check();
	neighbours_unmap();
}

/* A large page likewise */
static void alone_large_pages_are_free_at_once(void **state)
{
	unsigned long free = ram_free();

	(void)state;
	assert_int_equal(pt_map(PT_LOWER, 512, RW, PAGE_FLAG_LARGE), 0);
	ram_words(pt_frame(PT_LOWER))[1] = 1;
	machine.alone = RAM_NEVER;
	assert_int_equal(pt_unmap(PT_LOWER, 512, PAGE_FLAG_LAZY), 0);
	assert_int_equal(ram_free(), free);
	assert_int_equal(pt_map(PT_LOWER, 512, RW, PAGE_FLAG_LARGE), 0);
	ram_words(pt_frame(PT_LOWER))[1] = 1;
	machine.alone = 1;
	assert_int_equal(pt_unmap(PT_LOWER, 512, PAGE_FLAG_LAZY), 0);
	assert_int_equal(pt_entry(PT_LOWER) & X86_PTE_OURS, X86_PTE_LAZY);
	assert_true(ram_is_zero(pt_frame(PT_LOWER)));
	pt_check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(unmap_refuses_bad_flags_and_ranges),
		UNIT_TEST(attr_skips_holes_if_it_may),
		UNIT_TEST(unmap_skips_what_is_not_mapped),
		UNIT_TEST(unmap_finds_pages_behind_missing_tables),
		UNIT_TEST(unmap_takes_nothing_else),
		UNIT_TEST(unused_ranges_are_told),
		UNIT_TEST(unmap_leaves_frames_that_are_kept),
		UNIT_TEST(tables_of_the_upper_half_wait),
		UNIT_TEST(many_tables_of_the_upper_half_do_not_wait),
		UNIT_TEST(attr_refuses_bad_arguments),
		UNIT_TEST(attr_tells_who_may_remember),
		UNIT_TEST(alone_frames_are_free_at_once),
		UNIT_TEST(alone_few_pages_wait),
		UNIT_TEST(who_wakes_up_finds_clear_frames),
		UNIT_TEST(alone_large_pages_are_free_at_once),
	};

	return cmocka_run_group_tests_name("pt_unmap", tests, pt_boot, NULL);
}
