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
 * taken here is the user's. Those for short slots (RND_SHORT_LEN) call nothing
 * and need no stack frame; the same code for slots of any length is a jump
 * away, so are the slow paths, which start from the beginning:
 *
 *     malloc --> short --no--> long --no--> rnd_malloc_out()
 *     free ----> short --no--> long --no--> rnd_free_out()
 */

#include <string.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "canary.h"
#include "diag.h"
#include "fill.h"
#include "heap.h"
#ifdef __SSE2__
#include "wide.h"
#endif
#if RND_PORT_LENDS_SSE
#include "fill_saved.h"
#endif

/* Registers that the paths may use: 16, or what wide.h has. A file that
 * chooses more is called only if the processor has them
 */
#ifndef RND_FAST_REGISTER
#define RND_FAST_REGISTER 16
#endif
#define RND_FAST_WIDE (RND_FAST_REGISTER > 32 ? RND_WIDE_64 : RND_WIDE_32)

/* Which slots a path can serve: a constant of each use */
enum rnd_reach {
	RND_REACH_SHORT, /* short ones */
	RND_REACH_LONG,	 /* others with a quarantine of their class; any, if
			  * a request decides
			  */
	RND_REACH_BULK,	 /* those with the common one (bulk.h) */
	RND_REACH_ALL,	 /* any */
};

static rnd_always_inline __bool rnd_reach_is_bulk(const struct rnd_pclass *pl,
						  enum rnd_reach reach)
{
	return RND_OPT_QUARANTINE && (reach == RND_REACH_BULK ||
				      (reach == RND_REACH_ALL && pl->bulk));
}

static rnd_always_inline __bool rnd_reach_is_zero(const void *slot, __sz len,
						  enum rnd_reach reach)
{
#if RND_FAST_REGISTER > 16
	if (reach == RND_REACH_SHORT ||
	    (reach == RND_REACH_ALL && len <= RND_SHORT_LEN))
		return rnd_wide_is_zero_short(slot, len);
	return rnd_wide_is_zero(slot, len, RND_FAST_WIDE);
#else
#if RND_PORT_LENDS_SSE
	if (reach == RND_REACH_LONG)
		return rnd_fill_lent(is_zero, slot, len);
#endif
	return reach == RND_REACH_SHORT ? rnd_fill_is_zero_short(slot, len) :
					  rnd_fill_is_zero(slot, len);
#endif
}

static rnd_always_inline void rnd_reach_zero(void *slot, __sz len,
					     enum rnd_reach reach)
{
#if RND_FAST_REGISTER > 16
	if (reach == RND_REACH_SHORT ||
	    (reach == RND_REACH_ALL && len <= RND_SHORT_LEN))
		rnd_wide_zero_short(slot, len);
	else
		rnd_wide_zero(slot, len, RND_FAST_WIDE);
#else
	if (reach == RND_REACH_SHORT)
		rnd_fill_zero_short(slot, len);
#if RND_PORT_LENDS_SSE
	else if (reach == RND_REACH_LONG)
		rnd_fill_lent(word, slot, len, 0);
#endif
	else
		rnd_fill_zero(slot, len);
#endif
}

/* Tells whether a slot that was drawn is as it must be: free, and zero */
static rnd_always_inline __bool rnd_slot_is_clean(const void *slot, __sz len,
						  const __u16 *state,
						  enum rnd_reach reach)
{
	if (unlikely(*state & RND_SLOT_TAKEN))
		return 0;

	return !RND_OPT_WAF || likely(rnd_reach_is_zero(slot, len, reach));
}

/**
 * Makes a slot that was drawn, and is clean, an object.
 *
 * @param len
 *   Length of the slot
 * @param size
 *   Requested bytes
 */
