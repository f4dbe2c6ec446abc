/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the page tables of the window
 *
 * links: tests/unit/unikraft_smp.c tests/unit/fake_glue.c
 *	tests/unit/fake_mmu.c tests/unit/fixture_table.c
 *	tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "fake_glue.h"
#include "fake_mmu.h"
#include "fixture_table.h"
#include "unikraft_smp.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define LEN   RND_FRAME_LEN
#define FRAME 0x000ffffffffff000UL

/* Any page */
#define PAGE (RND_WINDOW_START + 0x123456789000UL % RND_WINDOW_START)

static struct rnd_tables_retired retired;

static int setup(void **state)
{
	(void)state;
	fake_glue_reset(0xbb67ae8584caa73bUL);
	fake_mmu_is_narrow = 1;
	retired = (struct rnd_tables_retired){ 0, 0 };
	return 0;
}

/* No frame is lost */
static int teardown(void **state)
{
	(void)state;
	rnd_table_free(&retired);
	assert_int_equal(retired.head, 0);
	(void)table_check(0, 0);
	assert_int_equal(fake_glue.used, 0);
	return 0;
}

static void map(__uptr addr)
{
	__uptr changed = 1;

	assert_int_equal(rnd_table_map(addr, &changed), 0);
	assert_int_equal(changed, 0);
	assert_true(rnd_table_is_mapped(addr));
}

static void unmap(__uptr addr, __u32 id)
{
	assert_true(rnd_table_unmap(addr, id, 1));
	assert_false(rnd_table_is_mapped(addr));
}

static void reap(__uptr addr, __u32 id)
{
	assert_int_equal(rnd_table_reap(addr, id, 1, &retired), 0);
}

static __u64 *frame_of(__uptr addr)
{
	return fake_glue_words(table_entry(addr) & FRAME);
}

static void page_lives_and_dies(void **state)
{
	struct table_census c;

	(void)state;
	assert_false(rnd_table_is_mapped(PAGE));
	map(PAGE);
	c = table_check(0, 0);
	assert_int_equal(c.pages, 1);
	assert_int_equal(c.tables, 3);
	assert_int_equal(rnd_frame_changed(frame_of(PAGE)), LEN);

	unmap(PAGE, 7);
	c = table_check(0, 0);
	assert_int_equal(c.zombies, 1);
	assert_int_equal(c.tables, 3);

	reap(PAGE, 7);
	c = table_check(retired.head, retired.cnt);
	assert_int_equal(c.tables, 0);
	assert_int_equal(c.retired, 3);
	assert_int_equal(retired.cnt, 3);
	assert_int_equal(fake_glue.used, 3);
	assert_int_equal(table_entry(PAGE), 0);
}

/* Its tables stay for as long as there is another page below them */
static void table_is_taken_out_when_it_is_empty(void **state)
{
	const __uptr page[] = { PAGE, PAGE + LEN, PAGE ^ 1UL << 21,
				PAGE ^ 1UL << 30, PAGE ^ 1UL << 39 };
	const unsigned long below[] = { 0, 1, 2, 3 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(page); i++)
		map(page[i]);
	assert_int_equal(table_check(0, 0).tables, 3 + 0 + 1 + 2 + 3);
	for (i = ARRAY_SIZE(page); i--;)
		unmap(page[i], 0);
	for (i = 0; i < 4; i++) {
		reap(page[i + 1], 0);
		assert_int_equal(retired.cnt, below[i]);
		(void)table_check(retired.head, retired.cnt);
		rnd_table_free(&retired);
	}
	reap(PAGE, 0);
	assert_int_equal(retired.cnt, 3);
}

/* The count of its entries is 512, in ten bits */
static void table_may_be_full(void **state)
{
	__uptr start = ALIGN_DOWN(PAGE, 1UL << 21);
	unsigned long i;

	(void)state;
	for (i = 0; i < 512; i++)
		map(start + i * LEN);
	assert_int_equal(table_check(0, 0).pages, 512);
	assert_int_equal(table_check(0, 0).tables, 3);
	for (i = 0; i < 512; i++)
		unmap(start + i * LEN, (__u32)i);
	assert_int_equal(table_check(0, 0).zombies, 512);
	for (i = 0; i < 512; i++) {
		assert_int_equal(retired.cnt, 0);
		reap(start + i * LEN, (__u32)i);
	}
	assert_int_equal(retired.cnt, 3);
}

