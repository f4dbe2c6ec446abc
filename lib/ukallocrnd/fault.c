/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include "atomic.h"
#include "diag.h"
#include "fault.h"
#include "heap.h"

struct fault_search {
	const struct rnd_fault *fault;
	struct rnd_bug_info info;
	struct rnd_sample sample;
	__bool found;
};

/* An address in or around an object of req bytes, live or freed */
static void fault_around(struct fault_search *s, __uptr obj, __sz req,
			 __bool is_freed)
{
	struct rnd_bug_info *info = &s->info;

	info->bug = is_freed		 ? RND_BUG_USE_AFTER_FREE :
		    s->fault->addr < obj ? RND_BUG_UNDERFLOW :
					   RND_BUG_OVERFLOW;
	info->ptr = (const void *)obj;
	info->has_req = 1;
	info->req = req;
	s->found = 1;
}

static void fault_sampled(struct fault_search *s)
{
	s->info.is_sampled = 1;
	s->info.allocated = &s->sample.allocated;
	if (s->sample.is_freed)
		s->info.freed = &s->sample.freed;
}

static void fault_in_span(struct fault_search *s, struct rnd_heap *h,
			  const struct rnd_span *sp)
{
	__bool is_freed = sp->state != RND_SPAN_LIVE;

	/* Somebody else has taken the access away */
	if (!is_freed && s->fault->addr >= rnd_span_base(sp) &&
	    s->fault->addr < rnd_span_end(sp))
		return;

	fault_around(s, sp->addr, sp->req, is_freed);
	s->info.is_large = 1;
	s->info.has_cpu = is_freed && sp->freed_by;
	s->info.cpu = sp->freed_by - 1U;
	if (RND_OPT_SAMPLE && rnd_sample_of(&h->dyn->sampler, sp, &s->sample))
		fault_sampled(s);
}

static void fault_in_region(struct fault_search *s, const struct rnd_place *p)
{
	__uptr addr = s->fault->addr - p->inside;
	__u16 state;

	s->info.bug = RND_BUG_WILD_ACCESS;
	s->info.ptr = (const void *)s->fault->addr;
	s->info.slot_len = p->region->slot_len;
	s->info.where = "where a size class has no memory";
	s->found = 1;
	if (!p->slab || !p->slab->base)
		return;

	state = rnd_load_relaxed(p->state);
	if ((state & RND_STATE_MASK) >= RND_SLOT_LIVE) {
		/* Only an object of no bytes has no memory */
		if (p->region->sc)
			return;
		fault_around(s, addr, 0, 0);
	} else if (state >> RND_STATE_BITS) {
		fault_around(s, addr, 0, 1);
		s->info.has_req = 0;
		s->info.has_cpu = 1;
		s->info.cpu = (__u32)(state >> RND_STATE_BITS) - 1U;
	} else {
		return;
	}
	s->info.where = __NULL;
}

/* Tells whether the context that faulted was inside, perhaps with a lock */
static __bool fault_is_inside(const struct rnd_heap *h)
{
	const struct rnd_pcpu *pc = rnd_cpus_own(h->dyn->cpus.table);

	if (pc == RND_PCPU_NONE)
		pc = h->dyn->cpus.shared;

	return rnd_load_relaxed(&pc->busy) != 0;
}

static void fault_in_heap(struct rnd_heap *h, void *arg)
{
	struct fault_search *s = arg;
	const void *ptr = (const void *)s->fault->addr;
	struct rnd_place place;
	struct rnd_span span;

	if (s->found || fault_is_inside(h))
		return;

	if (rnd_pagemap_locate(&h->pm, ptr, &place)) {
		fault_in_region(s, &place);
	} else if (rnd_large_locate(&h->dyn->large, ptr, &span)) {
		fault_in_span(s, h, &span);
	} else if (RND_OPT_SAMPLE &&
		   rnd_sample_near(&h->dyn->sampler, s->fault->addr,
				   &s->sample)) {
		/* Its addresses have left the quarantine */
		fault_around(s, s->sample.addr, s->sample.req,
			     s->sample.is_freed);
		fault_sampled(s);
	}
}

__bool rnd_fault_report(const struct rnd_fault *f)
{
	struct fault_search s = { .fault = f };

	rnd_heap_foreach(fault_in_heap, &s);
	if (!s.found)
		return 0;

	s.info.caller = f->caller;
	s.info.at = (const void *)f->addr;
	s.info.access = f->access ? f->access : "access";
	rnd_report_lines(&s.info);

	return 1;
}
