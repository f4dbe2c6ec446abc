/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the unmap quarantine, with CPUs that remember
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

#include <cmocka.h>

#include <uk/essentials.h>

#include "fake_glue.h"
#include "fake_mmu.h"
#include "fixture_table.h"
#include "unikraft_smp.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define LEN   RND_FRAME_LEN
#define CPUS  FAKE_GLUE_CPUS
#define DEPTH RND_UNMAPQ_DEPTH

/* A page with tables of its own, and one that fills batches, with others */
#define PAGE (RND_WINDOW_START + 0x2345678a000UL)
#define FILL (RND_WINDOW_START + (17UL << 39))

static struct rnd_unmapq_stats old;

static int setup(void **state)
{
	__u32 cpu;

	(void)state;
	fake_glue_reset(0xa54ff53a5f1d36f1UL);
	fake_mmu_is_narrow = 1;
	fake_glue.on_interrupt = rnd_generation_ack;
	for (cpu = 0; cpu < CPUS; cpu++) {
		(void)fake_glue_cpu_set(cpu);
		rnd_generation_ack();
	}
	(void)fake_glue_cpu_set(0);
	old = rnd_unmapq_stats;
	return 0;
}

/* Everything comes back, tables included */
static int teardown(void **state)
{
	(void)state;
	rnd_unmapq_unmap(PAGE - 8 * LEN, 300);
	rnd_unmapq_unmap(FILL, 300);
	rnd_unmapq_drain();
	assert_int_equal(rnd_unmapq_pages(), 0);
	assert_int_equal(fake_glue.used, 0);
	return 0;
}

static __u64 batches(void)
{
	return rnd_unmapq_stats.batches - old.batches;
}

static __u64 waits(void)
{
	return rnd_unmapq_stats.waits - old.waits;
}

static unsigned long interrupts(void)
{
	unsigned long n = 0;
	__u32 cpu;

	for (cpu = 0; cpu < CPUS; cpu++)
		n += fake_glue.interrupts[cpu] + fake_glue.nmis[cpu];
	return n;
}

static void poll_on(__u32 cpu)
{
	__u32 before = fake_glue_cpu_set(cpu);

	rnd_generation_poll();
	(void)fake_glue_cpu_set(before);
}

static void poll_all(void)
{
	__u32 cpu;

	for (cpu = 0; cpu < CPUS; cpu++)
		poll_on(cpu);
}

static void map(__uptr addr, __sz pages)
{
	while (pages--)
		assert_int_equal(rnd_unmapq_map(addr + pages * LEN), 0);
}

/* Adds ranges until the open batch is full */
static void batch_fill(void)
{
	__u64 n = rnd_unmapq_stats.batches;

	while (rnd_unmapq_stats.batches == n) {
		map(FILL, 1);
		rnd_unmapq_unmap(FILL, 1);
	}
}

static void nothing_is_free_before_all_cpus_have_passed(void **state)
{
	__u32 cpu;

	(void)state;
	map(PAGE, 2);
	for (cpu = 0; cpu < CPUS; cpu++)
		assert_non_null(fake_mmu_access(cpu, PAGE, 1));
	rnd_unmapq_unmap(PAGE, 1);
	assert_null(fake_mmu_access(0, PAGE, 0));
	assert_int_equal(rnd_unmapq_pages(), 1);
	assert_int_equal(table_check(0, 0).zombies, 1);

	/* Once for the open batch, and once more to see who has come by */
	batch_fill();
	for (cpu = 1; cpu < CPUS; cpu++) {
		assert_int_equal(*(__u64 *)fake_mmu_access(cpu, PAGE, 0), 0);
		assert_int_not_equal(table_entry(PAGE), 0);
		poll_on(cpu);
		assert_null(fake_mmu_access(cpu, PAGE, 0));
		batch_fill();
	}
	assert_int_equal(table_entry(PAGE), 0);
	assert_non_null(fake_mmu_access(1, PAGE + LEN, 1));
	assert_int_equal(interrupts(), 0);
}

