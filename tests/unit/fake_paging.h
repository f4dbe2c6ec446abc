/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_FAKE_PAGING_H__
#define __TESTS_FAKE_PAGING_H__

/* A page table and a frame allocator that tests can look into
 *
 * Pages are kept in a list, frames are counted; a frame has memory once
 * somebody asks for its address, and is zeroed then. Any request can be made
 * to fail. Every page table operation tests that the lock of the address space
 * is free (a shootdown must not be awaited under it) and calls a hook, in
 * which a test does what another CPU might do at that moment.
 */

#include <uk/arch/types.h>
#include <uk/plat/paging.h>
#include <uk/vmem.h>

#define FAKE_NEVER (~0UL)

struct fake_paging {
	__sz frames_free;
	__sz frames_total;
	/* Requests for frames that still succeed; FAKE_NEVER: all */
	__sz fail_after;
	/* Calls of unmap and set_attr that succeed before one that fails */
	__sz fail_unmap_after;
	__sz fail_attr_after;
	/* Frames that ukplat_page_reclaim() gives back, one a call; it makes
	 * requests succeed once more, too
	 */
	__sz reclaimable;
	__sz reclaims;
	/* Something comes back, and others take it */
	__bool reclaim_in_vain;
	/* Its lock must be free during page table operations */
	const struct uk_vas *vas;
	void (*hook)(void);
	/* Lets other threads run before each operation */
	__bool yields;
};

extern struct fake_paging fake;
/* What ukplat_pagefault_hook_set() was given */
extern int (*fake_pagefault)(__vaddr_t addr, unsigned long error_code,
			     const struct __regs *regs);
/* CPU that the calling thread is, counted from 1 */
extern __thread __u32 fake_cpu;
extern struct uk_pagetable fake_pt;

/** Empties page table and memory, and seeds the random numbers */
void fake_reset(__sz frames);

/** Attributes of a page, -1 if it is not mapped */
int fake_attr(__vaddr_t vaddr);

/** Frame of a page, __PADDR_INV if it is not mapped */
__paddr_t fake_paddr(__vaddr_t vaddr);

/** Number of pages that are mapped */
__sz fake_mapped(void);

#endif /* __TESTS_FAKE_PAGING_H__ */