/* A built-in stores the state word */
/* NOLINTBEGIN(readability-non-const-parameter) */
static rnd_always_inline void
rnd_slot_hand_out(const struct rnd_pclass *pl, void *slot, __u16 *state,
		  __sz len, __sz size, enum rnd_kind kind, enum rnd_reach reach)
{
	__u64 word;

	if (RND_OPT_CANARY) {
		word = rnd_canary_word(&pl->key, (__uptr)slot);
		if (reach == RND_REACH_SHORT)
			rnd_canary_write_short(word, slot, size, len);
		else if (reach == RND_REACH_LONG)
			rnd_canary_write_few(word, slot, size, len);
		else
			rnd_canary_write(word, slot, size, len);
	}
	rnd_store_relaxed(state, (__u16)(((len - size) << RND_STATE_BITS) +
					 pl->live + kind));
}
/* NOLINTEND(readability-non-const-parameter) */

/* Tells whether the calling CPU may draw a slot without further ado */
static rnd_always_inline __bool rnd_malloc_is_plain(const struct rnd_pclass *pl,
						    const struct rnd_rng *rng)
{
	return likely(rnd_pclass_can_draw(pl)) && likely(rnd_rng_has16(rng));
}

/* Draws a slot and makes it an object; the caller is inside.
 *
 * len: length of its slots if that is known, otherwise 0
 * Returns 0 if the slot is not as free left it: *obj is the slot then.
 */
static rnd_always_inline __bool rnd_malloc_draw(struct rnd_pclass *pl,
						struct rnd_rng *rng, __sz size,
						__sz len, enum rnd_kind kind,
						enum rnd_reach reach,
						void **obj)
{
	__u16 *state;
	__uptr n;
	void *slot;

	if (reach != RND_REACH_SHORT)
		len = pl->slot_len;
	n = rnd_pclass_draw(pl, rng);
	slot = (char *)pl->base + n * len;
	state = pl->states + n;
	*obj = slot;
	if (unlikely(!rnd_slot_is_clean(slot, len, state, reach)))
		return 0;
	rnd_slot_hand_out(pl, slot, state, len, size, kind, reach);

	return 1;
}

/**
 * Allocates from a pool of the calling CPU that has something to draw.
 *
 * @param pc
 *   State of the calling CPU, not entered yet
 * @param size
 *   Requested bytes, which class sc serves
 *   With RND_REACH_SHORT it is not looked at
 * @param len
 *   Length of its slots with RND_REACH_SHORT, otherwise 0
 * @param caller
 *   For reports; 0: the return address of the function this is inlined into
 * @param[out] obj
 *   The object
 *
 * @return
 *   1 if there is an object; 0: take the slow path
 */
static rnd_always_inline __bool rnd_malloc_own(struct rnd_pcpu *pc, __sz size,
					       __sz sc, __sz len,
					       enum rnd_kind kind,
					       __uptr caller,
					       enum rnd_reach reach, void **obj)
{
	struct rnd_pclass *pl;

	if (unlikely(!rnd_pcpu_enter(pc)))
		return 0;

	pl = reach == RND_REACH_SHORT ? rnd_pcpu_part_short(pc, len) :
					rnd_pcpu_part(pc, sc);
	rnd_hide(pl);
	if (unlikely(!rnd_malloc_is_plain(pl, &pc->rng))) {
		rnd_pcpu_leave(pc);
		return 0;
	}

	/* Does not return: nobody waits for this context any more */
	if (unlikely(!rnd_malloc_draw(pl, &pc->rng, size, len, kind, reach,
				      obj))) {
		*obj = rnd_hand_out_bad(pl, *obj,
					caller ? caller : RND_CALLER());
		return 1;
	}
	rnd_pcpu_leave(pc);

	return 1;
}

/** Tells whether rnd_malloc_short() serves a request; zero wraps around */
static rnd_always_inline __bool rnd_size_is_short(__sz size)
{
	return likely(size - 1 < RND_SHORT_MAX);
}

/**
 * Allocates size bytes, 16 byte aligned.
 *
 * @param pc
 *   State of the calling CPU, not entered yet
 * @param size
 *   Requested bytes, short
 * @param[out] obj
 *   The object
 *
 * @return
 *   1 if there is an object; 0: call rnd_malloc_out()
 */
static rnd_always_inline __bool rnd_malloc_short(struct rnd_pcpu *pc, __sz size,
						 enum rnd_kind kind, void **obj)
{
	return likely(rnd_malloc_own(pc, size, 0, rnd_sizeclass_short_len(size),
				     kind, 0, RND_REACH_SHORT, obj));
}

