/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* What another CPU remembers: stale translations are there without a
 * shootdown, and never with one
 *
 * Each case is one that fails if a part of the shootdown is missing; that they
 * do is proved with planted mistakes (tests/mutants).
 */

#include <errno.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/falloc.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/tlb.h>
#include <uk/plat/tlbq.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "arena.h"
#include "test.h"
#include "tlb.h"

/* Pages of the window that the cases map into */
#define WINDOW_PAGES 8192UL

/* Where ranges lie that fill batches, more in each round than two hold */
#define FILL_START  1024UL
#define FILL_RANGES (2UL * UKPLAT_TLBQ_RANGES + 2)

#define OLD 1
#define NEW 2

#define ROUNDS 100U

static __vaddr_t window;

/* Free frames before the window was opened */
static __sz frames_before;

static struct uk_pagetable *pt(void)
{
	return ukplat_pt_get_active();
}

static int page_put(__vaddr_t va, int value)
{
	int rc =
		ukplat_page_map(pt(), va, __PADDR_ANY, 1, PAGE_ATTR_PROT_RW, 0);

	if (!rc && va)
		memset((void *)va, value, PAGE_SIZE);
	return rc;
}

static int window_reserve(void)
{
	window = __VADDR_ANY;
	return uk_vma_reserve(uk_vas_get_active(), &window,
			      WINDOW_PAGES * PAGE_SIZE);
}

/* Once more than needed: with one area more, the pool of areas may want another
 * frame, which it keeps
 */
static int window_open(void)
{
	int rc = window_reserve();

	if (!rc)
		rc = uk_vma_unmap(uk_vas_get_active(), window,
				  WINDOW_PAGES * PAGE_SIZE, 0);
	frames_before = frames_free();
	return rc ? rc : window_reserve();
}

/* Ends a case: nothing of what it used may be missing */
static enum test_result window_close(void)
{
	EXPECT(!uk_vma_unmap(uk_vas_get_active(), window,
			     WINDOW_PAGES * PAGE_SIZE, 0));
	EXPECT(frames_free() == frames_before);
	return TEST_PASS;
}

/* The window with a watcher at a page of it that has the value OLD */
static enum test_result setup(struct watch *w, enum watch_mode mode)
{
	if (ukplat_lcpu_count() < 2)
		SKIP("one CPU");
	EXPECT(!window_open());
	memset(w, 0, sizeof(*w));
	/* Not the first page: its neighbours may be anything */
	w->va = window + 37 * PAGE_SIZE;
	w->mode = mode;
	EXPECT(!page_put(w->va, OLD));
	EXPECT(!watch_start(w));
	return TEST_PASS;
}

#define SETUP(w, mode)                                                         \
	do {                                                                   \
		enum test_result setup_result = setup(w, mode);                \
		if (setup_result != TEST_PASS)                                 \
			return setup_result;                                   \
	} while (0)

/* Unmaps without a shootdown; counts what the watcher still read then */
static enum test_result remember_once(unsigned long *stale)
{
	struct watch w = { .va = 0 };
	__paddr_t frame;

	SETUP(&w, WATCH_READ);
	frame = ukplat_page_translate(pt(), w.va);
	EXPECT(!ukplat_page_unmap(pt(), w.va, 1,
				  PAGE_FLAG_KEEP_FRAMES | PAGE_FLAG_NO_FLUSH));
	*stale = __atomic_load_n(&w.good[0], __ATOMIC_ACQUIRE);
	watch_wait(&w, 100000);
	*stale = __atomic_load_n(&w.good[0], __ATOMIC_ACQUIRE) - *stale;
	ukplat_tlb_shootdown(w.va, 1);
	watch_turn(&w);
	watch_stop(&w);
	EXPECT(w.good[1] == 0);
	uk_ffree(pt()->fa, frame, 1);
	return window_close();
}

