/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of page tables: the pool that tables come from
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
#include "pt_pool.h"
#include "random.h"

#define UNIT_TEST(fn) cmocka_unit_test_teardown(fn, pt_teardown)

#define RW     PAGE_ATTR_PROT_RW
#define DEVICE 0x0000000100000000UL

static unsigned int blocks(void)
{
	unsigned int n = 0;
	__paddr_t paddr;

	for (paddr = 0; paddr < RAM_END; paddr += PAGE_LARGE_SIZE)
		n += (unsigned int)pt_pool_has(paddr);
	return n;
}

static void pool_grows_when_few_tables_are_left(void **state)
{
	unsigned long moves = machine.shootdowns;

	(void)state;
	assert_int_equal(blocks(), 1);
	pt_pool_limit(PT_POOL_LOW - 1);
	ram.runs_left = RAM_NEVER;
	assert_int_equal(pt_map(PT_LOWER, 1, RW, 0), 0);
	assert_int_equal(blocks(), 2);
	assert_int_equal(machine.shootdowns, moves + 1);
	assert_int_equal(pt_pool_free(), PT_POOL_LOW - 1 + 512 - 3);
	pt_pool_unlimit();
	pt_check();

	/* And gives the block that has no table back; at a drawn place a table
	 * of either block may be in use
	 */
	assert_int_equal(pt_unmap(PT_LOWER, 1, 0), 0);
	assert_int_equal(ukplat_page_reclaim(machine.pt), 1);
	assert_int_equal(blocks(), 1);
	pt_check();
}

static void pool_is_content_without_memory(void **state)
{
	(void)state;
	pt_pool_limit(PT_POOL_LOW - 1);
	assert_int_equal(pt_pool_want(machine.pt, PT_POOL_LOW), -ENOMEM);
	assert_int_equal(pt_pool_want(machine.pt, PT_POOL_LOW - 1), 0);
	assert_int_equal(pt_map(PT_LOWER, 1, RW, 0), 0);
	assert_int_equal(blocks(), 1);
	pt_pool_unlimit();
	assert_int_equal(pt_unmap(PT_LOWER, 1, 0), 0);
}

/* A call may need more tables than there are in a block */
static void pool_grows_as_far_as_a_call_needs(void **state)
{
	const unsigned long pages = 600UL * 512;

	(void)state;
	assert_int_equal(
		ukplat_page_map(machine.pt, PT_LOWER, DEVICE, pages, RW, 0), 0);
	assert_true(blocks() > 1);
	assert_int_equal(
		ukplat_page_translate(machine.pt,
				      PT_LOWER + (pages - 1) * PAGE_SIZE),
		DEVICE + (pages - 1) * PAGE_SIZE);
	assert_int_equal(ukplat_page_unmap(machine.pt, PT_LOWER, pages,
					   PAGE_FLAG_KEEP_FRAMES),
			 0);
	pt_check();
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(blocks(), 1);

	/* Nothing is left of the try that fails */
	ram.runs_left = 0;
	assert_int_equal(ukplat_page_map(machine.pt, PT_LOWER, DEVICE, pages,
					 RW, 0),
			 -ENOMEM);
	assert_int_equal(pt_entry(PT_LOWER), 0);
}

/* Gives `left` tables back: all of the blocks without the root first */
static unsigned long put_back(__paddr_t *some, unsigned long n,
			      unsigned long left)
{
	__paddr_t block = machine.pt->pt_pbase & -PAGE_LARGE_SIZE;
	unsigned long i, rest = 0;

	for (i = 0; i < n; i++) {
		if (some[i] - block < PAGE_LARGE_SIZE)
			some[rest++] = some[i];
		else
			pt_pool_put(some[i]);
	}
	while (pt_pool_free() < left)
		pt_pool_put(some[--rest]);
	return rest;
}

static void pool_keeps_what_it_may_need(void **state)
{
	static __paddr_t some[2 * 512];
	unsigned long n = 0;

	(void)state;
	assert_int_equal(pt_pool_want(machine.pt, 512), 0);
	assert_int_equal(blocks(), 2);
	while (pt_pool_free())
		some[n++] = pt_pool_take(__PADDR_MAX);
	/* A whole block is free, but then too few tables would be left */
	n = put_back(some, n, 512 + PT_POOL_LOW - 1);
	pt_pool_shrink(machine.pt);
	assert_int_equal(blocks(), 2);
	pt_pool_put(some[--n]);
	pt_pool_shrink(machine.pt);
	assert_int_equal(blocks(), 1);
	assert_int_equal(pt_pool_free(), PT_POOL_LOW);
	while (n)
		pt_pool_put(some[--n]);
}

