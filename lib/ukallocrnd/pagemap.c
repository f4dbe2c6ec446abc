/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>

#include "pagemap.h"

static void pagemap_destroy(struct rnd_pagemap *pm, unsigned int cnt)
{
	unsigned int sc;

	for (sc = 0; sc < cnt; sc++)
		rnd_region_destroy(&pm->region[sc]);
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
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		r = &pm->region[sc];
		rc = rnd_region_init(r, &dyn[sc], sc, vs, used);
		if (unlikely(rc)) {
			pagemap_destroy(pm, sc);
			return rc;
		}
		pm->window[r->base >> RND_WINDOW_SHIFT] = (__u8)sc;
		if (r->slot_len <= RND_SHORT_LEN)
			pm->window_short[r->base >> RND_WINDOW_SHIFT] =
				(__u8)sc;
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
	const struct rnd_region *r =
		&pm->region[rnd_window_class(pm->window, ptr)];
	__uptr off = (__uptr)ptr - r->base;

	if (off >= (__uptr)r->slab_max * r->slab_len)
		return 0;

	memset(place, 0, sizeof(*place));
	place->region = r;
	if (off >= rnd_load_acquire(&r->dyn->end))
		return 1;

	place->n = (__u32)(off / r->slot_len);
	place->inside = (__u32)(off % r->slot_len);
	place->slab = rnd_region_slab(r, place->n >> r->slot_shift);
	place->state = r->states + place->n;

	return 1;
}