/* This is what all the rest is for. A TLB may lose an entry by itself. */
static enum test_result without_shootdown_a_cpu_remembers(void)
{
	enum test_result result = TEST_PASS;
	unsigned long stale = 0;
	unsigned int i;

	for (i = 0; i < 8 && stale < 10000 && result == TEST_PASS; i++)
		result = remember_once(&stale);
	if (result != TEST_PASS)
		return result;
	EXPECT(stale >= 10000);
	return TEST_PASS;
}

/* Interrupts that CPU 1 has received for shootdowns */
static __u64 ipis_received(void)
{
	struct ukplat_tlb_stats st;

	ukplat_tlb_stats_get(1, &st);
	return st.ipis_received;
}

static enum test_result unmapped_pages_are_forgotten(void)
{
	struct watch w = { .va = 0 };
	__u64 ipis;

	SETUP(&w, WATCH_READ);
	ipis = ipis_received();
	EXPECT(!ukplat_page_unmap(pt(), w.va, 1, 0));
	watch_turn(&w);
	/* If an NMI was faster the interrupt still comes */
	while (ipis_received() == ipis)
		ukarch_spinwait();
	watch_stop(&w);
	EXPECT(w.good[1] == 0);
	return window_close();
}

static enum test_result many_unmapped_pages_are_forgotten(void)
{
	struct watch w = { .va = 0 };

	SETUP(&w, WATCH_READ);
	EXPECT(!ukplat_page_map(pt(), w.va + PAGE_SIZE, __PADDR_ANY, 100,
				PAGE_ATTR_PROT_RW, 0));
	EXPECT(!ukplat_page_unmap(pt(), w.va, 101, 0));
	watch_turn(&w);
	watch_stop(&w);
	EXPECT(w.good[1] == 0);
	return window_close();
}

static enum test_result unmapped_areas_are_forgotten(void)
{
	struct watch w = { .va = 0 };

	if (ukplat_lcpu_count() < 2)
		SKIP("one CPU");
	memset(&w, 0, sizeof(w));
	/* Empty tables of the upper half wait to be freed, with a shootdown of
	 * everything: not during this one
	 */
	(void)ukplat_page_reclaim(pt());
	/* In the upper half, which has no window */
	EXPECT(!ukplat_area_map("test", __PADDR_ANY, 1, PAGE_ATTR_PROT_RW,
				&w.va));
	EXPECT(!watch_start(&w));
	ukplat_area_destroy(w.va);
	watch_turn(&w);
	watch_stop(&w);
	EXPECT(w.good[0] > 0);
	EXPECT(w.good[1] == 0);
	return TEST_PASS;
}

static enum test_result lazily_unmapped_pages_fault_here_at_once(void)
{
	unsigned int i;
	__u8 byte;

	EXPECT(!window_open());
	for (i = 0; i < ROUNDS; i++) {
		__vaddr_t va = window + i * PAGE_SIZE;

		EXPECT(!page_put(va, OLD));
		EXPECT(!ukplat_probe_read(va, &byte) && byte == OLD);
		EXPECT(!ukplat_page_unmap(pt(), va, 1, PAGE_FLAG_LAZY));
		EXPECT(ukplat_probe_read(va, &byte) == -EFAULT);
	}
	return window_close();
}

static enum test_result remapped_pages_are_seen(void)
{
	struct watch w = { .va = 0 };

	SETUP(&w, WATCH_READ);
	EXPECT(!ukplat_page_unmap(pt(), w.va, 1, 0));
	EXPECT(!page_put(w.va, NEW));
	watch_turn(&w);
	watch_stop(&w);
	EXPECT(w.good[1] == w.all[1]);
	EXPECT(w.seen[1] == 1UL << NEW);
	return window_close();
}

static enum test_result protected_pages_cannot_be_written(void)
{
	struct watch w = { .va = 0 };

	SETUP(&w, WATCH_WRITE);
	EXPECT(!ukplat_page_set_attr(pt(), w.va, 1, PAGE_ATTR_PROT_READ, 0));
	watch_turn(&w);
	watch_stop(&w);
	EXPECT(w.good[0] > 0);
	EXPECT(w.good[1] == 0);
	return window_close();
}

