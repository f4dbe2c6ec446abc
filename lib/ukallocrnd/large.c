/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>

#include "canary.h"
#include "large.h"
#include "large_priv.h"

int rnd_large_init(struct rnd_large *lg, struct rnd_vspace *vs)
{
	__u8 seed[RND_CHACHA_KEY_LEN];

	UK_ASSERT(lg && vs);

	if (unlikely(rnd_spans_init(&lg->t, vs)))
		return -ENOMEM;

	rnd_lock_init(&lg->lock, RND_RANK_LARGE);
	lg->vs = vs;
	rnd_canary_key_init(&lg->key, rnd_vspace_draw(vs, __U64_MAX),
			    rnd_vspace_draw(vs, __U64_MAX));
	rnd_port_entropy(seed, sizeof(seed));
	rnd_rng_init(&lg->rng, seed);
	rnd_quarantine_init(&lg->q, RND_LARGE_RAND_LEN,
			    MIN(RND_LARGE_QUARANTINE_LEN + 0U,
				RND_QUARANTINE_FIFO_LEN + 0U),
			    1);

	return 0;
}

void rnd_large_destroy(struct rnd_large *lg)
{
	__u32 i;

	for (i = 0; i < lg->park.cnt; i++)
		rnd_port_release(lg->park.e[i].map, lg->park.e[i].map_len);
	rnd_spans_destroy(&lg->t);
}

__sz rnd_large_pages(__sz req)
{
	__sz pages = DIV_ROUND_UP(req, RND_PAGE_LEN);

	/* A slack shorter than the canary would cover less than it should */
	if (pages * RND_PAGE_LEN != req)
		pages = DIV_ROUND_UP(req + RND_CANARY_LEN, RND_PAGE_LEN);

	return pages;
}

__bool rnd_large_is_possible(const struct rnd_large *lg, __sz req)
{
	return req <= __SSZ_MAX / 2 &&
	       rnd_vspace_is_possible(lg->vs, rnd_large_pages(req));
}

/*
 * Allocating
 */

static __sz large_guard(struct rnd_large *lg, __sz pages)
{
	__sz most = MIN(MAX(pages / 2, 1UL), RND_LARGE_GUARD_MAX);

	/* A racy read: a few more or less do not matter */
	if (rnd_spans_live(&lg->t) >= RND_LARGE_GUARDED_MAX)
		return 0;

	return (1 + rnd_vspace_draw(lg->vs, most)) * RND_PAGE_LEN;
}

void rnd_large_canary_write(const struct rnd_large *lg,
			    const struct rnd_span *sp)
{
	__sz len = rnd_span_len(sp);

	if (RND_OPT_CANARY && sp->req < len)
		rnd_canary_write(rnd_canary_word(&lg->key, sp->addr),
				 (void *)sp->addr, sp->req, len);
}

const void *rnd_large_canary_bad(const struct rnd_large *lg,
				 const struct rnd_span *sp)
{
	__u64 word = rnd_canary_word(&lg->key, sp->addr);
	__sz len = rnd_span_len(sp);

	if (!RND_OPT_CANARY || sp->req == len ||
	    likely(rnd_canary_check(word, (void *)sp->addr, sp->req, len)))
		return __NULL;

	return rnd_canary_find_bad(word, (void *)sp->addr, sp->req, len);
}

int rnd_large_place(struct rnd_large *lg, struct rnd_span *sp, __sz align)
{
	__sz pre = large_guard(lg, sp->pages);
	int rc;

	sp->map_len = pre + rnd_span_len(sp) + large_guard(lg, sp->pages);
	rc = rnd_vspace_reserve(lg->vs, sp->map_len, align, pre, &sp->map);
	if (likely(!rc))
		sp->addr = sp->map + pre;

	return rc;
}

