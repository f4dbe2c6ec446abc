/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of page tables: large pages, and parts of them
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

#define UNIT_TEST(fn) cmocka_unit_test_teardown(fn, pt_teardown)

#define RW    PAGE_ATTR_PROT_RW
#define READ  PAGE_ATTR_PROT_READ
#define LARGE PAGE_FLAG_LARGE
#define LAZY  PAGE_FLAG_LAZY
#define N     ((unsigned long)UKARCH_PT_ENTRIES)

static __vaddr_t page(unsigned long n)
{
	return PT_LOWER + n * PAGE_SIZE;
}

static int set_attr(unsigned long first, unsigned long cnt, unsigned long attr)
{
	machine.just_flushed = 0;
	return ukplat_page_set_attr(machine.pt, page(first), cnt, attr, 0);
}

static unsigned long large_count(unsigned long first, unsigned long cnt)
{
	unsigned long i, n = 0;

	for (i = first; i < first + cnt; i++)
		n += (unsigned long)pt_is_large(page(i));
	return n;
}

/* Each part of a range that can be a large page is one, nothing else is */
static void map_makes_large_pages_wherever_they_fit(void **state)
{
	static const unsigned long lens[] = { 1,     N - 1, N,
					      N + 1, 2 * N, 2 * N + 77 };
	static const unsigned long offs[] = { 0,   1,	2,   77,  255,
					      256, 435, 510, 511, 512 };
	unsigned long i, j, k, first, end;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(offs); i++) {
		for (j = 0; j < ARRAY_SIZE(lens); j++) {
			assert_int_equal(
				pt_map(page(offs[i]), lens[j], RW, LARGE), 0);
			first = ALIGN_UP(offs[i], N);
			end = ALIGN_DOWN(offs[i] + lens[j], N);
			for (k = offs[i]; k < offs[i] + lens[j]; k++)
				assert_int_equal(pt_is_large(page(k)),
						 k >= first && k < end);
			assert_int_equal(ram_free(), machine.free - lens[j]);
			assert_int_equal(
				pt_unmap(page(0), 4 * N, j % 2 ? LAZY : 0), 0);
			(void)ukplat_page_reclaim(machine.pt);
		}
		pt_check();
	}
}

static void small_pages_are_used_where_large_ones_are_short(void **state)
{
	unsigned long n;

	(void)state;
	for (n = 0; n <= 3; n++) {
		ram.runs_left = n;
		assert_int_equal(pt_map(page(500), 12 + 3 * N, RW, LARGE), 0);
		assert_int_equal(large_count(500, 12 + 3 * N), n * N);
		assert_int_equal(pt_is_large(page(N)), n > 0);
		pt_check();
		assert_int_equal(pt_unmap(page(0), 5 * N, 0), 0);
		(void)ukplat_page_reclaim(machine.pt);
	}
}

/* The n-th frame cannot be had, for every n, while some runs can */
static void map_without_frames_gives_large_pages_back(void **state)
{
	__u64 before = pt_digest();
	unsigned long runs, n;

	(void)state;
	for (runs = 0; runs <= 2; runs++) {
		for (n = 0; n < 10 + (2 - runs) * N; n += runs ? 1 : 100) {
			ram.frames_left = n;
			ram.runs_left = runs;
			assert_int_equal(pt_map(page(507), 10 + 2 * N, RW,
						LARGE),
					 -ENOMEM);
			assert_int_equal(pt_digest(), before);
		}
	}
	assert_int_equal(ram_falloc.free_memory, ram_free() * PAGE_SIZE);
}

static void map_without_tables_gives_large_pages_back(void **state)
{
	unsigned long n;
	__u64 before;

	(void)state;
	for (n = 0; n <= 4; n++) {
		pt_pool_limit(n);
		before = pt_digest();
		assert_int_equal(pt_map(page(N - 1), 1 + N, RW, LARGE),
				 n < 4 ? -ENOMEM : 0);
		if (n < 4)
			assert_int_equal(pt_digest(), before);
		pt_pool_unlimit();
	}
	assert_int_equal(pt_unmap(page(0), 2 * N, 0), 0);
}

