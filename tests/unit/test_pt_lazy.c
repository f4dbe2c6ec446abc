/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of page tables: pages that are unmapped lazily
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
#include "pt.h"
#include "pt_pool.h"

#define UNIT_TEST(fn) cmocka_unit_test_teardown(fn, pt_teardown)

#define RW   PAGE_ATTR_PROT_RW
#define LAZY PAGE_FLAG_LAZY

static __vaddr_t page(unsigned long n)
{
	return PT_LOWER + n * PAGE_SIZE;
}

static int is_lazy(unsigned long n)
{
	return !!(pt_entry(page(n)) & X86_PTE_LAZY);
}

/* Closes the batch of this CPU: unmaps enough of other pages, one by one */
#define FILLERS ((unsigned long)UKPLAT_TLBQ_RANGES)
static void batch_fill(void)
{
	static unsigned long round;
	__vaddr_t va = page(5000 + 2000 * (round++ % 2));
	__u64 gen = ukplat_tlb_gen;
	unsigned long i;

	assert_int_equal(pt_map(va, 2 * FILLERS, RW, 0), 0);
	for (i = 0; i < FILLERS && ukplat_tlb_gen == gen; i++)
		assert_int_equal(pt_unmap(va + 2 * i * PAGE_SIZE, 1, LAZY), 0);
	assert_int_equal(ukplat_tlb_gen, gen + 1);
	assert_int_equal(pt_unmap(va, 2 * FILLERS, 0), 0);
}

static void address_is_taken_until_others_have_passed(void **state)
{
	__paddr_t paddr;
	__u64 gen;

	(void)state;
	assert_int_equal(pt_map(page(0), 3, RW, 0), 0);
	paddr = pt_frame(page(1));
	ram_words(paddr)[511] = 1;
	assert_int_equal(pt_unmap(page(0), 3, LAZY), 0);
	assert_true(ram_is_zero(paddr));
	assert_int_equal(ukplat_page_translate(machine.pt, page(1)),
			 __PADDR_INV);
	assert_int_equal(machine.flushed.vaddr, page(0));
	assert_int_equal(machine.flushed.pages, 3);
	pt_check();

	/* Full, closed, but not passed; then passed, but nobody looks */
	gen = ukplat_tlb_gen + 1;
	assert_int_equal(pt_map(page(3000), 400, RW, 0), 0);
	assert_int_equal(pt_unmap(page(3000), 400, LAZY), 0);
	assert_int_equal(ukplat_tlb_gen, gen);
	assert_true(is_lazy(1) && ram_frame(paddr)->used);
	fake_tlb_pass(gen);
	assert_true(is_lazy(1) && ram_frame(paddr)->used);
	batch_fill();
	assert_int_equal(pt_entry(page(1)), 0);
	assert_false(ram_frame(paddr)->used);
	pt_check();
}

static void map_gets_an_address_back_that_is_taken(void **state)
{
	__u64 before, gen = ukplat_tlb_gen;

	(void)state;
	assert_int_equal(pt_map(page(0), 10, RW, 0), 0);
	assert_int_equal(pt_unmap(page(0), 10, LAZY), 0);
	assert_int_equal(pt_map(page(4), 3, RW, 0), 0);
	assert_true(fake_tlb.passed > gen);
	assert_int_equal(pt_entry(page(0)), 0);

	/* In a handler nobody can be waited for */
	assert_int_equal(pt_unmap(page(4), 3, LAZY), 0);
	pt_irq_set(1);
	before = pt_digest();
	assert_int_equal(pt_map(page(0), 10, RW, 0), -ENOMEM);
	assert_int_equal(pt_digest(), before);
	pt_irq_set(0);
	assert_int_equal(pt_map(page(0), 10, RW, 0), 0);
	assert_int_equal(pt_unmap(page(0), 10, 0), 0);
}

