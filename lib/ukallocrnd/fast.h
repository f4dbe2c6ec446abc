/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_FAST_H__
#define __UKALLOCRND_FAST_H__

/* The two fast paths
 *
 * Inlined into the public functions of each home, so that a return address
 * taken here is the user's. Everything that is not the common case leaves by
 * a call of the slow half, which starts from the beginning.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "canary.h"
#include "diag.h"
#include "fill.h"
#include "heap.h"

#define rnd_always_inline inline __attribute__((always_inline))

/**
 * Takes the top of a magazine that is not empty and makes it an object.
 *
 * @param size
 *   Requested bytes; the class of pl serves them
 */
static rnd_always_inline void *rnd_hand_out(struct rnd_pclass *pl, __sz size,
					    enum rnd_kind kind, __uptr caller)
{
	__u64 ref = pl->mag[--pl->mag_cnt];
	void *ptr = rnd_ref_slot(pl, ref);
	__u16 *state = rnd_ref_state(pl, ref);
	__sz len = pl->slot_len;

	if (RND_OPT_WAF && unlikely(!rnd_fill_is_zero(ptr, len)))
		rnd_diag_write_after_free(ptr, len, *state, caller);
	if (RND_OPT_CANARY)
		rnd_canary_write(rnd_canary_word(&pl->key, (__uptr)ptr), ptr,
				 size, len);
	rnd_store_relaxed(state, rnd_state_live(kind, (__u32)(len - size)));

	return ptr;
}

/**
 * Allocates size bytes, 16 byte aligned. Zero sizes give a unique address
 * without memory.
 *
 * @return
 *   The object, or __NULL: exhausted
 */
static rnd_always_inline void *rnd_malloc(struct rnd_heap *h, __sz size,
					  enum rnd_kind kind)
{
	struct rnd_pclass *pl;
	struct rnd_pcpu *pc;
	void *ptr;

	/* Zero wraps around: one comparison for both ends */
	if (unlikely(size - 1 >= RND_SMALL_MAX))
		return rnd_malloc_slow(h, size, kind, RND_CALLER());

	pc = rnd_pcpu_enter(&h->dyn->cpus);
	if (unlikely(!pc))
		return rnd_malloc_slow(h, size, kind, RND_CALLER());

	pl = &pc->cls[rnd_sizeclass_of(size)];
	if (unlikely(!pl->mag_cnt)) {
		rnd_pcpu_leave(pc);
		return rnd_malloc_slow(h, size, kind, RND_CALLER());
	}

	ptr = rnd_hand_out(pl, size, kind, RND_CALLER());
	rnd_pcpu_leave(pc);

	return ptr;
}

/** Tells whether a state word is that of a live object of a kind */
static rnd_always_inline __bool rnd_state_is_live(__u16 state,
						  enum rnd_kind kind)
{
	if (RND_OPT_KIND)
		return (state & RND_STATE_MASK) == RND_SLOT_LIVE + kind;

	return (state & RND_STATE_MASK) - RND_SLOT_LIVE < RND_KIND_COUNT;
}

/** Tells whether the canary of a live slot is untouched */
static rnd_always_inline __bool
rnd_slot_is_sound(const struct rnd_canary_key *key, __sz len, const void *ptr,
		  __u16 state)
{
	__sz slack = state >> RND_STATE_BITS;

	return !RND_OPT_CANARY ||
	       rnd_canary_check(rnd_canary_word(key, (__uptr)ptr), ptr,
				len - slack, len);
}

/**
 * Frees an object of the calling CPU's own slabs; everything else, and
 * everything wrong, is left to rnd_free_slow().
 *
 * @return
 *   1 if the object is freed
 */
static rnd_always_inline __bool rnd_free_own(struct rnd_heap *h, void *ptr,
					     enum rnd_kind kind)
{
	struct rnd_place p;
	struct rnd_pclass *pl;
	struct rnd_pcpu *pc;
	__u16 state;

	if (unlikely(!rnd_pagemap_find(&h->pm, ptr, &p)))
		return 0;

	pc = rnd_pcpu_enter(&h->dyn->cpus);
	if (unlikely(!pc))
		return 0;

	state = rnd_load_relaxed(p.state);
	pl = &pc->cls[p.region->sc];
	if (unlikely(!rnd_state_is_live(state, kind) ||
		     p.slab->owner != pc->idx ||
		     !rnd_slot_is_sound(&pl->key, pl->slot_len, ptr, state))) {
		rnd_pcpu_leave(pc);
		return 0;
	}

	rnd_store_relaxed(p.state,
			  rnd_state_freed(RND_SLOT_QUARANTINED, pc->idx));
	if (RND_OPT_ZERO)
		rnd_fill_zero(ptr, pl->slot_len);
	rnd_pclass_quarantine(pl, rnd_ref_make(p.region, ptr, p.state));
	rnd_pcpu_leave(pc);

	return 1;
}

/**
 * Frees an object; __NULL is nothing. Everything else that is not a live
 * object of this heap and kind ends in a report.
 */
static rnd_always_inline void rnd_free(struct rnd_heap *h, void *ptr,
				       enum rnd_kind kind)
{
	struct rnd_call call;

	if (likely(ptr) && unlikely(!rnd_free_own(h, ptr, kind))) {
		call = (struct rnd_call){ .op = "free",
					  .caller = RND_CALLER(),
					  .kind = (__u8)kind };
		rnd_free_slow(h, ptr, &call);
	}
}

/** Like rnd_free(), and reports if size is not what was requested */
static rnd_always_inline void rnd_free_sized(struct rnd_heap *h, void *ptr,
					     __sz size, enum rnd_kind kind)
{
	struct rnd_call call = { .op = "free",
				 .caller = RND_CALLER(),
				 .kind = (__u8)kind,
				 .sized = 1,
				 .size = size };

	if (likely(ptr))
		rnd_free_slow(h, ptr, &call);
}

#endif /* __UKALLOCRND_FAST_H__ */
