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
	UK_ASSERT(lg && vs);

	if (unlikely(rnd_spans_init(&lg->t, vs)))
		return -ENOMEM;

	rnd_lock_init(&lg->lock, RND_RANK_LARGE);
	lg->vs = vs;
	rnd_canary_key_init(&lg->key, rnd_vspace_draw(vs, __U64_MAX),
			    rnd_vspace_draw(vs, __U64_MAX));
	rnd_rng_start(&lg->rng);
	rnd_quarantine_init(&lg->q, RND_LARGE_RAND_LEN,
			    MIN(RND_LARGE_QUARANTINE_LEN + 0U,
				RND_QUARANTINE_FIFO_LEN + 0U),
			    1);

	return 0;
}

void rnd_large_destroy(struct rnd_large *lg)
{
	__u32 i;

	for (i = 0; i < lg->park.cnt && !RND_OPT_LARGE_KEEP; i++)
		rnd_port_release(lg->park.e[i].map, lg->park.e[i].map_len);
	rnd_spans_destroy(&lg->t);
}

/*
 * Allocating
 */

/* Draws the guards of a span and its priority with one number: no combination
 * is rarer than others. Receives a word for its place, too
 */
static void large_guards(struct rnd_large *lg, struct rnd_span *sp, __sz *pre,
			 __sz *post, __u64 *word)
{
	__sz most = MIN(MAX(sp->pages / 2, 1UL), RND_LARGE_GUARD_MAX);
	__u64 n;

	*pre = 0;
	*post = 0;
	/* A racy read: a few more or less do not matter. Samples are few */
	if (rnd_spans_live(&lg->t) >= RND_LARGE_GUARDED_MAX && !sp->sample) {
		sp->prio = (__u32)rnd_vspace_draw_both(
			lg->vs, 1UL << RND_SPAN_PRIO_BITS, word);
		return;
	}

	n = rnd_vspace_draw_both(lg->vs, most * most << RND_SPAN_PRIO_BITS,
				 word);
	sp->prio = (__u32)n;
	n >>= RND_SPAN_PRIO_BITS;
	*pre = (1 + n / most) * RND_PAGE_LEN;
	*post = (1 + n % most) * RND_PAGE_LEN;
}

void rnd_large_canary_write(const struct rnd_large *lg,
			    const struct rnd_span *sp)
{
	__u64 word;

	if (!RND_OPT_CANARY || sp->req == rnd_span_len(sp))
		return;

	word = rnd_canary_word(&lg->key, sp->addr);
	rnd_seat_write(word, rnd_span_base(sp), sp->addr);
	rnd_seat_write(word, sp->addr + sp->req, rnd_span_end(sp));
}

const void *rnd_large_canary_bad(const struct rnd_large *lg,
				 const struct rnd_span *sp)
{
	const void *bad;
	__u64 word;

	if (!RND_OPT_CANARY || sp->req == rnd_span_len(sp))
		return __NULL;

	word = rnd_canary_word(&lg->key, sp->addr);
	bad = rnd_seat_find_bad(word, rnd_span_base(sp), sp->addr);
	if (unlikely(bad))
		return bad;

	return rnd_seat_find_bad(word, sp->addr + sp->req, rnd_span_end(sp));
}

__bool rnd_large_fits(const struct rnd_span *sp, __sz req)
{
	__sz room = rnd_span_end(sp) - sp->addr;

	if (rnd_seat_pages((enum rnd_seat)sp->seat, req) != sp->pages)
		return 0;

	return req == room || req + RND_CANARY_LEN <= room ||
	       (sp->seat == RND_SEAT_RIGHT && req <= room);
}

void rnd_large_seat(struct rnd_large *lg, struct rnd_span *sp, __sz align)
{
	enum rnd_seat seat = (enum rnd_seat)sp->seat;
	__sz choices, choice = 0;

	if (seat != RND_SEAT_START) {
		choices = rnd_seat_choices(seat, sp->req, align);
		if (choices > 1)
			choice = rnd_vspace_draw(lg->vs, choices);
		sp->addr += rnd_seat_offset(seat, sp->req, align, choice);
	}
	rnd_large_canary_write(lg, sp);
}

