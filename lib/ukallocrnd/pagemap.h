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
 *   The top bits of a pointer (its window) select a size class and thereby a
 *   region, by one byte of a table. Distance
 *   from the region's base gives the number of the slot by a multiplication
 *   with the inverse of the slot length: the integer part of
 *   the product. The fraction says how far behind the start of the slot the
 *   pointer is; it is below the inverse exactly if that is nowhere. Pointers
 *   in no region select region 0 and are not in it.
 *
 * The table and the regions are constant after init and sealed.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "atomic.h"
#include "canary.h"
#include "region.h"

struct rnd_pagemap {
	/** (s) Classes of short slots by window; 0: another class, or none */
	__u8 window_short[RND_WINDOW_COUNT];
	/** (s) Size class by window; 0: class 0, or none of ours */
	__u8 window[RND_WINDOW_COUNT];
	/** (s) By size class */
	struct rnd_region region[RND_CLASS_COUNT];
	/** (s) Secret of all canaries of the heap */
	struct rnd_canary_key key;
};

UK_CTASSERT(RND_CLASS_COUNT <= 256);

/** A slot, or where in a region a pointer leads instead */
struct rnd_place {
	const struct rnd_region *region;
	struct rnd_slab *slab;
	__u16 *state;
	/** Number in the region */
	__u32 n;
	/** Bytes from the start of the slot */
	__u32 inside;
};

/** Index of a slot in its slab */
static inline __u32 rnd_place_slot(const struct rnd_place *p)
{
	return p->n & (p->region->slots - 1U);
}

/**
 * Class of the window that a pointer is in. Any pointer is allowed: bits
 * beyond the address space are ignored, because no distance from the base of
 * a region that is found by mistake is within the region.
 */
static rnd_always_inline __u32 rnd_window_class(const __u8 *window,
						const void *ptr)
{
	return window[((__uptr)ptr >> RND_WINDOW_SHIFT) % RND_WINDOW_COUNT];
}

/**
 * Finds the slot of a region that starts at a distance from the region's
 * base.
 *
 * @param off
 *   Distance, below 2^47
 * @param inverse
 *   That of the slot length
 * @param[out] n
 *   Number of the slot, if there is one
 *
 * @return
 *   1 if a slot starts there
 */
static rnd_always_inline __bool rnd_region_divide(__uptr off, __u64 inverse,
						  __uptr *n)
{
	/* With off = n * len + rest and len * inverse = 2^64 + e, e < len, the
	 * fraction is n * e + rest * inverse. As n * e is below off, thus below
	 * 2^47 and below the inverse, so is the fraction if and only if rest
	 * is 0
	 */
	unsigned __int128 product = (unsigned __int128)off * inverse;

	*n = (__uptr)(product >> 64);

	return (__u64)product < inverse;
}

/**
 * Finds the slot that starts exactly at ptr. Any pointer is allowed.
 *
 * @param[out] place
 *   The slot; inside is not set
 *
 * @return
 *   1 if ptr is the start of a slot
 */
static inline __bool rnd_pagemap_find(const struct rnd_pagemap *pm,
				      const void *ptr, struct rnd_place *place)
{
	const struct rnd_region *r =
		&pm->region[rnd_window_class(pm->window, ptr)];
	__uptr off = (__uptr)ptr - r->base, n;

	/* Acquire: the state words below end exist. Pairs with the release
	 * in region_open_group()
	 */
	if (unlikely(off >= rnd_load_acquire(&r->dyn->end)))
		return 0;
	if (unlikely(!rnd_region_divide(off, r->inverse, &n)))
		return 0;
	place->n = (__u32)n;

	place->region = r;
	place->slab = rnd_region_slab(r, place->n >> r->slot_shift);
	place->state = r->states + place->n;

	return 1;
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
	return &pm->region[sc];
}

#endif /* __UKALLOCRND_PAGEMAP_H__ */
