/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Random operations on the page tables of the window, beside a list of pages
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

#define LEN   RND_FRAME_LEN
#define FRAME 0x000ffffffffff000UL

#define PAGES 96U

#ifdef RND_TEST_SLOW
#define STEPS 10000U
#else
#define STEPS 100000U
#endif

enum state {
	NONE,
	MAPPED,
	ZOMBIE
};

static struct page {
	__uptr addr;
	enum state state;
	/** Batch of a zombie */
	__u32 id;
	__paddr_t frame;
	/** What is in its first word */
	__u64 value;
	/** Offset of the first word that was written as a zombie; 0: none */
	__sz changed;
} pages[PAGES];

static struct rnd_tables_retired retired;
static unsigned long counts[3];

/* Neighbours, and some at every distance */
static void pages_place(void)
{
	__uptr addr = RND_WINDOW_START;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		pages[i] = (struct page){ .addr = addr };
		addr += LEN << (i % 4 ? 0 : i % 16 / 4 * 9);
		if (i % 16 == 15)
			addr = RND_WINDOW_START + i / 16 * (11UL << 39) +
			       (fake_glue_roll(__U32_MAX) & ~0xfffUL);
	}
	pages[PAGES - 1].addr = RND_WINDOW_END - LEN;
}

static void entry_check(const struct page *p)
{
	__u64 pte = table_entry(p->addr);

	assert_int_equal(rnd_table_is_mapped(p->addr), p->state == MAPPED);
	assert_int_equal(pte & FRAME, p->frame);
	assert_int_equal(!pte, p->state == NONE);
	if (p->state == MAPPED)
		assert_int_equal(*fake_glue_words(p->frame), p->value);
}

static void step_map(struct page *p)
{
	__uptr changed;
	int rc;

	if (p->state == MAPPED)
		return;
	if (!fake_glue_roll(4))
		fake_glue.fail_at = 1 + fake_glue_roll(5);
	rc = rnd_table_map(p->addr, &changed);
	if (rc) {
		/* A zombie needs nothing */
		assert_int_equal(rc, -ENOMEM);
		assert_int_equal(fake_glue.fail_at, 0);
		assert_int_equal(p->state, NONE);
		return;
	}
	fake_glue.fail_at = 0;
	assert_int_equal(changed, p->changed ? p->addr + p->changed : 0);
	if (p->state == NONE)
		p->frame = table_entry(p->addr) & FRAME;
	if (!p->changed)
		assert_int_equal(rnd_frame_changed(fake_glue_words(p->frame)),
				 LEN);
	p->state = MAPPED;
	p->value = fake_glue_roll(__U32_MAX);
	*fake_glue_words(p->frame) = p->value;
}

static void step_unmap(struct page *p)
{
	__bool is_mapped = p->state == MAPPED;

	p->id = is_mapped ? fake_glue_roll(RND_TABLE_IDS) : p->id;
	assert_int_equal(rnd_table_unmap(p->addr, p->id, 1), is_mapped);
	if (!is_mapped)
		return;
	p->state = ZOMBIE;
	p->changed = 0;
	if (!fake_glue_roll(20)) {
		p->changed = 8UL * (1 + fake_glue_roll(511));
		fake_glue_words(p->frame)[p->changed / 8] = 1;
	}
}

static void step_reap(struct page *p)
{
	__bool is_right = fake_glue_roll(4);
	__u32 id = (p->id + !is_right) % RND_TABLE_IDS;
	__uptr changed = rnd_table_reap(p->addr, id, 1, &retired);

	if (p->state != ZOMBIE || !is_right) {
		assert_int_equal(changed, 0);
		return;
	}
	assert_int_equal(changed, p->changed ? p->addr + p->changed : 0);
	p->state = NONE;
	p->changed = 0;
	p->frame = 0;
}

/* T1, T2 and the states of all pages. T3 is for those that had no failure: a
 * table may be left over.
 */
static void check(void)
{
	unsigned long n[3] = { 0, 0, 0 };
	struct table_census c;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		entry_check(&pages[i]);
		n[pages[i].state]++;
		counts[pages[i].state]++;
	}
	c = table_census(retired.head, retired.cnt);
	assert_int_equal(c.pages, n[MAPPED]);
	assert_int_equal(c.zombies, n[ZOMBIE]);
	assert_int_equal(c.pages + c.zombies + c.tables + c.retired,
			 fake_glue.used);
}

static void step(void)
{
	struct page *p = &pages[fake_glue_roll(PAGES)];

	switch (fake_glue_roll(16)) {
	case 0:
		rnd_table_free(&retired);
		break;
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
		step_map(p);
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		step_unmap(p);
		break;
	default:
		step_reap(p);
	}
}

/* Nothing is left over next to a page that is reaped */
static void finish(void)
{
	unsigned int i;
	__uptr changed;

	for (i = 0; i < PAGES; i++) {
		if (pages[i].state != MAPPED)
			(void)rnd_table_map(pages[i].addr, &changed);
		(void)rnd_table_unmap(pages[i].addr, 0, 1);
		(void)rnd_table_reap(pages[i].addr, 0, 1, &retired);
	}
	rnd_table_free(&retired);
	(void)table_check(0, 0);
	assert_int_equal(fake_glue.used, 0);
}

static void tables_do_what_a_list_does(void **state)
{
	const __u64 seed = 0x3c6ef372fe94f82bUL;
	unsigned int i;

	(void)state;
	fake_glue_reset(seed);
	pages_place();
	print_message("seed 0x%lx\n", seed);
	for (i = 0; i < STEPS; i++) {
		step();
		if (i % 32 == 0)
			check();
	}
	print_message("none %lu, mapped %lu, zombies %lu\n", counts[NONE],
		      counts[MAPPED], counts[ZOMBIE]);
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		assert_true(counts[i] > STEPS / 32 * PAGES / 20);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_do_what_a_list_does),
	};

	return cmocka_run_group_tests_name("table_model", tests, NULL, NULL);
}
