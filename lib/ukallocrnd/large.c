/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>

#include "atomic.h"
#include "canary.h"
#include "large.h"
#include "sizeclass.h"

#define LARGE_TABLE_LEN	 ((__sz)RND_SPAN_MAX * sizeof(struct rnd_span))
#define LARGE_BUCKET_LEN ((__sz)RND_SPAN_BUCKETS * sizeof(__u32))
#define LARGE_CHUNK	 (RND_PAGE_LEN / sizeof(struct rnd_span))

UK_CTASSERT(sizeof(struct rnd_span) == 48);

int rnd_large_init(struct rnd_large *lg, struct rnd_vspace *vs)
{
	__u8 seed[RND_CHACHA_KEY_LEN];
	__uptr table, bucket;

	UK_ASSERT(lg && vs);

	if (unlikely(rnd_vspace_reserve_meta(vs, LARGE_TABLE_LEN, &table)))
		return -ENOMEM;
	if (unlikely(rnd_vspace_reserve_meta(vs, LARGE_BUCKET_LEN, &bucket)))
		goto err_bucket;
	if (unlikely(rnd_vspace_commit(vs, bucket, LARGE_BUCKET_LEN,
				       RND_BACKING_META)))
		goto err_commit;

	rnd_lock_init(&lg->lock, RND_RANK_LARGE);
	lg->vs = vs;
	rnd_canary_key_init(&lg->key, rnd_vspace_draw(vs, __U64_MAX),
			    rnd_vspace_draw(vs, __U64_MAX));
	lg->span = (struct rnd_span *)table;
	lg->bucket = (__u32 *)bucket;
	rnd_port_entropy(seed, sizeof(seed));
	rnd_rng_init(&lg->rng, seed);
	rnd_quarantine_init(&lg->q, RND_LARGE_RAND_LEN,
			    MIN(RND_LARGE_QUARANTINE_LEN + 0U,
				RND_QUARANTINE_FIFO_LEN + 0U),
			    1);

	return 0;

err_commit:
	rnd_vspace_release_meta(bucket, LARGE_BUCKET_LEN);
err_bucket:
	rnd_vspace_release_meta(table, LARGE_TABLE_LEN);
	return -ENOMEM;
}