int rnd_large_place(struct rnd_large *lg, struct rnd_span *sp, __sz align)
{
	__sz pre, post;
	__u64 word;
	int rc;

	/* Before it is drawn: a place of an earlier epoch is known elsewhere */
	sp->epoch = (__u16)rnd_port_epoch();
	large_guards(lg, sp, &pre, &post, &word);
	sp->map_len = pre + rnd_span_len(sp) + post;
	rc = rnd_vspace_reserve_drawn(lg->vs, sp->map_len, align, pre, word,
				      &sp->map);
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
			       RND_BACKING_OBJECT);
	if (unlikely(rc))
		rnd_port_release(sp->map, sp->map_len);

	return rc;
}

static void span_unmake(struct rnd_large *lg, const struct rnd_span *sp)
{
	rnd_vspace_decommit(lg->vs, rnd_span_base(sp), rnd_span_len(sp),
			    RND_BACKING_USER);
	rnd_port_release(sp->map, sp->map_len);
}

void *rnd_large_alloc(struct rnd_large *lg, __sz req, __sz align, __u8 kind,
		      __bool clean)
{
	struct rnd_large_want want = {
		.req = req, .align = align, .kind = kind, .clean = clean
	};

	if (kind != RND_KIND_PAGES && align < RND_PAGE_LEN)
		want.seat = rnd_seat_default();

	return rnd_large_alloc_at(lg, &want);
}

void *rnd_large_alloc_at(struct rnd_large *lg,
			 const struct rnd_large_want *want)
{
	struct rnd_span sp = { .req = want->req,
			       .pages = rnd_seat_pages(want->seat, want->req),
			       .state = RND_SPAN_LIVE,
			       .kind = want->kind,
			       .sample = want->sample,
			       .seat = (__u8)want->seat };
	__sz align = MAX(want->align, RND_PAGE_LEN);
	unsigned long flags;
	void *ptr = __NULL;
	int rc;

	UK_ASSERT(want->req && POWER_OF_2(want->align) &&
		  want->align >= RND_SLOT_ALIGN);

	if (unlikely(!rnd_large_is_possible(lg, want->req)))
		return __NULL;
	if (RND_OPT_LARGE_KEEP)
		ptr = rnd_large_take_kept(lg, want, &sp, align);
	if (ptr)
		return ptr;
	if (!(rnd_park_wants(sp.pages) &&
	      rnd_large_take_parked(lg, &sp, align)) &&
	    unlikely(span_make(lg, &sp, align)))
		return __NULL;
	rnd_large_seat(lg, &sp, want->align);

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

/* K3 */
static __bool kept_is_valid(const struct rnd_large *lg)
{
	const struct rnd_parked *pk;
	const struct rnd_span *sp;
	__u32 i, kept = 0;

	for (i = 0; i < lg->t.cnt; i++)
		kept += lg->t.span[i].state == RND_SPAN_KEPT;
	if (!RND_OPT_LARGE_KEEP)
		return !kept;
	if (kept != lg->park.cnt)
		return 0;
	for (i = 0; i < kept; i++) {
		pk = &lg->park.e[i];
		sp = &lg->t.span[pk->span - 1];
		if (sp->state != RND_SPAN_KEPT || sp->pages != pk->pages ||
		    rnd_span_base(sp) != pk->addr)
			return 0;
	}

	return 1;
}

__bool rnd_large_is_valid(struct rnd_large *lg)
{
	__u32 waiting;

	return rnd_spans_is_valid(&lg->t, &waiting) &&
	       rnd_park_is_valid(&lg->park) && kept_is_valid(lg) &&
	       waiting == rnd_quarantine_count(&lg->q);
}
