/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The operations table of a heap, and the functions of <uk/allocrnd.h>
 *
 * The only way in for users of <uk/alloc.h>: argument checks, errno and
 * statistics are here, everything else below.
 */

#include <errno.h>

#include <uk/alloc_impl.h>
#include <uk/allocrnd.h>
#include <uk/assert.h>

#include "atomic.h"
#include "count.h"
#include "fast.h"
#include "heap.h"
#include "reclaim.h"
#include "resize.h"

static struct rnd_heap *heap_of(struct uk_alloc *a)
{
	return rnd_heap_dyn_of(a)->heap;
}

/* What an allocation that failed returns through */
static __noinline void *no_memory(struct uk_alloc *a, __sz size)
{
	rnd_port_errno(ENOMEM);
	rnd_count_alloc(a, __NULL, size);

	return __NULL;
}

/* What every allocation returns through */
static inline void *done(struct uk_alloc *a, void *ptr, __sz size)
{
	if (unlikely(!ptr))
		return no_memory(a, size);
	rnd_count_alloc(a, ptr, size);

	return ptr;
}

static void count_free(struct uk_alloc *a, void *ptr, const char *op,
		       __uptr caller)
{
	if (RND_OPT_STATS && ptr)
		rnd_count_free(a, ptr,
			       rnd_requested(heap_of(a), ptr, op, caller));
}

/* Apart, so that the fast path needs no stack frame */
static __noinline void *malloc_out(struct uk_alloc *a, __sz size, __uptr caller)
{
	return done(a,
		    rnd_malloc_out(heap_of(a), size, RND_KIND_MALLOC, caller),
		    size);
}

/* Longest request of a class with its own quarantine */
#define LONG_MAX (RND_BULK_SLOT_MIN - RND_CANARY_SLACK_MIN)

static __noinline void *malloc_long(struct uk_alloc *a, __sz size,
				    __uptr caller)
{
	struct rnd_heap_dyn *dyn = rnd_heap_dyn_of(a);
	void *ptr;

	if (!rnd_malloc_long(rnd_cpus_own(dyn->cpus.table), size,
			     RND_KIND_MALLOC, caller, RND_REACH_LONG, &ptr))
		return malloc_out(a, size, caller);
	rnd_count_alloc(a, ptr, size);
	return ptr;
}

static __noinline void free_long(struct rnd_heap_dyn *dyn, __u32 sc, void *ptr,
				 __uptr caller)
{
	if (!rnd_free_own(rnd_cpus_own(dyn->cpus.table), sc, ptr,
			  RND_SIZE_UNKNOWN, RND_KIND_MALLOC, RND_REACH_LONG))
		rnd_free_out(dyn->heap, ptr, RND_KIND_MALLOC, caller);
}

/* Slots with the common quarantine; apart from the others, because it calls
 * something
 */
static __noinline void free_bulk(struct rnd_heap_dyn *dyn, __u32 sc, void *ptr,
				 __uptr caller)
{
	if (!rnd_free_own(rnd_cpus_own(dyn->cpus.table), sc, ptr,
			  RND_SIZE_UNKNOWN, RND_KIND_MALLOC, RND_REACH_BULK))
		rnd_free_out(dyn->heap, ptr, RND_KIND_MALLOC, caller);
}

static void *op_malloc(struct uk_alloc *a, __sz size)
{
	struct rnd_heap_dyn *dyn = rnd_heap_dyn_of(a);
	void *ptr;

	/* What comes from here is never __NULL */
	if (rnd_size_is_short(size)) {
		if (rnd_malloc_short(rnd_cpus_own(dyn->cpus.table), size,
				     RND_KIND_MALLOC, &ptr)) {
			rnd_count_alloc(a, ptr, size);
			return ptr;
		}
	} else if (size - 1 < LONG_MAX) {
		return malloc_long(a, size, RND_CALLER());
	}

	return malloc_out(a, size, RND_CALLER());
}

