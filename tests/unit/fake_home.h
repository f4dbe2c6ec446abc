/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __FAKE_HOME_H__
#define __FAKE_HOME_H__

/* A home of the allocator for unit tests: its functions as alloc.c and the
 * malloc family of Linux put them together, from the short fast path down.
 * The caller in reports is the test.
 */

#include <stdlib.h>

#include <uk/arch/types.h>

#include "fast.h"

static inline void *home_malloc(struct rnd_heap *h, __sz size,
				enum rnd_kind kind)
{
	void *ptr;

	if (rnd_size_is_short(size) &&
	    rnd_malloc_short(rnd_cpus_own(h->dyn->cpus.table), size, kind,
			     &ptr))
		return ptr;

	return rnd_malloc_out(h, size, kind, RND_CALLER());
}

static inline void home_free(struct rnd_heap *h, void *ptr, enum rnd_kind kind)
{
	__u32 sc = rnd_ptr_short(h, ptr);

	if (!sc || !rnd_free_short(rnd_cpus_own(h->dyn->cpus.table), sc, ptr,
				   RND_SIZE_UNKNOWN, kind))
		rnd_free_out(h, ptr, kind, RND_CALLER());
}

static inline void home_free_sized(struct rnd_heap *h, void *ptr, __sz size,
				   enum rnd_kind kind)
{
	__u32 sc = rnd_ptr_short(h, ptr);

	if (!sc || !rnd_free_short(rnd_cpus_own(h->dyn->cpus.table), sc, ptr,
				   size, kind))
		rnd_free_sized_out(h, ptr, size, kind, RND_CALLER());
}

/** The slot that starts at ptr; there is one */
static inline struct rnd_place home_place(const struct rnd_heap *h,
					  const void *ptr)
{
	struct rnd_place p;

	if (!rnd_pagemap_find(&h->pm, ptr, &p))
		abort();

	return p;
}

/** Empties pools, quarantines, batch and inbox of the calling CPU */
static inline void home_flush(struct rnd_heap *h)
{
	struct rnd_ctx ctx = rnd_ctx_enter(&h->dyn->cpus);

	rnd_pcpu_flush(&h->dyn->cpus, ctx.pc);
	rnd_ctx_leave(&h->dyn->cpus, ctx);
}

#endif /* __FAKE_HOME_H__ */
