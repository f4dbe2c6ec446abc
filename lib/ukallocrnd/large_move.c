/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Large objects with a new size: in place, or their pages move */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>

#include "large.h"
#include "large_priv.h"

/* The bytes from the old requested size to the end of the pages that there
 * were, room bytes behind the start, were canary, which is a secret: those
 * inside the object now are cleared, and what is around it is written
 */
static void span_settle(const struct rnd_large *lg, const struct rnd_span *sp,
			__sz old_req, __sz room)
{
	__sz end = MIN(sp->req, room);

	if (RND_OPT_CANARY && end > old_req)
		memset((char *)sp->addr + old_req, 0, end - old_req);
	rnd_large_canary_write(lg, sp);
}

/* Under the lock: nobody can take the page away */
int rnd_large_resize(struct rnd_large *lg, const void *ptr, __sz req)
{
	struct rnd_span *sp;
	unsigned long flags;
	__sz old_req;
	__u32 n;

	flags = rnd_lock_acquire(&lg->lock);
	n = rnd_spans_find(&lg->t, (__uptr)ptr);
	if (n && rnd_spans_at(&lg->t, n)->state != RND_SPAN_LIVE)
		n = 0;
	if (likely(n)) {
		sp = rnd_spans_at(&lg->t, n);
		UK_ASSERT(rnd_large_fits(sp, req));
		old_req = sp->req;
		sp->req = req;
		span_settle(lg, sp, old_req, rnd_span_end(sp) - sp->addr);
	}
	rnd_lock_release(&lg->lock, flags);

	return n ? 0 : -EINVAL;
}

/* A place and an entry for the object as it will be. It is live before there
 * is memory, because afterwards nothing may fail; nobody knows its address.
 * Pages move as they are: the object starts in them where it did, and only if
 * one of the new size could start there. A sample is never moved: its record
 * has its address.
 */
static int move_prepare(struct rnd_large *lg, const struct rnd_span *sp,
			struct rnd_span *to)
{
	__sz offset = sp->addr - rnd_span_base(sp);
	unsigned long flags;
	int rc;

	to->seat = sp->seat;
	to->pages = rnd_seat_pages((enum rnd_seat)to->seat, to->req);
	if (sp->sample ||
	    !rnd_seat_allows((enum rnd_seat)to->seat, to->req, offset))
		return -ENOTSUP;
	rc = rnd_large_place(lg, to, RND_PAGE_LEN);
	if (unlikely(rc))
		return rc;
	to->addr += offset;

	flags = rnd_lock_acquire(&lg->lock);
	rc = rnd_spans_make_room(&lg->t, to);
	if (likely(!rc))
		rnd_spans_add(&lg->t, to);
	rnd_lock_release(&lg->lock, flags);
	if (unlikely(rc))
		rnd_port_release(to->map, to->map_len);

	return rc;
}

static void move_undo(struct rnd_large *lg, const struct rnd_span *to)
{
	unsigned long flags;
	__u32 n;

	flags = rnd_lock_acquire(&lg->lock);
	n = rnd_spans_find(&lg->t, to->addr);
	n = rnd_spans_claim(&lg->t, n, 0, to->pages);
	rnd_spans_forget(&lg->t, n);
	rnd_lock_release(&lg->lock, flags);
	rnd_port_release(to->map, to->map_len);
}

/* Moves the pages of a claimed span. Result as of rnd_port_move() */
static int move_pages(struct rnd_large *lg, const struct rnd_span *sp,
		      struct rnd_span *to)
{
	__uptr base = rnd_span_base(sp);
	__sz len;
	int rc;

	rc = move_prepare(lg, sp, to);
	if (unlikely(rc))
		return rc;
	len = MIN(rnd_span_len(sp), rnd_span_len(to));
	rc = rnd_vspace_move(lg->vs, base, len, rnd_span_base(to),
			     rnd_span_len(to));
	if (unlikely(rc < 0)) {
		move_undo(lg, to);
		return rc;
	}

	if (len < rnd_span_len(sp))
		rnd_vspace_decommit(lg->vs, base + len, rnd_span_len(sp) - len,
				    RND_BACKING_USER);
	span_settle(lg, to, sp->req, rnd_span_end(sp) - sp->addr);

	return rc;
}

int rnd_large_move(struct rnd_large *lg, const void *ptr, __sz req, __u8 kind,
		   __u32 cpu, void **moved)
{
	struct rnd_span to = { .req = req,
			       .state = RND_SPAN_LIVE,
			       .kind = kind };
	struct rnd_span sp = { .addr = 0 };
	unsigned long flags;
	__u32 n;
	int rc;

	UK_ASSERT(kind != RND_KIND_PAGES);

	flags = rnd_lock_acquire(&lg->lock);
	n = rnd_large_claim(lg, (__uptr)ptr, 0, kind, cpu);
	if (likely(n))
		sp = *rnd_spans_at(&lg->t, n);
	rnd_lock_release(&lg->lock, flags);
	if (unlikely(!n))
		return -EINVAL;

	rc = move_pages(lg, &sp, &to);
	flags = rnd_lock_acquire(&lg->lock);
	if (unlikely(rc < 0))
		rnd_spans_revive(&lg->t, n);
	else if (unlikely(rc && sp.pages > to.pages))
		/* What did not move is still ours */
		rnd_spans_at(&lg->t, n)->pages = to.pages;
	rnd_lock_release(&lg->lock, flags);
	if (unlikely(rc < 0))
		return rc;

	rnd_large_retire(lg, n, rc == 1);
	*moved = (void *)to.addr;

	return 0;
}