static void batch_closes_when_its_pages_are_many(void **state)
{
	(void)state;
	map(FILL, 300);
	rnd_unmapq_unmap(FILL, RND_UNMAPQ_PAGES - 1);
	assert_int_equal(batches(), 0);
	assert_int_equal(rnd_unmapq_pages(), 255);
	/* A range goes on in the next batch */
	rnd_unmapq_unmap(FILL + 255 * LEN, 10);
	assert_int_equal(batches(), 1);
	assert_int_equal(rnd_unmapq_pages(), 265);
	assert_int_equal(table_check(0, 0).zombies, 265);
	assert_int_equal(rnd_unmapq_stats.pages - old.pages, 265);
	poll_all();
	rnd_unmapq_unmap(FILL + 265 * LEN, 35);
	assert_int_equal(batches(), 1);
	map(FILL, 300);
	assert_int_equal(table_check(0, 0).zombies, 0);
	rnd_unmapq_unmap(FILL, 300);
	assert_int_equal(batches(), 2);
	assert_int_equal(table_check(0, 0).zombies, 300);
}

static void batch_closes_when_it_is_full(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < RND_UNMAPQ_RANGES - 1; i++) {
		map(FILL, 1);
		rnd_unmapq_unmap(FILL, 1);
	}
	assert_int_equal(batches(), 0);
	/* What is not mapped takes no place */
	rnd_unmapq_unmap(FILL, 100);
	rnd_unmapq_unmap(FILL + (1UL << 30), 100);
	assert_int_equal(rnd_unmapq_pages(), RND_UNMAPQ_RANGES - 1);
	assert_int_equal(batches(), 0);
	map(FILL, 1);
	rnd_unmapq_unmap(FILL, 1);
	assert_int_equal(batches(), 1);
}

static void late_cpu_is_interrupted_when_the_ring_is_full(void **state)
{
	unsigned int i;

	(void)state;
	map(PAGE, 1);
	assert_non_null(fake_mmu_access(3, PAGE, 1));
	rnd_unmapq_unmap(PAGE, 1);
	for (i = 0; i < DEPTH - 1; i++) {
		batch_fill();
		poll_on(1);
		poll_on(2);
	}
	assert_int_equal(interrupts(), 0);
	assert_int_equal(waits(), 0);
	assert_true(fake_mmu_remembers(3, PAGE));
	batch_fill();
	assert_int_equal(waits(), 1);
	assert_int_equal(fake_glue.interrupts[3], 1);
	assert_int_equal(interrupts(), 1);
	assert_int_equal(table_entry(PAGE), 0);
	/* It has flushed for all that were closed */
	assert_int_equal(rnd_unmapq_pages(), RND_UNMAPQ_RANGES);
	for (i = 0; i < DEPTH - 2; i++)
		batch_fill();
	assert_int_equal(interrupts(), 1);
}

static void cpu_that_ignores_interrupts_gets_an_nmi(void **state)
{
	unsigned int i;

	(void)state;
	fake_glue.latency[2] = FAKE_GLUE_NEVER;
	map(PAGE, 1);
	assert_non_null(fake_mmu_access(2, PAGE, 1));
	rnd_unmapq_unmap(PAGE, 1);
	for (i = 0; i < DEPTH; i++) {
		poll_on(1);
		poll_on(3);
		batch_fill();
	}
	assert_int_equal(fake_glue.nmis[2], 1);
	assert_true(fake_glue.interrupts[2] > 0);
	assert_int_equal(fake_glue.nmis[1] + fake_glue.nmis[3], 0);
	assert_int_equal(table_entry(PAGE), 0);
	fake_glue.latency[2] = 0;
}

static void stopped_cpus_are_not_waited_for(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 1; i < CPUS; i++)
		fake_glue_cpu_run(i, 0);
	for (i = 0; i < 3 * DEPTH; i++)
		batch_fill();
	assert_int_equal(rnd_unmapq_pages(), 0);
	assert_int_equal(waits(), 0);
	assert_int_equal(interrupts(), 0);
}

/* A batch that held the page before does not free it (Q2) */
static void page_that_is_mapped_again_is_not_freed(void **state)
{
	__u64 entry;

	(void)state;
	map(PAGE, 1);
	*(__u64 *)fake_mmu_access(1, PAGE, 1) = 5;
	rnd_unmapq_unmap(PAGE, 1);
	map(PAGE, 1);
	assert_int_equal(*(__u64 *)fake_mmu_access(1, PAGE, 0), 0);
	*(__u64 *)fake_mmu_access(1, PAGE, 1) = 6;
	entry = table_entry(PAGE);
	batch_fill();
	poll_all();
	batch_fill();
	assert_int_equal(table_entry(PAGE), entry);

	rnd_unmapq_unmap(PAGE, 1);
	batch_fill();
	map(PAGE, 1);
	assert_non_null(fake_mmu_access(2, PAGE, 1));
	rnd_unmapq_unmap(PAGE, 1);
	entry = table_entry(PAGE);
	/* Two batches have it; the first one is passed */
	poll_all();
	assert_null(fake_mmu_access(2, PAGE, 1));
	rnd_unmapq_unmap(FILL, 1);
	batch_fill();
	assert_int_equal(table_entry(PAGE), entry);
	assert_true(rnd_unmapq_pages() > 0);
}

