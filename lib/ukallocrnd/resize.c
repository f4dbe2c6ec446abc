/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>

#include "fast_resize.h"
#include "resize.h"

/* An object, wherever it is */
struct object {
	char *ptr;
	__sz req;
	/* Bytes between its start and the end of slot or pages */
	__sz len;
	__u8 kind;
	/* Slot; __NULL in a large object */
	const struct rnd_region *region;
	__u32 owner;
	__u16 *state;
	/* Of a large object */
	struct rnd_span span;
};

static void object_check_slot(struct rnd_heap *h, const struct object *o,
			      const struct rnd_call *call)
{
	__u64 word = rnd_canary_word(&h->pm.key, (__uptr)o->ptr);

	if (RND_OPT_CANARY &&
	    unlikely(!rnd_canary_check(word, o->ptr, o->req, o->len)))
		rnd_diag_overflow(h, o->ptr, o->len, o->req,
				  rnd_canary_find_bad(word, o->ptr, o->req,
						      o->len),
				  call);
}

static struct object object_slot(struct rnd_heap *h, void *ptr,
				 const struct rnd_place *p,
				 const struct rnd_call *call)
{
	__u16 state = rnd_load_relaxed(p->state);
	struct object o = { .ptr = ptr,
			    .len = p->region->slot_len,
			    .region = p->region,
			    .owner = p->slab->owner,
			    .state = p->state };

	if (unlikely((state & RND_STATE_MASK) < RND_SLOT_LIVE))
		rnd_diag_pointer(h, ptr, call);

	if ((state & RND_STATE_MASK) == RND_SLOT_LIVE_EMPTY) {
		o.len = 0;
		o.kind = (__u8)(state >> RND_STATE_BITS);
		return o;
	}
	o.kind = (__u8)((state & RND_STATE_MASK) - RND_SLOT_LIVE);
	o.req = o.len - rnd_state_slack(o.len, state);
	object_check_slot(h, &o, call);

	return o;
}

static struct object object_large(struct rnd_heap *h, void *ptr,
				  const struct rnd_call *call)
{
	struct object o = { .ptr = ptr };
	struct rnd_span sp;
	const void *bad;

	if (unlikely(!rnd_large_inspect(&h->dyn->large, ptr, &sp, &bad) ||
		     sp.state != RND_SPAN_LIVE || sp.kind == RND_KIND_PAGES))
		rnd_diag_pointer(h, ptr, call);

	if (unlikely(bad))
		rnd_diag_span(h, &sp, bad, call);
	o.req = sp.req;
	o.len = rnd_span_end(&sp) - sp.addr;
	o.kind = sp.kind;
	o.span = sp;

	return o;
}

static struct object object_find(struct rnd_heap *h, void *ptr,
				 const struct rnd_call *call)
{
	struct rnd_place p;

	if (likely(rnd_pagemap_find(&h->pm, ptr, &p)))
		return object_slot(h, ptr, &p, call);

	return object_large(h, ptr, call);
}

/* Sets the requested size within the same slot or pages. The old canary may
 * now be inside the object: it is cleared, because it is a secret.
 */
static void object_resize(struct rnd_heap *h, struct object *o, __sz req,
			  const struct rnd_call *call)
{
	if (!o->state) {
		/* Somebody freed it in the meantime */
		if (unlikely(rnd_large_resize(&h->dyn->large, o->ptr, req)))
			rnd_diag_pointer(h, o->ptr, call);
		o->req = req;
		return;
	}

	if (RND_OPT_CANARY) {
		if (req > o->req)
			memset(o->ptr + o->req, 0, req - o->req);
		rnd_canary_write(rnd_canary_word(&h->pm.key, (__uptr)o->ptr),
				 o->ptr, req, o->len);
	}
	rnd_store_relaxed(o->state, rnd_state_live(o->len, o->owner, o->kind,
						   (__u32)(o->len - req)));
	o->req = req;
}

/* Tells whether a request would get a slot or pages of the same length */
static __bool object_fits(const struct object *o, __sz size)
{
	if (o->state)
		return size && size <= RND_SMALL_MAX &&
		       o->region->sc == rnd_sizeclass_of(size);

	return size > RND_SMALL_MAX && size <= __SSZ_MAX / 2 &&
	       !o->span.sample && rnd_large_fits(&o->span, size);
}

/* Copies out of a large object and frees it: claimed first, so that somebody
 * else who frees it at the same time is reported
 */
