/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Large objects from and into the park */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>

#include "atomic.h"
#include "fill.h"
#include "large.h"
#include "large_priv.h"

static void parked_drop(struct rnd_large *lg, const struct rnd_parked *pk)
{
	rnd_vspace_decommit(lg->vs, pk->addr, pk->pages * RND_PAGE_LEN,
			    RND_BACKING_USER);
	if (RND_OPT_LARGE_KEEP)
		rnd_large_retire(lg, pk->span, 0);
	else
		rnd_port_release(pk->map, pk->map_len);
}

/* What has left the park; a kept span belongs to the caller (K3). Under the
 * lock.
 */
static void parked_leave(struct rnd_large *lg, const struct rnd_parked *pk)
{
	if (RND_OPT_LARGE_KEEP)
		rnd_spans_at(&lg->t, pk->span)->state = RND_SPAN_LEAVING;
}

/* Gives back what is too old, and the oldest until there are few enough */
static __sz large_evict(struct rnd_large *lg, __sz most)
{
	struct rnd_parked pk;
	unsigned long flags;
	__bool found;
	__sz pages = 0;

	do {
		flags = rnd_lock_acquire(&lg->lock);
		found = rnd_park_evict(&lg->park, most, &pk);
		if (found)
			parked_leave(lg, &pk);
		rnd_lock_release(&lg->lock, flags);
		if (found) {
			parked_drop(lg, &pk);
			pages += pk.pages;
		}
	} while (found);

	return pages * RND_PAGE_LEN;
}

__sz rnd_large_unpark(struct rnd_large *lg)
{
	return large_evict(lg, 0);
}

__sz rnd_large_parked(struct rnd_large *lg)
{
	unsigned long flags;
	__sz len = 0;
	__u32 i;

	flags = rnd_lock_acquire(&lg->lock);
	for (i = 0; i < lg->park.cnt; i++)
		len += lg->park.e[i].map_len;
	rnd_lock_release(&lg->lock, flags);

	return len;
}

void rnd_large_age(struct rnd_large *lg)
{
	unsigned long flags;

	/* A racy read: the next time will do */
	if (likely(!rnd_load_relaxed(&lg->park.cnt)))
		return;

	flags = rnd_lock_acquire(&lg->lock);
	lg->park.clock++;
	rnd_lock_release(&lg->lock, flags);
	(void)large_evict(lg, RND_PARK_PAGES);
}

/* Whole pages */
static void pages_clear(__uptr addr, __sz len)
{
	if (RND_PORT_LENDS_SSE)
		rnd_fill_zero_long((void *)addr, len);
	else
		memset((void *)addr, 0, len);
}

/* Takes pages out of the park for a span, and gives back what is too much of
 * them; 1 if there were any
 */
static __bool park_take(struct rnd_large *lg, const struct rnd_span *sp,
			__sz align, struct rnd_parked *pk)
{
	unsigned long flags;
	__bool found;

	if (!rnd_park_wants(sp->pages) || sp->sample ||
	    !rnd_load_relaxed(&lg->park.cnt))
		return 0;

	for (;;) {
		flags = rnd_lock_acquire(&lg->lock);
		found = rnd_park_take(&lg->park, sp->pages, align, pk);
		if (found)
			parked_leave(lg, pk);
		rnd_lock_release(&lg->lock, flags);
		if (!found)
			return 0;
		if (likely(pk->epoch == (__u16)rnd_port_epoch()))
			break;
		parked_drop(lg, pk); /* K4 */
	}
	if (pk->pages > sp->pages)
		rnd_vspace_decommit(lg->vs, pk->addr + rnd_span_len(sp),
				    (pk->pages - sp->pages) * RND_PAGE_LEN,
				    RND_BACKING_USER);
	if (!RND_OPT_LARGE_KEEP && pk->clean < rnd_span_len(sp))
		pages_clear(pk->addr + pk->clean, rnd_span_len(sp) - pk->clean);

	return 1;
}

__bool rnd_large_take_parked(struct rnd_large *lg, struct rnd_span *sp,
			     __sz align)
{
	struct rnd_parked pk;

	if (RND_OPT_LARGE_KEEP || !park_take(lg, sp, align, &pk))
		return 0;

	sp->addr = pk.addr;
	sp->map = pk.map;
	sp->map_len = pk.map_len;
	sp->epoch = (__u16)pk.epoch;
	sp->prio = rnd_spans_prio(&lg->t);

	return 1;
}

