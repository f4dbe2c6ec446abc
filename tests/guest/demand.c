/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Pages that get their frames when they are touched, by all CPUs, handlers and
 * fault handlers
 */

#include <errno.h>

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/falloc.h>
#include <uk/plat/falloc.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/time.h>
#include <uk/plat/tlb.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "arena.h"
#include "test.h"

#define RW    PAGE_ATTR_PROT_RW
#define PAGES 600UL
#define WORDS (PAGE_SIZE / sizeof(unsigned long))

static volatile unsigned long *area;

static int area_make(void)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	__vaddr_t vaddr = __VADDR_ANY;

	if (uk_vma_reserve(uk_vas_get_active(), &vaddr, PAGES * PAGE_SIZE))
		return -1;
	area = (volatile unsigned long *)vaddr;
	return ukplat_page_map(pt, vaddr, __PADDR_ANY, PAGES, RW,
			       PAGE_FLAG_DEMAND);
}

static int area_drop(void)
{
	return uk_vma_unmap(uk_vas_get_active(), (__vaddr_t)area,
			    PAGES * PAGE_SIZE, 0);
}

/* Each CPU in an order of its own: strides without a divisor of PAGES */
static void count_in_all_pages(void *arg __unused)
{
	static const unsigned long strides[] = { 1, 599, 7, 11, 13, 17, 19, 1 };
	unsigned int self = ukplat_lcpu_idx();
	unsigned long i, n;

	for (i = 0; i < PAGES; i++) {
		n = i * strides[self % ARRAY_SIZE(strides)] % PAGES;
		__atomic_add_fetch(&area[n * WORDS + 3], 1, __ATOMIC_RELAXED);
	}
}

static enum test_result all_cpus_touch_the_same_pages(void)
{
	unsigned int cpus = ukplat_lcpu_count(), round;
	__sz promised = ukplat_falloc_promised();
	unsigned long i;

	for (round = 0; round < 20; round++) {
		EXPECT(!area_make());
		EXPECT(ukplat_falloc_promised() ==
		       promised + PAGES * PAGE_SIZE);
		EXPECT(on_all_cpus(count_in_all_pages, __NULL) == cpus);
		EXPECT(ukplat_falloc_promised() == promised);
		for (i = 0; i < PAGES; i++) {
			EXPECT(area[i * WORDS] == 0);
			EXPECT(area[i * WORDS + 3] == cpus);
		}
		EXPECT(!area_drop());
	}
	return TEST_PASS;
}

/* By CPU: a mapping of the same file */
static __vaddr_t views[CONFIG_UKPLAT_LCPU_MAXCOUNT];
static unsigned long arrived;

#define VIEW_PAGES 64UL

/* Touches a page that waits for its frame, as the others do at the same time */
static __ssz view_read(void *arg __unused, __off off, void *page, __sz len)
{
	unsigned long n = (unsigned long)off / PAGE_SIZE;

	*(unsigned long *)page = area[n * WORDS + 3] + n;
	return (__ssz)len;
}

/* Page after page together, so that the handlers of all CPUs meet */
static void view_all_pages(void *arg)
{
	const unsigned long *view =
		(const unsigned long *)views[ukplat_lcpu_idx()];
	unsigned long n, *wrong = arg, cpus = ukplat_lcpu_count();

	for (n = 0; n < VIEW_PAGES; n++) {
		__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
		while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) <
		       (n + 1) * cpus)
			ukplat_tlb_poll();
		if (view[n * WORDS] != n)
			__atomic_add_fetch(wrong, 1, __ATOMIC_RELAXED);
	}
}

static enum test_result fault_handlers_touch_the_same_pages(void)
{
	static const struct uk_vma_file_args args = { .read = view_read };
	struct uk_vas *vas = uk_vas_get_active();
	unsigned int cpus = ukplat_lcpu_count(), i, round;
	unsigned long wrong = 0;

	for (round = 0; round < 10; round++) {
		EXPECT(!area_make());
		for (i = 0; i < cpus; i++) {
			views[i] = __VADDR_ANY;
			EXPECT(!uk_vma_map_file(
				vas, &views[i], VIEW_PAGES * PAGE_SIZE,
				PAGE_ATTR_PROT_READ, 0, "view", &args));
		}
		arrived = 0;
		EXPECT(on_all_cpus(view_all_pages, &wrong) == cpus);
		EXPECT(!wrong);
		for (i = 0; i < cpus; i++)
			EXPECT(!uk_vma_unmap(vas, views[i],
					     VIEW_PAGES * PAGE_SIZE, 0));
		EXPECT(!area_drop());
	}
	return TEST_PASS;
}

/* Takes all frames but those that are promised; returns the first of a list */
static __paddr_t frames_take_all(struct uk_pagetable *pt)
{
	__paddr_t first = __PADDR_INV, paddr;

	for (;;) {
		paddr = uk_falloc(pt->fa, 1);
		if (paddr == __PADDR_INV && !ukplat_page_reclaim(pt))
			return first;
		if (paddr == __PADDR_INV)
			continue;
		*(__paddr_t *)ukplat_paddr_to_ptr(paddr) = first;
		first = paddr;
	}
}

