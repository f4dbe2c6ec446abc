/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_FAST_REMOTE_H__
#define __UKALLOCRND_FAST_REMOTE_H__

/* Freeing what another CPU owns, when nothing is wrong with it
 *
 * Inlined where the paths for slots of one's own end, so that a producer and
 * a consumer pay for one frame only.
 */

#include "fast.h"

/* Makes a slot that is being freed nobody's, and zero. Of several CPUs that
 * free it at once only one wins. len is 0 where there is no memory
 */
static rnd_always_inline __bool rnd_slot_claim(const struct rnd_place *p,
					       void *ptr, __u16 state,
					       __u16 freed, __sz len)
{
	if (unlikely(!rnd_cas_relaxed(p->state, &state, freed)))
		return 0;
	if (RND_OPT_ZERO && len)
		rnd_fill_zero(ptr, len);
	if (len)
		rnd_slack_wipe(ptr, len, rnd_state_slack(len, state));

	return 1;
}

/* Frees an object of another CPU's slab, the caller is inside pc. What is not
 * as it should be is left alone, for others to report
 */
static rnd_always_inline __bool rnd_free_remote_inside(struct rnd_heap *h,
						       struct rnd_pcpu *pc,
						       void *ptr, __sz size,
						       enum rnd_kind kind)
{
	struct rnd_place p;
	__u16 state;
	__sz len, slack;

	if (!rnd_pagemap_find(&h->pm, ptr, &p) || p.slab->owner == pc->idx)
		return 0;
	state = rnd_load_relaxed(p.state);
	len = p.region->slot_len;
	slack = rnd_state_slack(len, state);
	if (!rnd_state_is_live(state, kind) ||
	    (size != RND_SIZE_UNKNOWN && size + slack != len) ||
	    !rnd_slot_is_sound(&h->pm.key, len, ptr, slack, RND_REACH_ALL))
		return 0;

	if (!rnd_slot_claim(&p, ptr, state,
			    rnd_state_freed(RND_SLOT_REMOTE, pc->idx), len))
		return 0;
	rnd_pcpu_free_remote(&h->dyn->cpus, pc, p.slab, rnd_place_slot(&p));

	return 1;
}

/**
 * Frees a live object of another CPU's slab, the usual case.
 *
 * @param pc
 *   State of the calling CPU, not entered yet
 * @param size
 *   Requested bytes that the caller claims, or RND_SIZE_UNKNOWN
 *
 * @return
 *   1 if it is freed; 0: nothing is done, call rnd_free_slow()
 */
static rnd_always_inline __bool rnd_free_remote(struct rnd_heap *h,
						struct rnd_pcpu *pc, void *ptr,
						__sz size, enum rnd_kind kind)
{
	__bool done;

	if (!rnd_pcpu_enter(pc))
		return 0;
	done = rnd_free_remote_inside(h, pc, ptr, size, kind);
	rnd_pcpu_leave(pc);

	return done;
}

#endif /* __UKALLOCRND_FAST_REMOTE_H__ */
