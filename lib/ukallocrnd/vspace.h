/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_VSPACE_H__
#define __UKALLOCRND_VSPACE_H__

/* Random places in the address space, and the budget of what is behind them
 *
 * Why
 *   No address of the heap may follow from another one. Every reservation is
 *   drawn on its own, uniformly over all places where it fits.
 *
 * How
 *   Draw, try, and draw again if something is there already: unbiased, and in
 *   a space of 2^35 pages almost always done at the first try.
 *
 * Invariants
 *   V1  Committed pages never exceed the budget of the heap.
 *   V2  Whatever fails leaves the space and the budget as they were.
 *
 * Concurrency
 *   The generator is protected by the lock (RND_RANK_VSPACE), which is held
 *   for the draw only, never across a call of the port. Counters are atomic.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "atomic.h"
#include "lock.h"
#include "port.h"
#include "rng.h"

/**
 * Field markings: (c) constant after init, (V) lock, (a) atomic
 */
struct rnd_vspace {
	struct rnd_lock lock;
	/** (V) Source of all places */
	struct rnd_rng rng;
	/** (V) Next place when bases are not random */
	__uptr next;
	/** (a) Pages that may be committed; __SZ_MAX: as many as there are */
	__sz limit;
	/** (c) Pages that the whole system has */
	__sz total;
	/** (a) Pages committed: user memory, metadata */
	__sz user;
	__sz meta;
};

/** What a page is for; decides where it is counted */
enum rnd_backing {
	RND_BACKING_USER,
	RND_BACKING_META,
	/** User memory that begins with an object, which will be touched */
	RND_BACKING_OBJECT,
};

/**
 * Initializes a space with entropy of the port.
 *
 * @param limit
 *   Budget in pages, or __SZ_MAX
 */
void rnd_vspace_init(struct rnd_vspace *vs, __sz limit);

/**
 * Reserves len bytes at a random place.
 *
 * @param len
 *   Bytes, whole pages
 * @param align
 *   Alignment of *addr + pre, a power of two, at least a page
 * @param pre
 *   Bytes in front of the aligned address, whole pages
 * @param[out] addr
 *   Start of the reservation; unchanged on failure
 *
 * @return
 *   - (0): Reserved
 *   - (-ENOMEM): No place found
 */
int rnd_vspace_reserve(struct rnd_vspace *vs, __sz len, __sz align, __sz pre,
		       __uptr *addr);

/**
 * As rnd_vspace_reserve(), with what rnd_vspace_draw_both() drew for it.
 *
 * @param word
 *   64 random bits, not used for anything else
 */
int rnd_vspace_reserve_drawn(struct rnd_vspace *vs, __sz len, __sz align,
			     __sz pre, __u64 word, __uptr *addr);

/** Draws an unbiased number below bound from the space's generator */
__u64 rnd_vspace_draw(struct rnd_vspace *vs, __u64 bound);

/** The same, and 64 bits */
__u64 rnd_vspace_draw_both(struct rnd_vspace *vs, __u64 bound, __u64 *word);

/**
 * Reserves metadata between guards: len bytes with at least one page that is
 * never committed on both sides, at a random place.
 *
 * @param[out] addr
 *   Start of the len bytes between the guards
 *
 * @return
 *   - (0): Reserved, nothing committed yet
 *   - (-ENOMEM): No place found
 */
int rnd_vspace_reserve_meta(struct rnd_vspace *vs, __sz len, __uptr *addr);

/** Gives back what rnd_vspace_reserve_meta() reserved, not the counters */
void rnd_vspace_release_meta(__uptr addr, __sz len);

/**
 * Commits reserved pages within the budget.
 *
 * @return
 *   - (0): Committed and zero
 *   - (-ENOMEM): Budget or system exhausted; nothing changed
 */
int rnd_vspace_commit(struct rnd_vspace *vs, __uptr addr, __sz len,
		      enum rnd_backing what);

/** Decommits pages committed with rnd_vspace_commit(); not under a lock */
void rnd_vspace_decommit(struct rnd_vspace *vs, __uptr addr, __sz len,
			 enum rnd_backing what);

/**
 * Tells whether a number of pages could be committed if all others were
 * given back. Cheap, unlike rnd_vspace_available().
 */
static inline __bool rnd_vspace_is_possible(const struct rnd_vspace *vs,
					    __sz pages)
{
	return pages <= MIN(vs->total, rnd_load_relaxed(&vs->limit));
}

/**
 * Moves committed user pages to reserved ones elsewhere within the budget;
 * rnd_port_move() says how.
 *
 * @return
 *   - (0), (1): As rnd_port_move()
 *   - (-ENOTSUP): Not possible, or the budget is exhausted; nothing changed
 */
int rnd_vspace_move(struct rnd_vspace *vs, __uptr from, __sz len, __uptr to,
		    __sz to_len);

/** Pages that can still be committed, an estimate */
__sz rnd_vspace_available(const struct rnd_vspace *vs);

#endif /* __UKALLOCRND_VSPACE_H__ */