static void pool_obeys_the_limit_of_addresses(void **state)
{
	__paddr_t paddr, block = machine.pt->pt_pbase & -PAGE_LARGE_SIZE;

	(void)state;
	assert_int_equal(pt_pool_take(block + PAGE_LARGE_SIZE - 1),
			 __PADDR_INV);
	paddr = pt_pool_take(block + PAGE_LARGE_SIZE);
	assert_in_range(paddr, block, block + PAGE_LARGE_SIZE - 1);
	pt_pool_put(paddr);
}

/* Draws one of so many free tables again and again, 100 times each on average.
 * Chi-square is above its mean by five standard deviations in one of a million
 * cases, and the seed is fixed.
 */
static void draw_often(unsigned long left)
{
	__paddr_t block = machine.pt->pt_pbase & -PAGE_LARGE_SIZE;
	unsigned int hits[512] = { 0 };
	struct pt_frames list = { .tables = 1 };
	unsigned long i, hit = 0;
	double chi = 0, over;

	pt_pool_limit(left);
	for (i = 0; i < left * 100; i++) {
		assert_int_equal(pt_pool_take_list(&list, 1), 0);
		hits[(list.head - block) >> PAGE_SHIFT]++;
		pt_pool_put_list(&list);
	}
	for (i = 0; i < 512; i++) {
		if (!hits[i])
			continue;
		hit++;
		chi += ((double)hits[i] - 100) * ((double)hits[i] - 100) / 100;
	}
	assert_int_equal(hit, left);
	over = chi - (double)(left - 1);
	assert_true(over <= 0 || over * over < 25 * 2 * (double)(left - 1));
	pt_pool_unlimit();
}

/* Many are free, a few less and a few more than those that are counted, few */
static void pool_draws_each_table_alike(void **state)
{
	(void)state;
	assert_int_equal(blocks(), 1);
	draw_often(300);
	draw_often(65);
	draw_often(64);
	draw_often(63);
	draw_often(3);
}

/* After many were in use, those that are left lie in all blocks; as they come
 * and go, blocks become free as a whole
 */
static void pool_gathers_what_comes_and_goes(void **state)
{
	static __paddr_t some[4 * 512];
	unsigned long n = 0, i, kept = 0, free;

	(void)state;
	assert_int_equal(pt_pool_want(machine.pt, 3UL * 512), 0);
	assert_int_equal(blocks(), 4);
	while (pt_pool_free())
		some[n++] = pt_pool_take(__PADDR_MAX);
	for (i = 0; i < n; i++)
		if (i % 40)
			pt_pool_put(some[i]);
		else
			some[kept++] = some[i];
	pt_pool_shrink(machine.pt);
	assert_int_equal(blocks(), 4);
	/* None of them can be had */
	assert_int_equal(pt_pool_spare(), 0);
	free = pt_pool_free();
	assert_int_equal(ukplat_page_tables_free(), free * PAGE_SIZE);

	for (i = 0; i < 2 * kept; i++) {
		struct pt_frames list = { .tables = 1 };

		pt_pool_put(some[i % kept]);
		assert_int_equal(pt_pool_take_list(&list, 1), 0);
		some[i % kept] = pt_frames_pop(&list);
	}
	assert_int_equal(pt_pool_free(), free);
	assert_int_equal(pt_pool_spare(), 3UL * 512);
	pt_pool_shrink(machine.pt);
	assert_int_equal(blocks(), 1);
	while (kept)
		pt_pool_put(some[--kept]);
	pt_check();
}

/* The generator begins anew in each epoch, so all draw the same */
static void draw_in_epoch(__paddr_t *out, unsigned long cnt)
{
	struct pt_frames list = { .tables = 1 };
	unsigned long i;

	random_epoch++;
	assert_int_equal(pt_pool_take_list(&list, cnt), 0);
	/* The last one that was drawn comes first */
	for (i = cnt; i; i--)
		out[i - 1] = pt_frames_pop(&list);
	for (i = 0; i < cnt; i++)
		pt_pool_put(out[i]);
}

static void pool_uses_no_bits_of_an_earlier_epoch(void **state)
{
	__paddr_t first[7], other[7];
	unsigned long i;

	(void)state;
	draw_in_epoch(first, 7);
	for (i = 1; i < 7; i++) {
		/* Leaves another number of bits each time */
		draw_in_epoch(other, i);
		assert_memory_equal(other, first, i * sizeof(*first));
		draw_in_epoch(other, 7);
		assert_memory_equal(other, first, sizeof(first));
	}
}

