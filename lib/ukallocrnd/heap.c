/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>

#include "atomic.h"
#include "diag.h"
#include "heap.h"
#include "nearest.h"
#include "report.h"

#define HEAP_LEN ALIGN_UP(sizeof(struct rnd_heap), RND_PAGE_LEN)
#define DYN_LEN	 ALIGN_UP(sizeof(struct rnd_heap_dyn), RND_PAGE_LEN)

/* All heaps. (a) Read without the lock: heaps are only added in front */
static struct rnd_heap_dyn *heap_list;
/* (a) Interrupt handlers that are in the list */
static __u32 heap_visitors;
static struct rnd_lock heap_lock = RND_LOCK_INIT(RND_RANK_HEAPS);

static void *heap_part(struct rnd_vspace *vs, __sz len)
{
	__uptr addr;

	if (unlikely(rnd_vspace_reserve_meta(vs, len, &addr)))
		return __NULL;
	if (unlikely(rnd_vspace_commit(vs, addr, len, RND_BACKING_META))) {
		rnd_vspace_release_meta(addr, len);
		return __NULL;
	}

	return (void *)addr;
}

static void heap_list_insert(struct rnd_heap_dyn *dyn)
{
	unsigned long flags;

	flags = rnd_lock_acquire(&heap_lock);
	dyn->next = heap_list;
	/* Release: the heap is complete. Pairs with the acquire in
	 * rnd_heap_foreach()
	 */
	rnd_store_release(&heap_list, dyn);
	rnd_lock_release(&heap_lock, flags);
}

static void heap_list_remove(struct rnd_heap_dyn *dyn)
{
	struct rnd_heap_dyn **link = &heap_list;
	unsigned long flags;

	flags = rnd_lock_acquire(&heap_lock);
	while (*link != dyn)
		link = &(*link)->next;
	rnd_store_release(link, dyn->next);
	rnd_lock_release(&heap_lock, flags);
	/* Acq_rel: a handler that is not counted yet finds the list without the
	 * heap. Pairs with the addition in rnd_heap_visit()
	 */
	while (RND_PORT_HAS_EPOCH && rnd_fetch_or_acq_rel(&heap_visitors, 0))
		rnd_port_pause();
}

static int heap_init_parts(struct rnd_heap *h, struct rnd_heap_dyn *dyn)
{
	int rc;

	rc = rnd_pagemap_init(&h->pm, dyn->region, &dyn->vs);
	if (unlikely(rc))
		return rc;
	rc = rnd_cpus_init(&dyn->cpus, &h->pm, &dyn->vs);
	if (unlikely(rc))
		goto err_pagemap;
	rc = rnd_large_init(&dyn->large, &dyn->vs);
	if (unlikely(rc))
		goto err_cpus;
	if (!RND_OPT_SAMPLE)
		return 0;
	rc = rnd_sampler_init(&dyn->sampler, &dyn->vs, RND_SAMPLE_MAX);
	if (unlikely(rc))
		goto err_large;

	return 0;

err_large:
	rnd_large_destroy(&dyn->large);
err_cpus:
	rnd_cpus_destroy(&dyn->cpus);
err_pagemap:
	rnd_pagemap_destroy(&h->pm);
	return rc;
}

struct rnd_heap *rnd_heap_create(__sz limit)
{
	struct rnd_vspace vs;
	struct rnd_heap_dyn *dyn;
	struct rnd_heap *h;

	rnd_vspace_init(&vs, limit ? limit : __SZ_MAX);
	h = heap_part(&vs, HEAP_LEN);
	if (unlikely(!h))
		return __NULL;
	dyn = heap_part(&vs, DYN_LEN);
	if (unlikely(!dyn))
		goto err_heap;

	/* The space that the first parts came from moves to its home */
	dyn->vs = vs;
	memset(&vs, 0, sizeof(vs));
	barrier();
	dyn->heap = h;
	h->dyn = dyn;
	if (unlikely(heap_init_parts(h, dyn)))
		goto err_dyn;

	/* A failure leaves the page writable, which is no reason to fail */
	(void)rnd_port_seal((__uptr)h, HEAP_LEN);
	heap_list_insert(dyn);