static enum test_result new_rights_disturb_nobody(void)
{
	struct watch w = { .va = 0 };
	__u64 ipis;

	SETUP(&w, WATCH_WRITE);
	EXPECT(!ukplat_page_set_attr(pt(), w.va, 1, PAGE_ATTR_PROT_READ, 0));
	watch_wait(&w, 10000);
	ipis = ipis_received();
	EXPECT(!ukplat_page_set_attr(pt(), w.va, 1, PAGE_ATTR_PROT_RW, 0));
	watch_turn(&w);
	ipis = ipis_received() - ipis;
	watch_stop(&w);
	EXPECT(ipis == 0);
	EXPECT(w.good[1] == w.all[1]);
	return window_close();
}

static enum test_result pages_without_access_cannot_be_read(void)
{
	struct watch w = { .va = 0 };

	SETUP(&w, WATCH_READ);
	EXPECT(!ukplat_page_set_attr(pt(), w.va, 1, PAGE_ATTR_PROT_NONE, 0));
	watch_turn(&w);
	watch_stop(&w);
	EXPECT(w.good[1] == 0);
	return window_close();
}

/* Takes every frame that is free and tells whether one of them is `frame` */
static int frames_take_all(__paddr_t frame, __paddr_t *list)
{
	__paddr_t paddr;
	int found = 0;

	for (*list = 0; (paddr = uk_falloc(pt()->fa, 1)) != __PADDR_INV;) {
		*(__paddr_t *)ukplat_paddr_to_ptr(paddr) = *list;
		*list = paddr;
		found |= paddr == frame;
	}
	return found;
}

static void frames_give_back(__paddr_t list)
{
	__paddr_t next;

	for (; list; list = next) {
		next = *(__paddr_t *)ukplat_paddr_to_ptr(list);
		*(__paddr_t *)ukplat_paddr_to_ptr(list) = 0;
		uk_ffree(pt()->fa, list, 1);
	}
}

/* Unmaps single pages until batches have been closed behind a range. One batch
 * is less than a small machine may keep; two may be more, and are asked for.
 */
static int batches_close(unsigned int round, unsigned long ranges)
{
	__vaddr_t va = window + (FILL_START + round * FILL_RANGES) * PAGE_SIZE;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < ranges && !rc; i++, va += PAGE_SIZE) {
		rc = page_put(va, NEW);
		if (!rc)
			rc = ukplat_page_unmap(pt(), va, 1, PAGE_FLAG_LAZY);
	}
	return rc;
}

static enum test_result frames_wait_for_a_cpu_that_remembers(void)
{
	__paddr_t frame, list;
	struct watch w = { .va = 0 };
	int found;

	SETUP(&w, WATCH_READ);
	frame = ukplat_page_translate(pt(), w.va);
	EXPECT(!ukplat_page_unmap(pt(), w.va, 1, PAGE_FLAG_LAZY));
	EXPECT(!batches_close(0, UKPLAT_TLBQ_RANGES));
	watch_wait(&w, 10000);
	/* Nobody asked the watcher, so it remembers, and reads zeros */
	found = frames_take_all(frame, &list);
	frames_give_back(list);
	EXPECT(!found);

	while (ukplat_page_reclaim(pt()))
		;
	watch_turn(&w);
	found = frames_take_all(frame, &list);
	frames_give_back(list);
	watch_stop(&w);
	EXPECT(found);
	EXPECT((w.seen[0] & ~(1UL << OLD | 1UL)) == 0);
	EXPECT(w.good[1] == 0);
	return window_close();
}

static enum test_result addresses_wait_for_a_cpu_that_remembers(void)
{
	struct watch w = { .va = 0 };

