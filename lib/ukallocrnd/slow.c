/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The slow half of malloc, and whole pages
 *
 * Here a context may wait, lease a CPU index, refill, reclaim and report. The
 * order of the steps is the order of likelihood.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>

#include "reclaim.h"
#include "slow_priv.h"

/* Before giving up, takes back what can be had without the user: so much that
 * there is as much to choose from as at other times
 */
static __bool __noinline refill_again(struct rnd_heap *h, struct rnd_pcpu *pc,
				      struct rnd_pclass *pl)
{
	struct rnd_reclaim rc = { .all = 1 };

	/* Slots of no bytes need state words */
	rc.want = (__sz)pl->pool_max * pl->slot_len + RND_PAGE_LEN;
	while (rnd_reclaim(h, pc, &rc))
		if (rnd_pclass_refill(pl))
			return 1;

	return 0;
}

static __bool slow_refill(struct rnd_heap *h, struct rnd_pcpu *pc,
			  struct rnd_pclass *pl)
{
	/* Time passes for those who hold memory back */
	rnd_large_age(&h->dyn->large);
	/* Others may have freed what we need */
	rnd_pcpu_drain_inbox(pc);
	rnd_pcpu_age(pc);
	if (rnd_pclass_can_draw(pl))
		return 1;
	if (likely(rnd_pclass_refill(pl)))
		return 1;

	return refill_again(h, pc, pl);
}

/* A slot of a class, or RND_SLOT_NONE */
static __u32 slow_draw(struct rnd_heap *h, struct rnd_pcpu *pc,
		       struct rnd_pclass *pl)
{
	if (!rnd_pclass_can_draw(pl) && !slow_refill(h, pc, pl))
		return RND_SLOT_NONE;
	/* Now and then also without a quarantine, whose rounds see to it. May
	 * take random bits
	 */
	if (unlikely(!rnd_rng_has16(&pc->rng)))
		rnd_pcpu_drain_inbox(pc);
	if (unlikely(!rnd_rng_has16(&pc->rng)))
		rnd_rng_refill(&pc->rng);

	return (__u32)rnd_pclass_draw(pl, &pc->rng);
}

static void *slow_hand_out(struct rnd_pclass *pl, __u32 n, __sz size,
			   enum rnd_kind kind, __uptr caller)
{
	void *ptr = rnd_pclass_slot(pl, n);
	__u16 *state = pl->states + n;

	if (unlikely(!rnd_slot_is_clean(ptr, pl->slot_len, state,
					RND_REACH_ALL)))
		return rnd_hand_out_bad(pl, ptr, caller);
	rnd_slot_hand_out(pl, ptr, state, pl->slot_len, size, kind,
			  RND_REACH_ALL);

	return ptr;
}

/* An object of no bytes: a slot of class 0, which is never committed */
static void *slow_empty(struct rnd_pclass *pl, __u32 n, enum rnd_kind kind)
{
	rnd_store_relaxed(&pl->states[n], rnd_state_empty(kind));

	return rnd_pclass_slot(pl, n);
}

static void *__noinline large_again(struct rnd_heap *h, struct rnd_pcpu *pc,
				    __sz req, __sz align, __u8 kind,
				    __bool clean)
{
	struct rnd_reclaim rc = { .want = req, .all = 1 };
	void *ptr = __NULL;

	rc.req = MAX(req, align);
	while (!ptr && rnd_reclaim(h, pc, &rc))
		ptr = rnd_large_alloc(&h->dyn->large, req, align, kind, clean);

	return ptr;
}

static void *slow_large(struct rnd_heap *h, __sz req, __sz align, __u8 kind,
			__bool clean)
{
	struct rnd_large *lg = &h->dyn->large;
	struct rnd_ctx ctx;
	void *ptr;

	/* More than there can be fails before anything is looked for, so that
	 * the answer tells nothing, and nothing is given up for it
	 */
	if (unlikely(!rnd_large_is_possible(lg, req)))
		return __NULL;

	/* Inside a state, because fork() waits for who is inside */
	ctx = rnd_ctx_enter(&h->dyn->cpus);
	ptr = rnd_large_alloc(lg, req, align, kind, clean);
	if (unlikely(!ptr))
		ptr = large_again(h, ctx.pc, req, align, kind, clean);
	rnd_ctx_leave(&h->dyn->cpus, ctx);

	return ptr;
}