	return h;

err_dyn:
	rnd_vspace_release_meta((__uptr)dyn, DYN_LEN);
err_heap:
	rnd_vspace_release_meta((__uptr)h, HEAP_LEN);
	return __NULL;
}

void rnd_heap_destroy(struct rnd_heap *h)
{
	struct rnd_heap_dyn *dyn = h->dyn;

	UK_ASSERT(dyn->heap == h);

	heap_list_remove(dyn);
	if (RND_OPT_SAMPLE)
		rnd_sampler_destroy(&dyn->sampler);
	rnd_large_destroy(&dyn->large);
	rnd_cpus_destroy(&dyn->cpus);
	rnd_pagemap_destroy(&h->pm);
	rnd_vspace_release_meta((__uptr)dyn, DYN_LEN);
	rnd_vspace_release_meta((__uptr)h, HEAP_LEN);
}

void rnd_heap_foreach(void (*fn)(struct rnd_heap *h, void *arg), void *arg)
{
	struct rnd_heap_dyn *dyn;

	/* Acquire: pairs with the release in heap_list_insert() */
	for (dyn = rnd_load_acquire(&heap_list); dyn; dyn = dyn->next)
		fn(dyn->heap, arg);
}

void rnd_heap_visit(void (*fn)(struct rnd_heap *h, void *arg), void *arg)
{
	/* Acq_rel: pairs with the read in heap_list_remove() */
	rnd_add_acq_rel(&heap_visitors, 1);
	rnd_heap_foreach(fn, arg);
	rnd_sub_release(&heap_visitors, 1);
}

/*
 * Descriptions for fault reports
 */

/* The nearest object of a heap; ptr itself is none */
static void describe_nearest(struct rnd_heap *h, __uptr addr)
{
	struct rnd_nearest best = { .obj = __NULL };
	__uptr obj;

	rnd_nearest_find(&h->pm, &h->dyn->large, addr, &best);
	obj = (__uptr)best.obj;
	if (obj)
		rnd_print("  heap: %lu bytes %s the object at %p, size %lu\n",
			  addr < obj ? obj - addr : addr - obj - best.req,
			  addr < obj ? "before" : "after", best.obj, best.req);
}

static void describe_place(struct rnd_heap *h, const struct rnd_place *p,
			   __uptr addr)
{
	__u16 state;

	if (!p->slab || !p->slab->committed) {
		rnd_print("  heap: guard or unused slab of size class %u\n",
			  p->region->slot_len);
		describe_nearest(h, addr);
		return;
	}

	state = *p->state;
	rnd_print("  heap: byte %u of slot %u, size class %u, %s\n", p->inside,
		  rnd_place_slot(p), p->region->slot_len,
		  (state & RND_STATE_MASK) >= RND_SLOT_LIVE ? "live" : "free");
}

static void describe_sample(const struct rnd_sample *rec)
{
	rnd_report_trace("allocated", &rec->allocated);
	if (rec->is_freed)
		rnd_report_trace("freed", &rec->freed);
}

static void describe_in(struct rnd_heap *h, void *arg)
{
	struct rnd_sample rec;
	const void *ptr = *(const void *const *)arg;
	__uptr addr = (__uptr)ptr;
	struct rnd_place place;
	struct rnd_span sp;

	if (rnd_pagemap_locate(&h->pm, ptr, &place)) {
		describe_place(h, &place, addr);
	} else if (rnd_large_locate(&h->dyn->large, ptr, &sp)) {
		rnd_print("  heap: %s of a %s object of %lu bytes at %p\n",
			  addr - rnd_span_base(&sp) < sp.pages * RND_PAGE_LEN ?
				  "inside" :
				  "guard",
			  sp.state == RND_SPAN_LIVE ? "live large" :
						      "freed large",
			  sp.req, (void *)sp.addr);
		if (RND_OPT_SAMPLE &&
		    rnd_sample_of(&h->dyn->sampler, &sp, &rec))
			describe_sample(&rec);
	} else if (RND_OPT_SAMPLE &&
		   rnd_sample_near(&h->dyn->sampler, addr, &rec)) {
		rnd_print("  heap: where a sampled object of %lu bytes was at "
			  "%p\n",
			  rec.req, (void *)rec.addr);
		describe_sample(&rec);
	}
}

void rnd_heap_describe(__uptr addr)
{
	rnd_heap_foreach(describe_in, &addr);
}
