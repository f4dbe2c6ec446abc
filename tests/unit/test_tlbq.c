/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the unmap quarantine
 *
 * links: plat/common/tlbq.c tests/unit/fake_tlb.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/arch/paging.h>
#include <uk/plat/tlb.h>
#include <uk/plat/tlbq.h>

#include "fake_tlb.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#define DEPTH  UKPLAT_TLBQ_DEPTH
#define RANGES UKPLAT_TLBQ_RANGES
#define ENOUGH 1000000UL

static __u8 memory[DEPTH * PAGE_SIZE] __align(4096);
static struct ukplat_tlbq queue;

/* What was reaped, in order */
static struct ukplat_tlbq_range reaped[16 * RANGES];
static unsigned int reaped_cnt;
static __paddr_t reaped_frames;
static unsigned long reaped_frames_cnt;

/* What the close operation adds, and what it says about this CPU */
static __paddr_t more_frames;
static unsigned long more_frames_cnt;
static int more_own;
static unsigned int closes;

static int on_close(struct ukplat_tlbq *q, struct ukplat_tlbq_batch *batch)
{
	assert_ptr_equal(q, &queue);
	assert_int_equal(batch->gen, 0);
	batch->frames = more_frames;
	batch->frames_cnt = more_frames_cnt;
	more_frames_cnt = 0;
	closes++;
	return more_own;
}

static void on_reap(struct ukplat_tlbq_batch *batch)
{
	assert_true(batch->gen && batch->gen <= fake_tlb.passed);
	assert_true(reaped_cnt + batch->cnt <= ARRAY_SIZE(reaped));
	memcpy(&reaped[reaped_cnt], batch->range,
	       batch->cnt * sizeof(batch->range[0]));
	reaped_cnt += batch->cnt;
	reaped_frames = batch->frames;
	reaped_frames_cnt = batch->frames_cnt;
}

static const struct ukplat_tlbq_ops ops = {
	.close = on_close,
	.reap = on_reap,
};
static const struct ukplat_tlbq_ops ops_without_close = { .reap = on_reap };

static int setup(void **state)
{
	(void)state;
	fake_tlb_reset();
	/* Junk: nothing may depend on what is in new memory */
	memset(memory, 0x5a, sizeof(memory));
	ukplat_tlbq_init(&queue, memory, ENOUGH, &ops);
	reaped_cnt = 0;
	more_frames_cnt = 0;
	more_own = 1;
	closes = 0;
	return 0;
}

static __vaddr_t page(unsigned long n)
{
	return (n + 1) << PAGE_SHIFT;
}

/* Adds ranges of one page, numbers [first, first + cnt) */
static void add_pages(unsigned long first, unsigned long cnt)
{
	for (; cnt--; first++)
		assert_true(ukplat_tlbq_add(&queue, page(first), 1));
}

static void assert_reaped(unsigned long cnt)
{
	unsigned long i;

	assert_int_equal(reaped_cnt, cnt);
	for (i = 0; i < cnt; i++) {
		assert_int_equal(reaped[i].vaddr, page(i));
		assert_int_equal(reaped[i].pages, 1);
	}
}

static void range_is_reaped_once_after_its_generation(void **state)
{
	(void)state;
	add_pages(0, 3);
	assert_int_equal(fake_tlb.closes, 0);
	ukplat_tlbq_reap(&queue);
	assert_reaped(0);
	ukplat_tlbq_close(&queue, 1);
	assert_int_equal(fake_tlb.closes, 1);
	assert_reaped(0);
	ukplat_tlbq_reap(&queue);
	assert_reaped(0);

	fake_tlb_pass(ukplat_tlb_gen);
	assert_reaped(0);
	ukplat_tlbq_reap(&queue);
	assert_reaped(3);
	ukplat_tlbq_reap(&queue);
	ukplat_tlbq_close(&queue, 1);
	assert_reaped(3);
	assert_int_equal(queue.pages, 0);
}

static void batches_are_reaped_in_order(void **state)
{
	__u64 first;

	(void)state;
	add_pages(0, 10);
	ukplat_tlbq_close(&queue, 1);
	first = ukplat_tlb_gen;
	add_pages(10, 10);
	ukplat_tlbq_close(&queue, 1);
	add_pages(20, 10);
	ukplat_tlbq_close(&queue, 1);

	fake_tlb_pass(first);
	ukplat_tlbq_reap(&queue);
	assert_reaped(10);
	fake_tlb_pass(first + 2);
	ukplat_tlbq_reap(&queue);
	assert_reaped(30);
	assert_int_equal(fake_tlb.syncs, 0);
}

static void batch_closes_when_it_is_full(void **state)
{
	(void)state;
	add_pages(0, RANGES - 1);
	assert_int_equal(fake_tlb.closes, 0);
	add_pages(RANGES - 1, 1);
	assert_int_equal(fake_tlb.closes, 1);
	assert_true(fake_tlb.own);
	add_pages(RANGES, RANGES - 1);
	assert_int_equal(fake_tlb.closes, 1);
	add_pages(2 * RANGES - 1, 1);
	assert_int_equal(fake_tlb.closes, 2);
	fake_tlb_pass(ukplat_tlb_gen);
	ukplat_tlbq_reap(&queue);
	assert_reaped(2UL * RANGES);
}