/* A span of fresh pages that is in no table yet */
static int span_make(struct rnd_large *lg, struct rnd_span *sp, __sz align)
{
	int rc = rnd_large_place(lg, sp, align);

	if (unlikely(rc))
		return rc;

	rc = rnd_vspace_commit(lg->vs, sp->addr, rnd_span_len(sp),
			       RND_BACKING_USER);
	if (unlikely(rc))
		rnd_port_release(sp->map, sp->map_len);

	return rc;
}

static void span_unmake(struct rnd_large *lg, const struct rnd_span *sp)
{
	rnd_vspace_decommit(lg->vs, sp->addr, rnd_span_len(sp),
			    RND_BACKING_USER);
	rnd_port_release(sp->map, sp->map_len);
}

void *rnd_large_alloc(struct rnd_large *lg, __sz req, __sz align, __u8 kind)
{
	struct rnd_span sp = { .req = req,
			       .state = RND_SPAN_LIVE,
			       .kind = kind };
	unsigned long flags;
	int rc;

	UK_ASSERT(req && POWER_OF_2(align));

	if (unlikely(!rnd_large_is_possible(lg, req)))
		return __NULL;
	sp.pages = rnd_large_pages(req);
	align = MAX(align, RND_PAGE_LEN);
	if (!rnd_large_take_parked(lg, &sp, align) &&
	    unlikely(span_make(lg, &sp, align)))
		return __NULL;
	rnd_large_canary_write(lg, &sp);

	flags = rnd_lock_acquire(&lg->lock);
	rc = rnd_spans_make_room(&lg->t, &sp);
	if (likely(!rc))
		rnd_spans_add(&lg->t, &sp);
	rnd_lock_release(&lg->lock, flags);

	if (unlikely(rc)) {
		span_unmake(lg, &sp);
		return __NULL;
	}

	return (void *)sp.addr;
}

/*
 * Looking up
 */

__bool rnd_large_find(struct rnd_large *lg, const void *ptr,
		      struct rnd_span *copy)
{
	unsigned long flags;
	__u32 n;

	flags = rnd_lock_acquire(&lg->lock);
	n = rnd_spans_find(&lg->t, (__uptr)ptr);
	if (n)
		*copy = *rnd_spans_at(&lg->t, n);
	rnd_lock_release(&lg->lock, flags);

	return n != 0;
}

__bool rnd_large_locate(struct rnd_large *lg, const void *ptr,
			struct rnd_span *copy)
{
	unsigned long flags;
	__u32 n;

	flags = rnd_lock_acquire(&lg->lock);
	n = rnd_spans_locate(&lg->t, (__uptr)ptr);
	if (n)
		*copy = *rnd_spans_at(&lg->t, n);
	rnd_lock_release(&lg->lock, flags);

	return n != 0;
}

void rnd_large_foreach(struct rnd_large *lg,
		       void (*fn)(void *arg, const struct rnd_span *sp),
		       void *arg)
{
	unsigned long flags;
	__u32 i;

	flags = rnd_lock_acquire(&lg->lock);
	for (i = 0; i < lg->t.cnt; i++)
		if (lg->t.span[i].state != RND_SPAN_FREE)
			fn(arg, &lg->t.span[i]);
	rnd_lock_release(&lg->lock, flags);
}

__bool rnd_large_inspect(struct rnd_large *lg, const void *ptr,
			 struct rnd_span *copy, const void **bad)
{
	unsigned long flags;
	__u32 n;

	*bad = __NULL;
	flags = rnd_lock_acquire(&lg->lock);
	n = rnd_spans_find(&lg->t, (__uptr)ptr);
	if (n) {
		*copy = *rnd_spans_at(&lg->t, n);
		if (copy->state == RND_SPAN_LIVE)
			*bad = rnd_large_canary_bad(lg, copy);
	}
	rnd_lock_release(&lg->lock, flags);

	return n != 0;
}

__bool rnd_large_is_valid(struct rnd_large *lg)
{
	__u32 waiting;

	return rnd_spans_is_valid(&lg->t, &waiting) &&
	       rnd_park_is_valid(&lg->park) &&
	       waiting == rnd_quarantine_count(&lg->q);
}