/* Zombies belong to the call that made them (P6) */
static void ranges_overlap_older_ones(void **state)
{
	unsigned long i;

	(void)state;
	assert_int_equal(pt_map(page(0), 1200, RW, 0), 0);
	assert_int_equal(pt_unmap(page(2), 3, LAZY), 0);
	assert_int_equal(pt_unmap(page(505), 20, LAZY), 0);
	assert_int_equal(pt_unmap(page(0), 8, LAZY), 0);
	pt_check();
	pt_cpu_set(1);
	assert_int_equal(pt_unmap(page(500), 30, LAZY), 0);
	pt_check();
	/* What is unmapped at once leaves the others alone, too */
	assert_int_equal(pt_unmap(page(0), 1200, 0), 0);
	pt_check();
	for (i = 0; i < 1200; i++)
		assert_int_equal(is_lazy(i), i < 8 || (i >= 500 && i < 530));
	assert_int_equal(ram_free(), machine.free - 38);

	/* Remapped in between, and unmapped again */
	assert_int_equal(pt_map(page(4), 2, RW, 0), 0);
	assert_int_equal(pt_map(page(503), 9, RW, 0), 0);
	assert_int_equal(pt_unmap(page(0), 1200, LAZY), 0);
	pt_check();
	assert_int_equal(ram_free(), machine.free - 11);
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(ram_free(), machine.free);
}

static void run_without_a_gap_is_one_range(void **state)
{
	unsigned long flushes;

	(void)state;
	assert_int_equal(pt_map(page(0), 1400, RW, 0), 0);
	assert_int_equal(pt_unmap(page(700), 1, 0), 0);
	flushes = machine.flushes;
	assert_int_equal(pt_unmap(page(0), 1400, LAZY), 0);
	assert_int_equal(machine.flushes, flushes + 2);
	assert_int_equal(machine.flushed.vaddr, page(701));
	assert_int_equal(machine.flushed.pages, 699);
}

/* Tables of the lower half travel with the next batch */
static void empty_tables_wait_for_a_generation(void **state)
{
	unsigned long tables = pt_pool_free(), i;

	(void)state;
	assert_int_equal(pt_map(page(0), 1, RW, 0), 0);
	assert_int_equal(pt_pool_free(), tables - 3);
	assert_int_equal(pt_unmap(page(0), 1, 0), 0);
	assert_int_equal(machine.pt->empty_cnt, 3);
	assert_int_equal(pt_pool_free(), tables - 3);
	pt_check();

	/* Many make a batch of their own */
	for (i = 0; i < 31; i++)
		assert_int_equal(pt_map(page(512UL * i), 1, RW, 0), 0);
	for (i = 0; i < 28; i++) {
		assert_int_equal(pt_unmap(page(512UL * i), 1, 0), 0);
		assert_int_equal(machine.pt->empty_cnt, 3 + i + 1);
	}
	assert_int_equal(pt_unmap(page(512UL * 28), 1, 0), 0);
	assert_int_equal(machine.pt->empty_cnt, 0);
	assert_false(fake_tlb.own);
	assert_int_equal(pt_pool_free(), tables - 36);
	pt_check();
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(pt_pool_free(), tables - 4);
	assert_int_equal(pt_unmap(page(0), 512UL * 31, LAZY), 0);
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(pt_pool_free(), tables);
}

static void cpu_without_quarantine_does_it_at_once(void **state)
{
	unsigned long shootdowns;
	__paddr_t paddr;

	(void)state;
	pt_cpu_set(PT_CPUS);
	shootdowns = machine.shootdowns;
	assert_int_equal(pt_map(page(0), 3, RW, 0), 0);
	paddr = pt_frame(page(2));
	assert_int_equal(pt_unmap(page(0), 3, LAZY), 0);
	assert_int_equal(machine.shootdowns, shootdowns + 1);
	assert_int_equal(pt_entry(page(2)), 0);
	assert_false(ram_frame(paddr)->used);
	pt_check();
}

