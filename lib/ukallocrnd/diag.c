/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include "atomic.h"
#include "diag.h"
#include "fill.h"
#include "nearest.h"

static void info_set_near(struct rnd_bug_info *info,
			  const struct rnd_nearest *best)
{
	info->near = best->obj;
	info->near_req = best->req;
}

void __noreturn rnd_diag_overflow(struct rnd_heap *h, const void *ptr, __sz len,
				  __sz req, const void *bad,
				  const struct rnd_call *call)
{
	struct rnd_bug_info info = {
		.bug = RND_BUG_OVERFLOW,
		.op = call->op,
		.ptr = ptr,
		.caller = call->caller,
		.slot_len = len,
		.has_req = 1,
		.req = req,
		.bad = bad,
	};
	struct rnd_nearest best = { .obj = __NULL };
	struct rnd_place place;

	/* The object behind may have been left at its lower end */
	if (rnd_pagemap_find(&h->pm, ptr, &place))
		rnd_nearest_slot(place.region, (__uptr)bad, place.n + 1, 0,
				 &best);
	info_set_near(&info, &best);
	rnd_report(&info);
}

static void info_set_cpu(struct rnd_bug_info *info, __u16 state)
{
	info->has_cpu = state >> RND_STATE_BITS != 0;
	info->cpu = (__u32)(state >> RND_STATE_BITS) - 1U;
}

static void info_set_taken(struct rnd_bug_info *info, __u16 state)
{
	info->bug = RND_BUG_METADATA;
	info->where = state & RND_SLOT_LIVE ?
			      "a live slot among the free ones (S3)" :
			      "a slot of two lists (S3)";
}

void *rnd_hand_out_bad(const struct rnd_pclass *pl, const void *slot,
		       __uptr caller)
{
	__u32 n = (__u32)(((__uptr)slot - pl->base) / pl->slot_len);
	__u16 state = pl->states[n];
	struct rnd_nearest best = { .obj = __NULL };
	struct rnd_bug_info info = {
		.bug = RND_BUG_WRITE_AFTER_FREE,
		.op = "malloc",
		.ptr = slot,
		.caller = caller,
		.slot_len = pl->slot_len,
	};

	if (state & RND_SLOT_TAKEN) {
		info_set_taken(&info, state);
	} else {
		info.bad = rnd_fill_find_nonzero(slot, pl->slot_len);
		info_set_cpu(&info, state);
		/* It may have been a neighbour that somebody ran out of */
		rnd_nearest_slot(pl->region, (__uptr)info.bad, n, 1, &best);
		info_set_near(&info, &best);
	}
	rnd_report(&info);
}

/*
 * Slots
 */

/* Where a slot is that is not live. The bitmap is its owner's: another CPU
 * may see an old bit, and the report then names the wrong one of two places.
 */
static const char *slot_where(const struct rnd_place *p, __u16 state)
{
	__u32 slot = rnd_place_slot(p);

	if ((state & RND_STATE_MASK) == RND_SLOT_REMOTE)
		return "on its way to the CPU that owns it";
	if (rnd_load_relaxed(&rnd_slab_free_bits(p->slab)[slot / 64]) >>
		    (slot & 63U) &
	    1)
		return "free in its slab";
	return RND_OPT_QUARANTINE && state >> RND_STATE_BITS ?
		       "in quarantine" :
		       "free, drawn ahead";
}

/* Function family of an object, in the order of enum rnd_kind */
static const char *const kind_where[] = {
	"allocated by malloc",
	"allocated by new",
	"allocated by new[]",
	"allocated by palloc",
};

UK_CTASSERT(ARRAY_SIZE(kind_where) == RND_KIND_PAGES + 1);

