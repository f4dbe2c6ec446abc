/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Statistics and map of a heap
 *
 * Nothing is counted on the fast paths: the numbers are read off the
 * descriptors when somebody asks.
 */

#include <string.h>

#include <uk/allocrnd.h>

#include "heap.h"

static void count_slab(const struct rnd_region *r, struct rnd_slab *s,
		       struct uk_allocrnd_stats *st)
{
	const __u16 *states = rnd_region_states(r, s);
	__u16 state, code;
	__u32 i;

	st->slabs++;
	for (i = 0; i < s->slots; i++) {
		state = rnd_load_relaxed(&states[i]);
		code = state & RND_STATE_MASK;
		if (code < RND_SLOT_LIVE)
			continue;
		st->live_slots++;
		if (code != RND_SLOT_LIVE_EMPTY)
			st->live_bytes += r->slot_len -
					  rnd_state_slack(r->slot_len, state);
	}
}

static void count_region(const struct rnd_region *r,
			 struct uk_allocrnd_stats *st)
{
	__u32 i, cnt = rnd_region_opened(r);
	struct rnd_slab *s;

	for (i = 0; i < cnt; i++) {
		s = rnd_region_slab(r, i);
		if (s->committed)
			count_slab(r, s, st);
	}
	st->reserved += (__sz)r->slab_max * r->slab_len;
	st->reserved += ((__sz)r->slab_max << r->slot_shift) * sizeof(__u16);
	st->reserved += (__sz)r->slab_max * RND_SLAB_META_LEN(r->slots);
}

static void count_span(void *arg, const struct rnd_span *sp)
{
	struct uk_allocrnd_stats *st = arg;

	st->reserved += sp->map_len;
	if (sp->state == RND_SPAN_LIVE) {
		st->large_live++;
		st->live_slots++;
		st->live_bytes += sp->req;
	}
}

static void count_pcpu(const struct rnd_pcpu *pc, struct uk_allocrnd_stats *st)
{
	const struct rnd_pclass *pl;
	unsigned int sc;

	st->remote_frees += pc->remote_frees;
	st->quarantine_slots += pc->bulk.cnt;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		if (!rnd_pcpu_has(pc, sc))
			continue;
		pl = &pc->cls[sc];
		st->refills += pl->refills;
		st->pool_slots += rnd_load_relaxed(&pl->pool_cnt);
		st->quarantine_slots += rnd_quarantine_count(&pl->q);
	}
}

void uk_allocrnd_stats_get(struct uk_alloc *a, struct uk_allocrnd_stats *dst)
{
	struct rnd_heap_dyn *dyn = rnd_heap_dyn_of(a);
	struct rnd_cpus *cpus = &dyn->cpus;
	struct rnd_ctx ctx = rnd_ctx_enter(cpus);
	const struct rnd_pcpu *pc;
	unsigned int i;

	memset(dst, 0, sizeof(*dst));
	dst->committed = rnd_load_relaxed(&dyn->vs.user) << RND_PAGE_SHIFT;
	dst->metadata = rnd_load_relaxed(&dyn->vs.meta) << RND_PAGE_SHIFT;
	for (i = 0; i < RND_CLASS_COUNT; i++)
		count_region(rnd_pagemap_region(&dyn->heap->pm, i), dst);
	rnd_large_foreach(&dyn->large, count_span, dst);
	dst->reserved += rnd_large_parked(&dyn->large);

	for (i = 0; i < RND_CPU_COUNT; i++) {
		pc = rnd_cpus_used(cpus, i);
		if (pc != RND_PCPU_NONE)
			count_pcpu(pc, dst);
	}
	rnd_ctx_leave(cpus, ctx);
}

/*
 * Map
 */

struct map_user {
	uk_allocrnd_map_func fn;
	void *arg;
};

/* "slots 272": decimal without a libc */
static void map_name(char *name, const char *what, __u32 number)
{
	char digits[10];
	unsigned int n = 0;

	while (*what)
		*name++ = *what++;
	do
		digits[n++] = (char)('0' + number % 10);
	while (number /= 10);
	while (n)
		*name++ = digits[--n];
	*name = 0;
}

static void map_span(void *arg, const struct rnd_span *sp)
{
	const struct map_user *user = arg;

	if (sp->state == RND_SPAN_LIVE)
		user->fn(user->arg, "large object", rnd_span_base(sp),
			 sp->pages * RND_PAGE_LEN);
}

static void map_region(const struct rnd_region *r, struct map_user *user)
{
	__u32 len = r->sc ? r->slot_len : 0;
	__uptr start, end;
	char name[32];

	map_name(name, "slots of ", len);
	user->fn(user->arg, name, r->base, (__sz)r->slab_max * r->slab_len);
	/* Descriptors, the last one first, then state words */
	map_name(name, "metadata of ", len);
	start = (__uptr)rnd_region_slab(r, r->slab_max - 1);
	end = (__uptr)r->states +
	      ((__sz)r->slab_max << r->slot_shift) * sizeof(*r->states);
	user->fn(user->arg, name, start, end - start);
}

void uk_allocrnd_map(struct uk_alloc *a, uk_allocrnd_map_func fn, void *arg)
{
	struct map_user user = { .fn = fn, .arg = arg };
	struct rnd_heap_dyn *dyn = rnd_heap_dyn_of(a);
	unsigned int sc;

	fn(arg, "heap constants", (__uptr)dyn->heap, sizeof(*dyn->heap));
	fn(arg, "heap variables", (__uptr)dyn, sizeof(*dyn));
	fn(arg, "per-CPU states", dyn->cpus.area,
	   RND_CPU_COUNT * sizeof(struct rnd_pcpu));
	fn(arg, "large object table", (__uptr)dyn->large.t.span,
	   RND_SPAN_MAX * sizeof(struct rnd_span));
	if (RND_OPT_SAMPLE)
		fn(arg, "records of samples", (__uptr)dyn->sampler.rec,
		   RND_SAMPLE_MAX * sizeof(struct rnd_sample));
	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		map_region(rnd_pagemap_region(&dyn->heap->pm, sc), &user);
	rnd_large_foreach(&dyn->large, map_span, &user);
}
