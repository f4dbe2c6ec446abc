/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the unmap quarantine where there is one CPU for ever: nothing
 * waits
 *
 * links: tests/unit/unikraft_alone.c tests/unit/fake_glue.c
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
#include "unikraft_alone.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define LEN   RND_FRAME_LEN
#define PAGES 64UL

#ifdef RND_TEST_SLOW
#define STEPS 5000U
#else
#define STEPS 50000U
#endif

/* Across the border of tables of all levels */
#define PAGE (RND_WINDOW_START + (3UL << 39) - PAGES / 2 * LEN)

static int setup(void **state)
{
	(void)state;
	fake_glue_reset(0x9b05688c2b3e6c1fUL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rnd_unmapq_unmap(PAGE, PAGES);
	assert_int_equal(fake_glue.used, 0);
	assert_int_equal(rnd_unmapq_pages(), 0);
	return 0;
}

/* The CPU walks tables and reads ahead whenever it can */
static void on_event(void)
{
	if (!fake_glue_roll(2))
		(void)fake_mmu_access(0, PAGE + fake_glue_roll(PAGES) * LEN, 0);
}

static void frames_are_free_at_once(void **state)
{
	__u64 pages = rnd_unmapq_stats.pages;

	(void)state;
	assert_int_equal(rnd_unmapq_map(PAGE), 0);
	assert_int_equal(rnd_unmapq_map(PAGE + LEN), 0);
	assert_non_null(fake_mmu_access(0, PAGE, 1));
	assert_int_equal(table_check(0, 0).pages, 2);
	rnd_unmapq_unmap(PAGE, 1);
	assert_null(fake_mmu_access(0, PAGE, 0));
	assert_int_equal(table_check(0, 0).pages, 1);
	assert_int_equal(table_check(0, 0).zombies, 0);
	assert_int_equal(rnd_unmapq_pages(), 0);
	rnd_unmapq_unmap(PAGE, 2);
	assert_int_equal(fake_glue.used, 0);
	assert_int_equal(rnd_unmapq_stats.pages - pages, 3);
	assert_int_equal(rnd_unmapq_stats.batches, 0);
}

static void pages_are_zero_when_they_are_mapped(void **state)
{
	__u64 *word;
	unsigned int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		assert_int_equal(rnd_unmapq_map(PAGE), 0);
		word = fake_mmu_access(0, PAGE, 1);
		assert_int_equal(rnd_frame_changed(word), LEN);
		memset(word, 0xff, LEN);
		rnd_unmapq_unmap(PAGE, 1);
	}
	assert_int_equal(fake_glue.fail_at, 0);
}

static void nobody_waits_for_anybody(void **state)
{
	__u64 gen = rnd_generation_start();

	(void)state;
	assert_true(rnd_generation_passed(gen));
	assert_true(rnd_generation_passed(gen + 1));
	rnd_generation_wait(gen + 1);
	rnd_generation_poll();
	rnd_unmapq_drain();
	assert_int_equal(fake_glue.flushes[0], 0);
	rnd_generation_ack();
	assert_int_equal(fake_glue.flushes[0], 1);
}

static void failure_is_told(void **state)
{
	unsigned int n;

	(void)state;
	for (n = 1; n <= 4; n++) {
		fake_glue.fail_at = n;
		assert_int_equal(rnd_unmapq_map(PAGE), -ENOMEM);
		assert_false(rnd_table_is_mapped(PAGE));
		assert_int_equal(rnd_unmapq_map(PAGE), 0);
		rnd_unmapq_unmap(PAGE, 1);
		assert_int_equal(fake_glue.used, 0);
	}
}

static void no_frame_is_free_that_the_cpu_remembers(void **state)
{
	static __bool is_mapped[PAGES];
	unsigned long start, end, n, i;
	unsigned int step;

	(void)state;
	fake_glue.on_event = on_event;
	for (step = 0; step < STEPS; step++) {
		start = fake_glue_roll(PAGES);
		end = start + 1 + fake_glue_roll((__u32)(PAGES - start));
		if (fake_glue_roll(2)) {
			end = MIN(end, start + 4);
			for (i = start; i < end; i++)
				if (!is_mapped[i])
					assert_int_equal(
						rnd_unmapq_map(PAGE + i * LEN),
						0);
		} else {
			rnd_unmapq_unmap(PAGE + start * LEN, end - start);
		}
		memset(is_mapped + start,
		       rnd_table_is_mapped(PAGE + start * LEN), end - start);
		for (i = 0, n = 0; i < PAGES; i++)
			n += is_mapped[i];
		if (step % 16 == 0)
			assert_int_equal(table_check(0, 0).pages, n);
	}
	fake_glue.on_event = __NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(frames_are_free_at_once),
		UNIT_TEST(pages_are_zero_when_they_are_mapped),
		UNIT_TEST(nobody_waits_for_anybody),
		UNIT_TEST(failure_is_told),
		UNIT_TEST(no_frame_is_free_that_the_cpu_remembers),
	};

	return cmocka_run_group_tests_name("unmapq_alone", tests, NULL, NULL);
}