/* The slot is live, and ptr is its start */
static void diag_live_slot(struct rnd_bug_info *info, __u16 state,
			   const struct rnd_call *call)
{
	__u8 kind = (__u8)((state & RND_STATE_MASK) - RND_SLOT_LIVE);

	info->has_req = 1;
	info->req = info->slot_len - rnd_state_slack(info->slot_len, state);
	if ((state & RND_STATE_MASK) == RND_SLOT_LIVE_EMPTY) {
		kind = (__u8)(state >> RND_STATE_BITS);
		info->req = 0;
	}
	info->where = kind_where[kind % ARRAY_SIZE(kind_where)];
	if (call->sized && call->size != info->req &&
	    call->kind != RND_KIND_PAGES) {
		info->bug = RND_BUG_SIZE_MISMATCH;
		info->given = call->size;
		return;
	}

	/* Pages are never in a slot; any other kind may be checked or not */
	info->bug = RND_BUG_KIND_MISMATCH;
	info->given = call->kind;
}

/* The slot is not live, and ptr is its start */
static void diag_dead_slot(struct rnd_bug_info *info, const struct rnd_place *p,
			   __u16 state)
{
	info_set_cpu(info, state);
	info->where = slot_where(p, state);
	info->bug = info->has_cpu ? RND_BUG_DOUBLE_FREE :
				    RND_BUG_UNALLOCATED_FREE;
}

/* ptr points into a slot */
static void diag_inside_slot(struct rnd_bug_info *info,
			     const struct rnd_place *p)
{
	__u16 state = *p->state;

	info->bug = (__uptr)info->ptr % RND_SLOT_ALIGN ?
			    RND_BUG_MISALIGNED_FREE :
			    RND_BUG_INTERIOR_FREE;
	info->obj = (const char *)info->ptr - p->inside;
	if ((state & RND_STATE_MASK) < RND_SLOT_LIVE) {
		info_set_cpu(info, state);
		info->where = slot_where(p, state);
		return;
	}

	info->has_req = 1;
	info->req = info->slot_len - rnd_state_slack(info->slot_len, state);
	/* Behind the object, that is in its slack */
	if (p->inside >= info->req && p->inside % RND_SLOT_ALIGN == 0)
		info->where = "behind the object, in its slack";
}

static void diag_region(struct rnd_bug_info *info, const struct rnd_place *p,
			const struct rnd_call *call)
{
	if (!p->slab || !p->slab->base) {
		info->bug = RND_BUG_INVALID_FREE;
		info->where = "in a part of a size class that was never used";
		return;
	}

	info->slot_len = p->region->slot_len;
	if (p->inside) {
		diag_inside_slot(info, p);
	} else if ((*p->state & RND_STATE_MASK) >= RND_SLOT_LIVE) {
		diag_live_slot(info, *p->state, call);
	} else {
		diag_dead_slot(info, p, *p->state);
	}
}

/*
 * Large objects
 */

static void info_set_dead_span(struct rnd_bug_info *info,
			       const struct rnd_span *sp)
{
	info->has_cpu = sp->freed_by != 0;
	info->cpu = sp->freed_by - 1U;
	info->where = sp->state == RND_SPAN_KEPT ? "kept for another object" :
						   "in quarantine, unmapped";
}

static void diag_span_start(struct rnd_bug_info *info,
			    const struct rnd_span *sp,
			    const struct rnd_call *call)
{
	info->has_req = 1;
	info->req = sp->req;
	if (sp->state != RND_SPAN_LIVE) {
		info->bug = RND_BUG_DOUBLE_FREE;
		info_set_dead_span(info, sp);
		return;
	}

	info->bug = RND_BUG_KIND_MISMATCH;
	info->given = call->kind;
	info->where = kind_where[sp->kind % ARRAY_SIZE(kind_where)];
	if ((sp->kind == RND_KIND_PAGES && call->kind == RND_KIND_PAGES) ||
	    (call->sized && call->kind != RND_KIND_PAGES &&
	     call->size != sp->req)) {
		info->bug = RND_BUG_SIZE_MISMATCH;
		info->given = call->size;
	}
}