/**
 * The same for all requests that slots serve, zero excepted.
 *
 * @param reach
 *   RND_REACH_ALL; RND_REACH_LONG only if the request is not short
 */
static rnd_always_inline __bool rnd_malloc_long(struct rnd_pcpu *pc, __sz size,
						enum rnd_kind kind,
						__uptr caller,
						enum rnd_reach reach,
						void **obj)
{
	unsigned int sc;

	if (unlikely(size - 1 >= RND_SMALL_MAX))
		return 0;
	sc = rnd_sizeclass_of(size);

	return likely(
		rnd_malloc_own(pc, size, sc, 0, kind, caller, reach, obj));
}

/** Tells whether a state word is that of a live object of a kind */
static rnd_always_inline __bool rnd_state_is_live(__uptr state,
						  enum rnd_kind kind)
{
	if (RND_OPT_KIND)
		return (state & RND_STATE_MASK) == RND_SLOT_LIVE + kind;

	return (state & RND_STATE_MASK) - RND_SLOT_LIVE < RND_KIND_COUNT;
}

/** Tells whether the canary of a live slot is untouched */
static rnd_always_inline __bool
rnd_slot_is_sound(const struct rnd_canary_key *key, __sz len, const void *ptr,
		  __sz slack, enum rnd_reach reach)
{
	__u64 word;

	if (!RND_OPT_CANARY)
		return 1;
	word = rnd_canary_word(key, (__uptr)ptr);
	if (reach == RND_REACH_SHORT)
		return rnd_canary_check_short(word, ptr, len, slack);
	if (reach == RND_REACH_LONG)
		return rnd_canary_check_few(word, ptr, len - slack, len);
	return rnd_canary_check(word, ptr, len - slack, len);
}

/* Tells whether a state word is that of a live slot of a CPU's own slab */
static rnd_always_inline __bool rnd_state_is_own(const struct rnd_pclass *pl,
						 __uptr n, __uptr state,
						 enum rnd_kind kind,
						 enum rnd_reach reach)
{
	const __u32 mask = RND_STATE_MASK | 0xffffU << RND_STATE_OWNER_SHIFT;

	/* One comparison for state, kind and owner */
	if (reach == RND_REACH_SHORT && RND_OPT_KIND)
		return (state & mask) == pl->live + (__u32)kind;
	if (!rnd_state_is_live(state, kind))
		return 0;
	if (reach == RND_REACH_SHORT)
		return (state ^ pl->live) >> RND_STATE_OWNER_SHIFT == 0;

	return rnd_pclass_slab(pl, n)->owner == pl->cpu;
}

/* A slot that the calling CPU may free without further ado */
struct rnd_target {
	__uptr n;
	__sz len;
	__sz slack;
};

/* Tells whether the calling CPU may free ptr without further ado: it is the
 * start of a slot of its own, there is room for it, and the object is as the
 * caller says
 */
static rnd_always_inline __bool rnd_free_is_plain(struct rnd_pclass *pl,
						  const struct rnd_rng *rng,
						  const void *ptr, __sz size,
						  enum rnd_kind kind,
						  enum rnd_reach reach,
						  struct rnd_target *t)
{
	__uptr off = (__uptr)ptr - pl->base, state;

	t->len = pl->slot_len;
	if (unlikely(off >= pl->end) ||
	    unlikely(!rnd_region_divide(off, pl->inverse, &t->n)))
		return 0;

	state = rnd_load_relaxed(&pl->states[t->n]);
	if (unlikely(!rnd_state_is_own(pl, t->n, state, kind, reach)))
		return 0;
	if (!rnd_reach_is_bulk(pl, reach) &&
	    unlikely(!rnd_pclass_can_step(pl, rng)))
		return 0;

	t->slack = state >> RND_STATE_BITS;
	if (reach == RND_REACH_SHORT ||
	    (reach == RND_REACH_ALL && t->len <= RND_SHORT_LEN))
		t->slack &= RND_SLACK_MAX_SHORT;
	if (size != RND_SIZE_UNKNOWN && unlikely(size + t->slack != t->len))
		return 0;