static void window_has_two_ends(void **state)
{
	(void)state;
	map(RND_WINDOW_START);
	map(RND_WINDOW_END - LEN);
	assert_int_equal(table_check(0, 0).tables, 6);
	assert_true(rnd_table_is_mapped(RND_WINDOW_END - 1));
	assert_false(rnd_table_is_mapped(RND_WINDOW_START + LEN));
	unmap(RND_WINDOW_START, 1);
	unmap(RND_WINDOW_END - LEN, 1);
	reap(RND_WINDOW_START, 1);
	reap(RND_WINDOW_END - LEN, 1);
	assert_int_equal(retired.cnt, 6);
}

static void misuse_is_asserted(void **state)
{
	static __uptr changed;

	(void)state;
	expect_assert_failure((void)rnd_table_is_mapped(RND_WINDOW_START - 1));
	expect_assert_failure((void)rnd_table_is_mapped(RND_WINDOW_END));
	expect_assert_failure((void)rnd_table_map(0, &changed));
	expect_assert_failure((void)rnd_table_unmap(RND_WINDOW_END, 0, 1));
	map(PAGE);
	expect_assert_failure((void)rnd_table_map(PAGE, &changed));
	expect_assert_failure((void)rnd_table_unmap(PAGE, RND_TABLE_IDS, 1));
	assert_true(rnd_table_is_mapped(PAGE));
	unmap(PAGE, RND_TABLE_IDS - 1);
	reap(PAGE, RND_TABLE_IDS - 1);
}

static void page_that_is_not_mapped_is_left_alone(void **state)
{
	__u64 pte;

	(void)state;
	assert_false(rnd_table_unmap(PAGE, 1, 1));
	assert_int_equal(fake_glue.used, 0);
	map(PAGE + LEN);
	assert_false(rnd_table_unmap(PAGE, 1, 1));
	reap(PAGE, 1);
	rnd_table_seal(PAGE);
	assert_int_equal(table_entry(PAGE), 0);

	/* Nor does a present one die, or a zombie a second time */
	pte = table_entry(PAGE + LEN);
	reap(PAGE + LEN, 0);
	assert_int_equal(table_entry(PAGE + LEN), pte);
	unmap(PAGE + LEN, 1);
	pte = table_entry(PAGE + LEN);
	assert_false(rnd_table_unmap(PAGE + LEN, 2, 1));
	rnd_table_seal(PAGE + LEN);
	assert_int_equal(table_entry(PAGE + LEN), pte);
	reap(PAGE + LEN, 1);
}

static void zombie_of_another_batch_is_left_alone(void **state)
{
	__u32 id;
	__u64 pte;

	(void)state;
	map(PAGE);
	unmap(PAGE, 0x155);
	pte = table_entry(PAGE);
	for (id = 0; id < RND_TABLE_IDS; id++)
		if (id != 0x155)
			reap(PAGE, id);
	assert_int_equal(table_entry(PAGE), pte);
	assert_int_equal(retired.cnt, 0);
	reap(PAGE, 0x155);
	assert_int_equal(retired.cnt, 3);
}

static void zombie_that_is_mapped_keeps_its_frame(void **state)
{
	__u64 frame;

	(void)state;
	map(PAGE);
	frame = table_entry(PAGE) & FRAME;
	frame_of(PAGE)[17] = 1;
	unmap(PAGE, 1000);
	map(PAGE);
	assert_int_equal(table_entry(PAGE) & FRAME, frame);
	assert_int_equal(rnd_frame_changed(frame_of(PAGE)), LEN);
	(void)table_check(0, 0);
	/* The batch that it waited in has nothing to free */
	reap(PAGE, 1000);
	assert_true(rnd_table_is_mapped(PAGE));
	unmap(PAGE, 1001);
	reap(PAGE, 1000);
	assert_int_equal(table_check(0, 0).zombies, 1);
	reap(PAGE, 1001);
}

static void contents_are_cleared_if_somebody_could_read_them(void **state)
{
	(void)state;
	map(PAGE);
	memset(frame_of(PAGE), 0xff, LEN);
	assert_true(rnd_table_unmap(PAGE, 1, 0));
	assert_int_equal(frame_of(PAGE)[511], __U64_MAX);
	assert_int_equal(rnd_table_reap(PAGE, 1, 0, &retired), 0);

	map(PAGE);
	memset(frame_of(PAGE), 0xff, LEN);
	assert_true(rnd_table_unmap(PAGE, 1, 1));
	assert_int_equal(rnd_frame_changed(frame_of(PAGE)), LEN);
	reap(PAGE, 1);
}

