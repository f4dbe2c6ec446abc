/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "fake_glue.h"
#include "fake_mmu.h"

#define PAGES_MAX  1024U
#define TABLES_MAX 256U

#define LEVELS	    4U
#define PTE_PRESENT (1UL << 0)
#define PTE_WRITE   (1UL << 1)
#define PTE_FRAME   0x000ffffffffff000UL

/** A page, or a table: an entry of this level leads to it */
struct known {
	/** Number of the page, or of the part of memory below the table */
	__uptr part;
	unsigned int level;
	__paddr_t frame;
	__bool is_write;
};

static struct cpu {
	unsigned int pages;
	unsigned int tables;
	struct known page[PAGES_MAX];
	struct known table[TABLES_MAX];
} cpus[FAKE_GLUE_CPUS];

__bool fake_mmu_is_narrow;

static __uptr part_of(__uptr addr, unsigned int level)
{
	return addr >> (12 + 9 * level);
}

void fake_mmu_reset(void)
{
	__u32 cpu;

	fake_mmu_is_narrow = 0;
	for (cpu = 0; cpu < FAKE_GLUE_CPUS; cpu++)
		fake_mmu_forget_all(cpu);
}

void fake_mmu_forget_all(__u32 cpu)
{
	cpus[cpu].pages = 0;
	cpus[cpu].tables = 0;
}

void fake_mmu_forget(__u32 cpu, __uptr addr)
{
	struct cpu *c = &cpus[cpu];
	unsigned int i;

	for (i = c->pages; i--;)
		if (c->page[i].part == part_of(addr, 0))
			c->page[i] = c->page[--c->pages];
	for (i = c->tables; i--;)
		if (!fake_mmu_is_narrow ||
		    c->table[i].part == part_of(addr, c->table[i].level))
			c->table[i] = c->table[--c->tables];
}

void fake_mmu_assert_forgotten(__paddr_t frame)
{
	const struct cpu *c;
	unsigned int i;

	for (c = cpus; c < cpus + FAKE_GLUE_CPUS; c++) {
		for (i = 0; i < c->pages; i++)
			if (c->page[i].frame == frame)
				fail_msg("CPU %td remembers page 0x%lx",
					 c - cpus, c->page[i].part << 12);
		for (i = 0; i < c->tables; i++)
			if (c->table[i].frame == frame)
				fail_msg("CPU %td remembers a table, level %u",
					 c - cpus, c->table[i].level);
	}
}

static const struct known *page_find(const struct cpu *c, __uptr addr)
{
	unsigned int i;

	for (i = 0; i < c->pages; i++)
		if (c->page[i].part == part_of(addr, 0))
			return &c->page[i];
	return __NULL;
}

__bool fake_mmu_remembers(__u32 cpu, __uptr addr)
{
	return page_find(&cpus[cpu], addr) != __NULL;
}

static const struct known *table_find(const struct cpu *c, __uptr addr,
				      unsigned int level)
{
	unsigned int i;

	for (i = 0; i < c->tables; i++)
		if (c->table[i].level == level &&
		    c->table[i].part == part_of(addr, level))
			return &c->table[i];
	return __NULL;
}

static void table_add(struct cpu *c, __uptr addr, unsigned int level,
		      __paddr_t frame)
{
	unsigned int i;

	for (i = 0; i < c->tables; i++)
		if (c->table[i].level == level && c->table[i].frame == frame &&
		    c->table[i].part == part_of(addr, level))
			return;
	assert_true(c->tables < TABLES_MAX);
	c->table[c->tables++] = (struct known){
		.part = part_of(addr, level),
		.level = level,
		.frame = frame,
	};
}

/* Where a walk begins: at the top, or in the middle */
static __u64 *walk_start(const struct cpu *c, __uptr addr, unsigned int *level)
{
	const struct known *k;
	unsigned int i;

	for (i = 1; i < LEVELS; i++) {
		k = table_find(c, addr, i);
		if (k && fake_glue_roll(2)) {
			*level = i - 1;
			return fake_glue_words(k->frame);
		}
	}
	*level = LEVELS - 1;
	return fake_glue_root();
}

static const struct known *walk(struct cpu *c, __uptr addr)
{
	unsigned int level;
	__u64 *table = walk_start(c, addr, &level), pte;

	for (;; level--) {
		pte = table[part_of(addr, level) % 512];
		if (!(pte & PTE_PRESENT))
			return __NULL;
		if (!level)
			break;
		table_add(c, addr, level, pte & PTE_FRAME);
		table = fake_glue_words(pte & PTE_FRAME);
	}
	assert_true(c->pages < PAGES_MAX);
	c->page[c->pages] = (struct known){
		.part = part_of(addr, 0),
		.frame = pte & PTE_FRAME,
		.is_write = pte & PTE_WRITE,
	};
	return &c->page[c->pages++];
}

void *fake_mmu_access(__u32 cpu, __uptr addr, __bool is_write)
{
	const struct known *k;

	assert_true(fake_glue.is_started[cpu]);
	k = page_find(&cpus[cpu], addr);
	if (!k)
		k = walk(&cpus[cpu], addr);
	if (!k || (is_write && !k->is_write))
		return __NULL;

	return (char *)fake_glue_words(k->frame) + addr % 4096;
}
