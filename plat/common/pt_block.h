/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PT_BLOCK_H__
#define __UKPLAT_PT_BLOCK_H__

/* 2 MiB of page tables, and which of them are free
 *
 * The loader makes the first blocks, the guest's pool continues with them and
 * makes others.
 *
 * Invariants
 *   K1 `free` is the number of bits in the map.
 *
 * Concurrency
 *   None of its own. Pure: touches nothing but its arguments.
 */

#include <uk/arch/paging.h>
#include <uk/arch/types.h>

#define PT_BLOCK_TABLES (PAGE_LARGE_SIZE / PAGE_SIZE)
#define PT_BLOCK_WORDS	(PT_BLOCK_TABLES / 64)

struct pt_block {
	__paddr_t paddr;
	unsigned long free;
	/** A bit for each table that is free */
	__u64 map[PT_BLOCK_WORDS];
};

/** Number of the free table that has n free ones below it; there is one. */
unsigned long pt_block_select(const __u64 *map, unsigned long n);

/** Begins with a block in which all tables are free. */
void pt_block_init(struct pt_block *b, __paddr_t paddr);

/**
 * Takes a free table.
 *
 * @param n
 *   Which of them, less than b->free
 *
 * @return
 *   Its physical address
 */
__paddr_t pt_block_take(struct pt_block *b, unsigned long n);

#endif /* __UKPLAT_PT_BLOCK_H__ */
