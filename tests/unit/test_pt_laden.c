/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of page tables: laden tables
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

#include <cmocka.h>

#include <uk/plat/bootstrap.h>

#include "fixture_pt.h"
#include "../../plat/common/pt_laden.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, sleepers, woken)

#define RW PAGE_ATTR_PROT_RW

#define PAY PT_LADEN_PAY

static __sz memory;

/* All other CPUs sleep, and there is room for tables */
static int sleepers(void **state)
{
	(void)state;
	machine.alone = RAM_NEVER;
	memory = ram_falloc.total_memory;
	ram_falloc.total_memory = 1UL << 32;
	return 0;
}

static int woken(void **state)
{
	ram_falloc.total_memory = memory;
	return pt_teardown(state);
}

static __vaddr_t page(unsigned long n)
{
	return PT_LOWER + n * PAGE_SIZE;
}

static int unmap(unsigned long first, unsigned long pages)
{
	return pt_unmap(page(first), pages, PAGE_FLAG_LAZY);
}

/* Junk in pages that have frames: whoever gets one finds zeros (pt_map()) */
static void pages_write(unsigned long first, unsigned long pages)
{
	unsigned long i;

	for (i = first; i < first + pages; i++)
		ram_words(pt_frame(page(i)))[i % 512] = i + 1;
}

/* Whole tables, and the beginning of one: the frames come back bit by bit, with
 * what others do
 */
static void tables_are_cut_off_and_paid_for(void **state)
{
	unsigned long free = ram_free(), closes = fake_tlb.closes, left;

	(void)state;
	assert_int_equal(pt_map(page(0), 2000, RW, 0), 0);
	pages_write(0, 2000);
	assert_int_equal(unmap(0, 2000), 0);
	assert_int_equal(fake_tlb.closes, closes);
	assert_int_equal(pt_entry(page(0)), 0);
	assert_int_equal(pt_entry(page(1999)), 0);
	left = 2000 - PAY;
	assert_int_equal(pt_laden_frames(), left);
	assert_int_equal(ram_free() + left, free);
	pt_check();

	assert_int_equal(pt_map(page(5000), 3, RW, 0), 0);
	left -= 3 + PAY;
	assert_int_equal(pt_laden_frames(), left);
	assert_int_equal(unmap(5000, 3), 0);
	left -= PAY;
	assert_int_equal(pt_laden_frames(), left);
	pt_check();
	while (left) {
		assert_int_equal(pt_map(page(6000), 300, RW, 0), 0);
		assert_int_equal(pt_unmap(page(6000), 300, 0), 0);
		left -= left < 300 + 2 * PAY ? left : 300 + 2 * PAY;
		assert_int_equal(pt_laden_frames(), left);
		pt_check();
	}
}

/* Who touches pages gives back as many frames as he gets */
static void touches_are_paid_for(void **state)
{
	unsigned long left, got, i;

	(void)state;
	assert_int_equal(pt_map(page(0), 2000, RW, 0), 0);
	assert_int_equal(unmap(0, 2000), 0);
	assert_int_equal(pt_map(page(3000), 1000, RW, PAGE_FLAG_DEMAND), 0);
	left = 2000 - 2 * PAY;
	assert_int_equal(pt_laden_frames(), left);
	for (i = 3000; i < 3100; i += got) {
		got = pt_touch(page(i), UKPLAT_PF_WRITE);
		left -= got < 4 ? 4 : got;
		assert_int_equal(pt_laden_frames(), left);
	}
	assert_true(pt_laden_frames() < 2000 - 100);
	pt_check();
	assert_int_equal(pt_unmap(page(3000), 1000, 0), 0);
}

/* Whoever else has something in a table keeps it: a page in front of the range
 * or behind it, or what waits in a quarantine
 */
static void tables_of_others_stay(void **state)
{
	static const unsigned long at[] = { 0, 511 };
	unsigned long i;

	(void)state;
	for (i = 0; i < 4; i++) {
		assert_int_equal(pt_map(page(1), 510, RW, 0), 0);
		assert_int_equal(pt_map(page(at[i % 2]), 1, RW, 0), 0);
		pages_write(1, 510);
		if (i / 2)
			assert_int_equal(unmap(at[i % 2], 1), 0);
		assert_int_equal(unmap(1, 510), 0);
		assert_int_equal(pt_laden_frames(), 0);
		assert_int_equal(pt_entry(page(7)), 0);
		assert_true(pt_entry(page(at[i % 2])));
		pt_check();
		assert_int_equal(pt_unmap(page(at[i % 2]), 1, 0), 0);
		(void)ukplat_page_reclaim(machine.pt);
	}
}

