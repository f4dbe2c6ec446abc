/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The slow half of free, and whole pages
 *
 * Here a context may wait, lease a CPU index and report. The order of the
 * steps is the order of likelihood.
 */

#include <errno.h>

#include "fast_remote.h"
#include "slow_priv.h"

static void slow_free_large(struct rnd_heap *h, struct rnd_pcpu *pc, void *ptr,
			    const struct rnd_call *call)
{
	struct rnd_large *lg = &h->dyn->large;
	struct rnd_span sp;
	int rc;

	rc = rnd_large_free_object(lg, ptr, call->kind,
				   call->sized ? &call->size : __NULL, pc->idx,
				   &sp);
	if (unlikely(rc == -EFAULT))
		rnd_diag_span(h, &sp, rnd_large_canary_bad(lg, &sp), call);
	if (unlikely(rc))
		rnd_diag_pointer(h, ptr, call);
	if (RND_OPT_SAMPLE && unlikely(sp.sample))
		rnd_sample_free(&h->dyn->sampler, &sp, pc->idx, call->caller);
}

/* Tests everything about a slot that free() relies on */
static void slot_check(struct rnd_heap *h, void *ptr, const struct rnd_place *p,
		       __u16 state, const struct rnd_call *call)
{
	__sz len = p->region->slot_len, slack = rnd_state_slack(len, state);

	if (!rnd_state_is_live(state, (enum rnd_kind)call->kind) ||
	    (call->sized && call->size != len - slack))
		rnd_diag_pointer(h, ptr, call);

	if (rnd_slot_is_sound(&h->pm.key, len, ptr, slack, RND_REACH_ALL))
		return;
	/* Another CPU frees and clears it at this moment. Acquire: the state
	 * was changed before the first byte of the slot
	 */
	if (rnd_load_acquire(p->state) != state)
		rnd_diag_pointer(h, ptr, call);
	rnd_diag_overflow(
		h, ptr, len, len - slack,
		rnd_canary_find_bad(rnd_canary_word(&h->pm.key, (__uptr)ptr),
				    ptr, len - slack, len),
		call);
}

static void slow_free_slot(struct rnd_heap *h, struct rnd_pcpu *pc, void *ptr,
			   const struct rnd_place *p,
			   const struct rnd_call *call)
{
	__u16 state = rnd_load_relaxed(p->state), freed;
	__bool own = p->slab->owner == pc->idx;

	if ((state & RND_STATE_MASK) != RND_SLOT_LIVE_EMPTY)
		slot_check(h, ptr, p, state, call);
	else if ((call->sized && call->size) ||
		 (RND_OPT_KIND && state != rnd_state_empty(call->kind)))
		rnd_diag_pointer(h, ptr, call);

	/* The owner's fast path may still overtake, which
	 * rnd_pclass_take_remote() finds
	 */
	freed = rnd_state_freed(own ? RND_SLOT_FREED : RND_SLOT_REMOTE,
				pc->idx);
	if (unlikely(!rnd_slot_claim(p, ptr, state, freed,
				     p->region->sc ? p->region->slot_len : 0)))
		rnd_diag_pointer(h, ptr, call);

	if (own)
		rnd_pclass_quarantine(&pc->cls[p->region->sc], p->n);
	else
		rnd_pcpu_free_remote(&h->dyn->cpus, pc, p->slab,
				     rnd_place_slot(p));
}

void rnd_free_slow(struct rnd_heap *h, void *ptr, const struct rnd_call *call)
{
	struct rnd_ctx ctx = rnd_ctx_enter(&h->dyn->cpus);
	struct rnd_place place;

	if (RND_OPT_SAMPLE)
		rnd_countdown_free(&ctx.pc->countdown, &ctx.pc->rng);
	if (likely(rnd_pagemap_find(&h->pm, ptr, &place)))
		slow_free_slot(h, ctx.pc, ptr, &place, call);
	else
		slow_free_large(h, ctx.pc, ptr, call);
	/* Once a round of a quarantine at least: who frees as much as it
	 * allocates never refills
	 */
	rnd_pcpu_drain_inbox(ctx.pc);
	rnd_pcpu_age(ctx.pc);
	rnd_slow_leave(h, ctx);
}

/* Class 0 has objects without bytes. All others that are in its window are
 * large, and not looked for elsewhere: the slow half does the rest
 */
static rnd_always_inline __bool free_slot(struct rnd_heap *h, void *ptr,
					  __sz size, enum rnd_kind kind)
{
	struct rnd_pcpu *pc = rnd_cpus_own(h->dyn->cpus.table);

	return rnd_window_class(h->pm.window, ptr) &&
	       (rnd_free_long(h, pc, ptr, size, kind, RND_REACH_ALL) ||
		rnd_free_remote(h, pc, ptr, size, kind));
}

void rnd_free_out(struct rnd_heap *h, void *ptr, enum rnd_kind kind,
		  __uptr caller)
{
	struct rnd_call call = { .op = "free",
				 .caller = caller,
				 .kind = (__u8)kind };

	if (unlikely(!ptr) || free_slot(h, ptr, RND_SIZE_UNKNOWN, kind))
		return;
	rnd_free_slow(h, ptr, &call);
}

void rnd_free_sized_out(struct rnd_heap *h, void *ptr, __sz size,
			enum rnd_kind kind, __uptr caller)
{
	struct rnd_call call = { .op = "free",
				 .caller = caller,
				 .kind = (__u8)kind,
				 .sized = 1,
				 .size = size };

	if (unlikely(!ptr) || free_slot(h, ptr, size, kind))
		return;
	rnd_free_slow(h, ptr, &call);
}

void rnd_pfree(struct rnd_heap *h, void *ptr, __sz pages, __uptr caller)
{
	struct rnd_large *lg = &h->dyn->large;
	struct rnd_call call = { .op = "pfree",
				 .caller = caller,
				 .kind = RND_KIND_PAGES,
				 .sized = 1,
				 .size = pages * RND_PAGE_LEN };
	struct rnd_ctx ctx;

	if (unlikely(!ptr || !pages))
		return;

	ctx = rnd_ctx_enter(&h->dyn->cpus);
	if (unlikely(rnd_large_free(lg, ptr, pages, RND_KIND_PAGES,
				    ctx.pc->idx)))
		rnd_diag_pointer(h, ptr, &call);
	rnd_ctx_leave(&h->dyn->cpus, ctx);
}
