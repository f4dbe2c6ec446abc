/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of page tables: what was written after the unmapping is reported,
 * if the configuration has that
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

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <uk/config.h>

#include "fixture_pt.h"
#include "pt.h"

#define UNIT_TEST(fn) cmocka_unit_test_teardown(fn, pt_teardown)

#define RW   PAGE_ATTR_PROT_RW
#define LAZY PAGE_FLAG_LAZY

static __vaddr_t page(unsigned long n)
{
	return PT_LOWER + n * PAGE_SIZE;
}

/* Another CPU writes until the shootdown reaches it */
static __u64 *late_word;
static void late_write(void)
{
	*late_word = 0x100;
}

#ifdef CONFIG_UKPLAT_UNMAP_VERIFY
static void assert_report(__vaddr_t va, __paddr_t paddr)
{
	char text[sizeof(machine.report)];

	(void)snprintf(text, sizeof(text),
		       "paging: BUG: write after unmap: addr=0x%lx "
		       "paddr=0x%lx\n",
		       va, paddr);
	assert_string_equal(machine.report, text);
}

/* Who reports holds the queue for ever: in a process of its own. It shares the
 * memory, to which nothing has been written by then: pages are verified before
 * the first of 64 is collected.
 */
static void assert_reclaim_reports(__vaddr_t va, __paddr_t paddr)
{
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!PT_STOPS((void)ukplat_page_reclaim(machine.pt)))
			_exit(1);
		assert_report(va, paddr);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void write_after_lazy_unmap_is_reported(void **state)
{
	static const unsigned int words[] = { 0, 3, 15, 16, 18, 300, 511 };
	unsigned int i;
	__paddr_t paddr;
	__sz off;

	(void)state;
	assert_int_equal(pt_map(page(0), 70, RW, 0), 0);
	paddr = pt_frame(page(40));
	assert_int_equal(pt_unmap(page(0), 70, LAZY), 0);
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		off = words[i] * sizeof(__u64);
		ram_words(paddr)[words[i]] = 1UL << 63;
		assert_reclaim_reports(page(40) + off, paddr + off);
		ram_words(paddr)[words[i]] = 0;
	}
}

static void write_before_the_shootdown_is_reported(void **state)
{
	const __sz off = 77UL * 8;
	__paddr_t paddr;

	(void)state;
	assert_int_equal(pt_map(page(0), 5, RW, 0), 0);
	paddr = pt_frame(page(3));
	late_word = &ram_words(paddr)[77];
	machine.on_shootdown = late_write;
	assert_true(PT_STOPS((void)pt_unmap(page(0), 5, 0)));
	assert_report(page(3) + off, paddr + off);
	machine.on_shootdown = NULL;

	/* The machine goes on here all the same */
	*late_word = 0;
	pt_range_collect(machine.pt, page(0), 5, X86_PTE_ZOMBIE, 0);
	assert_int_equal(pt_entry(page(3)), 0);
}

static void write_to_a_large_page_is_reported(void **state)
{
	const __sz off = 333 * PAGE_SIZE + 8;
	__paddr_t paddr;

	(void)state;
	assert_int_equal(
		pt_map(page(0), UKARCH_PT_ENTRIES, RW, PAGE_FLAG_LARGE), 0);
	paddr = pt_frame(page(0));
	late_word = ram_words(paddr) + off / 8;
	machine.on_shootdown = late_write;
	assert_true(PT_STOPS((void)pt_unmap(page(0), UKARCH_PT_ENTRIES, 0)));
	assert_report(page(0) + off, paddr + off);
	machine.on_shootdown = NULL;

	*late_word = 0;
	pt_range_collect(machine.pt, page(0), UKARCH_PT_ENTRIES, X86_PTE_ZOMBIE,
			 0);
}
#else
/* Nobody looks, so frames that come back are not known to be zero */
static void late_write_is_not_handed_on(void **state)
{
	__paddr_t paddr;

	(void)state;
	assert_int_equal(pt_map(page(0), 5, RW, 0), 0);
	paddr = pt_frame(page(3));
	late_word = ram_words(paddr);
	machine.on_shootdown = late_write;
	assert_int_equal(pt_unmap(page(0), 5, 0), 0);
	machine.on_shootdown = NULL;
	assert_true(ram_frame(paddr)->dirty);
	assert_int_equal(pt_map(page(0), 5, RW, 0), 0);
	assert_int_equal(pt_unmap(page(0), 5, LAZY), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef CONFIG_UKPLAT_UNMAP_VERIFY
		UNIT_TEST(write_after_lazy_unmap_is_reported),
		UNIT_TEST(write_before_the_shootdown_is_reported),
		UNIT_TEST(write_to_a_large_page_is_reported),
#else
		UNIT_TEST(late_write_is_not_handed_on),
#endif
	};

	return cmocka_run_group_tests_name("pt_dirty", tests, pt_boot, NULL);
}