/* Pages that nobody touched have no frame, and their promises end */
static void untouched_pages_are_counted(void **state)
{
	unsigned long touched = 0, i;

	(void)state;
	assert_int_equal(pt_map(page(3), 1000, RW, PAGE_FLAG_DEMAND), 0);
	for (i = 3; i < 1003; i++)
		if (i < 200 || i % 2 == 0)
			touched += pt_touch(page(i), UKPLAT_PF_WRITE);
	assert_in_range(touched, 500, 999);
	assert_int_equal(ram.promised, 1000 - touched);
	assert_int_equal(unmap(3, 1000), 0);
	assert_int_equal(ram.promised, 0);
	/* But for those of a few steps at the beginning of each table */
	assert_in_range(pt_laden_frames(), touched - PAY - 16, touched - PAY);
	pt_check();
}

/* Every other page: that many steps would take as long as what they save, so
 * the rest goes at once; what had become a zombie before is not forgotten
 */
static void many_steps_end_in_a_cut(void **state)
{
	unsigned long free = ram_free(), i;

	(void)state;
	for (i = 0; i < 512; i += 2)
		assert_int_equal(pt_map(page(i), 1, RW, 0), 0);
	assert_int_equal(unmap(0, 512), 0);
	assert_true(pt_laden_frames() > 200);
	assert_int_equal(ram_free() + pt_laden_frames(), free);
	pt_check();
}

static unsigned long free_at_shootdown;

static void free_look(void)
{
	free_at_shootdown = ram_free();
}

/* A CPU wakes up in between: it has forgotten the pages before a frame is free.
 * The machine tells who frees too early.
 */
static void who_wakes_up_is_asked(void **state)
{
	unsigned long free, shootdowns = machine.shootdowns;

	(void)state;
	assert_int_equal(pt_map(page(0), 700, RW, 0), 0);
	free = ram_free();
	machine.alone = 1;
	machine.on_shootdown = free_look;
	assert_int_equal(unmap(0, 700), 0);
	machine.on_shootdown = NULL;
	assert_int_equal(machine.shootdowns, shootdowns + 1);
	assert_int_equal(machine.shot.vaddr, page(0));
	assert_int_equal(machine.shot.pages, 700);
	assert_int_equal(free_at_shootdown, free);
	assert_int_equal(ram_free() + pt_laden_frames(), free + 700);
	pt_check();
}

/* Who needs a promise gets it, for no more frames than are missing */
static void promises_take_what_they_need(void **state)
{
	unsigned long left;

	(void)state;
	assert_int_equal(pt_map(page(0), 3000, RW, 0), 0);
	assert_int_equal(unmap(0, 3000), 0);
	left = pt_laden_frames();
	assert_int_equal(left, 3000 - PAY);
	ram.promised += ram_free() - 100;
	assert_int_equal(pt_map(page(5000), 200, RW, PAGE_FLAG_DEMAND), 0);
	assert_int_equal(pt_laden_frames(), left - 200 - PAY);
	ram.promised = 200;
	pt_check();
	assert_int_equal(pt_unmap(page(5000), 200, 0), 0);
}

/* So does who has the frame of the first page: there is no promise for that */
static void touched_pages_need_no_promise(void **state)
{
	unsigned long left, promised;

	(void)state;
	assert_int_equal(pt_map(page(0), 3000, RW, 0), 0);
	assert_int_equal(unmap(0, 3000), 0);
	left = pt_laden_frames();
	ram.promised += ram_free() - 100;
	promised = ram.promised;
	assert_int_equal(pt_map(page(5000), 200, RW,
				PAGE_FLAG_DEMAND | PAGE_FLAG_TOUCH),
			 0);
	assert_int_not_equal(pt_frame(page(5000)), __PADDR_INV);
	assert_int_equal(ram.promised, promised + 199);
	assert_int_equal(pt_laden_frames(), left - 199 - PAY);
	ram.promised = 199;
	pt_check();
	assert_int_equal(pt_unmap(page(5000), 200, 0), 0);
	assert_int_equal(ram.promised, 0);
}

/* So does who wants frames at once, and a handler, who may not wait */
static void handlers_find_frames(void **state)
{
	unsigned long left, others;

	(void)state;
	assert_int_equal(pt_map(page(0), 3000, RW, 0), 0);
	assert_int_equal(unmap(0, 3000), 0);
	left = pt_laden_frames();
	others = ram_free() - 100;
	ram.promised += others;
	pt_irq_set(1);
	assert_int_equal(pt_map(page(5000), 200, RW, 0), 0);
	assert_int_equal(pt_laden_frames(), left - 200 - (200 + PAY));
	assert_int_equal(pt_map(page(6000), 4000, RW, 0), -ENOMEM);
	pt_irq_set(0);
	ram.promised -= others;
	pt_check();
	assert_int_equal(pt_unmap(page(5000), 200, 0), 0);
}

/* A sixteenth of the memory may wait, the rest is free at once; and from half
 * of that on the list does not become longer
 */
