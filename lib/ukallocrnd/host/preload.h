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
#include "fast.h"
#include "heap.h"
#include "port.h"
#include "preload_fast.h"

struct rnd_preload_page {
	/** (s) Until the first allocation one that has nothing */
	struct rnd_heap *heap;
	/** (s) Fast paths, the best ones for this processor */
	struct rnd_preload_fast fast;
} __align(RND_PAGE_LEN);

UK_CTASSERT(sizeof(struct rnd_preload_page) == RND_PAGE_LEN);

extern struct rnd_preload_page rnd_preload_page
	__attribute__((visibility("hidden")));

/* The heap before there is one: no pointer is in it, no context enters it */
extern struct rnd_heap rnd_preload_nowhere;

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
	return likely(heap != &rnd_preload_nowhere) ? heap : rnd_preload_init();
}

/** The heap as the fast paths of free() see it: one that has nothing will do */
static rnd_always_inline struct rnd_heap *rnd_preload_peek(void)
{
	return rnd_load_pointer(&rnd_preload_page.heap);
}

/** Chooses functions by what the processor can do; the page is writable */
void rnd_preload_choose(struct rnd_preload_page *page);

/** What follows an allocation off the fast path: the next may be on it */
static inline void rnd_preload_settle(const struct rnd_heap *heap)
{
	rnd_host_pcpu = rnd_cpus_own(heap->dyn->cpus.table);
}

/* The library is built with hidden symbols; these are the exceptions */
#define RND_EXPORT __attribute__((visibility("default")))

#endif /* __UKALLOCRND_HOST_PRELOAD_H__ */