static void op_free(struct uk_alloc *a, void *ptr)
{
	struct rnd_heap_dyn *dyn = rnd_heap_dyn_of(a);
	__u32 sc = rnd_ptr_short(dyn->heap, ptr);

	count_free(a, ptr, "free", RND_CALLER());
	if (likely(sc)) {
		if (rnd_free_short(rnd_cpus_own(dyn->cpus.table), sc, ptr,
				   RND_SIZE_UNKNOWN, RND_KIND_MALLOC))
			return;
	} else {
		sc = rnd_window_class(dyn->heap->pm.window, ptr);
		if (sc >= RND_CLASS_BULK) {
			free_bulk(dyn, sc, ptr, RND_CALLER());
			return;
		}
		/* Class 0 is none */
		if (sc) {
			free_long(dyn, sc, ptr, RND_CALLER());
			return;
		}
	}
	rnd_free_out(dyn->heap, ptr, RND_KIND_MALLOC, RND_CALLER());
}

static void *op_calloc(struct uk_alloc *a, __sz nmemb, __sz size)
{
	return done(a, rnd_calloc(heap_of(a), nmemb, size, RND_CALLER()),
		    nmemb * size);
}

static void *op_realloc(struct uk_alloc *a, void *ptr, __sz size)
{
	void *moved;
	__sz old = 0;

	if (RND_OPT_STATS && ptr)
		old = rnd_requested(heap_of(a), ptr, "realloc", RND_CALLER());
	moved = rnd_realloc(heap_of(a), ptr, size, RND_CALLER());
	if (ptr && (moved || !size))
		rnd_count_free(a, ptr, old);
	if (ptr && !size)
		return __NULL;

	return done(a, moved, size);
}

static void *op_memalign(struct uk_alloc *a, __sz align, __sz size)
{
	if (unlikely(!POWER_OF_2(align))) {
		rnd_port_errno(EINVAL);
		return __NULL;
	}

	return done(a,
		    rnd_memalign(heap_of(a), align, size, RND_KIND_MALLOC,
				 RND_CALLER()),
		    size);
}

static int op_posix_memalign(struct uk_alloc *a, void **memptr, __sz align,
			     __sz size)
{
	void *ptr;

	if (unlikely(!POWER_OF_2(align) || align % sizeof(void *)))
		return EINVAL;

	ptr = rnd_memalign(heap_of(a), align, size, RND_KIND_MALLOC,
			   RND_CALLER());
	rnd_count_alloc(a, ptr, size);
	if (unlikely(!ptr))
		return ENOMEM;
	*memptr = ptr;

	return 0;
}

static void *op_palloc(struct uk_alloc *a, unsigned long pages)
{
	return done(a, rnd_palloc(heap_of(a), pages, RND_CALLER()),
		    pages << RND_PAGE_SHIFT);
}

static void op_pfree(struct uk_alloc *a, void *ptr, unsigned long pages)
{
	rnd_pfree(heap_of(a), ptr, pages, RND_CALLER());
	rnd_count_free(a, ptr, pages << RND_PAGE_SHIFT);
}

#ifdef UK_ALLOC_HAS_USABLE
static __sz op_usable(struct uk_alloc *a, const void *ptr)
{
	return rnd_requested(heap_of(a), ptr, "usable_size", RND_CALLER());
}
#endif

static long op_pavailmem(struct uk_alloc *a)
{
	return (long)rnd_vspace_available(&rnd_heap_dyn_of(a)->vs);
}

static __ssz op_availmem(struct uk_alloc *a)
{
	return (__ssz)(rnd_vspace_available(&rnd_heap_dyn_of(a)->vs)
		       << RND_PAGE_SHIFT);
}

/* Whole pages, each taken from anywhere: the largest request is all of them */
static long op_pmaxalloc(struct uk_alloc *a)
{
	return op_pavailmem(a);
}

static __ssz op_maxalloc(struct uk_alloc *a)
{
	return op_availmem(a);
}

