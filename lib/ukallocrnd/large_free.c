/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The end of large objects: claimed, without memory, quarantined, released */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>

#include "large.h"
#include "large_priv.h"

/* Finds the live span of the kind that holds the pages, and their place */
static __u32 large_holder(struct rnd_large *lg, __uptr addr, __sz *cnt,
			  __u8 kind)
{
	__u32 n = rnd_spans_find(&lg->t, addr);
	const struct rnd_span *sp;
	__sz first;

	if (!n && *cnt)
		n = rnd_spans_locate(&lg->t, addr);
	if (!n)
		return 0;

	sp = rnd_spans_at(&lg->t, n);
	if (sp->state != RND_SPAN_LIVE || sp->kind != kind)
		return 0;
	if (!*cnt) {
		*cnt = sp->pages;
		return n;
	}
	if (addr % RND_PAGE_LEN || addr < sp->addr)
		return 0;
	first = (addr - sp->addr) / RND_PAGE_LEN;
	if (first >= sp->pages || *cnt > sp->pages - first)
		return 0;

	return n;
}

/* Under the lock: the pages become a LEAVING span; 0 if there are none */
__u32 rnd_large_claim(struct rnd_large *lg, __uptr addr, __sz cnt, __u8 kind,
		      __u32 cpu)
{
	__u32 n = large_holder(lg, addr, &cnt, kind);
	__sz first;

	if (unlikely(!n))
		return 0;

	first = (addr - rnd_spans_at(&lg->t, n)->addr) / RND_PAGE_LEN;
	n = rnd_spans_claim(&lg->t, n, first, cnt);
	rnd_spans_at(&lg->t, n)->freed_by = (__u16)(cpu + 1);

	return n;
}

/* The address of a span is not ours any more: what is around it goes back */
static void span_release_around(const struct rnd_span *sp)
{
	__uptr base = rnd_span_base(sp), end = rnd_span_end(sp);

	if (base > sp->map)
		rnd_port_release(sp->map, base - sp->map);
	if (sp->map + sp->map_len > end)
		rnd_port_release(end, sp->map + sp->map_len - end);
}

void rnd_large_retire(struct rnd_large *lg, __u32 n, __bool is_lost)
{
	struct rnd_span sp = { .addr = 0 };
	unsigned long flags;
	__u32 out = n, cnt = 1;

	flags = rnd_lock_acquire(&lg->lock);
	if (likely(!is_lost)) {
		rnd_spans_at(&lg->t, n)->state = RND_SPAN_QUARANTINED;
		if (RND_LARGE_RAND_LEN)
			rnd_rng_follow(&lg->rng);
		cnt = rnd_quarantine_push(&lg->q, &lg->rng, n, &out);
	}
	if (cnt) {
		sp = *rnd_spans_at(&lg->t, out);
		rnd_spans_forget(&lg->t, out);
	}
	rnd_lock_release(&lg->lock, flags);

	if (unlikely(is_lost))
		span_release_around(&sp);
	else if (cnt)
		rnd_port_release(sp.map, sp.map_len);
}

/* Frees a claimed span. Before the pages go, len bytes from src are copied */
static void claimed_free(struct rnd_large *lg, __u32 n,
			 const struct rnd_span *sp, const void *src, void *dst,
			 __sz len)
{
	int rc = -ENOTSUP;

	if (len)
		memcpy(dst, src, len);
	if (RND_OPT_LARGE_KEEP && rnd_large_keep(lg, n, sp))
		return;
	if (rnd_park_wants(sp->pages))
		rc = rnd_large_park(lg, sp);
	if (rc < 0)
		rnd_vspace_decommit(lg->vs, rnd_span_base(sp), rnd_span_len(sp),
				    RND_BACKING_USER);
	rnd_large_retire(lg, n, rc == 1);
}

static int large_free(struct rnd_large *lg, const void *ptr, __sz cnt,
		      __u8 kind, __u32 cpu, void *dst, __sz len)
{
	struct rnd_span sp = { .addr = 0 };
	unsigned long flags;
	__u32 n;

	flags = rnd_lock_acquire(&lg->lock);
	n = rnd_large_claim(lg, (__uptr)ptr, cnt, kind, cpu);
	if (likely(n))
		sp = *rnd_spans_at(&lg->t, n);
	rnd_lock_release(&lg->lock, flags);
	if (unlikely(!n))
		return -EINVAL;

	/* Not earlier: until it was claimed another CPU could decommit it */
	if (!cnt && unlikely(rnd_large_canary_bad(lg, &sp)))
		return -EFAULT;
	claimed_free(lg, n, &sp, ptr, dst, len);

	return 0;
}

int rnd_large_free(struct rnd_large *lg, const void *ptr, __sz cnt, __u8 kind,
		   __u32 cpu)
{
	return large_free(lg, ptr, cnt, kind, cpu, __NULL, 0);
}

int rnd_large_copy_free(struct rnd_large *lg, const void *ptr, void *dst,
			__sz len, __u8 kind, __u32 cpu)
{
	return large_free(lg, ptr, 0, kind, cpu, dst, len);
}

static __bool span_is_as_known(const struct rnd_span *sp, __u8 kind,
			       const __sz *req)
{
	return sp->state == RND_SPAN_LIVE && sp->kind != RND_KIND_PAGES &&
	       (!RND_OPT_KIND || sp->kind == kind) && (!req || *req == sp->req);
}

int rnd_large_free_object(struct rnd_large *lg, const void *ptr, __u8 kind,
			  const __sz *req, __u32 cpu, struct rnd_span *copy)
{
	struct rnd_span *sp;
	unsigned long flags;
	__u32 n;

	flags = rnd_lock_acquire(&lg->lock);
	n = rnd_spans_find(&lg->t, (__uptr)ptr);
	if (likely(n)) {
		sp = rnd_spans_at(&lg->t, n);
		if (likely(span_is_as_known(sp, kind, req))) {
			*copy = *sp;
			rnd_spans_claim_object(&lg->t, n);
			sp->freed_by = (__u16)(cpu + 1);
		} else {
			n = 0;
		}
	}
	rnd_lock_release(&lg->lock, flags);
	if (unlikely(!n))
		return -EINVAL;

	/* As above */
	if (unlikely(rnd_large_canary_bad(lg, copy)))
		return -EFAULT;
	claimed_free(lg, n, copy, __NULL, __NULL, 0);

	return 0;
}

struct large_drain {
	struct rnd_large *lg;
	__u32 cnt;
};

static void large_drop(void *arg, __u32 n)
{
	struct large_drain *d = arg;
	struct rnd_span sp = *rnd_spans_at(&d->lg->t, n);

	rnd_spans_forget(&d->lg->t, n);
	rnd_port_release(sp.map, sp.map_len);
	d->cnt++;
}

__u32 rnd_large_purge(struct rnd_large *lg)
{
	struct large_drain d = { .lg = lg };
	unsigned long flags;

	flags = rnd_lock_acquire(&lg->lock);
	rnd_quarantine_drain(&lg->q, large_drop, &d);
	rnd_lock_release(&lg->lock, flags);

	return d.cnt;
}