	SETUP(&w, WATCH_READ);
	EXPECT(!ukplat_page_unmap(pt(), w.va, 1, PAGE_FLAG_LAZY));
	/* Asks the watcher: the address is wanted */
	EXPECT(!page_put(w.va, NEW));
	watch_turn(&w);
	watch_stop(&w);
	EXPECT(w.good[1] == w.all[1]);
	EXPECT(w.seen[1] == 1UL << NEW);
	return window_close();
}

static enum test_result a_full_quarantine_asks(void)
{
	struct ukplat_tlb_stats before, after;
	struct watch w = { .va = 0 };
	unsigned int i;

	SETUP(&w, WATCH_READ);
	EXPECT(!ukplat_page_unmap(pt(), w.va, 1, PAGE_FLAG_LAZY));
	ukplat_tlb_stats_get(~0U, &before);
	for (i = 0; i < UKPLAT_TLBQ_DEPTH; i++)
		EXPECT(!batches_close(i, FILL_RANGES));
	ukplat_tlb_stats_get(~0U, &after);
	watch_turn(&w);
	watch_stop(&w);
	EXPECT(w.good[1] == 0);
	EXPECT(after.ipis_sent > before.ipis_sent);
	/* One for many: there were sixteen batches */
	EXPECT(after.ipis_sent - before.ipis_sent <= 4UL * UKPLAT_TLBQ_DEPTH);
	return window_close();
}

static void read_once(struct __regs *regs __unused, void *user)
{
	struct watch *w = user;
	__u8 byte = 0;

	if (!ukplat_probe_read(w->va, &byte))
		w->good[w->phase]++;
	w->seen[w->phase] = byte;
}

/* Runs on CPU 1, which sleeps before and after */
static int elsewhere(void (*fn)(struct __regs *regs, void *user), void *user)
{
	struct ukplat_lcpu_func func = { .fn = fn, .user = user };
	const __u32 cpu = 1;
	unsigned int num = 1;

	if (ukplat_lcpu_run(&cpu, &num, &func, 0))
		return -1;
	num = 1;
	return ukplat_lcpu_wait(&cpu, &num, 0);
}

/* What waits in queues and caches, those of another CPU too, is there for who
 * needs it
 */
static void unmap_many(struct __regs *regs __unused, void *user)
{
	struct watch *w = user;
	unsigned int i;

	for (i = 0; i < FILL_RANGES && !w->stop; i++)
		w->stop = page_put(w->va + i * PAGE_SIZE, OLD) ||
			  ukplat_page_unmap(pt(), w->va + i * PAGE_SIZE, 1,
					    PAGE_FLAG_LAZY);
}

static enum test_result waiting_memory_is_found(void)
{
	struct watch w = { .va = 0 };
	unsigned long pages = 0;
	__vaddr_t base = __VADDR_ANY, va;
	__sz len, left;

	EXPECT(!window_open());
	w.va = window + FILL_START * PAGE_SIZE;
	if (ukplat_lcpu_count() > 1)
		EXPECT(!elsewhere(unmap_many, &w));
	EXPECT(!w.stop);
	unmap_many(__NULL, &w);
	EXPECT(!w.stop);

	len = pt()->fa->total_memory;
	EXPECT(!uk_vma_reserve(uk_vas_get_active(), &base, len));
	for (va = base; !page_put(va, OLD); va += PAGE_SIZE)
		pages++;
	left = ukplat_falloc_available();
	EXPECT(!uk_vma_unmap(uk_vas_get_active(), base, len, 0));
	EXPECT(pages > 0);
	EXPECT(left == 0);
	return window_close();
}

static void unmap_lazily(struct __regs *regs __unused, void *user)
{
	struct watch *w = user;

	w->stop = ukplat_page_unmap(pt(), w->va, 1, PAGE_FLAG_LAZY);
}

static enum test_result who_drains_forgets_too(void)
{
	struct watch w = { .va = 0 };
	unsigned int i;
	__u8 byte;

