/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include "atomic.h"
#include "nearest.h"

/* Distance to [start, start + len); 0: inside */
static __sz gap_of(__uptr addr, __uptr start, __sz len)
{
	if (addr < start)
		return start - addr;

	return addr - start < len ? 0 : addr - start - len + 1;
}

static void consider(struct rnd_nearest *best, __uptr addr, __uptr obj,
		     __sz req)
{
	__sz gap = gap_of(addr, obj, req);

	if (best->obj && best->gap <= gap)
		return;
	best->obj = (const void *)obj;
	best->req = req;
	best->gap = gap;
}

/* True if slot n is live, and was considered */
static __bool consider_slot(struct rnd_nearest *best, __uptr addr,
			    const struct rnd_region *r, __u32 n)
{
	__u16 state = rnd_load_relaxed(&r->states[n]);
	__sz req = 0;

	if ((state & RND_STATE_MASK) < RND_SLOT_LIVE)
		return 0;
	if ((state & RND_STATE_MASK) != RND_SLOT_LIVE_EMPTY)
		req = r->slot_len - rnd_state_slack(r->slot_len, state);
	consider(best, addr, (__uptr)rnd_region_slot(r, n), req);

	return 1;
}

void rnd_nearest_slot(const struct rnd_region *r, __uptr addr, __u32 n,
		      __u32 reach, struct rnd_nearest *best)
{
	__u32 cnt = rnd_region_opened(r) << r->slot_shift;
	__u32 i;

	/* Behind an object in slot n the next one may be nearer */
	if (n < cnt)
		consider_slot(best, addr, r, n);
	for (i = 1; i <= reach && n + i < cnt; i++)
		if (consider_slot(best, addr, r, n + i))
			break;
	for (i = 1; i <= reach && i <= n; i++)
		if (consider_slot(best, addr, r, n - i))
			break;
}

static void nearest_in_region(const struct rnd_region *r, __uptr addr,
			      struct rnd_nearest *best)
{
	__sz end = (__sz)rnd_region_opened(r) * r->slab_len;
	__u32 n = 0;

	if (!end || (best->obj && gap_of(addr, r->base, end) >= best->gap))
		return;
	if (addr >= r->base + end)
		n = (__u32)(end / r->slot_len) - 1;
	else if (addr > r->base)
		n = (__u32)((addr - r->base) / r->slot_len);
	rnd_nearest_slot(r, addr, n, RND_NEAREST_REACH, best);
}

struct search {
	__uptr addr;
	struct rnd_nearest *best;
};

static void consider_span(void *arg, const struct rnd_span *sp)
{
	struct search *s = arg;

	if (sp->state == RND_SPAN_LIVE)
		consider(s->best, s->addr, sp->addr, sp->req);
}

void rnd_nearest_find(const struct rnd_pagemap *pm, struct rnd_large *lg,
		      __uptr addr, struct rnd_nearest *best)
{
	struct search s = { .addr = addr, .best = best };
	unsigned int sc;

	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		nearest_in_region(rnd_pagemap_region(pm, sc), addr, best);
	rnd_large_foreach(lg, consider_span, &s);
}
