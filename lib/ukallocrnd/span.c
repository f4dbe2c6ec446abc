/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>

#include "span.h"

#define SPAN_TABLE_LEN ((__sz)RND_SPAN_MAX * sizeof(struct rnd_span))

UK_CTASSERT(sizeof(struct rnd_span) == 64);

int rnd_spans_init(struct rnd_spans *t, struct rnd_vspace *vs)
{
	__uptr table;

	UK_ASSERT(t && vs);

	if (unlikely(rnd_vspace_reserve_meta(vs, SPAN_TABLE_LEN, &table)))
		return -ENOMEM;

	t->vs = vs;
	t->span = (struct rnd_span *)table;

	return 0;
}

void rnd_spans_destroy(struct rnd_spans *t)
{
	__u32 i;

	for (i = 0; i < t->cnt; i++)
		if (t->span[i].state != RND_SPAN_FREE)
			rnd_port_release(t->span[i].map, t->span[i].map_len);
	rnd_vspace_release_meta((__uptr)t->span, SPAN_TABLE_LEN);
}

/*
 * The tree
 */

static __u32 spans_search(const struct rnd_spans *t, __uptr addr)
{
	__u32 n = t->root;

	while (n && t->span[n - 1].addr != addr)
		n = addr < t->span[n - 1].addr ? t->span[n - 1].low :
						 t->span[n - 1].high;

	return n;
}

static __u32 hint_of(__uptr addr)
{
	return (addr >> RND_PAGE_SHIFT) % RND_SPAN_HINTS;
}

__u32 rnd_spans_find(const struct rnd_spans *t, __uptr addr)
{
	__u32 n = t->hint[hint_of(addr)];

	/* Free entries have address 0 */
	if (likely(n) && likely(t->span[n - 1].addr == addr) && likely(addr))
		return n;

	return spans_search(t, addr);
}

/* Reservations are disjoint: the last that starts at or below is the only one
 * in question
 */
__u32 rnd_spans_locate(const struct rnd_spans *t, __uptr addr)
{
	__u32 n = t->root, last = 0;

	while (n) {
		if (t->span[n - 1].map > addr) {
			n = t->span[n - 1].low;
		} else {
			last = n;
			n = t->span[n - 1].high;
		}
	}
	if (last && addr - t->span[last - 1].map >= t->span[last - 1].map_len)
		return 0;

	return last;
}

__u32 rnd_spans_prio(const struct rnd_spans *t)
{
	return (__u32)rnd_vspace_draw(t->vs, 1UL << RND_SPAN_PRIO_BITS);
}

static void spans_insert(struct rnd_spans *t, __u32 n)
{
	struct rnd_span *sp = &t->span[n - 1], *at;
	__u32 *link = &t->root, *low = &sp->low, *high = &sp->high, m;

	t->hint[hint_of(sp->addr)] = n;
	while (*link && t->span[*link - 1].prio >= sp->prio) {
		at = &t->span[*link - 1];
		link = sp->addr < at->addr ? &at->low : &at->high;
	}

	/* What was here becomes two trees, one on either side */
	m = *link;
	*link = n;
	while (m) {
		at = &t->span[m - 1];
		if (at->addr < sp->addr) {
			*low = m;
			low = &at->high;
			m = *low;
		} else {
			*high = m;
			high = &at->low;
			m = *high;
		}
	}
	*low = 0;
	*high = 0;
}

static void spans_remove(struct rnd_spans *t, __u32 n)
{
	__u32 *link = &t->root, low, high;
	struct rnd_span *at;

	while (*link != n) {
		at = &t->span[*link - 1];
		link = t->span[n - 1].addr < at->addr ? &at->low : &at->high;
	}

	/* Two trees become one */
	low = t->span[n - 1].low;
	high = t->span[n - 1].high;
	while (low && high) {
		if (t->span[low - 1].prio >= t->span[high - 1].prio) {
			*link = low;
			link = &t->span[low - 1].high;
			low = *link;
		} else {
			*link = high;
			link = &t->span[high - 1].low;
			high = *link;
		}
	}
	*link = low ? low : high;
}

/*
 * Entries
 */

/* All at once: no loop under the lock */
int rnd_spans_make_room_slow(struct rnd_spans *t, __sz need)
{
	__uptr start = (__uptr)t->span, from, end;

	need = t->cnt + (need - t->free_cnt);
	if (unlikely(need > RND_SPAN_MAX))
		return -ENOMEM;
	from = start + ALIGN_UP(t->cap * sizeof(*t->span), RND_PAGE_LEN);
	end = start + ALIGN_UP(need * sizeof(*t->span), RND_PAGE_LEN);
	if (unlikely(rnd_vspace_commit(t->vs, from, end - from,
				       RND_BACKING_META)))
		return -ENOMEM;
	t->cap = (__u32)MIN((end - start) / sizeof(*t->span),
			    RND_SPAN_MAX + 0UL);

	return 0;
}

/* Number + 1 of an entry for a span; there is one (G5) */
static __u32 spans_entry_get(struct rnd_spans *t)
{
	__u32 n = t->free;

	if (n) {
		t->free = t->span[n - 1].low;
		t->free_cnt--;
		return n;
	}
	UK_ASSERT(t->cnt < t->cap);

	return ++t->cnt;
}