static void parts_are_unmapped_and_protected(void **state)
{
	unsigned long i, tables;
	__paddr_t paddr;

	(void)state;
	assert_int_equal(pt_map(page(0), 3 * N, RW, LARGE), 0);
	paddr = pt_frame(page(N));
	tables = pt_pool_free();

	/* Whole ones stay large, and need no table */
	assert_int_equal(set_attr(0, 3 * N, READ), 0);
	assert_int_equal(large_count(0, 3 * N), 3 * N);
	assert_int_equal(set_attr(0, N, PAGE_ATTR_PROT_NONE), 0);
	assert_int_equal(ukplat_page_translate(machine.pt, page(5)),
			 __PADDR_INV);
	assert_int_equal(pt_pool_free(), tables);

	/* One in the middle of the second, and both ends of it */
	assert_int_equal(set_attr(N + 7, 1, RW), 0);
	assert_int_equal(large_count(0, 3 * N), 2 * N);
	assert_int_equal(pt_pool_free(), tables - 1);
	pt_check();
	for (i = N; i < 2 * N; i++) {
		assert_int_equal(pt_frame(page(i)),
				 paddr + (i - N) * PAGE_SIZE);
		assert_int_equal(!!(pt_entry(page(i)) & X86_PTE_RW),
				 i == N + 7);
	}
	assert_int_equal(pt_unmap(page(N - 3), N + 6, LAZY), 0);
	assert_int_equal(large_count(0, 3 * N), 0);
	assert_int_equal(pt_pool_free(), tables - 3);
	pt_check();
	(void)ukplat_page_reclaim(machine.pt);
	assert_int_equal(ram_free(), machine.free - 2 * N + 6);
	assert_true(pt_entry(page(N - 4)) && pt_entry(page(2 * N + 3)));
	assert_int_equal(pt_unmap(page(0), 3 * N, 0), 0);
}

/* The n-th table for a split cannot be had: the pages are what they were */
static void parts_need_tables(void **state)
{
	unsigned long n;
	__u64 before;

	(void)state;
	assert_int_equal(pt_map(page(0), 2 * N, RW, LARGE), 0);
	for (n = 0; n < 2; n++) {
		pt_pool_limit(n);
		before = pt_digest();
		assert_int_equal(pt_unmap(page(9), 2 * N - 18, 0), -ENOMEM);
		assert_int_equal(pt_unmap(page(9), 2 * N - 18, LAZY), -ENOMEM);
		assert_int_equal(set_attr(9, 2 * N - 18, READ), -ENOMEM);
		if (!n)
			assert_int_equal(pt_digest(), before);
		assert_true(pt_entry(page(9)) & X86_PTE_RW);
		assert_true(pt_entry(page(N)) & X86_PTE_RW);
		assert_int_equal(ram_free(), machine.free - 2 * N);
		pt_pool_unlimit();
		pt_check();
	}
	/* A whole one goes without */
	pt_pool_limit(0);
	assert_true(pt_is_large(page(N)));
	assert_int_equal(pt_unmap(page(N), N, 0), 0);
	pt_pool_unlimit();
	assert_int_equal(pt_unmap(page(0), 2 * N, 0), 0);
}

static void lazy_large_page_waits_as_others_do(void **state)
{
	__paddr_t paddr;
	__u64 before;

	(void)state;
	assert_int_equal(pt_map(page(0), 2 * N, RW, LARGE), 0);
	paddr = pt_frame(page(N));
	ram_words(paddr)[100000] = 5;
	assert_int_equal(pt_unmap(page(N), N, LAZY), 0);
	assert_int_equal(ram_words(paddr)[100000], 0);
	assert_true(ram_frame(paddr)->used);
	pt_check();

	/* It is in the way, in whole and in part, and nobody's any more */
	before = pt_digest();
	assert_int_equal(pt_unmap(page(N + 3), 9, 0), 0);
	assert_int_equal(pt_unmap(page(N), N, LAZY), 0);
	assert_int_equal(set_attr(N + 3, 9, READ), -EFAULT);
	assert_int_equal(set_attr(0, 2 * N, READ), -EFAULT);
	pt_irq_set(1);
	assert_int_equal(pt_map(page(N + 3), 9, RW, 0), -ENOMEM);
	pt_irq_set(0);
	assert_int_equal(pt_digest(), before);
	assert_int_equal(pt_map(page(N + 3), 9, RW, 0), 0);
	assert_int_equal(ram_free(), machine.free - N - 9);
	assert_int_equal(pt_unmap(page(0), 2 * N, LAZY), 0);
	pt_check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(map_makes_large_pages_wherever_they_fit),
		UNIT_TEST(small_pages_are_used_where_large_ones_are_short),
		UNIT_TEST(map_without_frames_gives_large_pages_back),
		UNIT_TEST(map_without_tables_gives_large_pages_back),
		UNIT_TEST(parts_are_unmapped_and_protected),
		UNIT_TEST(parts_need_tables),
		UNIT_TEST(lazy_large_page_waits_as_others_do),
	};

	return cmocka_run_group_tests_name("pt_large", tests, pt_boot, NULL);
}