static void pool_gives_all_of_a_list_or_none(void **state)
{
	struct pt_frames list = { .tables = 1 };

	(void)state;
	pt_pool_limit(200);
	assert_int_equal(pt_pool_take_list(&list, 201), -ENOMEM);
	assert_int_equal(list.cnt, 0);
	assert_int_equal(pt_pool_take_list(&list, 0), 0);
	assert_int_equal(pt_pool_take_list(&list, 200), 0);
	assert_int_equal(list.cnt, 200);
	assert_int_equal(pt_pool_free(), 0);
	assert_int_equal(pt_pool_take_list(&list, 1), -ENOMEM);
	pt_pool_put_list(&list);
	assert_int_equal(list.cnt, 0);
	assert_int_equal(pt_pool_free(), 200);
	pt_pool_unlimit();
	pt_check();
}

static void reclaim_says_whether_there_was_anything(void **state)
{
	unsigned long drains = ram.drains;

	(void)state;
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(ukplat_page_reclaim(machine.pt), 0);
	assert_int_equal(ram.drains, drains + 2);
	assert_int_equal(pt_map(PT_LOWER, 1, RW, 0), 0);
	assert_int_equal(pt_unmap(PT_LOWER, 1, PAGE_FLAG_LAZY), 0);
	pt_irq_set(1);
	assert_int_equal(ukplat_page_reclaim(machine.pt), 0);
	assert_int_equal(ram.drains, drains + 2);
	pt_irq_set(0);
	assert_int_equal(ukplat_page_reclaim(machine.pt), 1);
	assert_int_equal(ram_free(), machine.free);
}

/* Present entries of a table, and the last one of them */
static unsigned int present(const __u64 *table, unsigned int end, __u64 *last)
{
	unsigned int i, n = 0;

	for (i = 0; i < end; i++) {
		if (!table[i])
			continue;
		*last = table[i];
		n++;
	}
	return n;
}

static void trampoline_has_one_low_page(void **state)
{
	const __paddr_t low = 0x9a000;
	__u64 entry = 0;
	__paddr_t root, table;
	unsigned int level;

	(void)state;
	assert_int_equal(pt_map(PT_UPPER, 1, RW, 0), 0);
	root = ukplat_pt_trampoline(low);
	assert_int_not_equal(root, __PADDR_INV);
	assert_memory_equal(ram_words(root) + 256,
			    ram_words(machine.pt->pt_pbase) + 256, 2048);
	table = root;
	for (level = 4; level > 1; level--) {
		assert_int_equal(present(ram_words(table),
					 level == 4 ? 256 : 512, &entry),
				 1);
		assert_int_equal(
			ram_words(table)[low >> (12 + 9 * (level - 1))], entry);
		assert_int_equal(entry & (X86_PTE_PRESENT | X86_PTE_NX |
					  X86_PTE_PS),
				 X86_PTE_PRESENT);
		table = entry & X86_PTE_PADDR_MASK;
	}
	assert_int_equal(present(ram_words(table), 512, &entry), 1);
	assert_int_equal(ram_words(table)[low >> 12], entry);
	assert_int_equal(entry & X86_PTE_PADDR_MASK, low);
	assert_int_equal(entry & (X86_PTE_PRESENT | X86_PTE_RW | X86_PTE_NX),
			 X86_PTE_PRESENT);
	ukplat_pt_trampoline_free();
	assert_int_equal(pt_unmap(PT_UPPER, 1, 0), 0);
	(void)ukplat_page_reclaim(machine.pt);
	pt_check();
}

static void trampoline_without_tables_takes_none(void **state)
{
	unsigned long n;
	__u64 before;

	(void)state;
	for (n = 0; n < 4; n++) {
		pt_pool_limit(n);
		before = pt_digest();
		assert_int_equal(ukplat_pt_trampoline(0x8000), __PADDR_INV);
		assert_int_equal(pt_digest(), before);
		pt_pool_unlimit();
	}
	pt_pool_limit(4);
	assert_int_not_equal(ukplat_pt_trampoline(0x8000), __PADDR_INV);
	expect_assert_failure((void)ukplat_pt_trampoline(0x8000));
	ukplat_pt_trampoline_free();
	pt_pool_unlimit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pool_grows_when_few_tables_are_left),
		UNIT_TEST(pool_is_content_without_memory),
		UNIT_TEST(pool_grows_as_far_as_a_call_needs),
		UNIT_TEST(pool_keeps_what_it_may_need),
		UNIT_TEST(pool_obeys_the_limit_of_addresses),
		UNIT_TEST(pool_draws_each_table_alike),
		UNIT_TEST(pool_gathers_what_comes_and_goes),
		UNIT_TEST(pool_uses_no_bits_of_an_earlier_epoch),
		UNIT_TEST(pool_gives_all_of_a_list_or_none),
		UNIT_TEST(reclaim_says_whether_there_was_anything),
		UNIT_TEST(trampoline_has_one_low_page),
		UNIT_TEST(trampoline_without_tables_takes_none),
	};

	return cmocka_run_group_tests_name("pt_pool", tests, pt_boot, NULL);
}
