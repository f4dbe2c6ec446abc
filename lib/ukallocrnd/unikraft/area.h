/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_UNIKRAFT_AREA_H__
#define __UKALLOCRND_UNIKRAFT_AREA_H__

/* Areas: which addresses are reserved
 *
 * Why
 *   Reservations are drawn at random and must not overlap. There may be a
 *   hundred thousand of them, two for each large object.
 *
 * How
 *   A treap, as for large objects (span.h): a search tree by address that is a
 *   heap by random priorities, so that its depth is logarithmic whatever is
 *   inserted. Nodes are entries of an array that its owner lets grow.
 *
 * Invariants
 *   A1 Areas do not overlap, none is empty.
 *   A2 The tree is ordered by address; no priority is above its parent's.
 *   A3 Entries [0, cnt) are in the tree or in the list of free ones.
 *
 * Concurrency
 *   None of its own: the caller holds the lock of the port.
 */

#include <uk/arch/types.h>

struct rnd_area {
	__uptr start;
	/** First byte behind it */
	__uptr end;
	/** Areas below and above in this part of the tree, as number + 1; in
	 * free entries low is the next one
	 */
	__u32 low;
	__u32 high;
	__u32 prio;
	__u32 unused;
};

struct rnd_areas {
	/** Array of the entries */
	struct rnd_area *area;
	/** Entries there is memory for, and those used at least once */
	__u32 cap;
	__u32 cnt;
	/** Root, and first free entry, as number + 1 */
	__u32 root;
	__u32 free;
};

/** Initializes an empty set without memory. */
void rnd_areas_init(struct rnd_areas *t, struct rnd_area *area);

/**
 * Tells whether an insertion needs memory for more entries first: cap must
 * grow.
 */
__bool rnd_areas_is_full(const struct rnd_areas *t);

/** Tells whether any area has a byte in [start, end). */
__bool rnd_areas_hit(const struct rnd_areas *t, __uptr start, __uptr end);

/**
 * Inserts an area. The set must not be full.
 *
 * @param prio
 *   A random number
 *
 * @return
 *   - (0): Inserted
 *   - (-EEXIST): It would overlap another one; nothing changed
 */
int rnd_areas_insert(struct rnd_areas *t, __uptr start, __uptr end, __u32 prio);

/**
 * Takes a range out of the area that it lies in.
 *
 * @return
 *   - (0): Not reserved any more
 *   - (-ENOMEM): It was in the middle and the set is full; nothing changed
 *   - (-ENOENT): There is no such area; nothing changed
 */
int rnd_areas_remove(struct rnd_areas *t, __uptr start, __uptr end, __u32 prio);

#endif /* __UKALLOCRND_UNIKRAFT_AREA_H__ */
