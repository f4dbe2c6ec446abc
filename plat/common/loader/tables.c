/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/arch/paging.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>

#include "../pt.h"
#include "loader.h"
#include "tables.h"

/* Each 2 MiB of RAM need a table in the direct map, and one in the window
 * before the pool can grow; the first block has something left for others.
 */
#define RAM_PER_BLOCK (PT_BLOCK_TABLES / 2 * PAGE_LARGE_SIZE)
#define RAM_OF_OTHERS (RAM_PER_BLOCK / 4)

__vaddr_t tables_identity;

static __u64 *table_at(__paddr_t paddr)
{
	return (__u64 *)(tables_identity + paddr);
}

/* Draws a free table of all blocks */
static __paddr_t table_draw(void)
{
	struct pt_block *b, *end = &boot_info.block[boot_info.block_cnt];
	__u64 n = 0;

	for (b = boot_info.block; b < end; b++)
		n += b->free;
	if (!n)
		return __PADDR_INV;
	n = loader_uniform(__NULL, n);
	for (b = boot_info.block; n >= b->free; b++)
		n -= b->free;
	return pt_block_take(b, n);
}

static int block_draw(void)
{
	__paddr_t paddr = memregion_draw(&boot_info.map, PAGE_LARGE_SIZE,
					 PAGE_LARGE_SIZE, PAGE_LARGE_SIZE,
					 LOADER_PADDR_END, loader_uniform,
					 __NULL);

	if (paddr == __PADDR_INV)
		return -ENOMEM;
	memset(table_at(paddr), 0, PAGE_LARGE_SIZE);
	pt_block_init(&boot_info.block[boot_info.block_cnt++], paddr);
	if (memregion_add(&boot_info.map, paddr, PAGE_LARGE_SIZE,
			  MEMREGION_TABLES))
		return -ENOMEM;
	return memregion_normalise(&boot_info.map);
}

int tables_init(__u64 ram)
{
	__u64 blocks = 1 + (ram + RAM_OF_OTHERS) / RAM_PER_BLOCK;
	int rc = 0;

	if (blocks > BOOT_BLOCKS_MAX)
		return -ENOMEM;
	while (blocks-- && !rc)
		rc = block_draw();
	if (rc)
		return rc;
	boot_info.pt_root = table_draw();
	boot_info.pt_idle = table_draw();
	return 0;
}

/* The table that an entry points to, which may have to be made; it counts in
 * the entry above, if there is one
 */
static __u64 *table_get(__u64 *entry, __u64 *parent)
{
	__paddr_t paddr;

	if (!*entry) {
		paddr = table_draw();
		if (paddr == __PADDR_INV)
			return __NULL;
		*entry = paddr | PT_ENTRY_TABLE;
		if (parent)
			*parent += X86_PTE_USED_ONE;
	}
	return table_at(*entry & X86_PTE_PADDR_MASK);
}

/* The entries on the way to an address, top level first: the last one leads to
 * the table of the pages, if there is one
 */
static int path_make(__vaddr_t va, __u64 *path[3])
{
	__u64 *table = table_at(boot_info.pt_root);
	unsigned int level;

	for (level = 0; level < 3; level++) {
		if (level)
			table = table_get(path[level - 1],
					  level > 1 ? path[level - 2] : __NULL);
		if (!table)
			return -ENOMEM;
		path[level] = table + pt_index(va, 4 - level);
	}
	return 0;
}

/* The entries of small pages from an address on, of which there are *n at most
 * in one table; `pde`: the entry that leads there
 */
static __u64 *entries_make(__vaddr_t va, unsigned long *n, __u64 **pde)
{
	__u64 *path[3], *table;
	unsigned int first = pt_index(va, 1);

	if (path_make(va, path))
		return __NULL;
	table = table_get(path[2], path[1]);
	if (!table)
		return __NULL;
	*pde = path[2];
	*n = MIN(*n, (unsigned long)(UKARCH_PT_ENTRIES - first));
	return table + first;
}

static int pages_map(__vaddr_t va, __paddr_t pa, unsigned long pages,
		     __u64 bits)
{
	unsigned long i, n;
	__u64 *pte, *pde;

	for (; pages; pages -= n, va += n << PAGE_SHIFT) {
		n = pages;
		pte = entries_make(va, &n, &pde);
		if (!pte)
			return -ENOMEM;
		for (i = 0; i < n; i++, pa += PAGE_SIZE)
			pte[i] = pa | bits;
		*pde += n * X86_PTE_USED_ONE;
	}
	return 0;
}

int tables_map(__vaddr_t va, __paddr_t pa, unsigned long pages,
	       unsigned long attr)
{
	__u64 bits;

	if (pt_attr_encode(attr, &bits))
		return -EINVAL;
	return pages_map(va, pa, pages, bits);
}

static int tables_make(__vaddr_t va, unsigned long pages)
{
	unsigned long n;
	__u64 *pde;

	for (; pages; pages -= n, va += n << PAGE_SHIFT) {
		n = pages;
		if (!entries_make(va, &n, &pde))
			return -ENOMEM;
	}
	return 0;
}

/* Those of a whole block have to be in both maps, because it may move there
 * some day
 */
static int blocks_prepare(__paddr_t start, unsigned long pages)
{
	int rc = tables_make(boot_info.direct_map + start, pages);

	return rc ? rc : tables_make(boot_info.window + start, pages);
}

int tables_direct_map(__paddr_t start, __paddr_t end)
{
	__paddr_t first = ALIGN_UP(start, PAGE_LARGE_SIZE);
	__paddr_t last = ALIGN_DOWN(end, PAGE_LARGE_SIZE);
	int rc = 0;

	if (first < last)
		rc = blocks_prepare(first, (last - first) >> PAGE_SHIFT);
	if (rc)
		return rc;
	return pages_map(boot_info.direct_map + start, start,
			 (end - start) >> PAGE_SHIFT, PT_ENTRY_RAM);
}

int tables_window(void)
{
	const struct pt_block *b = boot_info.block;
	int rc = 0;

	for (; b < &boot_info.block[boot_info.block_cnt] && !rc; b++) {
		rc = blocks_prepare(b->paddr, PT_BLOCK_TABLES);
		if (!rc)
			rc = pages_map(boot_info.window + b->paddr, b->paddr,
				       PT_BLOCK_TABLES, PT_ENTRY_RAM);
	}
	return rc;
}

void tables_finish(__vaddr_t entry)
{
	const __u64 *root = table_at(boot_info.pt_root);
	__u64 *idle = table_at(boot_info.pt_idle);
	unsigned int i = pt_index(entry, 4);

	memcpy(idle + UKARCH_PT_UPPER_HALF, root + UKARCH_PT_UPPER_HALF,
	       PAGE_SIZE / 2);
	idle[i] = root[i];
	memcpy(loader_pml4 + UKARCH_PT_UPPER_HALF, root + UKARCH_PT_UPPER_HALF,
	       PAGE_SIZE / 2);
	loader_pml4[i] = root[i];
}