/* The whole pages of a range */
static __sz whole_pages(__uptr base, __sz len, __uptr *first)
{
	__uptr end;

	*first = ALIGN_UP(base, RND_PAGE_LEN);
	if (__builtin_add_overflow(base, len, &end) || *first < base)
		return 0;
	end = ALIGN_DOWN(end, RND_PAGE_LEN);

	return end > *first ? (end - *first) >> RND_PAGE_SHIFT : 0;
}

static int op_addmem(struct uk_alloc *a, void *base, __sz len)
{
	struct rnd_vspace *vs = &rnd_heap_dyn_of(a)->vs;
	__uptr first;
	__sz pages;
	int rc;

	pages = whole_pages((__uptr)base, len, &first);
	if (unlikely(!pages))
		return -EINVAL;

	rc = rnd_port_donate(first, pages << RND_PAGE_SHIFT);
	if (unlikely(rc))
		return rc;
	if (rnd_load_relaxed(&vs->limit) != __SZ_MAX)
		rnd_add_relaxed(&vs->limit, pages);

	return 0;
}

static void alloc_init(struct uk_alloc *a)
{
	a->malloc = op_malloc;
	a->calloc = op_calloc;
	a->realloc = op_realloc;
	a->posix_memalign = op_posix_memalign;
	a->memalign = op_memalign;
	a->free = op_free;
	a->palloc = op_palloc;
	a->pfree = op_pfree;
	a->maxalloc = op_maxalloc;
	a->availmem = op_availmem;
	a->pmaxalloc = op_pmaxalloc;
	a->pavailmem = op_pavailmem;
	a->addmem = op_addmem;
#ifdef UK_ALLOC_HAS_USABLE
	a->usable = op_usable;
#endif
	uk_alloc_stats_reset(a);
}

/* Takes an allocator from the list of all */
static int alloc_unregister(struct uk_alloc *a)
{
#ifdef UK_ALLOC_HAS_USABLE
	return a == uk_alloc_get_default() ? -EINVAL : uk_alloc_unregister(a);
#else
	struct uk_alloc *before = _uk_alloc_head;

	/* The first one is the default allocator */
	while (before && before->next != a)
		before = before->next;
	if (!before)
		return -EINVAL;
	before->next = a->next;
	return 0;
#endif
}

struct uk_alloc *uk_allocrnd_init(void *base, __sz len)
{
	struct rnd_heap *h;
	__sz pages = 0;
	__uptr first;
	int rc;

	if (base) {
		pages = whole_pages((__uptr)base, len, &first);
		if (unlikely(!pages))
			return __NULL;
		rc = rnd_port_adopt(first, pages << RND_PAGE_SHIFT);
		if (unlikely(rc < 0))
			return __NULL;
		if (rc)
			pages = 0;
	}

	h = rnd_heap_create(pages);
	if (unlikely(!h))
		return __NULL;
	if (pages && unlikely(rnd_port_donate(first, pages << RND_PAGE_SHIFT)))
		goto err_heap;

	alloc_init(&h->dyn->a);
	if (unlikely(uk_alloc_register(&h->dyn->a)))
		goto err_heap;

	return &h->dyn->a;

err_heap:
	rnd_heap_destroy(h);
	return __NULL;
}

int uk_allocrnd_destroy(struct uk_alloc *a)
{
	if (unlikely(!a || a->malloc != op_malloc || alloc_unregister(a)))
		return -EINVAL;

	rnd_heap_destroy(heap_of(a));

	return 0;
}

void uk_allocrnd_flush(struct uk_alloc *a)
{
	struct rnd_cpus *cpus = &rnd_heap_dyn_of(a)->cpus;
	struct rnd_ctx ctx = rnd_ctx_enter(cpus);

	rnd_pcpu_flush(cpus, ctx.pc);
	rnd_ctx_leave(cpus, ctx);
}

__sz uk_allocrnd_purge(struct uk_alloc *a)
{
	struct rnd_heap_dyn *dyn = rnd_heap_dyn_of(a);
	struct rnd_ctx ctx = rnd_ctx_enter(&dyn->cpus);
	__sz len;

	len = rnd_reclaim_purge(dyn->heap, ctx.pc);
	rnd_ctx_leave(&dyn->cpus, ctx);

	return len;
}
