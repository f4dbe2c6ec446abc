/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_RECLAIM_H__
#define __UKALLOCRND_RECLAIM_H__

/* Memory for an allocation that would fail
 *
 * Why
 *   A heap may hold half of all memory in free slabs. To purge all of them
 *   takes tens of millions of instructions, which one call would spend; and
 *   most of them are needed again.
 *
 * How
 *   The caller tries, and comes back with the same state as long as that
 *   fails. Each time a bit more is given back, what costs least protection
 *   first:
 *
 *     parked objects, free slabs    as much as is wanted, twice as much the
 *                                   next time, until there are no more
 *     quarantines, pools, batches   their slots return to the slabs
 *     free slabs                    as above
 *     everything                    pages of slabs in use, addresses
 *
 *   Quarantines are emptied only if that may be enough: who chooses sizes must
 *   not be able to end the quarantine of all other objects with one call that
 *   fails anyway.
 *
 * Invariants
 *   E1  After the last try failed nothing was left that this CPU could give
 *       back on its own: each kind came last after all slots had returned.
 *   E2  The number of tries grows with the logarithm of what there is.
 */

#include "heap.h"

/* Bytes that the quarantines and pools of a CPU can hold; for requests above
 * that they are never emptied
 */
#define RND_RECLAIM_MAX                                                        \
	(2UL * RND_CLASS_COUNT * (RND_QUARANTINE_BYTES + RND_CHOICE_BYTES))

enum rnd_reclaim_step {
	RND_RECLAIM_TRIM,
	RND_RECLAIM_FLUSH,
	RND_RECLAIM_TRIM_FLUSHED,
	RND_RECLAIM_ALL,
	RND_RECLAIM_DONE
};

/** How far it has come: zero but for what the caller wants */
struct rnd_reclaim {
	/** Bytes that the next step gives back, if there are so many */
	__sz want;
	/** Bytes that the caller asks for, or their alignment if that is more;
	 * 0: a slot, for which little is enough
	 */
	__sz req;
	/** 1: quarantines are emptied if nothing else helps, and that may */
	__bool all;
	enum rnd_reclaim_step step;
};

/**
 * Gives back a bit more of what can be given back without the user. The caller
 * is inside pc.
 *
 * @return
 *   1: try again; 0: nothing was left before the last try
 */
__bool rnd_reclaim(struct rnd_heap *h, struct rnd_pcpu *pc,
		   struct rnd_reclaim *rc);

/**
 * Gives back all that costs no protection: free slabs, and pages that only free
 * slots touch, of all states that the caller can get hold of, parked objects,
 * addresses. The caller is inside pc.
 *
 * @return
 *   Number of bytes
 */
__sz rnd_reclaim_purge(struct rnd_heap *h, struct rnd_pcpu *pc);

#endif /* __UKALLOCRND_RECLAIM_H__ */