static void frames_give(struct uk_pagetable *pt, __paddr_t first)
{
	__paddr_t next;

	for (; first != __PADDR_INV; first = next) {
		next = *(__paddr_t *)ukplat_paddr_to_ptr(first);
		uk_ffree(pt->fa, first, 1);
	}
}

static enum test_result promises_are_kept_without_memory(void)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	unsigned int cpus = ukplat_lcpu_count();
	unsigned long i, wrong = 0;
	__paddr_t first;

	EXPECT(!area_make());
	first = frames_take_all(pt);
	/* Nothing that prints before the memory is back */
	if (uk_falloc(pt->fa, 1) != __PADDR_INV)
		wrong++;
	if (on_all_cpus(count_in_all_pages, __NULL) != cpus)
		wrong++;
	for (i = 0; i < PAGES; i++)
		wrong += area[i * WORDS] != 0 || area[i * WORDS + 3] != cpus;
	frames_give(pt, first);
	EXPECT(!wrong);
	EXPECT(!area_drop());
	return TEST_PASS;
}

static unsigned long next_page;

static void touch_next(void *arg __unused)
{
	/* Relaxed: whoever comes, on this CPU */
	unsigned long n = __atomic_fetch_add(&next_page, 1, __ATOMIC_RELAXED);

	if (n < PAGES)
		area[n * WORDS] = n;
}

/* Who asks where a page is brings it, with handlers that do the same */
static void touch_or_ask(void)
{
	unsigned long n = __atomic_load_n(&next_page, __ATOMIC_RELAXED);
	struct uk_pagetable *pt = ukplat_pt_get_active();

	if (n % 3 && n < PAGES)
		(void)ukplat_page_translate(pt, (__vaddr_t)&area[n * WORDS]);
	touch_next(__NULL);
}

static enum test_result handlers_touch_what_they_interrupt(void)
{
	unsigned long i, wrong = 0;

	EXPECT(!area_make());
	next_page = 0;
	if (ukplat_timer_start(50000, touch_next, __NULL))
		SKIP("no timer");
	while (__atomic_load_n(&next_page, __ATOMIC_RELAXED) < PAGES)
		touch_or_ask();
	ukplat_timer_stop();
	for (i = 0; i < PAGES; i++)
		wrong += area[i * WORDS] != i;
	EXPECT(!wrong);
	EXPECT(!area_drop());
	return TEST_PASS;
}

/* Runs in the fault handler, and faults */
static __ssz read_untouched(void *arg __unused, __off off, void *page, __sz len)
{
	unsigned long n = (unsigned long)off / PAGE_SIZE;

	area[n * WORDS + 5] = ~n;
	((unsigned long *)page)[5] = area[n * WORDS + 5];
	return (__ssz)len;
}

static enum test_result fault_handlers_touch_pages(void)
{
	static const struct uk_vma_file_args args = { .read = read_untouched };
	__vaddr_t vaddr = __VADDR_ANY;
	struct uk_vas *vas = uk_vas_get_active();
	unsigned long n;

	EXPECT(!area_make());
	EXPECT(!uk_vma_map_file(vas, &vaddr, 8 * PAGE_SIZE, PAGE_ATTR_PROT_READ,
				0, "file", &args));
	for (n = 0; n < 8; n++)
		EXPECT(((volatile unsigned long *)vaddr)[n * WORDS + 5] == ~n);
	EXPECT(!uk_vma_unmap(vas, vaddr, 8 * PAGE_SIZE, 0));
	EXPECT(!area_drop());
	return TEST_PASS;
}

/* Pages that were used all over go at once if all other CPUs sleep, and they
 * have only just gone to sleep here, or have not yet
 */
static enum test_result used_pages_go_at_once(void)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	__sz before = frames_free();
	unsigned int round;
	unsigned long i;
	__u8 byte;

	for (round = 0; round < 24; round++) {
		EXPECT(!area_make());
		for (i = 0; i < PAGES; i++) {
			EXPECT(area[i * WORDS + 5] == 0);
			area[i * WORDS + 5] = ~i;
		}
		if (round % 2)
			EXPECT(on_all_cpus(count_in_all_pages, __NULL));
		EXPECT(!ukplat_page_unmap(pt, (__vaddr_t)area, PAGES,
					  PAGE_FLAG_LAZY));
		for (i = 0; i < PAGES; i += 23)
			EXPECT(ukplat_probe_read((__vaddr_t)&area[i * WORDS],
						 &byte) == -EFAULT);
		EXPECT(!area_drop());
	}
	EXPECT(frames_free() + 64 * PAGE_SIZE >= before);
	return TEST_PASS;
}

const struct test_case demand_cases[] = {
	{ "all_cpus_touch_the_same_pages", all_cpus_touch_the_same_pages },
	{ "fault_handlers_touch_the_same_pages",
	  fault_handlers_touch_the_same_pages },
	{ "promises_are_kept_without_memory",
	  promises_are_kept_without_memory },
	{ "handlers_touch_what_they_interrupt",
	  handlers_touch_what_they_interrupt },
	{ "fault_handlers_touch_pages", fault_handlers_touch_pages },
	{ "used_pages_go_at_once", used_pages_go_at_once },
	{ __NULL, __NULL },
};
