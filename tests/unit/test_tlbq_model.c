/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Random operations on an unmap quarantine, beside a list of ranges and of
 * the generations that they wait for
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

#define DEPTH	  UKPLAT_TLBQ_DEPTH
#define RANGES	  UKPLAT_TLBQ_RANGES
#define PAGES_MAX 900UL
#define LIST_MAX  (DEPTH * (RANGES + 1))

#ifdef RND_TEST_SLOW
#define STEPS 20000U
#else
#define STEPS 100000U
#endif

static __u8 memory[DEPTH * PAGE_SIZE] __align(4096);
static struct ukplat_tlbq queue;

/** A range, or, without pages, a list of frames; oldest first */
struct entry {
	__vaddr_t vaddr;
	unsigned long pages;
	/** 0 while the batch is open */
	__u64 gen;
};

static struct entry list[LIST_MAX];
static unsigned int list_cnt;
static struct ukplat_tlbq_stats stats;
/* Frames that the next batch takes along, and what close says about them */
static __paddr_t frames;
static int frames_own;
static __u64 seed = 0x2545f4914f6cdd1dUL;

static __u32 roll(__u32 bound)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (__u32)((seed >> 32) * bound >> 32);
}

static void list_add(__vaddr_t vaddr, unsigned long pages)
{
	assert_true(list_cnt < LIST_MAX);
	list[list_cnt++] = (struct entry){ vaddr, pages, 0 };
}

/* Pages that wait in closed batches, and the number of these */
static unsigned long list_closed(unsigned int *batches)
{
	unsigned long pages = 0;
	unsigned int i;

	*batches = 0;
	for (i = 0; i < list_cnt && list[i].gen; i++) {
		pages += list[i].pages;
		*batches += !i || list[i].gen != list[i - 1].gen;
	}
	return pages;
}

/* The batch starts its generation; frames join it last */
static int on_close(struct ukplat_tlbq *q, struct ukplat_tlbq_batch *batch)
{
	assert_ptr_equal(q, &queue);
	batch->frames = frames;
	batch->frames_cnt = !!frames;
	if (frames)
		list_add(frames, 0);
	frames = 0;
	return frames_own;
}

/* What is reaped is what has waited longest, all of its generation */
static void on_reap(struct ukplat_tlbq_batch *batch)
{
	unsigned int i, n = batch->cnt + !!batch->frames_cnt;
	__u64 gen = list[0].gen;

	assert_true(n && n <= list_cnt);
	assert_true(gen && gen <= fake_tlb.passed);
	assert_int_equal(batch->gen, gen);
	assert_true(n == list_cnt || list[n].gen != gen);
	for (i = 0; i < n; i++)
		assert_int_equal(list[i].gen, gen);
	for (i = 0; i < batch->cnt; i++) {
		assert_int_equal(batch->range[i].vaddr, list[i].vaddr);
		assert_int_equal(batch->range[i].pages, list[i].pages);
	}
	if (batch->frames_cnt)
		assert_int_equal(batch->frames, list[n - 1].vaddr);
	stats.age_max = MAX(stats.age_max, ukplat_tlb_gen - gen);
	list_cnt -= n;
	memmove(list, list + n, list_cnt * sizeof(list[0]));
}

static const struct ukplat_tlbq_ops ops = {
	.close = on_close,
	.reap = on_reap,
};

/* Number of open entries, and of their pages */
static unsigned int list_open(unsigned long *pages)
{
	unsigned int n = 0;

	*pages = 0;
	while (n < list_cnt && !list[list_cnt - 1 - n].gen)
		*pages += list[list_cnt - 1 - n++].pages;
	return n;
}

/* The generation starts between close and reap: that is where the list learns
 * it, for all entries that are open
 */
static unsigned long closes_seen;
static void generation_started(void)
{
	unsigned int i, open, batches;
	unsigned long pages;

	closes_seen++;
	open = list_open(&pages);
	assert_true(open);
	for (i = list_cnt - open; i < list_cnt; i++) {
		list[i].gen = ukplat_tlb_gen;
		stats.ranges += !!list[i].pages;
	}
	stats.batches++;
	stats.pages += pages;
	stats.pages_peak = MAX(stats.pages_peak, list_closed(&batches));
}

