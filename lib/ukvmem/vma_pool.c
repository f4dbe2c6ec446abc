/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "vma_pool.h"

UK_CTASSERT(VMA_PER_PAGE >= 16);

static struct uk_vma *page_objects(struct vma_pool_page *page)
{
	return (struct uk_vma *)(void *)(page + 1);
}

static struct vma_pool_page *page_of(struct uk_vma *vma)
{
	return (struct vma_pool_page *)ALIGN_DOWN((__uptr)vma,
						  VMA_POOL_PAGE_LEN);
}

static void page_insert_first(struct uk_vma_pool *pool,
			      struct vma_pool_page *page)
{
	page->prev = __NULL;
	page->next = pool->first;
	if (pool->first)
		pool->first->prev = page;
	else
		pool->last = page;
	pool->first = page;
}

static void page_insert_last(struct uk_vma_pool *pool,
			     struct vma_pool_page *page)
{
	page->prev = pool->last;
	page->next = __NULL;
	if (pool->last)
		pool->last->next = page;
	else
		pool->first = page;
	pool->last = page;
}

static void page_remove(struct uk_vma_pool *pool, struct vma_pool_page *page)
{
	if (page->prev)
		page->prev->next = page->next;
	else
		pool->first = page->next;
	if (page->next)
		page->next->prev = page->prev;
	else
		pool->last = page->prev;
}

void vma_pool_init(struct uk_vma_pool *pool)
{
	memset(pool, 0, sizeof(*pool));
}

void vma_pool_feed(struct uk_vma_pool *pool, void *page, __paddr_t paddr)
{
	struct vma_pool_page *header = page;
	struct uk_vma *vma = page_objects(header);
	__sz i;

	UK_ASSERT(!((__uptr)page & (VMA_POOL_PAGE_LEN - 1)));

	memset(page, 0, VMA_POOL_PAGE_LEN);
	header->paddr = paddr;
	for (i = 0; i < VMA_PER_PAGE; i++) {
		vma[i].op_next = header->free;
		header->free = &vma[i];
	}
	page_insert_last(pool, header);
	pool->free += VMA_PER_PAGE;
	pool->total += VMA_PER_PAGE;
}

struct uk_vma *vma_pool_take(struct uk_vma_pool *pool)
{
	struct vma_pool_page *page = pool->first;
	struct uk_vma *vma;

	if (!page)
		return __NULL;

	vma = page->free;
	page->free = vma->op_next;
	vma->op_next = __NULL;
	page->used++;
	pool->free--;
	if (!page->free)
		page_remove(pool, page);
	return vma;
}

void vma_pool_return(struct uk_vma_pool *pool, struct uk_vma *vma)
{
	struct vma_pool_page *page = page_of(vma);

	UK_ASSERT(page->used);

	if (!page->free)
		page_insert_first(pool, page);
	vma->op_next = page->free;
	page->free = vma;
	page->used--;
	pool->free++;
	if (!page->used) {
		page_remove(pool, page);
		page_insert_last(pool, page);
	}
}

struct vma_pool_page *vma_pool_reap(struct uk_vma_pool *pool, __sz keep)
{
	struct vma_pool_page *page = pool->last;

	if (!page || page->used || pool->free < VMA_PER_PAGE + keep)
		return __NULL;

	page_remove(pool, page);
	pool->free -= VMA_PER_PAGE;
	pool->total -= VMA_PER_PAGE;
	return page;
}

static __sz page_count_free(const struct vma_pool_page *page)
{
	const struct uk_vma *vma;
	__sz n = 0;

	for (vma = page->free; vma && n <= VMA_PER_PAGE; vma = vma->op_next)
		n++;
	return n;
}

__bool vma_pool_is_valid(const struct uk_vma_pool *pool)
{
	const struct vma_pool_page *page, *prev = __NULL;
	__sz free = 0;

	for (page = pool->first; page; page = page->next) {
		__sz n = page_count_free(page);

		if (!n || n + page->used != VMA_PER_PAGE)
			return 0;
		if (page->prev != prev || (prev && !prev->used && page->used))
			return 0;
		free += n;
		prev = page;
	}
	return pool->last == prev && pool->free == free &&
	       pool->free <= pool->total && pool->total % VMA_PER_PAGE == 0;
}
