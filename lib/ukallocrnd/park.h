/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_PARK_H__
#define __UKALLOCRND_PARK_H__

/* Parked pages: memory of freed large objects, ready at a new place
 *
 * Why
 *   Fresh pages cost a page fault each, many times as much as what most
 *   programs do with a page. But a freed object must be out of reach at once,
 *   and the next one must lie somewhere else.
 *
 * How
 *   When an object is freed its pages move to a new reservation, at a random
 *   place between guards, which nobody has ever been told of. There they are
 *   cleared and wait. The next object of about that size gets the place with
 *   the pages in it, without a call of the system. The old place is reserved,
 *   without memory, and passes the quarantine as ever.
 *
 *     old place   | guard | object | guard |  ->  | nothing behind it |
 *                              |
 *                              v pages move, are cleared
 *     new place        | guard | 0 0 0 0 | guard |  ->  next object
 *
 *   Clearing is what takes time: of long objects a part is cleared when they
 *   are freed and the rest when they are handed out, so that neither call
 *   takes the time of both.
 *
 *   With RND_OPT_LARGE_KEEP the pages do not move and are not cleared: the
 *   span of the freed object waits itself, and becomes the next object.
 *
 *   What is held back is bounded by RND_PARK_PAGES, and by time: each step of
 *   the clock is a large object parked or taken, or a refill of small slots,
 *   and what has waited for RND_PARK_AGE steps goes back to the system. All
 *   of it goes back in a purge, when memory runs out, and in the child of a
 *   fork, which must not share places with its parent.
 *
 * Invariants
 *   K1  Parked pages are committed, charged as user memory, and their first
 *       `clean` bytes are zero.
 *   K2  pages is the sum over the entries; 0 to RND_PARK_LEN entries.
 *   K3  The span of an entry is RND_SPAN_KEPT, and no other is.
 *   K4  What is taken was parked in the epoch of the machine: its place is
 *       known to no other copy of it.
 *
 * Concurrency
 *   None of its own: the caller holds the lock. No function takes more than
 *   RND_PARK_LEN steps.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "config.h"
#include "port.h"

#define RND_PARK_LEN   64U
#define RND_PARK_PAGES (RND_PARK_BYTES / RND_PAGE_LEN)
#define RND_PARK_AGE   (2UL * RND_PARK_LEN)
/* A few page faults cost less than the calls that save them */
#define RND_PARK_LEAST 4UL
/* What is longer is cleared in two parts */
#define RND_PARK_SPLIT 64UL

/** Pages at a place of their own. Names as in struct rnd_span */
struct rnd_parked {
	__uptr addr;
	__sz pages;
	__uptr map;
	__sz map_len;
	/** Bytes from the start that are zero: see K1 */
	__sz clean;
	/** Step of the clock at which they came */
	__u64 since;
	/** Kept: the span, as number + 1; else 0 */
	__u32 span;
	/** Epoch of the machine in which the place was drawn */
	__u32 epoch;
};

/* The entries come first: behind the unused part of the quarantine, most of
 * them share a page with it that is not touched before something is parked
 */
struct rnd_park {
	struct rnd_parked e[RND_PARK_LEN];
	__u32 cnt;
	__sz pages;
	__u64 clock;
};

/** Tells whether so many pages may be parked at all */
static inline __bool rnd_park_wants(__sz pages)
{
	return (RND_PORT_MOVE_PAYS || RND_OPT_LARGE_KEEP) &&
	       pages >= RND_PARK_LEAST && pages <= RND_PARK_PAGES;
}

/**
 * Pages, of so many, that are cleared when they are parked: a bit less than
 * half of a long object, because moving them takes time, too
 */
static inline __sz rnd_park_clean(__sz pages)
{
	return pages > RND_PARK_SPLIT ? pages * 7 / 16 : pages;
}

/**
 * Parks pages.
 *
 * @return
 *   1 if they are parked; 0 if there is no entry free
 */
__bool rnd_park_put(struct rnd_park *k, const struct rnd_parked *in);

/**
 * Takes the entry that fits best: no shorter, longer by a quarter at most.
 *
 * @param align
 *   What addr must be a multiple of
 *
 * @return
 *   1 if there was one
 */
__bool rnd_park_take(struct rnd_park *k, __sz pages, __sz align,
		     struct rnd_parked *out);

/**
 * Takes the oldest entry if it is too old, or if all entries together have
 * more than so many pages.
 *
 * @return
 *   1 if there was one
 */
__bool rnd_park_evict(struct rnd_park *k, __sz most, struct rnd_parked *out);

/** Tests K2 */
__bool rnd_park_is_valid(const struct rnd_park *k);

#endif /* __UKALLOCRND_PARK_H__ */
