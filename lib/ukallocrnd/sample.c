/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>

#include "sample.h"

/* Draws of a pair of malloc and free: what is freed is drawn for, too, if the
 * quarantine has a random stage
 */
#define SAMPLE_DRAWS (RND_QUARANTINE_RAND_LEN ? 2U : 1U)

static __sz table_len(__u32 max)
{
	return ALIGN_UP(max * sizeof(struct rnd_sample), RND_PAGE_LEN);
}

int rnd_sampler_init(struct rnd_sampler *sm, struct rnd_vspace *vs, __u32 max)
{
	__uptr addr;

	if (unlikely(rnd_vspace_reserve_meta(vs, table_len(max), &addr)))
		return -ENOMEM;

	rnd_lock_init(&sm->lock, RND_RANK_SAMPLE);
	sm->vs = vs;
	sm->rec = (struct rnd_sample *)addr;
	sm->max = max;

	return 0;
}

void rnd_sampler_destroy(struct rnd_sampler *sm)
{
	rnd_vspace_release_meta((__uptr)sm->rec, table_len(sm->max));
}

/*
 * Records; all of this under the lock
 */

/* Commits one more page of records */
static int sampler_grow(struct rnd_sampler *sm)
{
	__uptr base = (__uptr)sm->rec;
	__uptr end = ALIGN_UP(base + sm->cap * sizeof(struct rnd_sample),
			      RND_PAGE_LEN);
	__sz fit;

	if (unlikely(rnd_vspace_commit(sm->vs, end, RND_PAGE_LEN,
				       RND_BACKING_META)))
		return -ENOMEM;

	fit = (end + RND_PAGE_LEN - base) / sizeof(struct rnd_sample);
	sm->cap = (__u32)MIN(fit, (__sz)sm->max);

	return 0;
}

static void fifo_push(struct rnd_sampler *sm, __u32 n)
{
	sm->rec[n - 1].next = 0;
	if (sm->tail)
		sm->rec[sm->tail - 1].next = n;
	else
		sm->head = n;
	sm->tail = n;
}

static __u32 fifo_take(struct rnd_sampler *sm)
{
	__u32 n = sm->head;

	if (n) {
		sm->head = sm->rec[n - 1].next;
		if (!sm->head)
			sm->tail = 0;
	}

	return n;
}

/* Number + 1 of a record for a new object; 0: all are of live ones */
static __u32 sampler_take(struct rnd_sampler *sm)
{
	/* A new record forgets nothing */
	if (sm->cnt == sm->cap && sm->cap < sm->max)
		(void)sampler_grow(sm);
	if (sm->cnt < sm->cap)
		return ++sm->cnt;

	return fifo_take(sm);
}

/* The record n - 1 if it is still the span's, or __NULL */
static struct rnd_sample *sampler_record(struct rnd_sampler *sm,
					 const struct rnd_span *sp)
{
	struct rnd_sample *rec;

	if (!sp->sample || sp->sample > sm->cnt)
		return __NULL;
	rec = &sm->rec[sp->sample - 1];

	return rec->addr == sp->addr ? rec : __NULL;
}

/*
 * Objects
 */

/* Makes record n that of an object, which nobody knows yet */
static void sample_fill(struct rnd_sampler *sm, __u32 n,
			const struct rnd_span *sp, const struct rnd_trace *t)
{
	unsigned long flags = rnd_lock_acquire(&sm->lock);

	sm->rec[n - 1] = (struct rnd_sample){ .addr = sp->addr,
					      .req = sp->req,
					      .map = sp->map,
					      .map_len = sp->map_len,
					      .allocated = *t,
					      .kind = sp->kind };
	sm->served++;
	rnd_lock_release(&sm->lock, flags);
}

void *rnd_sample_alloc(struct rnd_sampler *sm, struct rnd_large *lg,
		       const struct rnd_sample_want *want)
{
	struct rnd_large_want at = { .req = want->req,
				     .align = want->align,
				     .kind = want->kind };
	struct rnd_span sp = { .addr = 0 };
	struct rnd_trace trace;
	unsigned long flags;
	void *ptr;

	flags = rnd_lock_acquire(&sm->lock);
	at.sample = sampler_take(sm);
	if (at.sample) {
		sm->rec[at.sample - 1].addr = 0;
		sm->rec[at.sample - 1].is_freed = 0;
	}
	rnd_lock_release(&sm->lock, flags);
	if (unlikely(!at.sample))
		return __NULL;

	if (want->align < RND_PAGE_LEN && rnd_vspace_draw(lg->vs, 2))
		at.seat = RND_SEAT_RIGHT;
	ptr = rnd_large_alloc_at(lg, &at);
	if (likely(ptr && rnd_large_find(lg, ptr, &sp))) {
		rnd_trace_take(&trace, want->cpu, want->caller);
		sample_fill(sm, at.sample, &sp, &trace);
		return ptr;
	}

	/* As if of an object that was freed */
	flags = rnd_lock_acquire(&sm->lock);
	sm->rec[at.sample - 1].is_freed = 1;
	fifo_push(sm, at.sample);
	rnd_lock_release(&sm->lock, flags);

	return __NULL;
}