static void batch_closes_when_its_pages_are_many(void **state)
{
	(void)state;
	assert_true(ukplat_tlbq_add(&queue, page(0), RANGES - 2));
	assert_int_equal(fake_tlb.closes, 0);
	assert_true(ukplat_tlbq_add(&queue, page(500), 1));
	assert_int_equal(fake_tlb.closes, 0);
	assert_true(ukplat_tlbq_add(&queue, page(600), 100));
	assert_int_equal(fake_tlb.closes, 1);
	assert_int_equal(queue.pages, RANGES + 99);
	assert_int_equal(queue.stats.ranges, 3);
	fake_tlb_pass(ukplat_tlb_gen);
	ukplat_tlbq_reap(&queue);
	assert_int_equal(reaped_cnt, 3);
	assert_int_equal(reaped[2].vaddr, page(600));
	assert_int_equal(reaped[2].pages, 100);
}

static void range_longer_than_a_batch_is_one(void **state)
{
	(void)state;
	queue.pages_max = 1UL << 40;
	assert_true(ukplat_tlbq_add(&queue, page(7), RANGES * 1000UL));
	assert_int_equal(fake_tlb.closes, 1);
	assert_int_equal(queue.pages, RANGES * 1000UL);
	fake_tlb_pass(ukplat_tlb_gen);
	add_pages(0, 1);
	ukplat_tlbq_close(&queue, 1);
	assert_int_equal(reaped_cnt, 1);
	assert_int_equal(reaped[0].vaddr, page(7));
	assert_int_equal(reaped[0].pages, RANGES * 1000UL);
	assert_int_equal(queue.pages, 1);
}

static void full_ring_waits_for_the_oldest(void **state)
{
	unsigned long i;

	(void)state;
	for (i = 0; i < DEPTH - 1; i++) {
		add_pages(i, 1);
		ukplat_tlbq_close(&queue, 1);
	}
	assert_int_equal(fake_tlb.syncs, 0);
	assert_reaped(0);
	for (; i < 3UL * DEPTH; i++) {
		add_pages(i, 1);
		ukplat_tlbq_close(&queue, 1);
		assert_int_equal(fake_tlb.syncs, i + 2 - DEPTH);
		assert_int_equal(fake_tlb.synced, ukplat_tlb_gen - (DEPTH - 1));
		assert_reaped(i + 2 - DEPTH);
	}
	assert_int_equal(queue.stats.syncs, fake_tlb.syncs);
	assert_int_equal(queue.pages, DEPTH - 1);
	fake_tlb_pass(ukplat_tlb_gen);
	ukplat_tlbq_reap(&queue);
	assert_reaped(3UL * DEPTH);
}

static void too_many_pages_wait(void **state)
{
	(void)state;
	queue.pages_max = 100;
	assert_true(ukplat_tlbq_add(&queue, page(0), 60));
	ukplat_tlbq_close(&queue, 1);
	assert_true(ukplat_tlbq_add(&queue, page(100), 40));
	ukplat_tlbq_close(&queue, 1);
	/* As many as may be, not more */
	assert_int_equal(fake_tlb.syncs, 0);
	assert_int_equal(queue.pages, 100);
	assert_true(ukplat_tlbq_add(&queue, page(200), 1));
	ukplat_tlbq_close(&queue, 1);
	assert_int_equal(fake_tlb.syncs, 1);
	assert_int_equal(fake_tlb.synced, ukplat_tlb_gen - 2);
	assert_int_equal(queue.pages, 41);

	/* The newest one alone is too much: all are waited for */
	assert_true(ukplat_tlbq_add(&queue, page(300), 101));
	ukplat_tlbq_close(&queue, 1);
	assert_int_equal(queue.pages, 0);
	assert_int_equal(queue.stats.syncs, 4);
	assert_int_equal(reaped_cnt, 4);
}

static void close_tells_who_has_flushed(void **state)
{
	(void)state;
	add_pages(0, 1);
	ukplat_tlbq_close(&queue, 1);
	assert_true(fake_tlb.own);
	add_pages(1, 1);
	ukplat_tlbq_close(&queue, 0);
	assert_false(fake_tlb.own);

	/* The operation knows better, but only to say no */
	more_own = 0;
	add_pages(2, 1);
	ukplat_tlbq_close(&queue, 1);
	assert_false(fake_tlb.own);
	more_own = 1;
	add_pages(3, 1);
	ukplat_tlbq_close(&queue, 0);
	assert_false(fake_tlb.own);
	add_pages(4, 1);
	ukplat_tlbq_close(&queue, 1);
	assert_true(fake_tlb.own);
}