void rnd_large_destroy(struct rnd_large *lg)
{
	__u32 i;

	for (i = 0; i < lg->span_cnt; i++)
		if (lg->span[i].state != RND_SPAN_FREE)
			rnd_port_release(lg->span[i].map, lg->span[i].map_len);
	rnd_vspace_release_meta((__uptr)lg->bucket, LARGE_BUCKET_LEN);
	rnd_vspace_release_meta((__uptr)lg->span, LARGE_TABLE_LEN);
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
 * The table; all of this under the lock
 */

/* Counts live spans. A relaxed store, because large_guard() reads without the
 * lock
 */
static void large_count(struct rnd_large *lg, __u32 cnt)
{
	rnd_store_relaxed(&lg->live_cnt, lg->live_cnt + cnt);
}

static __u32 *large_chain(struct rnd_large *lg, __uptr addr)
{
	/* Fibonacci hashing with a secret: chains cannot be made long */
	__u64 h =
		((addr >> RND_PAGE_SHIFT) ^ lg->key.add) * 0x9e3779b97f4a7c15UL;

	return &lg->bucket[h / (__U64_MAX / RND_SPAN_BUCKETS + 1)];
}

static __u32 large_lookup(struct rnd_large *lg, __uptr addr)
{
	__u32 n = *large_chain(lg, addr);

	while (n && lg->span[n - 1].addr != addr)
		n = lg->span[n - 1].next;

	return n;
}

static void large_insert(struct rnd_large *lg, __u32 n)
{
	__u32 *head = large_chain(lg, lg->span[n - 1].addr);

	lg->span[n - 1].next = *head;
	*head = n;
}

static void large_remove(struct rnd_large *lg, __u32 n)
{
	__u32 *link = large_chain(lg, lg->span[n - 1].addr);

	while (*link != n)
		link = &lg->span[*link - 1].next;
	*link = lg->span[n - 1].next;
}

/* Commits one more page of entries */
static int large_grow(struct rnd_large *lg)
{
	__sz used = (__sz)lg->span_cap * sizeof(struct rnd_span);
	__uptr end = ALIGN_UP((__uptr)lg->span + used, RND_PAGE_LEN);

	if (unlikely(end >= (__uptr)lg->span + LARGE_TABLE_LEN))
		return -ENOMEM;
	if (unlikely(rnd_vspace_commit(lg->vs, end, RND_PAGE_LEN,
				       RND_BACKING_META)))
		return -ENOMEM;

	end += RND_PAGE_LEN;
	lg->span_cap =
		(__u32)((end - (__uptr)lg->span) / sizeof(struct rnd_span));

	return 0;
}

/* Number + 1 of an entry for a span; there is one (G5) */
static __u32 large_entry_get(struct rnd_large *lg)
{
	__u32 n = lg->free;

	if (n) {
		lg->free = lg->span[n - 1].next;
		lg->free_cnt--;
		return n;
	}
	UK_ASSERT(lg->span_cnt < lg->span_cap);

	return ++lg->span_cnt;
}

/* Entries that a span owes: page allocations may be cut at every page */
static __sz span_owes(const struct rnd_span *sp)
{
	return sp->kind == RND_KIND_PAGES && sp->state == RND_SPAN_LIVE ?
		       sp->pages - 1 :
		       0;
}

/* Makes room for a new span and all that it may be cut into (G5) */
static int large_make_room(struct rnd_large *lg, const struct rnd_span *sp)
{
	__sz need = lg->owed + span_owes(sp) + 1;

	while (lg->free_cnt + (lg->span_cap - lg->span_cnt) < need)
		if (unlikely(large_grow(lg)))
			return -ENOMEM;

	return 0;
}

static void large_entry_put(struct rnd_large *lg, __u32 n)
{
	lg->span[n - 1] = (struct rnd_span){ .next = lg->free };
	lg->free = n;
	lg->free_cnt++;
}

/*
 * Allocating
 */

static __uptr span_end(const struct rnd_span *sp)
{
	return sp->addr + sp->pages * RND_PAGE_LEN;
}

static __sz large_guard(struct rnd_large *lg, __sz pages)
{
	__sz most = MIN(MAX(pages / 2, 1UL), RND_LARGE_GUARD_MAX);

	/* A racy read: a few more or less do not matter */
	if (rnd_load_relaxed(&lg->live_cnt) >= RND_LARGE_GUARDED_MAX)
		return 0;

	return (1 + rnd_vspace_draw(lg->vs, most)) * RND_PAGE_LEN;
}

static void span_canary_write(const struct rnd_large *lg,
			      const struct rnd_span *sp)
{
	__sz len = sp->pages * RND_PAGE_LEN;

	if (RND_OPT_CANARY && sp->req < len)
		rnd_canary_write(rnd_canary_word(&lg->key, sp->addr),
				 (void *)sp->addr, sp->req, len);
}

const void *rnd_large_canary_bad(const struct rnd_large *lg,
				 const struct rnd_span *sp)
{
	__u64 word = rnd_canary_word(&lg->key, sp->addr);
	__sz len = sp->pages * RND_PAGE_LEN;

	if (!RND_OPT_CANARY || sp->req == len ||
	    likely(rnd_canary_check(word, (void *)sp->addr, sp->req, len)))
		return __NULL;

	return rnd_canary_find_bad(word, (void *)sp->addr, sp->req, len);
}

/* Reserves and commits a span that is in no table yet */
static int span_make(struct rnd_large *lg, struct rnd_span *sp, __sz align)
{
	__sz len = sp->pages * RND_PAGE_LEN;
	__sz pre = large_guard(lg, sp->pages);
	int rc;

	sp->map_len = pre + len + large_guard(lg, sp->pages);
	rc = rnd_vspace_reserve(lg->vs, sp->map_len, align, pre, &sp->map);
	if (unlikely(rc))
		return rc;

	sp->addr = sp->map + pre;
	rc = rnd_vspace_commit(lg->vs, sp->addr, len, RND_BACKING_USER);
	if (unlikely(rc))
		rnd_port_release(sp->map, sp->map_len);

	return rc;
}

static void span_unmake(struct rnd_large *lg, const struct rnd_span *sp)
{
	rnd_vspace_decommit(lg->vs, sp->addr, sp->pages * RND_PAGE_LEN,
			    RND_BACKING_USER);
	rnd_port_release(sp->map, sp->map_len);
}

void *rnd_large_alloc(struct rnd_large *lg, __sz req, __sz align, __u8 kind)
{
	struct rnd_span sp = { .req = req,
			       .state = RND_SPAN_LIVE,
			       .kind = kind };
	unsigned long flags;
	__u32 n;

	UK_ASSERT(req && POWER_OF_2(align));

	if (unlikely(!rnd_large_is_possible(lg, req)))
		return __NULL;
	sp.pages = rnd_large_pages(req);
	if (unlikely(span_make(lg, &sp, MAX(align, RND_PAGE_LEN))))
		return __NULL;
	span_canary_write(lg, &sp);

	flags = rnd_lock_acquire(&lg->lock);
	n = large_make_room(lg, &sp) ? 0 : large_entry_get(lg);
	if (likely(n)) {
		lg->span[n - 1] = sp;
		lg->owed += span_owes(&sp);
		large_insert(lg, n);
		large_count(lg, 1);
		lg->live_pages += sp.pages;
	}
	rnd_lock_release(&lg->lock, flags);

	if (unlikely(!n)) {
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
	n = large_lookup(lg, (__uptr)ptr);
	if (n)
		*copy = lg->span[n - 1];
	rnd_lock_release(&lg->lock, flags);

	return n != 0;
}

static __u32 large_containing(const struct rnd_large *lg, __uptr addr)
{
	const struct rnd_span *sp;
	__u32 i;

	for (i = 0; i < lg->span_cnt; i++) {
		sp = &lg->span[i];
		if (sp->state != RND_SPAN_FREE && addr >= sp->map &&
		    addr - sp->map < sp->map_len)
			return i + 1;
	}

	return 0;
}

__bool rnd_large_locate(struct rnd_large *lg, const void *ptr,
			struct rnd_span *copy)
{
	unsigned long flags;
	__u32 n;

	flags = rnd_lock_acquire(&lg->lock);
	n = large_containing(lg, (__uptr)ptr);
	if (n)
		*copy = lg->span[n - 1];
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
	for (i = 0; i < lg->span_cnt; i++)
		if (lg->span[i].state != RND_SPAN_FREE)
			fn(arg, &lg->span[i]);
	rnd_lock_release(&lg->lock, flags);
}

/*
 * Freeing
 */

/* Cuts a span in two at page first; entry m becomes the upper part. Each part
 * keeps the guard at its own end.
 */
static void large_cut(struct rnd_large *lg, __u32 n, __sz first, __u32 m)
{
	struct rnd_span *low = &lg->span[n - 1], *high = &lg->span[m - 1];
	__uptr at = low->addr + first * RND_PAGE_LEN;

	*high = *low;
	high->addr = at;
	high->pages = low->pages - first;
	high->req = high->pages * RND_PAGE_LEN;
	high->map = at;
	high->map_len = low->map + low->map_len - at;
	large_insert(lg, m);

	low->pages = first;
	low->req = first * RND_PAGE_LEN;
	low->map_len = at - low->map;
	large_count(lg, 1);
}

/* Makes pages [first, first + cnt) of span n a span of its own. What is owed
 * for the whole covers the entries that this takes and what the parts owe.
 */
static __u32 large_carve(struct rnd_large *lg, __u32 n, __sz first, __sz cnt)
{
	__u32 m;

	lg->owed -= span_owes(&lg->span[n - 1]);
	if (first + cnt != lg->span[n - 1].pages) {
		m = large_entry_get(lg);
		large_cut(lg, n, first + cnt, m);
		lg->owed += span_owes(&lg->span[m - 1]);
	}
	if (first) {
		m = large_entry_get(lg);
		large_cut(lg, n, first, m);
		lg->owed += span_owes(&lg->span[n - 1]);
		n = m;
	}

	return n;
}

/* Finds the live span of the kind that holds the pages, and their place */
static __u32 large_holder(struct rnd_large *lg, __uptr addr, __sz *cnt,
			  __u8 kind)
{
	__u32 n = large_lookup(lg, addr);
	struct rnd_span *sp;

	if (!n && *cnt)
		n = large_containing(lg, addr);
	if (!n)
		return 0;

	sp = &lg->span[n - 1];
	if (!*cnt)
		*cnt = sp->pages;
	if (sp->state != RND_SPAN_LIVE || sp->kind != kind ||
	    addr % RND_PAGE_LEN || addr < sp->addr || addr >= span_end(sp) ||
	    *cnt > (span_end(sp) - addr) / RND_PAGE_LEN)
		return 0;

	return n;
}

/* Under the lock: the pages become a LEAVING span; 0 if there are none */
static __u32 large_claim(struct rnd_large *lg, __uptr addr, __sz cnt, __u8 kind,
			 __u32 cpu)
{
	struct rnd_span *sp;
	__u32 n;

	n = large_holder(lg, addr, &cnt, kind);
	if (unlikely(!n))
		return 0;

	sp = &lg->span[n - 1];
	n = large_carve(lg, n, (addr - sp->addr) / RND_PAGE_LEN, cnt);
	sp = &lg->span[n - 1];
	sp->state = RND_SPAN_LEAVING;
	sp->freed_by = (__u16)(cpu + 1);
	large_count(lg, -1U);
	lg->live_pages -= sp->pages;

	return n;
}

/* Under the lock: takes a span out of the table for good */
static struct rnd_span large_forget(struct rnd_large *lg, __u32 n)
{
	struct rnd_span sp = lg->span[n - 1];

	large_remove(lg, n);
	large_entry_put(lg, n);

	return sp;
}

int rnd_large_free(struct rnd_large *lg, const void *ptr, __sz cnt, __u8 kind,
		   __u32 cpu)
{
	struct rnd_span sp = { .addr = 0 };
	unsigned long flags;
	__u32 n, out;

	flags = rnd_lock_acquire(&lg->lock);
	n = large_claim(lg, (__uptr)ptr, cnt, kind, cpu);
	if (likely(n))
		sp = lg->span[n - 1];
	rnd_lock_release(&lg->lock, flags);
	if (unlikely(!n))
		return -EINVAL;

	/* Not earlier: until it was claimed another CPU could decommit it */
	if (!cnt && unlikely(rnd_large_canary_bad(lg, &sp)))
		return -EFAULT;

	rnd_vspace_decommit(lg->vs, sp.addr, sp.pages * RND_PAGE_LEN,
			    RND_BACKING_USER);

	flags = rnd_lock_acquire(&lg->lock);
	lg->span[n - 1].state = RND_SPAN_QUARANTINED;
	cnt = rnd_quarantine_push(&lg->q, &lg->rng, n, &out);
	if (cnt)
		sp = large_forget(lg, out);
	rnd_lock_release(&lg->lock, flags);

	if (cnt)
		rnd_port_release(sp.map, sp.map_len);

	return 0;
}

void rnd_large_resize(struct rnd_large *lg, const void *ptr, __sz req)
{
	struct rnd_span sp;
	unsigned long flags;
	__u32 n;

	flags = rnd_lock_acquire(&lg->lock);
	n = large_lookup(lg, (__uptr)ptr);
	UK_ASSERT(n && lg->span[n - 1].state == RND_SPAN_LIVE);
	lg->span[n - 1].req = req;
	sp = lg->span[n - 1];
	rnd_lock_release(&lg->lock, flags);

	span_canary_write(lg, &sp);
}

struct large_drain {
	struct rnd_large *lg;
	__u32 cnt;
};

static void large_drop(void *arg, __u32 n)
{
	struct large_drain *d = arg;
	struct rnd_span sp = large_forget(d->lg, n);

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

__bool rnd_large_is_valid(struct rnd_large *lg)
{
	__u32 i, live = 0, waiting = 0;
	const struct rnd_span *sp;
	__sz pages = 0, owed = 0;

	for (i = 0; i < lg->span_cnt; i++) {
		sp = &lg->span[i];
		if (sp->state == RND_SPAN_FREE)
			continue;
		if (large_lookup(lg, sp->addr) != i + 1 || sp->addr < sp->map ||
		    span_end(sp) > sp->map + sp->map_len)
			return 0;
		if (sp->state == RND_SPAN_LIVE) {
			live++;
			pages += sp->pages;
		}
		waiting += sp->state == RND_SPAN_QUARANTINED;
		owed += span_owes(sp);
	}

	return live == lg->live_cnt && pages == lg->live_pages &&
	       owed == lg->owed &&
	       owed <= lg->free_cnt + (lg->span_cap - lg->span_cnt) &&
	       waiting == rnd_quarantine_count(&lg->q);
}