static void large_copy(struct rnd_heap *h, const struct object *o, void *dst,
		       __sz len, const struct rnd_call *call)
{
	struct rnd_ctx ctx = rnd_ctx_enter(&h->dyn->cpus);
	struct rnd_large *lg = &h->dyn->large;
	struct rnd_span sp;
	const void *bad;
	int rc;

	rc = rnd_large_copy_free(lg, o->ptr, dst, len, o->kind, ctx.pc->idx);
	if (unlikely(rc == -EFAULT)) {
		(void)rnd_large_find(lg, o->ptr, &sp);
		bad = rnd_large_canary_bad(lg, &sp);
		rnd_diag_span(h, &sp, bad, call);
	}
	if (unlikely(rc))
		rnd_diag_pointer(h, o->ptr, call);
	if (RND_OPT_SAMPLE && unlikely(o->span.sample))
		rnd_sample_free(&h->dyn->sampler, &o->span, ctx.pc->idx,
				call->caller);
	rnd_ctx_leave(&h->dyn->cpus, ctx);
}

/* Moves the pages of a large object; __NULL: they have to be copied */
static void *large_move(struct rnd_heap *h, const struct object *o, __sz size,
			const struct rnd_call *call)
{
	struct rnd_large *lg = &h->dyn->large;
	struct rnd_ctx ctx;
	void *ptr = __NULL;

	if (unlikely(!rnd_large_is_possible(lg, size)))
		return __NULL;

	ctx = rnd_ctx_enter(&h->dyn->cpus);
	if (unlikely(rnd_large_move(lg, o->ptr, size, o->kind, ctx.pc->idx,
				    &ptr) == -EINVAL))
		rnd_diag_pointer(h, o->ptr, call);
	rnd_ctx_leave(&h->dyn->cpus, ctx);

	return ptr;
}

static void *object_move(struct rnd_heap *h, const struct object *o, __sz size,
			 const struct rnd_call *call)
{
	struct rnd_call done = *call;
	void *ptr;

	if (!o->state && size > RND_SMALL_MAX && !o->span.sample) {
		ptr = large_move(h, o, size, call);
		if (likely(ptr))
			return ptr;
	}

	ptr = rnd_malloc_out(h, size, RND_KIND_MALLOC, call->caller);
	if (unlikely(!ptr))
		return __NULL;

	/* What realloc gives up may have been allocated by anything */
	done.kind = o->kind;
	if (!o->state) {
		large_copy(h, o, ptr, MIN(o->req, size), &done);
		return ptr;
	}
	memcpy(ptr, o->ptr, MIN(o->req, size));
	rnd_free_slow(h, o->ptr, &done);

	return ptr;
}

/* Resizes in place, or tells what there is to move */
static __bool object_try(struct rnd_heap *h, void *ptr, __sz size,
			 struct rnd_call *call, struct object *o)
{
	struct rnd_ctx ctx = rnd_ctx_enter(&h->dyn->cpus);
	__bool fits;

	*o = object_find(h, ptr, call);
	if (RND_OPT_KIND && unlikely(o->kind != RND_KIND_MALLOC))
		rnd_diag_pointer(h, ptr, call);
	fits = object_fits(o, size);
	if (fits)
		object_resize(h, o, size, call);
	rnd_ctx_leave(&h->dyn->cpus, ctx);

	return fits;
}

void *rnd_realloc(struct rnd_heap *h, void *ptr, __sz size, __uptr caller)
{
	struct rnd_call call = { .op = "realloc",
				 .caller = caller,
				 .kind = RND_KIND_MALLOC };
	struct object o;
	void *obj;

	if (!ptr)
		return rnd_malloc_out(h, size, RND_KIND_MALLOC, caller);
	if (rnd_realloc_own(h, rnd_cpus_own(h->dyn->cpus.table), ptr, size,
			    caller, &obj))
		return obj;
	if (object_try(h, ptr, size, &call, &o))
		return ptr;
	if (size)
		return object_move(h, &o, size, &call);

	call.kind = o.kind;
	rnd_free_slow(h, ptr, &call);
	return __NULL;
}

__sz rnd_requested(struct rnd_heap *h, const void *ptr, const char *op,
		   __uptr caller)
{
	struct rnd_call call = { .op = op, .caller = caller };
	struct rnd_ctx ctx;
	__sz req;

	if (!ptr)
		return 0;

	ctx = rnd_ctx_enter(&h->dyn->cpus);
	req = object_find(h, (void *)(__uptr)ptr, &call).req;
	rnd_ctx_leave(&h->dyn->cpus, ctx);

	return req;
}