static void close_works_without_operation(void **state)
{
	(void)state;
	ukplat_tlbq_init(&queue, memory, ENOUGH, &ops_without_close);
	add_pages(0, RANGES);
	assert_int_equal(fake_tlb.closes, 1);
	assert_true(fake_tlb.own);
	fake_tlb_pass(ukplat_tlb_gen);
	ukplat_tlbq_reap(&queue);
	assert_reaped(RANGES);
	assert_int_equal(closes, 0);
	assert_int_equal(reaped_frames_cnt, 0);
}

static void empty_batch_starts_no_generation(void **state)
{
	(void)state;
	ukplat_tlbq_close(&queue, 1);
	ukplat_tlbq_close(&queue, 0);
	assert_int_equal(closes, 2);
	assert_int_equal(fake_tlb.closes, 0);
	assert_int_equal(queue.stats.batches, 0);

	/* But whoever comes by reaps */
	add_pages(0, 5);
	ukplat_tlbq_close(&queue, 1);
	fake_tlb_pass(ukplat_tlb_gen);
	ukplat_tlbq_close(&queue, 1);
	assert_int_equal(fake_tlb.closes, 1);
	assert_reaped(5);
}

static void frames_travel_with_their_batch(void **state)
{
	(void)state;
	more_frames = 0x5000;
	more_frames_cnt = 3;
	add_pages(0, 1);
	ukplat_tlbq_close(&queue, 1);
	add_pages(1, 1);
	ukplat_tlbq_close(&queue, 1);

	/* Frames alone are a batch, too */
	more_frames = 0x9000;
	more_frames_cnt = 1;
	ukplat_tlbq_close(&queue, 1);
	assert_int_equal(fake_tlb.closes, 3);

	fake_tlb_pass(1);
	ukplat_tlbq_reap(&queue);
	assert_int_equal(reaped_frames, 0x5000);
	assert_int_equal(reaped_frames_cnt, 3);
	fake_tlb_pass(2);
	ukplat_tlbq_reap(&queue);
	assert_int_equal(reaped_frames_cnt, 0);
	fake_tlb_pass(3);
	ukplat_tlbq_reap(&queue);
	assert_int_equal(reaped_frames, 0x9000);
	assert_int_equal(reaped_frames_cnt, 1);
	assert_reaped(2);
}

static void stats_are_exact(void **state)
{
	const struct ukplat_tlbq_stats *s = &queue.stats;

	(void)state;
	assert_true(ukplat_tlbq_add(&queue, page(0), 7));
	assert_true(ukplat_tlbq_add(&queue, page(10), 8));
	/* The open batch does not count */
	assert_int_equal(s->ranges + s->pages + s->batches, 0);
	ukplat_tlbq_close(&queue, 1);
	assert_int_equal(s->ranges, 2);
	assert_int_equal(s->pages, 15);
	assert_int_equal(s->pages_peak, 15);
	assert_int_equal(s->batches, 1);

	/* Others start generations, too */
	(void)ukplat_tlb_close(0);
	(void)ukplat_tlb_close(0);
	fake_tlb_pass(1);
	ukplat_tlbq_reap(&queue);
	assert_int_equal(s->age_max, 2);
	assert_int_equal(queue.pages, 0);

	add_pages(50, 3);
	ukplat_tlbq_close(&queue, 1);
	fake_tlb_pass(ukplat_tlb_gen);
	ukplat_tlbq_reap(&queue);
	assert_int_equal(s->age_max, 2);
	assert_int_equal(s->pages_peak, 15);
	assert_int_equal(s->pages, 18);
	assert_int_equal(s->ranges, 5);
	assert_int_equal(s->batches, 2);
	assert_int_equal(s->syncs, 0);
}

static void add_yields_to_who_has_the_lock(void **state)
{
	(void)state;
	assert_true(uk_spin_trylock(&queue.lock));
	assert_false(ukplat_tlbq_add(&queue, page(99), RANGES));
	assert_int_equal(queue.lock.locked, 1);
	assert_int_equal(fake_tlb.closes, 0);
	uk_spin_unlock(&queue.lock);

	add_pages(0, 1);
	assert_int_equal(queue.lock.locked, 0);
	ukplat_tlbq_close(&queue, 1);
	fake_tlb_pass(ukplat_tlb_gen);
	ukplat_tlbq_reap(&queue);
	assert_reaped(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(range_is_reaped_once_after_its_generation),
		UNIT_TEST(batches_are_reaped_in_order),
		UNIT_TEST(batch_closes_when_it_is_full),
		UNIT_TEST(batch_closes_when_its_pages_are_many),
		UNIT_TEST(range_longer_than_a_batch_is_one),
		UNIT_TEST(full_ring_waits_for_the_oldest),
		UNIT_TEST(too_many_pages_wait),
		UNIT_TEST(close_tells_who_has_flushed),
		UNIT_TEST(close_works_without_operation),
		UNIT_TEST(empty_batch_starts_no_generation),
		UNIT_TEST(frames_travel_with_their_batch),
		UNIT_TEST(stats_are_exact),
		UNIT_TEST(add_yields_to_who_has_the_lock),
	};

	return cmocka_run_group_tests_name("tlbq", tests, NULL, NULL);
}