static void write_to_a_zombie_is_found(void **state)
{
	__uptr changed;

	(void)state;
	map(PAGE);
	unmap(PAGE, 3);
	frame_of(PAGE)[40] = 1;
	frame_of(PAGE)[41] = 1;
	assert_int_equal(rnd_table_map(PAGE, &changed), 0);
	assert_int_equal(changed, PAGE + 40UL * 8);
	assert_true(rnd_table_is_mapped(PAGE));

	unmap(PAGE, 4);
	frame_of(PAGE)[511] = 1UL << 56;
	assert_int_equal(rnd_table_reap(PAGE, 3, 1, &retired), 0);
	assert_int_equal(rnd_table_reap(PAGE, 4, 1, &retired),
			 PAGE + 511UL * 8);
	assert_int_equal(table_entry(PAGE), 0);

	map(PAGE);
	unmap(PAGE, 5);
	frame_of(PAGE)[0] = 1;
	assert_int_equal(rnd_table_reap(PAGE, 5, 1, &retired), PAGE);
}

static void sealed_page_is_read_only_while_it_is_mapped(void **state)
{
	(void)state;
	map(PAGE);
	map(PAGE + LEN);
	assert_non_null(fake_mmu_access(0, PAGE, 1));
	rnd_table_seal(PAGE);
	assert_null(fake_mmu_access(0, PAGE, 1));
	assert_non_null(fake_mmu_access(0, PAGE, 0));
	assert_non_null(fake_mmu_access(0, PAGE + LEN, 1));
	assert_false(rnd_table_allows(PAGE, 1));
	assert_true(rnd_table_allows(PAGE, 0));
	assert_true(rnd_table_allows(PAGE + LEN, 1));
	(void)table_check(0, 0);

	unmap(PAGE, 0);
	assert_false(rnd_table_allows(PAGE, 0));
	map(PAGE);
	assert_non_null(fake_mmu_access(0, PAGE, 1));
	unmap(PAGE, 0);
	unmap(PAGE + LEN, 0);
	reap(PAGE, 0);
	reap(PAGE + LEN, 0);
}

static void calling_cpu_forgets_at_once(void **state)
{
	(void)state;
	map(PAGE);
	map(PAGE + LEN);
	assert_non_null(fake_mmu_access(0, PAGE, 1));
	assert_non_null(fake_mmu_access(0, PAGE + LEN, 1));
	(void)fake_glue_cpu_set(2);
	assert_non_null(fake_mmu_access(2, PAGE, 1));
	unmap(PAGE, 0);
	assert_null(fake_mmu_access(2, PAGE, 0));
	/* This one and no other */
	assert_true(fake_mmu_remembers(0, PAGE));
	assert_true(fake_mmu_remembers(0, PAGE + LEN));
	fake_mmu_forget_all(0);

	unmap(PAGE + LEN, 0);
	reap(PAGE, 0);
	reap(PAGE + LEN, 0);
	fake_mmu_forget_all(2);
}

/* Of all the tables that a CPU may remember, some of which follow others in
 * the list
 */
static void retired_tables_lead_nowhere(void **state)
{
	__uptr page[4];
	unsigned int i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(page); i++) {
		/* The first entry is where the links are */
		page[i] = RND_WINDOW_START + ((__uptr)i << 39);
		map(page[i]);
		unmap(page[i], 0);
		/* Tables, and nothing in the last one */
		assert_null(fake_mmu_access(1, page[i], 0));
	}
	for (i = 0; i < ARRAY_SIZE(page); i++)
		reap(page[i], 0);
	assert_int_equal(retired.cnt, 3 * ARRAY_SIZE(page));
	for (i = 0; i < ARRAY_SIZE(page); i++)
		for (n = 0; n < 20; n++)
			assert_null(fake_mmu_access(1, page[i], 0));
	fake_mmu_forget_all(1);
}

/* The CPU faults on a page that is there, and finds it when it has forgotten
 * the old table
 */
static void old_table_hides_a_new_one(void **state)
{
	(void)state;
	/* It may begin at the top by chance */
	for (;;) {
		map(PAGE);
		unmap(PAGE, 0);
		assert_null(fake_mmu_access(1, PAGE, 1));
		reap(PAGE, 0);
		map(PAGE);
		if (!fake_mmu_access(1, PAGE, 1))
			break;
		fake_mmu_forget_all(1);
		unmap(PAGE, 0);
		reap(PAGE, 0);
	}
	assert_true(rnd_table_allows(PAGE, 1));
	fake_mmu_forget(1, PAGE);
	assert_non_null(fake_mmu_access(1, PAGE, 1));
	fake_mmu_forget_all(1);
	unmap(PAGE, 0);
	reap(PAGE, 0);
}