	if (ukplat_lcpu_count() < 2)
		SKIP("one CPU");
	EXPECT(!window_open());
	/* One page stays, and its tables: these would make everybody flush */
	for (i = 0; i <= ROUNDS; i++)
		EXPECT(!page_put(window + i * PAGE_SIZE, OLD));
	for (i = 0; i < ROUNDS; i++) {
		w.va = window + i * PAGE_SIZE;
		EXPECT(!ukplat_probe_read(w.va, &byte));
		EXPECT(!elsewhere(unmap_lazily, &w) && !w.stop);
		(void)ukplat_page_reclaim(pt());
		EXPECT(ukplat_probe_read(w.va, &byte) == -EFAULT);
	}
	return window_close();
}

/* Waits until CPU 1, and all others, sleep */
static void others_sleep(void)
{
	__u64 gen = ukplat_tlb_close(1);

	while (!ukplat_tlb_passed(gen))
		ukarch_spinwait();
}

static enum test_result sleeping_cpus_forget_undisturbed(void)
{
	struct ukplat_tlb_stats before, after;
	struct watch w = { .va = 0 };
	unsigned int i;

	if (ukplat_lcpu_count() < 2)
		SKIP("one CPU");
	EXPECT(!window_open());
	memset(&w, 0, sizeof(w));
	w.va = window + 37 * PAGE_SIZE;
	for (i = 0; i < ROUNDS; i++) {
		EXPECT(!page_put(w.va, OLD));
		w.phase = 0;
		EXPECT(!elsewhere(read_once, &w));
		EXPECT(w.seen[0] == OLD);
		others_sleep();
		ukplat_tlb_stats_get(~0U, &before);
		EXPECT(!ukplat_page_unmap(pt(), w.va, 1, 0));
		EXPECT(!page_put(w.va, NEW));
		ukplat_tlb_stats_get(~0U, &after);
		w.phase = 1;
		EXPECT(!elsewhere(read_once, &w));
		EXPECT(w.seen[1] == NEW);
		EXPECT(after.ipis_sent == before.ipis_sent);
		EXPECT(!ukplat_page_unmap(pt(), w.va, 1, PAGE_FLAG_LAZY));
	}
	return window_close();
}

static enum test_result a_stuck_cpu_is_reached_by_nmi(void)
{
	struct ukplat_tlb_stats before, after;
	struct watch w = { .va = 0 };

	if (ukplat_lcpu_count() < 2)
		SKIP("one CPU");
	EXPECT(!window_open());
	memset(&w, 0, sizeof(w));
	w.va = window + 37 * PAGE_SIZE;
	w.irqs_off = 1;
	EXPECT(!page_put(w.va, OLD));
	EXPECT(!watch_start(&w));
	ukplat_tlb_stats_get(1, &before);
	EXPECT(!ukplat_page_unmap(pt(), w.va, 1, 0));
	watch_turn(&w);
	watch_stop(&w);
	/* The handler counts after it has acknowledged */
	ukplat_tlb_stats_get(1, &after);
	EXPECT(w.good[1] == 0);
	EXPECT(after.nmi_acks > before.nmi_acks);
	return window_close();
}

/* Every CPU unmaps and waits for all others, with interrupts disabled */
static void unmap_deaf(void *arg __unused)
{
	__vaddr_t va = window + ukplat_lcpu_idx() * PAGE_SIZE;
	unsigned long irqf = ukplat_lcpu_save_irqf();
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		while (page_put(va, OLD))
			ukarch_spinwait();
		(void)ukplat_page_unmap(pt(), va, 1, 0);
		ukplat_tlb_shootdown_tables();
	}
	ukplat_lcpu_restore_irqf(irqf);
}

static enum test_result deaf_cpus_wait_for_each_other(void)
{
	unsigned int cpus = ukplat_lcpu_count();
	struct ukplat_tlb_stats before, after;