static void spans_entry_put(struct rnd_spans *t, __u32 n)
{
	t->span[n - 1] = (struct rnd_span){ .low = t->free };
	t->free = n;
	t->free_cnt++;
}

/* Counts live spans. A relaxed store, because rnd_spans_live() reads without
 * the lock
 */
static void spans_count(struct rnd_spans *t, __u32 cnt)
{
	rnd_store_relaxed(&t->live_cnt, t->live_cnt + cnt);
}

void rnd_spans_add(struct rnd_spans *t, const struct rnd_span *sp)
{
	__u32 n = spans_entry_get(t);

	UK_ASSERT(sp->state == RND_SPAN_LIVE);

	t->span[n - 1] = *sp;
	t->owed += rnd_span_owes(sp);
	spans_insert(t, n);
	spans_count(t, 1);
	t->live_pages += sp->pages;
}

void rnd_spans_forget(struct rnd_spans *t, __u32 n)
{
	spans_remove(t, n);
	spans_entry_put(t, n);
}

/*
 * Cutting
 */

/* Cuts a span in two at page first; entry m becomes the upper part. Each part
 * keeps the guard at its own end.
 */
static void spans_cut(struct rnd_spans *t, __u32 n, __sz first, __u32 m)
{
	struct rnd_span *low = &t->span[n - 1], *high = &t->span[m - 1];
	__uptr at = low->addr + first * RND_PAGE_LEN;

	*high = *low;
	high->addr = at;
	high->pages = low->pages - first;
	high->req = rnd_span_len(high);
	high->map = at;
	high->map_len = low->map + low->map_len - at;
	high->prio = rnd_spans_prio(t);
	spans_insert(t, m);

	low->pages = first;
	low->req = rnd_span_len(low);
	low->map_len = at - low->map;
	spans_count(t, 1);
}

/* Makes pages [first, first + cnt) of span n a span of its own. What is owed
 * for the whole covers the entries that this takes and what the parts owe.
 */
static __u32 spans_carve(struct rnd_spans *t, __u32 n, __sz first, __sz cnt)
{
	__u32 m;

	t->owed -= rnd_span_owes(&t->span[n - 1]);
	if (first + cnt != t->span[n - 1].pages) {
		m = spans_entry_get(t);
		spans_cut(t, n, first + cnt, m);
		t->owed += rnd_span_owes(&t->span[m - 1]);
	}
	if (first) {
		m = spans_entry_get(t);
		spans_cut(t, n, first, m);
		t->owed += rnd_span_owes(&t->span[n - 1]);
		n = m;
	}

	return n;
}

static inline void span_leave(struct rnd_spans *t, struct rnd_span *sp)
{
	sp->state = RND_SPAN_LEAVING;
	spans_count(t, -1U);
	t->live_pages -= sp->pages;
}

__u32 rnd_spans_claim(struct rnd_spans *t, __u32 n, __sz first, __sz cnt)
{
	n = spans_carve(t, n, first, cnt);
	span_leave(t, &t->span[n - 1]);

	return n;
}

/* It owes no entries */
void rnd_spans_claim_object(struct rnd_spans *t, __u32 n)
{
	struct rnd_span *sp = &t->span[n - 1];

	UK_ASSERT(sp->state == RND_SPAN_LIVE && sp->kind != RND_KIND_PAGES);

	span_leave(t, sp);
}

void rnd_spans_revive(struct rnd_spans *t, __u32 n)
{
	struct rnd_span *sp = &t->span[n - 1];

	UK_ASSERT(sp->state == RND_SPAN_LEAVING && sp->kind != RND_KIND_PAGES);

	sp->state = RND_SPAN_LIVE;
	sp->freed_by = 0;
	spans_count(t, 1);
	t->live_pages += sp->pages;
}

/* The entry is where it is looked for, from either end, and below its parent */
static __bool node_is_valid(const struct rnd_spans *t, __u32 n)
{
	const struct rnd_span *sp = &t->span[n - 1];

	return spans_search(t, sp->addr) == n &&
	       rnd_spans_find(t, sp->addr) == n &&
	       rnd_spans_locate(t, sp->map) == n &&
	       rnd_spans_locate(t, sp->map + sp->map_len - 1) == n &&
	       (!sp->low || t->span[sp->low - 1].prio <= sp->prio) &&
	       (!sp->high || t->span[sp->high - 1].prio <= sp->prio);
}

__bool rnd_spans_is_valid(const struct rnd_spans *t, __u32 *waiting)
{
	const struct rnd_span *sp;
	__sz pages = 0, owed = 0;
	__u32 i, live = 0;

	*waiting = 0;
	for (i = 0; i < t->cnt; i++) {
		sp = &t->span[i];
		if (sp->state == RND_SPAN_FREE)
			continue;
		if (!node_is_valid(t, i + 1) || rnd_span_base(sp) < sp->map ||
		    rnd_span_end(sp) > sp->map + sp->map_len)
			return 0;
		if (sp->state == RND_SPAN_LIVE) {
			if (sp->addr + sp->req > rnd_span_end(sp))
				return 0;
			live++;
			pages += sp->pages;
		}
		*waiting += sp->state == RND_SPAN_QUARANTINED;
		owed += rnd_span_owes(sp);
	}

	return live == t->live_cnt && pages == t->live_pages &&
	       owed == t->owed && owed <= t->free_cnt + (t->cap - t->cnt);
}
