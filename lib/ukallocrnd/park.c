/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include "atomic.h"
#include "park.h"

/* A relaxed store, because large_park.c looks without the lock first */
static void park_count(struct rnd_park *k, __u32 cnt)
{
	rnd_store_relaxed(&k->cnt, cnt);
}

__bool rnd_park_put(struct rnd_park *k, const struct rnd_parked *in)
{
	if (unlikely(k->cnt == RND_PARK_LEN))
		return 0;

	k->e[k->cnt] = *in;
	k->e[k->cnt].since = ++k->clock;
	k->pages += in->pages;
	park_count(k, k->cnt + 1);

	return 1;
}

/* Entries stay in the order in which they came */
static void park_remove(struct rnd_park *k, __u32 i, struct rnd_parked *out)
{
	*out = k->e[i];
	k->pages -= out->pages;
	park_count(k, k->cnt - 1);
	for (; i < k->cnt; i++)
		k->e[i] = k->e[i + 1];
}

__bool rnd_park_take(struct rnd_park *k, __sz pages, __sz align,
		     struct rnd_parked *out)
{
	__u32 i, best = RND_PARK_LEN;

	k->clock++;
	for (i = 0; i < k->cnt; i++) {
		const struct rnd_parked *e = &k->e[i];

		if (e->pages < pages || e->pages - pages > pages / 4 ||
		    e->addr & (align - 1))
			continue;
		if (best == RND_PARK_LEN || e->pages < k->e[best].pages)
			best = i;
		/* None fits better */
		if (e->pages == pages)
			break;
	}
	if (best == RND_PARK_LEN)
		return 0;

	park_remove(k, best, out);
	return 1;
}

__bool rnd_park_evict(struct rnd_park *k, __sz most, struct rnd_parked *out)
{
	if (!k->cnt ||
	    (k->pages <= most && k->clock - k->e[0].since <= RND_PARK_AGE))
		return 0;

	park_remove(k, 0, out);
	return 1;
}

__bool rnd_park_is_valid(const struct rnd_park *k)
{
	__sz pages = 0;
	__u32 i;

	for (i = 0; i < k->cnt && i < RND_PARK_LEN; i++)
		pages += k->e[i].pages;

	return k->cnt <= RND_PARK_LEN && pages == k->pages;
}