/* Who brings a frame gives it away: the page has it, or it is free */
static void page_gets_the_frame_that_is_given(void **state)
{
	__paddr_t first, old;
	__uptr changed;

	(void)state;
	assert_int_equal(rnd_table_frame(PAGE), RND_FRAME_NONE);
	assert_int_equal(rnd_frame_get_run(2, &first), 0);
	assert_int_equal(rnd_table_map_to(PAGE, first, &changed), 0);
	assert_int_equal(rnd_table_frame(PAGE), first);

	unmap(PAGE, 0);
	assert_int_equal(rnd_table_frame(PAGE), RND_FRAME_NONE);
	old = fake_glue.used;
	assert_int_equal(rnd_table_map_to(PAGE, first + LEN, &changed), 0);
	assert_int_equal(rnd_table_frame(PAGE), first);
	assert_int_equal(fake_glue.used, old - 1);
	unmap(PAGE, 0);
	reap(PAGE, 0);
	rnd_table_free(&retired);

	/* No frame for the tables */
	assert_int_equal(rnd_frame_get(&first), 0);
	fake_glue.fail_at = 1;
	assert_int_equal(rnd_table_map_to(PAGE, first, &changed), -ENOMEM);
	assert_int_equal(fake_glue.used, 0);
}

static void failure_maps_nothing(void **state)
{
	__uptr changed;
	unsigned int n;

	(void)state;
	for (n = 1; n <= 4; n++) {
		fake_glue.fail_at = n;
		assert_int_equal(rnd_table_map(PAGE, &changed), -ENOMEM);
		assert_int_equal(fake_glue.fail_at, 0);
		assert_false(rnd_table_is_mapped(PAGE));
		assert_int_equal(table_entry(PAGE), 0);
		assert_int_equal(table_census(0, 0).tables, n - 1);
		assert_int_equal(fake_glue.used, n - 1);

		/* What is there is used next time */
		map(PAGE);
		assert_int_equal(table_check(0, 0).tables, 3);
		unmap(PAGE, 0);
		reap(PAGE, 0);
		rnd_table_free(&retired);
		assert_int_equal(fake_glue.used, 0);
	}
}

/* Two pages below a table of the top level: what a failure of one leaves
 * behind is not empty because of the other
 */
static void failure_next_to_a_page_is_sound(void **state)
{
	const unsigned int shift[] = { 12, 21, 30, 39 };
	__uptr changed, other;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(shift); i++) {
		other = PAGE ^ 1UL << shift[i];
		map(PAGE);
		fake_glue.fail_at = 1;
		assert_int_equal(rnd_table_map(other, &changed), -ENOMEM);
		(void)table_check(0, 0);
		fake_glue.fail_at = i + 1;
		assert_int_equal(rnd_table_map(other, &changed), -ENOMEM);
		assert_int_equal(table_census(0, 0).pages, 1);
		assert_int_equal(table_census(0, 0).tables, 3 + i);
		map(other);
		unmap(other, 1);
		reap(other, 1);
		rnd_table_free(&retired);
		assert_int_equal(table_check(0, 0).tables, 3);
		unmap(PAGE, 1);
		reap(PAGE, 1);
		rnd_table_free(&retired);
		assert_int_equal(fake_glue.used, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(page_lives_and_dies),
		UNIT_TEST(table_is_taken_out_when_it_is_empty),
		UNIT_TEST(table_may_be_full),
		UNIT_TEST(window_has_two_ends),
		UNIT_TEST(misuse_is_asserted),
		UNIT_TEST(page_that_is_not_mapped_is_left_alone),
		UNIT_TEST(zombie_of_another_batch_is_left_alone),
		UNIT_TEST(zombie_that_is_mapped_keeps_its_frame),
		UNIT_TEST(contents_are_cleared_if_somebody_could_read_them),
		UNIT_TEST(write_to_a_zombie_is_found),
		UNIT_TEST(sealed_page_is_read_only_while_it_is_mapped),
		UNIT_TEST(calling_cpu_forgets_at_once),
		UNIT_TEST(retired_tables_lead_nowhere),
		UNIT_TEST(old_table_hides_a_new_one),
		UNIT_TEST(page_gets_the_frame_that_is_given),
		UNIT_TEST(failure_maps_nothing),
		UNIT_TEST(failure_next_to_a_page_is_sound),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
