/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>

#include "span.h"

#define SPAN_TABLE_LEN	((__sz)RND_SPAN_MAX * sizeof(struct rnd_span))
#define SPAN_BUCKET_LEN ((__sz)RND_SPAN_BUCKETS * sizeof(__u32))

UK_CTASSERT(sizeof(struct rnd_span) == 48);

int rnd_spans_init(struct rnd_spans *t, struct rnd_vspace *vs)
{
	__uptr table, bucket;

	UK_ASSERT(t && vs);

	if (unlikely(rnd_vspace_reserve_meta(vs, SPAN_TABLE_LEN, &table)))
		return -ENOMEM;
	if (unlikely(rnd_vspace_reserve_meta(vs, SPAN_BUCKET_LEN, &bucket)))
		goto err_bucket;
	if (unlikely(rnd_vspace_commit(vs, bucket, SPAN_BUCKET_LEN,
				       RND_BACKING_META)))
		goto err_commit;

	t->vs = vs;
	t->secret = rnd_vspace_draw(vs, __U64_MAX);
	t->span = (struct rnd_span *)table;
	t->bucket = (__u32 *)bucket;

	return 0;

err_commit:
	rnd_vspace_release_meta(bucket, SPAN_BUCKET_LEN);
err_bucket:
	rnd_vspace_release_meta(table, SPAN_TABLE_LEN);
	return -ENOMEM;
}

void rnd_spans_destroy(struct rnd_spans *t)
{
	__u32 i;

	for (i = 0; i < t->cnt; i++)
		if (t->span[i].state != RND_SPAN_FREE)
			rnd_port_release(t->span[i].map, t->span[i].map_len);
	rnd_vspace_release_meta((__uptr)t->bucket, SPAN_BUCKET_LEN);
	rnd_vspace_release_meta((__uptr)t->span, SPAN_TABLE_LEN);
}

/*
 * Finding
 */

static __u32 *spans_chain(const struct rnd_spans *t, __uptr addr)
{
	/* Fibonacci hashing */
	__u64 h = ((addr >> RND_PAGE_SHIFT) ^ t->secret) * 0x9e3779b97f4a7c15UL;

	return &t->bucket[h / (__U64_MAX / RND_SPAN_BUCKETS + 1)];
}

__u32 rnd_spans_find(const struct rnd_spans *t, __uptr addr)
{
	__u32 n = *spans_chain(t, addr);

	while (n && t->span[n - 1].addr != addr)
		n = t->span[n - 1].next;

	return n;
}

__u32 rnd_spans_locate(const struct rnd_spans *t, __uptr addr)
{
	const struct rnd_span *sp;
	__u32 i;

	for (i = 0; i < t->cnt; i++) {
		sp = &t->span[i];
		if (sp->state != RND_SPAN_FREE && addr >= sp->map &&
		    addr - sp->map < sp->map_len)
			return i + 1;
	}

	return 0;
}

static void spans_insert(struct rnd_spans *t, __u32 n)
{
	__u32 *head = spans_chain(t, t->span[n - 1].addr);

	t->span[n - 1].next = *head;
	*head = n;
}

static void spans_remove(struct rnd_spans *t, __u32 n)
{
	__u32 *link = spans_chain(t, t->span[n - 1].addr);

	while (*link != n)
		link = &t->span[*link - 1].next;
	*link = t->span[n - 1].next;
}

/*
 * Entries
 */

/* Commits one more page of entries */
static int spans_grow(struct rnd_spans *t)
{
	__sz used = (__sz)t->cap * sizeof(struct rnd_span);
	__uptr end = ALIGN_UP((__uptr)t->span + used, RND_PAGE_LEN);

	if (unlikely(end >= (__uptr)t->span + SPAN_TABLE_LEN))
		return -ENOMEM;
	if (unlikely(rnd_vspace_commit(t->vs, end, RND_PAGE_LEN,
				       RND_BACKING_META)))
		return -ENOMEM;

	end += RND_PAGE_LEN;
	t->cap = (__u32)((end - (__uptr)t->span) / sizeof(struct rnd_span));

	return 0;
}

/* Entries that a span owes: page allocations may be cut at every page */
static __sz span_owes(const struct rnd_span *sp)
{
	return sp->kind == RND_KIND_PAGES && sp->state == RND_SPAN_LIVE ?
		       sp->pages - 1 :
		       0;
}

int rnd_spans_make_room(struct rnd_spans *t, const struct rnd_span *sp)
{
	__sz need = t->owed + span_owes(sp) + 1;

	while (t->free_cnt + (t->cap - t->cnt) < need)
		if (unlikely(spans_grow(t)))
			return -ENOMEM;

	return 0;
}

/* Number + 1 of an entry for a span; there is one (G5) */
static __u32 spans_entry_get(struct rnd_spans *t)
{
	__u32 n = t->free;

	if (n) {
		t->free = t->span[n - 1].next;
		t->free_cnt--;
		return n;
	}
	UK_ASSERT(t->cnt < t->cap);

	return ++t->cnt;
}

static void spans_entry_put(struct rnd_spans *t, __u32 n)
{
	t->span[n - 1] = (struct rnd_span){ .next = t->free };
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
	t->owed += span_owes(sp);
	spans_insert(t, n);
	spans_count(t, 1);
	t->live_pages += sp->pages;
}

struct rnd_span rnd_spans_forget(struct rnd_spans *t, __u32 n)
{
	struct rnd_span sp = t->span[n - 1];

	spans_remove(t, n);
	spans_entry_put(t, n);

	return sp;
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

	t->owed -= span_owes(&t->span[n - 1]);
	if (first + cnt != t->span[n - 1].pages) {
		m = spans_entry_get(t);
		spans_cut(t, n, first + cnt, m);
		t->owed += span_owes(&t->span[m - 1]);
	}
	if (first) {
		m = spans_entry_get(t);
		spans_cut(t, n, first, m);
		t->owed += span_owes(&t->span[n - 1]);
		n = m;
	}

	return n;
}

__u32 rnd_spans_claim(struct rnd_spans *t, __u32 n, __sz first, __sz cnt)
{
	n = spans_carve(t, n, first, cnt);
	t->span[n - 1].state = RND_SPAN_LEAVING;
	spans_count(t, -1U);
	t->live_pages -= cnt;

	return n;
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
		if (rnd_spans_find(t, sp->addr) != i + 1 ||
		    sp->addr < sp->map ||
		    sp->addr + rnd_span_len(sp) > sp->map + sp->map_len)
			return 0;
		if (sp->state == RND_SPAN_LIVE) {
			live++;
			pages += sp->pages;
		}
		*waiting += sp->state == RND_SPAN_QUARANTINED;
		owed += span_owes(sp);
	}

	return live == t->live_cnt && pages == t->live_pages &&
	       owed == t->owed && owed <= t->free_cnt + (t->cap - t->cnt);
}
