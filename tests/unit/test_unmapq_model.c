/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Random operations on the unmap quarantine, beside a list of pages, while all
 * CPUs access pages, come by, start and stop whenever they can
 *
 * The central property is tested by the fakes: no frame becomes free that a
 * CPU remembers.
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

#define LEN  RND_FRAME_LEN
#define CPUS FAKE_GLUE_CPUS

/* CPUs come by once in so many events, which are two or three for a level of
 * the tables: sometimes before the ring is full, and sometimes not
 */
#define POLL_EVENTS 20000U

#define CLUSTER 24UL
#define PAGES	(12 * CLUSTER)

#ifdef RND_TEST_SLOW
#define STEPS 20000U
#else
#define STEPS 220000U
#endif

static struct page {
	__bool is_mapped;
	/** What is in its first word */
	__u64 value;
} pages[PAGES];

/* Pages that an operation is about to change, and whether there is one */
static unsigned long busy_start, busy_end;
static __bool is_locked;
static unsigned int depth;
static unsigned long nested, accesses, stale, faults;

static void step_change(void);

/* Clusters lie across the borders of tables of all levels, and some beside
 * others
 */
static __uptr addr_of(unsigned long page)
{
	unsigned long n = page / CLUSTER;

	return RND_WINDOW_START + ((n / 3 + 1) << 39) +
	       (n % 3 << (21 + 9 * (n % 2))) +
	       (page % CLUSTER - CLUSTER / 2) * LEN;
}

static __bool is_busy(unsigned long page)
{
	return page >= busy_start && page < busy_end;
}

/* The CPU remembers a table that was taken out: that is how the handler of
 * page faults sees it, too
 */
static void *fault(__u32 cpu, __uptr addr, __bool is_write)
{
	void *byte;

	faults++;
	/* With interrupts off */
	depth += 2;
	assert_true(rnd_table_allows(addr, is_write));
	depth -= 2;
	fake_mmu_forget(cpu, addr);
	byte = fake_mmu_access(cpu, addr, is_write);
	assert_non_null(byte);

	return byte;
}

/* A page has its contents, whichever way it is reached; what has been unmapped
 * is full of zeros, or not there
 */
static void access_some(__u32 cpu, __bool is_write)
{
	unsigned long page = fake_glue_roll(PAGES);
	struct page *p = &pages[page];
	__u64 *word;

	if (!fake_glue.is_started[cpu])
		return;
	is_write = is_write && p->is_mapped && !is_busy(page);
	word = fake_mmu_access(cpu, addr_of(page), is_write);
	accesses++;
	if (is_busy(page))
		return;
	if (!p->is_mapped) {
		stale += !!word;
		assert_true(!word || !*word);
		return;
	}
	if (!word)
		word = fault(cpu, addr_of(page), is_write);
	assert_int_equal(*word, p->value);
	if (is_write) {
		p->value = fake_glue_roll(__U32_MAX);
		*word = p->value;
	}
}

static void poll_on(__u32 cpu)
{
	__u32 old = fake_glue_cpu_set(cpu);

	if (fake_glue.is_started[cpu])
		rnd_generation_poll();
	(void)fake_glue_cpu_set(old);
}

static void start_or_stop(__u32 cpu)
{
	__u32 own = fake_glue_cpu_set(0);

	(void)fake_glue_cpu_set(own);
	if (cpu != own)
		fake_glue_cpu_run(cpu, !fake_glue.is_started[cpu]);
}

/* One CPU does something in the middle of what another one does; any CPU may
 * walk the tables at any time, also this one
 */
static void on_event(void)
{
	__u32 cpu = fake_glue_roll(CPUS);

	if (depth > 1)
		return;
	depth++;
	if (!is_locked && depth == 1 && fake_glue_roll(2)) {
		nested++;
		step_change();
	} else if (!fake_glue_roll(POLL_EVENTS)) {
		poll_on(cpu);
	} else if (!fake_glue_roll(8)) {
		access_some(cpu, fake_glue_roll(2));
	}
	depth--;
}

static void busy_set(unsigned long start, unsigned long end)
{
	busy_start = start;
	busy_end = end;
	is_locked = end > start;
}

static void step_map(unsigned long start, unsigned long end)
{
	struct page *p;

	for (; start < end; start++) {
		p = &pages[start];
		if (p->is_mapped)
			continue;
		busy_set(start, start + 1);
		if (!fake_glue_roll(100))
			fake_glue.fail_at = 1 + fake_glue_roll(4);
		if (!rnd_unmapq_map(addr_of(start)))
			*p = (struct page){ 1, 0 };
		fake_glue.fail_at = 0;
		busy_set(0, 0);
	}
}

