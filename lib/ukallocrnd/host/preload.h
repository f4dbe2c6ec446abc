/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_HOST_PRELOAD_H__
#define __UKALLOCRND_HOST_PRELOAD_H__

/* The one heap of a process and how the entry points reach it
 *
 * The pointer to the heap fills a page of its own, which is made read-only
 * when the heap exists: a stray write cannot redirect the allocator.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "atomic.h"
#include "port.h"

struct rnd_heap;

struct rnd_preload_page {
	struct rnd_heap *heap; /* (s) NULL until the first allocation */
} __align(RND_PAGE_LEN);

UK_CTASSERT(sizeof(struct rnd_preload_page) == RND_PAGE_LEN);

extern struct rnd_preload_page rnd_preload_page;

/**
 * Makes the heap of the process. Safe in several threads at once, before
 * constructors ran and before the C library is initialised. Ends the process
 * with a message if there is no address space for a heap.
 *
 * @return
 *   The heap, never NULL
 */
struct rnd_heap *rnd_preload_init(void);

/** The heap of the process; made by the first call */
static inline struct rnd_heap *rnd_preload_heap(void)
{
	struct rnd_heap *heap;

	/* Acquire: the heap is complete. Pairs with the release in
	 * rnd_preload_init()
	 */
	heap = rnd_load_acquire(&rnd_preload_page.heap);
	return likely(heap) ? heap : rnd_preload_init();
}

/* The library is built with hidden symbols; these are the exceptions */
#define RND_EXPORT __attribute__((visibility("default")))

#endif /* __UKALLOCRND_HOST_PRELOAD_H__ */