	EXPECT(!window_open());
	ukplat_tlb_stats_get(~0U, &before);
	EXPECT(on_all_cpus(unmap_deaf, __NULL) == cpus);
	ukplat_tlb_stats_get(~0U, &after);
	/* They answer by themselves; some may get an NMI on a busy host */
	EXPECT(after.nmis_sent - before.nmis_sent < ROUNDS / 2);
	return window_close();
}

static enum test_result tables_come_back(void)
{
	__sz before, after;
	unsigned int i;

	/* Each page needs three tables of its own */
	before = frames_free();
	for (i = 0; i < ROUNDS; i++) {
		__vaddr_t va = __VADDR_ANY;

		EXPECT(!uk_vma_reserve(uk_vas_get_active(), &va, PAGE_SIZE));
		EXPECT(!page_put(va, OLD));
		EXPECT(!ukplat_page_unmap(pt(), va, 1, PAGE_FLAG_LAZY));
		EXPECT(!uk_vma_unmap(uk_vas_get_active(), va, PAGE_SIZE, 0));
	}
	after = frames_free();
	EXPECT(before == after);
	return TEST_PASS;
}

/* A large page in the window, each small page of it with a value of its own */
static __vaddr_t large_put(void)
{
	__vaddr_t va =
		ALIGN_UP(window + FILL_START * PAGE_SIZE, PAGE_LARGE_SIZE);
	unsigned int i;

	if (ukplat_page_map(pt(), va, __PADDR_ANY, UKARCH_PT_ENTRIES,
			    PAGE_ATTR_PROT_RW, PAGE_FLAG_LARGE))
		return 0;
	for (i = 0; i < UKARCH_PT_ENTRIES; i++)
		*(__u8 *)(va + i * PAGE_SIZE) = (__u8)i;
	return va;
}

/* Small pages [from, to) of a large one have their values */
static int large_is_whole(__vaddr_t va, unsigned int from, unsigned int to)
{
	__u8 byte;

	for (; from < to; from++)
		if (ukplat_probe_read(va + from * PAGE_SIZE, &byte) ||
		    byte != (__u8)from)
			return 0;
	return 1;
}

static enum test_result large_pages_are_split(void)
{
	struct watch w = { .va = 0 };
	__vaddr_t va;

	SETUP(&w, WATCH_READ);
	watch_stop(&w);
	va = large_put();
	EXPECT(va);
	/* One entry for all: there is none of the lowest level */
	EXPECT(!ukplat_pt_entry(pt(), va));
	memset(&w, 0, sizeof(w));
	w.va = va + 100 * PAGE_SIZE;
	EXPECT(!watch_start(&w));
	EXPECT(!ukplat_page_unmap(pt(), w.va, 1, 0));
	watch_turn(&w);
	watch_stop(&w);
	/* Cleared already, but still there */
	EXPECT((w.seen[0] & ~1UL) == 1UL << 63);
	EXPECT(w.good[1] == 0);
	EXPECT(ukplat_pt_entry(pt(), va));
	EXPECT(large_is_whole(va, 0, 100));
	EXPECT(large_is_whole(va, 101, UKARCH_PT_ENTRIES));
	return window_close();
}

static enum test_result large_pages_are_protected_in_part(void)
{
	struct watch w = { .va = 0 };
	__vaddr_t va;

	SETUP(&w, WATCH_READ);
	watch_stop(&w);
	va = large_put();
	EXPECT(va);
	memset(&w, 0, sizeof(w));
	w.va = va + 200 * PAGE_SIZE;
	w.mode = WATCH_WRITE;
	EXPECT(!watch_start(&w));
	EXPECT(!ukplat_page_set_attr(pt(), va + 150 * PAGE_SIZE, 100,
				     PAGE_ATTR_PROT_READ, 0));
	watch_turn(&w);
	watch_stop(&w);
	EXPECT(w.good[0] > 0);
	EXPECT(w.good[1] == 0);
	EXPECT(!ukplat_probe_write(va + 149 * PAGE_SIZE, 149));
	EXPECT(ukplat_probe_write(va + 150 * PAGE_SIZE, 0) == -EFAULT);
	EXPECT(ukplat_probe_write(va + 249 * PAGE_SIZE, 0) == -EFAULT);
	EXPECT(!ukplat_probe_write(va + 250 * PAGE_SIZE, 250));
	EXPECT(large_is_whole(va, 0, 200));
	EXPECT(large_is_whole(va, 201, UKARCH_PT_ENTRIES));
	return window_close();
}