/* The calling CPU has forgotten it at once */
static void step_unmap(__u32 cpu, unsigned long start, unsigned long end)
{
	busy_set(start, end);
	rnd_unmapq_unmap(addr_of(start), end - start);
	for (; start < end; start++) {
		if (!pages[start].is_mapped)
			continue;
		pages[start].is_mapped = 0;
		assert_null(fake_mmu_access(cpu, addr_of(start), 0));
	}
	busy_set(0, 0);
}

static void drain(void)
{
	/* No page changes, but nobody else has the lock */
	is_locked = 1;
	rnd_unmapq_drain();
	is_locked = 0;
	assert_int_equal(rnd_unmapq_pages(), 0);
}

/* Some CPU has the lock and changes a part of a cluster */
static void step_change(void)
{
	unsigned long start = fake_glue_roll(PAGES), len, end;
	__u32 cpu = fake_glue_roll(CPUS), old;

	if (!fake_glue.is_started[cpu])
		return;
	old = fake_glue_cpu_set(cpu);
	len = 1 + fake_glue_roll((__u32)(CLUSTER - start % CLUSTER));
	end = start + len;
	if (!fake_glue_roll(3)) {
		start -= start % CLUSTER;
		end = start + CLUSTER;
	}
	if (!fake_glue_roll(4000))
		drain();
	else if (fake_glue_roll(2))
		step_map(start, end);
	else
		step_unmap(cpu, start, end);
	(void)fake_glue_cpu_set(old);
}

static void step(void)
{
	__u32 cpu = fake_glue_roll(CPUS);

	switch (fake_glue_roll(64)) {
	case 0:
		if (!fake_glue_roll(8))
			start_or_stop(cpu);
		break;
	case 1:
		fake_glue.latency[cpu] = fake_glue_roll(30);
		break;
	case 2:
		if (!fake_glue_roll(16))
			poll_on(cpu);
		break;
	default:
		if (fake_glue_roll(2))
			step_change();
		else
			access_some(cpu, 1);
	}
}

static void check(void)
{
	struct table_census c = table_census(0, 0);
	unsigned long n = 0, i;

	fake_glue.on_event = __NULL;
	for (i = 0; i < PAGES; i++) {
		n += pages[i].is_mapped;
		assert_int_equal(rnd_table_is_mapped(addr_of(i)),
				 pages[i].is_mapped);
	}
	assert_int_equal(c.pages, n);
	/* The rest are tables that wait */
	assert_true(c.pages + c.zombies + c.tables <= fake_glue.used);
	assert_true(c.zombies <= rnd_unmapq_pages());
	fake_glue.on_event = on_event;
}

/* Nothing is left, but for tables of failures: these go with their pages */
static void finish(void)
{
	unsigned long i;
	__u32 cpu;

	fake_glue.on_event = __NULL;
	for (cpu = 0; cpu < CPUS; cpu++)
		fake_glue_cpu_run(cpu, 1);
	(void)fake_glue_cpu_set(0);
	for (i = 0; i < PAGES; i += CLUSTER) {
		step_map(i, i + CLUSTER);
		step_map(i, i + CLUSTER);
		step_unmap(0, i, i + CLUSTER);
	}
	drain();
	assert_int_equal(fake_glue.used, 0);
}

static void no_frame_is_free_that_a_cpu_remembers(void **state)
{
	const __u64 seed = 0x510e527fade682d1UL;
	const struct rnd_unmapq_stats *s = &rnd_unmapq_stats;
	unsigned int i;

	(void)state;
	fake_glue_reset(seed);
	fake_mmu_is_narrow = 1;
	fake_glue.on_interrupt = rnd_generation_ack;
	fake_glue.on_event = on_event;
	print_message("seed 0x%lx\n", seed);
	for (i = 0; i < STEPS; i++) {
		step();
		if (i % 64 == 0)
			check();
	}
	print_message("%lu batches, %lu waits, %lu nested, %lu accesses, "
		      "%lu to old pages, %lu by old tables\n",
		      s->batches, s->waits, nested, accesses, stale, faults);
	/* All of it happened */
	assert_true(s->batches > STEPS / 400);
	assert_in_range(s->waits, 1 + s->batches / 100, s->batches / 2);
	assert_true(nested && stale > STEPS / 100 && faults > 10);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_frame_is_free_that_a_cpu_remembers),
	};

	return cmocka_run_group_tests_name("unmapq_model", tests, NULL, NULL);
}