static void the_list_takes_a_share(void **state)
{
	unsigned long free = ram_free();

	(void)state;
	ram_falloc.total_memory = 16UL * 2048 * PAGE_SIZE;
	assert_int_equal(pt_map(page(0), 4096, RW, 0), 0);
	pages_write(0, 4096);
	assert_int_equal(unmap(0, 1024), 0);
	assert_int_equal(pt_laden_frames(), 1024 - PAY);
	assert_int_equal(unmap(1024, 512), 0);
	assert_int_equal(pt_laden_frames(), 1024 - PAY);
	pt_check();
	assert_int_equal(unmap(1536, 2560), 0);
	assert_int_equal(pt_laden_frames(), 1024 - PAY);
	assert_int_equal(ram_free() + pt_laden_frames(), free);
	pt_check();
	assert_int_equal(pt_map(page(0), 1, RW, 0), 0);
	assert_int_equal(unmap(0, 1), 0);
	assert_int_equal(pt_laden_frames(), 1024 - 3 * PAY - 1);
}

/* Who unmaps many pages that nobody touched adds few frames, and gives no more
 * back
 */
static void sparse_pages_cost_little(void **state)
{
	unsigned long left, touched = 0;

	(void)state;
	ram_falloc.total_memory = 16UL * 2048 * PAGE_SIZE;
	assert_int_equal(pt_map(page(5120), 2000, RW, PAGE_FLAG_DEMAND), 0);
	while (touched < 100)
		touched += pt_touch(page(5120 + touched), UKPLAT_PF_WRITE);
	assert_int_equal(pt_map(page(0), 1024, RW, 0), 0);
	assert_int_equal(unmap(0, 1024), 0);
	left = pt_laden_frames();
	assert_int_equal(left, 1024 - PAY);
	assert_int_equal(unmap(5120, 2000), 0);
	assert_int_equal(pt_laden_frames(), left);
	pt_check();
}

/* More tables than the list has room for, with a few pages each, and more than
 * one cut has: frames of others go back, and then what every call gives back
 */
static void a_full_list_gives_back(void **state)
{
	unsigned long free = ram_free(), i;

	(void)state;
	for (i = 0; i < PT_LADEN_MAX + 11; i++)
		assert_int_equal(pt_map(page(i * 512UL + 9), 40, RW, 0), 0);
	assert_int_equal(unmap(9, 512UL * (PT_LADEN_MAX + 10) + 40), 0);
	assert_int_equal(ram_free() + pt_laden_frames(), free);
	/* Those of 12 tables and of a part of one */
	assert_in_range(pt_laden.cnt, PT_LADEN_MAX - 13, PT_LADEN_MAX);
	assert_int_equal(pt_laden_frames(),
			 (PT_LADEN_MAX + 11) * 40UL - 512 - PAY);
	pt_check();
}

/* Few pages are not worth it: they are verified whoever sleeps */
static void short_ranges_are_not_cut(void **state)
{
	(void)state;
	assert_int_equal(pt_map(page(0), 32, RW, 0), 0);
	assert_int_equal(unmap(0, 32), 0);
	assert_int_equal(pt_laden_frames(), 0);
	assert_int_equal(pt_entry(page(0)) & X86_PTE_OURS, X86_PTE_LAZY);
	pt_check();
}

/* Who counts what is left counts the list, and who looks for memory finds it */
static void memory_is_counted_and_found(void **state)
{
	__sz available;

	(void)state;
	assert_int_equal(pt_map(page(0), 1500, RW, 0), 0);
	available = ukplat_page_available();
	assert_int_equal(unmap(0, 1500), 0);
	assert_true(pt_laden_frames() > 900);
	assert_true(ukplat_page_available() >= available + 1500 * PAGE_SIZE);
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(pt_laden_frames(), 0);
	pt_check();
}

int main(int argc __unused, char *argv[] __unused)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(tables_are_cut_off_and_paid_for),
		UNIT_TEST(touches_are_paid_for),
		UNIT_TEST(tables_of_others_stay),
		UNIT_TEST(untouched_pages_are_counted),
		UNIT_TEST(many_steps_end_in_a_cut),
		UNIT_TEST(who_wakes_up_is_asked),
		UNIT_TEST(promises_take_what_they_need),
		UNIT_TEST(touched_pages_need_no_promise),
		UNIT_TEST(handlers_find_frames),
		UNIT_TEST(the_list_takes_a_share),
		UNIT_TEST(sparse_pages_cost_little),
		UNIT_TEST(a_full_list_gives_back),
		UNIT_TEST(short_ranges_are_not_cut),
		UNIT_TEST(memory_is_counted_and_found),
	};

	return cmocka_run_group_tests_name("pt_laden", tests, pt_boot, NULL);
}