	return likely(
		rnd_slot_is_sound(&pl->key, t->len, ptr, t->slack, reach));
}

/* What is left of a canary, which is a secret, would be inside the next object
 * where slots are not cleared
 */
static rnd_always_inline void rnd_slack_wipe(void *ptr, __sz len, __sz slack)
{
	if (RND_OPT_CANARY && !RND_OPT_ZERO)
		memset((char *)ptr + len - slack, 0, slack);
}

/* Frees what rnd_free_is_plain() found; the caller is inside */
static rnd_always_inline void rnd_free_target(struct rnd_pclass *pl,
					      struct rnd_rng *rng, void *ptr,
					      const struct rnd_target *t,
					      enum rnd_reach reach)
{
	rnd_store_relaxed(&pl->states[t->n], pl->freed);
	if (RND_OPT_ZERO)
		rnd_reach_zero(ptr, t->len, reach);
	rnd_slack_wipe(ptr, t->len, t->slack);
	if (rnd_reach_is_bulk(pl, reach))
		rnd_pclass_quarantine_bulk(pl, (__u32)t->n);
	else
		rnd_pclass_step(pl, rng, (__u32)t->n);
}

/**
 * Frees an object of the calling CPU's own slabs.
 *
 * @param pc
 *   State of the calling CPU, not entered yet
 * @param sc
 *   Size class of the window that ptr is in
 * @param size
 *   Requested bytes that the caller claims, or RND_SIZE_UNKNOWN
 *
 * @return
 *   1 if the object is freed; 0: take the slow path
 */
static rnd_always_inline __bool rnd_free_own(struct rnd_pcpu *pc, __u32 sc,
					     void *ptr, __sz size,
					     enum rnd_kind kind,
					     enum rnd_reach reach)
{
	struct rnd_pclass *pl;
	struct rnd_target t;

	if (unlikely(!rnd_pcpu_enter(pc)))
		return 0;

	pl = rnd_pcpu_part(pc, sc);
	rnd_hide(pl);
	if (unlikely(!rnd_free_is_plain(pl, &pc->rng, ptr, size, kind, reach,
					&t))) {
		rnd_pcpu_leave(pc);
		return 0;
	}

	/* What was loaded for the test is not kept in registers for this,
	 * unless there is nothing in between that needs them
	 */
	if (RND_OPT_CANARY || RND_OPT_ZERO)
		rnd_hide(pl);
	rnd_free_target(pl, &pc->rng, ptr, &t, reach);
	rnd_pcpu_leave(pc);

	return 1;
}

/** Class of a pointer into a short slot; 0: not one, call rnd_free_long() */
static rnd_always_inline __u32 rnd_ptr_short(const struct rnd_heap *h,
					     const void *ptr)
{
	return rnd_window_class(h->pm.window_short, ptr);
}

/**
 * Frees a live object of a short slot. Everything else is refused.
 *
 * @param sc
 *   What rnd_ptr_short() returned, not 0
 * @param size
 *   As for rnd_free_own()
 *
 * @return
 *   1 if the object is freed; 0: call rnd_free_out() or rnd_free_sized_out()
 */
static rnd_always_inline __bool rnd_free_short(struct rnd_pcpu *pc, __u32 sc,
					       void *ptr, __sz size,
					       enum rnd_kind kind)
{
	return likely(rnd_free_own(pc, sc, ptr, size, kind, RND_REACH_SHORT));
}

/**
 * The same for any pointer, __NULL and wild ones included.
 *
 * @param reach
 *   RND_REACH_ALL; RND_REACH_LONG only if the slot is not short
 */
static rnd_always_inline __bool rnd_free_long(const struct rnd_heap *h,
					      struct rnd_pcpu *pc, void *ptr,
					      __sz size, enum rnd_kind kind,
					      enum rnd_reach reach)
{
	__u32 sc = rnd_window_class(h->pm.window, ptr);

	return likely(rnd_free_own(pc, sc, ptr, size, kind, reach));
}

#endif /* __UKALLOCRND_FAST_H__ */