/* Serves a request as a sample if one is due; __NULL: serve it from a slot */
static void *slow_sample(struct rnd_heap *h, struct rnd_pcpu *pc,
			 struct rnd_sample_want *want)
{
	if (!RND_OPT_SAMPLE ||
	    likely(!rnd_countdown_request(&pc->countdown, &pc->rng,
					  RND_SAMPLE_RATE)) ||
	    !want->req)
		return __NULL;
	want->cpu = pc->idx;

	return rnd_sample_alloc(&h->dyn->sampler, &h->dyn->large, want);
}

static void *slow_class(struct rnd_heap *h, unsigned int sc,
			struct rnd_sample_want *want)
{
	struct rnd_ctx ctx = rnd_ctx_enter(&h->dyn->cpus);
	struct rnd_pclass *pl = rnd_pcpu_class(&h->dyn->cpus, ctx.pc, sc);
	enum rnd_kind kind = (enum rnd_kind)want->kind;
	void *ptr = slow_sample(h, ctx.pc, want);
	__u32 n;

	if (unlikely(ptr)) {
		rnd_slow_leave(h, ctx);
		return ptr;
	}
	n = slow_draw(h, ctx.pc, pl);
	if (likely(n != RND_SLOT_NONE))
		ptr = likely(sc) ? slow_hand_out(pl, n, want->req, kind,
						 want->caller) :
				   slow_empty(pl, n, kind);
	rnd_slow_leave(h, ctx);

	return ptr;
}

void *rnd_malloc_slow(struct rnd_heap *h, __sz size, enum rnd_kind kind,
		      __uptr caller)
{
	struct rnd_sample_want want = { .req = size,
					.align = RND_SLOT_ALIGN,
					.caller = caller,
					.kind = (__u8)kind };

	if (unlikely(size > RND_SMALL_MAX))
		return slow_large(h, size, RND_SLOT_ALIGN, (__u8)kind, 0);

	return slow_class(h, size ? rnd_sizeclass_of(size) : 0, &want);
}

void *rnd_malloc_out(struct rnd_heap *h, __sz size, enum rnd_kind kind,
		     __uptr caller)
{
	void *ptr;

	if (rnd_malloc_long(rnd_cpus_own(h->dyn->cpus.table), size, kind,
			    caller, RND_REACH_ALL, &ptr))
		return ptr;

	return rnd_malloc_slow(h, size, kind, caller);
}

void *rnd_memalign(struct rnd_heap *h, __sz align, __sz size,
		   enum rnd_kind kind, __uptr caller)
{
	struct rnd_sample_want want = { .align = align,
					.caller = caller,
					.kind = (__u8)kind };
	unsigned int sc = 0;

	UK_ASSERT(POWER_OF_2(align));

	/* An address that nobody may access needs memory for its alignment */
	if (align <= RND_SLOT_ALIGN)
		return rnd_malloc_out(h, size, kind, caller);
	if (!size)
		size = 1;

	/* A slot starts at a multiple of what divides its length */
	if (align <= RND_PAGE_LEN && size <= RND_SMALL_MAX)
		sc = rnd_sizeclass_aligned(size, align);
	/* A short slot's state word and canary have room for little slack */
	if (sc && rnd_sizeclass[sc].slot_len <= RND_SHORT_LEN &&
	    rnd_sizeclass[sc].slot_len - size > RND_CANARY_SHORT_MAX)
		sc = rnd_sizeclass_aligned(RND_SHORT_MAX + 1, align);
	if (sc && rnd_sizeclass[sc].slot_len - size <= RND_SLACK_MAX) {
		want.req = size;
		return slow_class(h, sc, &want);
	}

	return slow_large(h, size, align, (__u8)kind, 0);
}

void *rnd_calloc(struct rnd_heap *h, __sz nmemb, __sz size, __uptr caller)
{
	__sz len;
	void *ptr;

	if (unlikely(__builtin_mul_overflow(nmemb, size, &len)))
		return __NULL;

	if (unlikely(len > RND_SMALL_MAX))
		return slow_large(h, len, RND_SLOT_ALIGN, RND_KIND_MALLOC, 1);

	ptr = rnd_malloc_out(h, len, RND_KIND_MALLOC, caller);
	/* Fresh pages are zero, and so are free slots if freeing clears them */
	if (!RND_OPT_ZERO && likely(ptr) && len)
		memset(ptr, 0, len);

	return ptr;
}

/*
 * Whole pages
 */

void *rnd_palloc(struct rnd_heap *h, __sz pages, __uptr caller)
{
	(void)caller;
	if (unlikely(!pages || pages > __SSZ_MAX / RND_PAGE_LEN))
		return __NULL;

	return slow_large(h, pages * RND_PAGE_LEN, RND_PAGE_LEN, RND_KIND_PAGES,
			  0);
}
