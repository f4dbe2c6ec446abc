/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_NEAREST_H__
#define __UKALLOCRND_NEAREST_H__

/* Nearest: which live object an address is close to
 *
 * Why
 *   A pointer that is no object is mostly one that was computed wrongly from
 *   one. The distance tells how.
 *
 * How
 *   State words are in the order of addresses, so the nearest live slot of a
 *   region is found by going both ways from the slot that the address is in.
 *   Regions that are farther away than what was found are left out. Large
 *   objects are all looked at. Nothing but metadata is read.
 *
 * Concurrency
 *   State words are read without a lock, and other CPUs may change them: the
 *   answer is for people, it may be old.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "large.h"
#include "pagemap.h"

/* Slots of a region that are looked at in each direction */
#define RND_NEAREST_REACH 65536U

/** The best candidate so far; all zero: none */
struct rnd_nearest {
	/** The object; __NULL: there is none */
	const void *obj;
	/** Its requested size */
	__sz req;
	/** 0 if the address is inside; otherwise bytes, from 1 */
	__sz gap;
};

/**
 * Looks at slot n of a region and at reach slots before and behind it.
 *
 * @param addr
 *   Address that the object shall be near to
 * @param[in,out] best
 *   Replaced if there is a nearer object
 */
void rnd_nearest_slot(const struct rnd_region *r, __uptr addr, __u32 n,
		      __u32 reach, struct rnd_nearest *best);

/**
 * Looks for the nearest live object of a heap. Takes the lock of the large
 * objects.
 */
void rnd_nearest_find(const struct rnd_pagemap *pm, struct rnd_large *lg,
		      __uptr addr, struct rnd_nearest *best);

#endif /* __UKALLOCRND_NEAREST_H__ */