static void stats_tell_what_waited(void **state)
{
	struct ukplat_tlbq_stats one[2], all, before;

	(void)state;
	ukplat_page_lazy_stats_get(~0U, &before);
	assert_int_equal(pt_map(page(0), 1000, RW, 0), 0);
	assert_int_equal(pt_unmap(page(0), 300, LAZY), 0);
	pt_cpu_set(1);
	assert_int_equal(pt_unmap(page(400), 260, LAZY), 0);
	assert_int_equal(pt_lazy_pages(), 560);
	assert_int_equal(ukplat_page_available() + ukplat_page_tables_free(),
			 (ram_free() + pt_pool_free() + 560) << PAGE_SHIFT);
	ukplat_page_lazy_stats_get(0, &one[0]);
	ukplat_page_lazy_stats_get(1, &one[1]);
	ukplat_page_lazy_stats_get(~0U, &all);
	assert_int_equal(one[0].pages + one[1].pages, all.pages);
	assert_int_equal(all.pages, before.pages + 560);
	assert_int_equal(all.ranges, before.ranges + 2);
	assert_int_equal(all.batches, before.batches + 2);
	assert_int_equal(all.pages_peak,
			 MAX(one[0].pages_peak, one[1].pages_peak));
	assert_int_equal(pt_unmap(page(0), 1000, 0), 0);
}

/* More than may wait for one CPU: a share of all memory */
static void pages_that_wait_are_limited(void **state)
{
	const unsigned long max = RAM_FRAMES / 16 / PT_CPUS;
	unsigned long i;

	(void)state;
	assert_int_equal(pt_map(page(0), 3000, RW, 0), 0);
	for (i = 0; i < 3000; i += 100) {
		assert_int_equal(pt_unmap(page(i), 100, LAZY), 0);
		assert_true(pt_lazy_pages() <= max);
	}
	assert_true(pt_lazy_pages() > max - 300);
	pt_check();
}

/* Pages that go until a batch is closed, 16 at a time */
static unsigned long pages_until_close(unsigned long first)
{
	unsigned long closes = fake_tlb.closes, i = first;

	while (fake_tlb.closes == closes) {
		assert_true(i < first + 1000);
		assert_int_equal(pt_unmap(page(i), 16, LAZY), 0);
		i += 16;
	}
	return i - first;
}

/* As a handler that finds its queue locked by what it interrupted: nobody takes
 * its tables, and yet there are not more and more of them
 */
static void tables_without_a_queue_do_not_pile_up(void **state)
{
	unsigned long free = ram_free(), i;

	(void)state;
	pt_cpu_set(PT_CPUS);
	for (i = 0; i < 600; i++) {
		assert_int_equal(pt_map(page(i * 512 * 512), 1, RW, 0), 0);
		assert_int_equal(pt_unmap(page(i * 512 * 512), 1, LAZY), 0);
		assert_true(machine.pt->empty_cnt < 260);
	}
	pt_check();
	pt_cpu_set(0);
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(machine.pt->empty_cnt, 0);
	assert_int_equal(ram_free(), free);
}

/* So what one call reaps is a quarter of a batch */
static void who_is_alone_does_not_fill_batches(void **state)
{
	(void)state;
	assert_int_equal(pt_map(page(0), 1600, RW, 0), 0);
	(void)pages_until_close(0);
	assert_int_equal(pages_until_close(300), 256);
	machine.alone = RAM_NEVER;
	(void)pages_until_close(600);
	assert_in_range(pages_until_close(700), 48, 80);
	assert_in_range(pages_until_close(800), 48, 80);
	pt_check();
	/* Who wakes up has the rest of the batch before him */
	machine.alone = 0;
	assert_in_range(pages_until_close(900), 176, 256);
	pt_check();
	assert_int_equal(pt_unmap(page(0), 1600, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(address_is_taken_until_others_have_passed),
		UNIT_TEST(map_gets_an_address_back_that_is_taken),
		UNIT_TEST(ranges_overlap_older_ones),
		UNIT_TEST(run_without_a_gap_is_one_range),
		UNIT_TEST(empty_tables_wait_for_a_generation),
		UNIT_TEST(cpu_without_quarantine_does_it_at_once),
		UNIT_TEST(tables_without_a_queue_do_not_pile_up),
		UNIT_TEST(stats_tell_what_waited),
		UNIT_TEST(pages_that_wait_are_limited),
		UNIT_TEST(who_is_alone_does_not_fill_batches),
	};

	return cmocka_run_group_tests_name("pt_lazy", tests, pt_boot, NULL);
}
