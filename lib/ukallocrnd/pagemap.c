/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>

#include "pagemap.h"

/* Region 0 is nowhere: its end stays 0 */
static struct rnd_region_dyn nowhere;

static void pagemap_destroy(struct rnd_pagemap *pm, unsigned int cnt)
{
	unsigned int sc;

	for (sc = 0; sc < cnt; sc++)
		rnd_region_destroy(&pm->region[sc + 1]);
}

int rnd_pagemap_init(struct rnd_pagemap *pm, struct rnd_region_dyn *dyn,
		     struct rnd_vspace *vs)
{
	__u64 used[RND_WINDOW_COUNT / 64];
	struct rnd_region *r;
	unsigned int sc;
	int rc;

	UK_ASSERT(pm && dyn && vs);

	memset(used, 0, sizeof(used));
	rnd_canary_key_init(&pm->key, rnd_vspace_draw(vs, __U64_MAX),
			    rnd_vspace_draw(vs, __U64_MAX));
	pm->region[0].dyn = &nowhere;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		r = &pm->region[sc + 1];
		rc = rnd_region_init(r, &dyn[sc], sc, vs, used);
		if (unlikely(rc)) {
			pagemap_destroy(pm, sc);
			return rc;
		}
		pm->window[r->base >> RND_WINDOW_SHIFT] = (__u8)(sc + 1);
	}

	return 0;
}

void rnd_pagemap_destroy(struct rnd_pagemap *pm)
{
	pagemap_destroy(pm, RND_CLASS_COUNT);
}

__bool rnd_pagemap_locate(const struct rnd_pagemap *pm, const void *ptr,
			  struct rnd_place *place)
{
	__uptr addr = (__uptr)ptr, off, in;
	const struct rnd_region *r;

	if (addr >> RND_WINDOW_SHIFT >= RND_WINDOW_COUNT)
		return 0;
	r = &pm->region[pm->window[addr >> RND_WINDOW_SHIFT]];
	off = addr - r->base;
	if (r == &pm->region[0] || off >= (__uptr)r->slab_max << r->slab_shift)
		return 0;

	memset(place, 0, sizeof(*place));
	place->region = r;
	if (off >= rnd_load_acquire(&r->dyn->end))
		return 1;

	place->slab = rnd_region_slab(r, (__u32)(off >> r->slab_shift));
	in = off & ((1UL << r->slab_shift) - 1);
	place->slot = (__u32)(in / r->slot_len);
	place->inside = (__u32)(in % r->slot_len);
	place->state = (__u16 *)(void *)((char *)place->slab + r->state_off) +
		       place->slot;

	return 1;
}