static enum test_result large_pages_come_and_go_whole(void)
{
	__vaddr_t va;
	unsigned int i;
	__u8 byte;

	EXPECT(!window_open());
	for (i = 0; i < 8; i++) {
		va = large_put();
		EXPECT(va);
		EXPECT(large_is_whole(va, 0, UKARCH_PT_ENTRIES));
		EXPECT(!ukplat_page_set_attr(pt(), va, UKARCH_PT_ENTRIES,
					     PAGE_ATTR_PROT_NONE, 0));
		EXPECT(ukplat_probe_read(va, &byte) == -EFAULT);
		EXPECT(!ukplat_page_set_attr(pt(), va, UKARCH_PT_ENTRIES,
					     PAGE_ATTR_PROT_RW, 0));
		EXPECT(!ukplat_pt_entry(pt(), va));
		EXPECT(large_is_whole(va, 0, UKARCH_PT_ENTRIES));
		EXPECT(!ukplat_page_unmap(pt(), va, UKARCH_PT_ENTRIES,
					  i % 2 ? PAGE_FLAG_LAZY : 0));
		EXPECT(ukplat_probe_read(va, &byte) == -EFAULT);
	}
	return window_close();
}

void tlb_stale_write(void)
{
	struct watch w = { .va = 0 };

	if (setup(&w, WATCH_WRITE) != TEST_PASS)
		return;
	(void)ukplat_page_unmap(pt(), w.va, 1, PAGE_FLAG_LAZY);
	watch_wait(&w, 10000);
	(void)ukplat_page_reclaim(pt());
}

const struct test_case tlb_cases[] = {
	{ "without_shootdown_a_cpu_remembers",
	  without_shootdown_a_cpu_remembers },
	{ "unmapped_pages_are_forgotten", unmapped_pages_are_forgotten },
	{ "many_unmapped_pages_are_forgotten",
	  many_unmapped_pages_are_forgotten },
	{ "unmapped_areas_are_forgotten", unmapped_areas_are_forgotten },
	{ "lazily_unmapped_pages_fault_here_at_once",
	  lazily_unmapped_pages_fault_here_at_once },
	{ "who_drains_forgets_too", who_drains_forgets_too },
	{ "remapped_pages_are_seen", remapped_pages_are_seen },
	{ "protected_pages_cannot_be_written",
	  protected_pages_cannot_be_written },
	{ "new_rights_disturb_nobody", new_rights_disturb_nobody },
	{ "pages_without_access_cannot_be_read",
	  pages_without_access_cannot_be_read },
	{ "frames_wait_for_a_cpu_that_remembers",
	  frames_wait_for_a_cpu_that_remembers },
	{ "addresses_wait_for_a_cpu_that_remembers",
	  addresses_wait_for_a_cpu_that_remembers },
	{ "a_full_quarantine_asks", a_full_quarantine_asks },
	{ "sleeping_cpus_forget_undisturbed",
	  sleeping_cpus_forget_undisturbed },
	{ "a_stuck_cpu_is_reached_by_nmi", a_stuck_cpu_is_reached_by_nmi },
	{ "deaf_cpus_wait_for_each_other", deaf_cpus_wait_for_each_other },
	{ "tables_come_back", tables_come_back },
	{ "waiting_memory_is_found", waiting_memory_is_found },
	{ "large_pages_are_split", large_pages_are_split },
	{ "large_pages_are_protected_in_part",
	  large_pages_are_protected_in_part },
	{ "large_pages_come_and_go_whole", large_pages_come_and_go_whole },
	{ __NULL, __NULL },
};