/* Of the CPUs that have passed the generation of the page one remembers its
 * tables since then (Q3)
 */
static void tables_wait_in_their_turn(void **state)
{
	unsigned long used;

	(void)state;
	batch_fill();
	map(PAGE, 1);
	rnd_unmapq_unmap(PAGE, 1);
	batch_fill();
	poll_all();
	assert_null(fake_mmu_access(1, PAGE, 0));
	used = fake_glue.used;
	batch_fill();
	assert_int_equal(table_entry(PAGE), 0);
	/* Only the page is free */
	assert_int_equal(fake_glue.used, used - 1);
	assert_null(fake_mmu_access(1, PAGE, 0));
	poll_on(2);
	poll_on(3);
	batch_fill();
	assert_int_equal(fake_glue.used, used - 1);
	poll_on(1);
	poll_on(2);
	poll_on(3);
	batch_fill();
	assert_int_equal(fake_glue.used, used - 4);
}

static void write_through_an_old_translation_is_reported(void **state)
{
	static const char text[] =
		"ukallocrnd: BUG: write after unmap: ptr=0x423456789ff8 "
		"class=none caller=0x0\n";
	const __uptr addr = PAGE - 8;

	(void)state;
	/* Found when the frame would become free */
	map(PAGE - LEN, 1);
	assert_non_null(fake_mmu_access(1, addr, 1));
	rnd_unmapq_unmap(PAGE - LEN, 1);
	*(__u8 *)fake_mmu_access(1, addr, 1) = 1;
	assert_true(FAKE_GLUE_STOPS(rnd_unmapq_drain()));
	assert_string_equal(fake_glue.text, text);
	rnd_unmapq_drain();

	/* Found when the page is mapped again */
	fake_glue.text[0] = 0;
	map(PAGE - LEN, 1);
	assert_non_null(fake_mmu_access(1, addr, 1));
	rnd_unmapq_unmap(PAGE - LEN, 1);
	*(__u8 *)fake_mmu_access(1, addr, 1) = 1;
	assert_true(FAKE_GLUE_STOPS((void)rnd_unmapq_map(PAGE - LEN)));
	assert_string_equal(fake_glue.text, text);
}

static void drain_waits_for_everything(void **state)
{
	(void)state;
	map(PAGE, 40);
	map(FILL, 300);
	assert_non_null(fake_mmu_access(1, PAGE, 0));
	assert_non_null(fake_mmu_access(2, FILL + 299 * LEN, 0));
	rnd_unmapq_unmap(FILL, 300);
	rnd_unmapq_unmap(PAGE, 40);
	fake_glue.latency[1] = 100;
	rnd_unmapq_drain();
	assert_int_equal(fake_glue.used, 0);
	assert_int_equal(rnd_unmapq_pages(), 0);
	assert_true(interrupts() > 0);
}

static void failure_is_told(void **state)
{
	(void)state;
	fake_glue.fail_at = 2;
	assert_int_equal(rnd_unmapq_map(PAGE), -ENOMEM);
	map(PAGE, 1);
	assert_true(rnd_table_is_mapped(PAGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(nothing_is_free_before_all_cpus_have_passed),
		UNIT_TEST(batch_closes_when_its_pages_are_many),
		UNIT_TEST(batch_closes_when_it_is_full),
		UNIT_TEST(late_cpu_is_interrupted_when_the_ring_is_full),
		UNIT_TEST(cpu_that_ignores_interrupts_gets_an_nmi),
		UNIT_TEST(stopped_cpus_are_not_waited_for),
		UNIT_TEST(page_that_is_mapped_again_is_not_freed),
		UNIT_TEST(tables_wait_in_their_turn),
		UNIT_TEST(write_through_an_old_translation_is_reported),
		UNIT_TEST(drain_waits_for_everything),
		UNIT_TEST(failure_is_told),
	};

	return cmocka_run_group_tests_name("unmapq", tests, NULL, NULL);
}
