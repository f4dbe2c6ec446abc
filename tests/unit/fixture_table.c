/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_glue.h"
#include "fixture_table.h"

/* What the CPU reads, and the bits that it leaves to us */
#define PTE_PRESENT   (1UL << 0)
#define PTE_WRITE     (1UL << 1)
#define PTE_ACCESSED  (1UL << 5)
#define PTE_DIRTY     (1UL << 6)
#define PTE_ZOMBIE    (1UL << 9)
#define PTE_NOEXEC    (1UL << 63)
#define PTE_FRAME     0x000ffffffffff000UL
#define PTE_NUM_SHIFT 52
#define PTE_NUM_MASK  (0x3ffUL << PTE_NUM_SHIFT)
#define ENTRIES	      512U
#define TOP	      3U

/* The window's part of the top level table */
#define WINDOW_FIRST (ENTRIES / 4)
#define WINDOW_END   (ENTRIES / 2)

static __bool is_marked[FAKE_GLUE_FRAMES];
static struct table_census census;

static void mark(__paddr_t frame)
{
	unsigned int n = fake_glue_number(frame);

	assert_false(is_marked[n]);
	is_marked[n] = 1;
}

/* Present and never executable, or a zombie and nothing else */
static void page_check(__u64 pte)
{
	mark(pte & PTE_FRAME);
	if (pte & PTE_PRESENT) {
		assert_int_equal(pte & ~PTE_FRAME & ~PTE_WRITE,
				 PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY |
					 PTE_NOEXEC);
		census.pages++;
	} else {
		assert_int_equal(pte & ~PTE_FRAME & ~PTE_NUM_MASK, PTE_ZOMBIE);
		census.zombies++;
	}
}

/* Returns how many entries are not 0 */
static unsigned long entries_check(const __u64 *table, unsigned int level,
				   unsigned int first, unsigned int end)
{
	unsigned long n = 0, below;
	unsigned int i;
	__u64 pte;

	for (i = first; i < end; i++) {
		pte = table[i];
		if (!pte)
			continue;
		n++;
		if (!level) {
			page_check(pte);
			continue;
		}
		assert_int_equal(pte & ~PTE_FRAME & ~PTE_NUM_MASK,
				 PTE_PRESENT | PTE_WRITE | PTE_ACCESSED);
		mark(pte & PTE_FRAME);
		below = entries_check(fake_glue_words(pte & PTE_FRAME),
				      level - 1, 0, ENTRIES);
		assert_int_equal(pte >> PTE_NUM_SHIFT & 0x3ff, below);
		census.tables++;
		census.empty += !below;
	}
	return n;
}

/* Empty, but for a link in which a CPU finds nothing present */
static void retired_check(__paddr_t frame, __sz cnt)
{
	const __u64 *table;
	unsigned int i;

	for (; cnt; cnt--) {
		mark(frame);
		table = fake_glue_words(frame);
		for (i = 1; i < ENTRIES; i++)
			assert_int_equal(table[i], 0);
		assert_int_equal(table[0] & PTE_PRESENT, 0);
		frame = table[0];
		census.retired++;
	}
}

struct table_census table_census(__paddr_t head, __sz cnt)
{
	const __u64 *root = fake_glue_root();
	unsigned int i;

	memset(is_marked, 0, sizeof(is_marked));
	census = (struct table_census){ .pages = 0 };
	(void)entries_check(root, TOP, WINDOW_FIRST, WINDOW_END);
	for (i = 0; i < ENTRIES; i++)
		if (i < WINDOW_FIRST || i >= WINDOW_END)
			assert_int_equal(root[i], 0);
	retired_check(head, cnt);

	return census;
}

struct table_census table_check(__paddr_t head, __sz cnt)
{
	struct table_census c = table_census(head, cnt);

	assert_int_equal(c.empty, 0);
	assert_int_equal(c.pages + c.zombies + c.tables + c.retired,
			 fake_glue.used);

	return c;
}

__u64 table_entry(__uptr addr)
{
	const __u64 *table = fake_glue_root();
	unsigned int level;
	__u64 pte;

	for (level = TOP;; level--) {
		pte = table[addr >> (12 + 9 * level) & (ENTRIES - 1)];
		if (!level || !(pte & PTE_PRESENT))
			return level ? 0 : pte;
		table = fake_glue_words(pte & PTE_FRAME);
	}
}