/* Everything is as it must be between two operations */
static void check(unsigned long syncs_before)
{
	unsigned int batches;
	unsigned long pages = list_closed(&batches), open_pages;

	(void)list_open(&open_pages);
	assert_int_equal(queue.pages, pages);
	assert_int_equal(queue.tail - queue.head, batches);
	assert_true(batches < DEPTH);
	assert_true(pages <= PAGES_MAX || !batches);
	assert_true(open_pages < RANGES);
	assert_int_equal(queue.credit, (long)(RANGES - open_pages));
	assert_int_equal(queue.lock.locked, 0);
	stats.syncs += fake_tlb.syncs - syncs_before;
	assert_memory_equal(&queue.stats, &stats, sizeof(stats));
	assert_int_equal(fake_tlb.closes, closes_seen);
}

/* Nothing that has been passed waits after somebody came by */
static void check_reaped(void)
{
	assert_true(!list_cnt || !list[0].gen || list[0].gen > fake_tlb.passed);
}

static void step_add(void)
{
	static __vaddr_t next = PAGE_SIZE;
	unsigned long pages = roll(40) ? 1 + roll(9) : 1 + roll(600);
	unsigned long before = closes_seen, sum;

	list_add(next, pages);
	(void)list_open(&sum);
	assert_true(ukplat_tlbq_add(&queue, next, pages));
	assert_int_equal(closes_seen - before, sum >= RANGES);
	if (closes_seen != before)
		assert_int_equal(fake_tlb.own, frames_own);
	next += pages << PAGE_SHIFT;
}

static void step_close(void)
{
	unsigned long before = closes_seen, sum;
	int own = (int)roll(2), any = list_open(&sum) || frames;

	assert_true(uk_spin_trylock(&queue.lock));
	assert_false(ukplat_tlbq_add(&queue, 0, 1));
	ukplat_tlbq_close(&queue, own);
	uk_spin_unlock(&queue.lock);
	assert_int_equal(closes_seen - before, any);
	if (any)
		assert_int_equal(fake_tlb.own, own && frames_own);
	check_reaped();
}

static void step(void)
{
	__u64 behind = ukplat_tlb_gen - fake_tlb.passed;

	switch (roll(40)) {
	case 0:
		step_close();
		break;
	case 1:
		assert_true(uk_spin_trylock(&queue.lock));
		ukplat_tlbq_reap(&queue);
		uk_spin_unlock(&queue.lock);
		check_reaped();
		break;
	case 2:
		/* Of another CPU, which the list does not know */
		fake_tlb.on_close = NULL;
		(void)ukplat_tlb_close(1);
		closes_seen++;
		fake_tlb.on_close = generation_started;
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		fake_tlb_pass(fake_tlb.passed + roll((__u32)behind + 1));
		break;
	case 7:
		frames = (1UL + roll(1000)) << PAGE_SHIFT;
		frames_own = (int)roll(2);
		break;
	default:
		step_add();
	}
}

static void queue_does_what_a_list_does(void **state)
{
	unsigned long syncs;
	unsigned int i;

	(void)state;
	fake_tlb_reset();
	fake_tlb.on_close = generation_started;
	print_message("seed 0x%lx\n", seed);
	ukplat_tlbq_init(&queue, memory, PAGES_MAX, &ops);
	for (i = 0; i < STEPS; i++) {
		syncs = fake_tlb.syncs;
		step();
		check(syncs);
	}
	ukplat_tlbq_close(&queue, 1);
	fake_tlb_pass(ukplat_tlb_gen);
	ukplat_tlbq_reap(&queue);
	assert_int_equal(list_cnt, 0);
	/* Some had to be waited for, most of them not */
	print_message("%lu batches, %lu syncs\n", stats.batches, stats.syncs);
	assert_in_range(stats.syncs, stats.batches / 100, stats.batches / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_does_what_a_list_does),
	};

	return cmocka_run_group_tests_name("tlbq_model", tests, NULL, NULL);
}