static void info_set_span(struct rnd_bug_info *info, struct rnd_heap *h,
			  const struct rnd_span *sp, struct rnd_sample *rec)
{
	info->is_large = 1;
	if (!RND_OPT_SAMPLE || !sp->sample)
		return;

	info->is_sampled = 1;
	if (!rnd_sample_of(&h->dyn->sampler, sp, rec))
		return;
	info->allocated = &rec->allocated;
	if (rec->is_freed)
		info->freed = &rec->freed;
}

void __noreturn rnd_diag_span(struct rnd_heap *h, const struct rnd_span *sp,
			      const void *bad, const struct rnd_call *call)
{
	struct rnd_bug_info info = {
		.bug = (__uptr)bad < sp->addr ? RND_BUG_UNDERFLOW :
						RND_BUG_OVERFLOW,
		.op = call->op,
		.ptr = (const void *)sp->addr,
		.caller = call->caller,
		.has_req = 1,
		.req = sp->req,
		.bad = bad,
	};
	struct rnd_sample rec;

	info_set_span(&info, h, sp, &rec);
	rnd_report(&info);
}

static void diag_near_span(struct rnd_bug_info *info, const struct rnd_span *sp,
			   const struct rnd_call *call)
{
	__uptr addr = (__uptr)info->ptr;

	if (addr == sp->addr) {
		diag_span_start(info, sp, call);
		return;
	}

	info->obj = (const void *)sp->addr;
	info->has_req = 1;
	info->req = sp->req;
	if (sp->state != RND_SPAN_LIVE)
		info_set_dead_span(info, sp);
	if (addr >= rnd_span_base(sp) && addr < sp->addr) {
		info->bug = RND_BUG_INVALID_FREE;
		info->where = sp->state == RND_SPAN_LIVE ?
				      "in front of a large object" :
				      "in front of a freed large object";
		return;
	}
	if (addr < sp->addr || addr >= rnd_span_end(sp)) {
		info->bug = RND_BUG_INVALID_FREE;
		info->where = sp->state == RND_SPAN_LIVE ?
				      "in the guard of a large object" :
				      "in the guard of a freed large object";
		return;
	}

	if (call->kind == RND_KIND_PAGES && sp->state != RND_SPAN_LIVE) {
		info->bug = RND_BUG_DOUBLE_FREE;
		return;
	}

	info->bug = addr % RND_SLOT_ALIGN ? RND_BUG_MISALIGNED_FREE :
					    RND_BUG_INTERIOR_FREE;
	if (call->kind == RND_KIND_PAGES && sp->kind == RND_KIND_PAGES &&
	    addr % RND_PAGE_LEN == 0) {
		info->bug = RND_BUG_SIZE_MISMATCH;
		info->given = call->size;
	}
}

void __noreturn rnd_diag_pointer(struct rnd_heap *h, const void *ptr,
				 const struct rnd_call *call)
{
	struct rnd_bug_info info = {
		.bug = RND_BUG_INVALID_FREE,
		.op = call->op,
		.ptr = ptr,
		.caller = call->caller,
	};
	struct rnd_nearest best = { .obj = __NULL };
	struct rnd_sample rec;
	struct rnd_place place;
	struct rnd_span span;

	if (rnd_pagemap_locate(&h->pm, ptr, &place)) {
		diag_region(&info, &place, call);
	} else if (rnd_large_locate(&h->dyn->large, ptr, &span)) {
		info_set_span(&info, h, &span, &rec);
		diag_near_span(&info, &span, call);
	} else {
		info.where = "not an address of this heap";
	}

	if (!info.obj && (info.bug == RND_BUG_INVALID_FREE ||
			  info.bug == RND_BUG_UNALLOCATED_FREE)) {
		rnd_nearest_find(&h->pm, &h->dyn->large, (__uptr)ptr, &best);
		info_set_near(&info, &best);
	}
	rnd_report(&info);
}