void rnd_sample_free(struct rnd_sampler *sm, const struct rnd_span *sp,
		     __u32 cpu, __uptr caller)
{
	struct rnd_trace trace;
	struct rnd_sample *rec;
	unsigned long flags;

	rnd_trace_take(&trace, cpu, caller);
	flags = rnd_lock_acquire(&sm->lock);
	rec = sampler_record(sm, sp);
	UK_ASSERT(rec && !rec->is_freed);
	rec->freed = trace;
	rec->is_freed = 1;
	fifo_push(sm, sp->sample);
	rnd_lock_release(&sm->lock, flags);
}

__bool rnd_sample_of(struct rnd_sampler *sm, const struct rnd_span *sp,
		     struct rnd_sample *copy)
{
	struct rnd_sample *rec;
	unsigned long flags;

	flags = rnd_lock_acquire(&sm->lock);
	rec = sampler_record(sm, sp);
	if (rec)
		*copy = *rec;
	rnd_lock_release(&sm->lock, flags);

	return rec != __NULL;
}

__bool rnd_sample_near(struct rnd_sampler *sm, __uptr addr,
		       struct rnd_sample *copy)
{
	const struct rnd_sample *rec, *best = __NULL;
	unsigned long flags;
	__u32 i;

	flags = rnd_lock_acquire(&sm->lock);
	for (i = 0; i < sm->cnt; i++) {
		rec = &sm->rec[i];
		if (!rec->addr || addr - rec->map >= rec->map_len)
			continue;
		/* Addresses that were used again belong to the living */
		if (!best || !rec->is_freed)
			best = rec;
	}
	if (best)
		*copy = *best;
	rnd_lock_release(&sm->lock, flags);

	return best != __NULL;
}

__bool rnd_sampler_is_valid(struct rnd_sampler *sm)
{
	__u32 freed = 0, listed = 0, n, i;
	unsigned long flags;

	flags = rnd_lock_acquire(&sm->lock);
	for (i = 0; i < sm->cnt; i++)
		freed += sm->rec[i].is_freed;
	for (n = sm->head; n && n <= sm->cnt && listed <= freed;
	     n = sm->rec[n - 1].next)
		listed += sm->rec[n - 1].is_freed ? 1 : sm->max;
	rnd_lock_release(&sm->lock, flags);

	return freed == listed && sm->cnt <= sm->cap && sm->cap <= sm->max;
}

/*
 * Countdowns
 */

/* Draws to let pass: those of rate - 1 requests on average, unpredictable */
static __u32 countdown_draw(struct rnd_rng *rng, __u32 rate)
{
	return rnd_rng_uniform(rng, 2 * SAMPLE_DRAWS * (rate - 1) + 1);
}

/* Counts what the fast paths drew */
static void countdown_count(struct rnd_countdown *c, const struct rnd_rng *rng)
{
	__u32 drawn = 0;

	/* The buffer may have been filled since; that is not counted */
	if (c->mark > rng->left)
		drawn = (c->mark - rng->left) / sizeof(__u16);
	c->left -= MIN(drawn, c->left);
	c->mark = rng->left;
}

void rnd_countdown_free(struct rnd_countdown *c, const struct rnd_rng *rng)
{
	countdown_count(c, rng);
	if (SAMPLE_DRAWS > 1 && c->left)
		c->left--;
}

__bool rnd_countdown_request(struct rnd_countdown *c, struct rnd_rng *rng,
			     __u32 rate)
{
	__bool due;

	countdown_count(c, rng);
	if (unlikely(!c->armed)) {
		c->left = countdown_draw(rng, rate);
		c->armed = 1;
	}
	due = !c->left;
	if (due)
		c->left = countdown_draw(rng, rate);
	else
		c->left--;

	return due;
}

void rnd_countdown_cut(struct rnd_countdown *c, struct rnd_rng *rng)
{
	if (c->armed && c->left < rng->left / sizeof(__u16))
		rng->left = c->left * (__u32)sizeof(__u16);
	c->mark = rng->left;
}
