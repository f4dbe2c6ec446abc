/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_PAGEMAP_H__
#define __UKALLOCRND_PAGEMAP_H__

/* Pagemap: the one door from a user's pointer to metadata
 *
 * Why
 *   free() is called with anything. No bit of the pointer may be trusted, and
 *   nothing may be read through it before its place is known.
 *
 * How
 *   The top bits of a pointer (its window) select a region, by one byte of a
 *   table. Distance from the region's base gives the slab by a shift and the
 *   slot by a multiplication with the reciprocal of the slot length; multiply
 *   back, and any pointer that is not exactly the start of a slot is out.
 *   Pointers in no region hit region 0, whose end is 0.
 *
 * The table and the regions are constant after init and sealed.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "atomic.h"
#include "canary.h"
#include "region.h"

struct rnd_pagemap {
	/** (s) Region number by window; 0: none of ours */
	__u8 window[RND_WINDOW_COUNT];
	/** (s) Region of class sc is number sc + 1 */
	struct rnd_region region[RND_CLASS_COUNT + 1];
	/** (s) Secret of all canaries of the heap */
	struct rnd_canary_key key;
};

UK_CTASSERT(RND_CLASS_COUNT + 1 <= 256);

/** A slot, or where in a region a pointer leads instead */
struct rnd_place {
	const struct rnd_region *region;
	struct rnd_slab *slab;
	__u16 *state;
	__u32 slot;
	/** Bytes from the start of the slot */
	__u32 inside;
};

/**
 * Finds the slot that starts exactly at ptr. Any pointer is allowed. The
 * slab may be one that is not committed: then the state says so (not live).
 *
 * @param[out] place
 *   The slot; inside is not set
 *
 * @return
 *   1 if ptr is the start of a slot (or of the unused rest of a slab, whose
 *   state word is 0)
 */
static inline __bool rnd_pagemap_find(const struct rnd_pagemap *pm,
				      const void *ptr, struct rnd_place *place)
{
	__uptr addr = (__uptr)ptr, off, in;
	const struct rnd_region *r;
	struct rnd_slab *s;

	if (unlikely(addr >> RND_WINDOW_SHIFT >= RND_WINDOW_COUNT))
		return 0;
	r = &pm->region[pm->window[addr >> RND_WINDOW_SHIFT]];

	/* Acquire: the descriptors below end exist. Pairs with the release
	 * in region_open_group()
	 */
	off = addr - r->base;
	if (unlikely(off >= rnd_load_acquire(&r->dyn->end)))
		return 0;

	s = rnd_region_slab(r, (__u32)(off >> r->slab_shift));
	in = off & ((1UL << r->slab_shift) - 1);
	place->slot = (__u32)((in * r->recip) >> 32);
	place->region = r;
	place->slab = s;
	place->state =
		(__u16 *)(void *)((char *)s + r->state_off) + place->slot;

	return likely((__uptr)place->slot * r->slot_len == in);
}

/**
 * Finds the slot that an arbitrary address lies in. Slow.
 *
 * @param[out] place
 *   The region; slab is __NULL when the region has no descriptor there
 *
 * @return
 *   1 if the address is inside a region
 */
__bool rnd_pagemap_locate(const struct rnd_pagemap *pm, const void *ptr,
			  struct rnd_place *place);

/**
 * Reserves all regions of a heap.
 *
 * @param pm
 *   The pagemap, zero
 * @param dyn
 *   RND_CLASS_COUNT changing parts, zero
 *
 * @return
 *   - (0): Ready
 *   - (-ENOMEM): No address space; everything was given back
 */
int rnd_pagemap_init(struct rnd_pagemap *pm, struct rnd_region_dyn *dyn,
		     struct rnd_vspace *vs);

/** Gives all regions back */
void rnd_pagemap_destroy(struct rnd_pagemap *pm);

/** Region of a size class */
static inline const struct rnd_region *
rnd_pagemap_region(const struct rnd_pagemap *pm, unsigned int sc)
{
	return &pm->region[sc + 1];
}

#endif /* __UKALLOCRND_PAGEMAP_H__ */
