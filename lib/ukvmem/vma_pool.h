/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKVMEM_VMA_POOL_H__
#define __UKVMEM_VMA_POOL_H__

/* VMA objects without a heap
 *
 * Why
 *   A heap takes its memory from ukvmem, so ukvmem cannot take its objects
 *   from a heap. And memory can only be given back if that needs none.
 *
 * How
 *   Whole pages are cut into objects. Pages with free objects are in a list:
 *   those in use first, those entirely free last, so that objects crowd
 *   together and free pages can leave.
 *
 *     pool -> [ header | VMA | VMA | ... ] <-> [ header | VMA | ... ]
 *
 * Reserve
 *   Mapping leaves VMA_POOL_RESERVE objects in the pool, for operations that
 *   give memory back. What an operation takes at most:
 *
 *     uk_vma_map()                     VMA_PER_MAP    1   the area
 *     uk_vma_unmap(), uk_vma_set_attr()
 *       the range begins inside an area                1   its upper part
 *       the range ends inside an area                  1   its upper part
 *                                      VMA_PER_RANGE  2
 *
 *   A CPU works on one operation at a time (none is called from interrupts),
 *   so VMA_PER_RANGE objects per CPU let every CPU go through with one.
 *
 * Invariants (vma_pool_is_valid() tests all)
 *   P1  free and total are the sums over all pages with free objects, and
 *       total - free objects are taken.
 *   P2  A page is in the list exactly if it has a free object, and entirely
 *       free pages come last.
 *
 * Concurrency
 *   None of its own; callers hold the lock of the VAS.
 */

#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/vmem.h>

#define VMA_POOL_PAGE_LEN 4096UL

#define VMA_PER_MAP	 1UL
#define VMA_PER_RANGE	 2UL
#define VMA_POOL_RESERVE (VMA_PER_RANGE * CONFIG_UKPLAT_LCPU_MAXCOUNT)

/** Header of a page of the pool; all fields (V) */
struct vma_pool_page {
	struct vma_pool_page *prev;
	struct vma_pool_page *next;
	struct uk_vma *free; /** chained through op_next */
	__sz used;	     /** objects taken from this page */
	__paddr_t paddr;     /** where the page comes from */
};

#define VMA_PER_PAGE                                                           \
	((VMA_POOL_PAGE_LEN - sizeof(struct vma_pool_page)) /                  \
	 sizeof(struct uk_vma))

/** Makes an empty pool */
void vma_pool_init(struct uk_vma_pool *pool);

/**
 * Gives the pool a page for VMA_PER_PAGE more objects.
 *
 * @param page
 *   VMA_POOL_PAGE_LEN bytes, aligned to that
 * @param paddr
 *   Frame of the page; kept for whoever reaps it
 */
void vma_pool_feed(struct uk_vma_pool *pool, void *page, __paddr_t paddr);

/** Takes an object, to be filled in; __NULL if the pool is empty */
struct uk_vma *vma_pool_take(struct uk_vma_pool *pool);

/** Gives an object back */
void vma_pool_return(struct uk_vma_pool *pool, struct uk_vma *vma);

/**
 * Takes a page that is entirely free out of the pool, provided that at least
 * keep free objects remain.
 *
 * @return
 *   A page that was fed, or __NULL
 */
struct vma_pool_page *vma_pool_reap(struct uk_vma_pool *pool, __sz keep);

/** Tests P1 and P2 for the pages in the list */
__bool vma_pool_is_valid(const struct uk_vma_pool *pool);

#endif /* __UKVMEM_VMA_POOL_H__ */