void *rnd_large_take_kept(struct rnd_large *lg,
			  const struct rnd_large_want *want,
			  const struct rnd_span *sp, __sz align)
{
	struct rnd_span now, *entry;
	struct rnd_parked pk;
	unsigned long flags;

	/* Pages may be freed in parts, each of which needs an entry (G5) */
	if (!RND_OPT_LARGE_KEEP || sp->kind == RND_KIND_PAGES ||
	    !park_take(lg, sp, align, &pk))
		return __NULL;

	now = *sp;
	now.addr = pk.addr;
	rnd_large_seat(lg, &now, want->align);
	if (want->clean)
		memset((void *)now.addr, 0, now.req);

	flags = rnd_lock_acquire(&lg->lock);
	entry = rnd_spans_at(&lg->t, pk.span);
	/* In the same page as before: the tree stays in order */
	entry->addr = now.addr;
	entry->pages = now.pages;
	entry->req = now.req;
	entry->kind = now.kind;
	entry->seat = now.seat;
	rnd_spans_revive(&lg->t, pk.span);
	rnd_lock_release(&lg->lock, flags);

	return (void *)now.addr;
}

/* What is left of the canary, which is a secret, would be inside the next
 * object
 */
static void around_wipe(const struct rnd_span *sp)
{
	__uptr base = rnd_span_base(sp), behind = sp->addr + sp->req;

	if (!RND_OPT_CANARY)
		return;
	memset((void *)base, 0, sp->addr - base);
	memset((void *)behind, 0, rnd_span_end(sp) - behind);
}

__bool rnd_large_keep(struct rnd_large *lg, __u32 n, const struct rnd_span *sp)
{
	struct rnd_parked pk = { .addr = rnd_span_base(sp),
				 .pages = sp->pages,
				 .map = sp->map,
				 .map_len = sp->map_len,
				 .span = n,
				 .epoch = sp->epoch };
	unsigned long flags;
	__bool is_kept;

	if (!RND_OPT_LARGE_KEEP || !rnd_park_wants(sp->pages) || sp->sample ||
	    sp->kind == RND_KIND_PAGES || sp->epoch != (__u16)rnd_port_epoch())
		return 0;
	around_wipe(sp);
	flags = rnd_lock_acquire(&lg->lock);
	is_kept = rnd_park_put(&lg->park, &pk);
	if (is_kept)
		rnd_spans_at(&lg->t, n)->state = RND_SPAN_KEPT;
	rnd_lock_release(&lg->lock, flags);
	(void)large_evict(lg, RND_PARK_PAGES);

	return is_kept;
}

static __sz pages_there(__uptr addr, __sz pages)
{
	__u8 is_there[RND_PORT_LOOK];
	__sz part, i, cnt = 0;

	for (; pages; pages -= part, addr += part * RND_PAGE_LEN) {
		part = MIN(pages, RND_PORT_LOOK);
		rnd_port_backed(addr, part, is_there);
		for (i = 0; i < part; i++)
			cnt += is_there[i];
	}

	return cnt;
}

int rnd_large_park(struct rnd_large *lg, const struct rnd_span *sp)
{
	struct rnd_span to = { .pages = sp->pages };
	__uptr base = rnd_span_base(sp);
	__sz len = rnd_span_len(sp);
	__sz clean = rnd_park_clean(sp->pages) * RND_PAGE_LEN;
	struct rnd_parked pk;
	unsigned long flags;
	__bool is_parked;
	int rc;

	if (RND_OPT_LARGE_KEEP || !rnd_park_wants(sp->pages) || sp->sample ||
	    pages_there(base, sp->pages) < sp->pages - sp->pages / 8 ||
	    unlikely(rnd_large_place(lg, &to, RND_PAGE_LEN)))
		return -ENOTSUP;
	rc = rnd_vspace_move(lg->vs, base, len, to.addr, len);
	if (unlikely(rc < 0)) {
		rnd_port_release(to.map, to.map_len);
		return rc;
	}
	pk = (struct rnd_parked){ .addr = to.addr,
				  .pages = to.pages,
				  .map = to.map,
				  .map_len = to.map_len,
				  .clean = clean,
				  .epoch = to.epoch };
	if (unlikely(!rnd_port_reset(to.addr, len))) {
		parked_drop(lg, &pk);
		return rc;
	}
	pages_clear(to.addr, clean);

	flags = rnd_lock_acquire(&lg->lock);
	is_parked = rnd_park_put(&lg->park, &pk);
	rnd_lock_release(&lg->lock, flags);
	if (unlikely(!is_parked))
		parked_drop(lg, &pk);
	(void)large_evict(lg, RND_PARK_PAGES);

	return rc;
}
