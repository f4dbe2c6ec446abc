/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Memory of a part that is given back
 *
 * Whole slabs, and pages that only free slots touch: when somebody asks, and
 * now and then what was not needed for long.
 */

#include "pclass_priv.h"
#include "port.h"

/* Nobody may look at a slot, or is about to clear it. What is free is zero,
 * wherever it waits, and so are fresh pages
 */
static __bool state_is_idle(__u16 state)
{
	state &= RND_STATE_MASK;

	return state == RND_SLOT_FREE || state == RND_SLOT_FREED;
}

/* First slot from i on that is free, or not: the number of slots if there is
 * none
 */
static __u32 find_slot(const __u16 *states, __u32 i, __u32 cnt, __bool is_free)
{
	while (i < cnt &&
	       state_is_idle(rnd_load_relaxed(&states[i])) != is_free)
		i++;

	return i;
}

/* Gives back the pages of a slab that only free slots touch */
static __sz slab_discard(const struct rnd_pclass *pl, const struct rnd_slab *s)
{
	const __u16 *states = rnd_region_states(pl->region, s);
	__uptr start, end;
	__u32 from, to;
	__sz len = 0;

	for (from = 0; from < s->slots; from = to) {
		from = find_slot(states, from, s->slots, 1);
		to = find_slot(states, from, s->slots, 0);
		start = ALIGN_UP(s->base + (__uptr)from * pl->slot_len,
				 RND_PAGE_LEN);
		end = ALIGN_DOWN(s->base + (__uptr)to * pl->slot_len,
				 RND_PAGE_LEN);
		if (end > start && rnd_port_discard(start, end - start))
			len += end - start;
	}

	return len;
}

__sz rnd_pclass_purge(struct rnd_pclass *pl)
{
	struct rnd_slab *s, *next;
	__sz len = 0;
	__u32 i;

	/* Never used, or without memory */
	if (!pl->region || !pl->region->sc)
		return 0;

	for (i = pl->active_cnt; i; i--) {
		s = pl->active[i - 1];
		rnd_pclass_deactivate(pl, i - 1);
		rnd_pclass_list(pl, s);
	}

	for (s = pl->partial; s; s = next) {
		next = s->next;
		if (rnd_slab_is_quiet(s)) {
			rnd_pclass_take_listed(pl, s);
			rnd_region_return(pl->region, pl->vs, s);
			len += pl->region->slab_len;
		} else {
			len += slab_discard(pl, s);
		}
	}

	return len;
}

/*
 * What happens now and then
 */

/* Slabs that were not needed for long */
static void age_slabs(struct rnd_pclass *pl)
{
	struct rnd_slab *s;
	__u32 i, low;

	if (++pl->empty_age < RND_EMPTY_AGE)
		return;

	low = pl->empty_low;
	for (i = 0; i < MIN(low, RND_EMPTY_BATCH); i++) {
		s = pl->partial_last;
		if (!rnd_slab_is_quiet(s))
			break;
		rnd_pclass_take_listed(pl, s);
		rnd_region_return(pl->region, pl->vs, s);
	}
	pl->empty_low = low - i;
	if (i < RND_EMPTY_BATCH) {
		pl->empty_age = 0;
		pl->empty_low = pl->empty_cnt;
	}
}

/* Pages that only free slots touch, of the first slabs of the region that the
 * pool has slots of
 */
static void idle_discard(const struct rnd_pclass *pl)
{
	__u64 slabs = 0;
	__u32 i, idx;

	for (i = 0; i < pl->pool_cnt; i++) {
		idx = pl->pool[i] >> pl->slot_shift;
		if (idx < RND_IDLE_SLABS)
			slabs |= 1UL << idx;
	}
	for (; slabs; slabs &= slabs - 1)
		slab_discard(pl, rnd_region_slab(pl->region,
						 (__u32)__builtin_ctzl(slabs)));
}

/* A part that nobody used for long */
static void age_idle(struct rnd_pclass *pl)
{
	__u64 seen = pl->refills << 32 ^ (__u64)pl->pool_cnt << 16 ^ pl->q.left;

	if (seen != pl->idle_seen) {
		pl->idle_seen = seen;
		pl->idle_age = 0;
	} else if (pl->idle_age < RND_IDLE_AGE(pl->idle_cnt) &&
		   ++pl->idle_age == RND_IDLE_AGE(pl->idle_cnt)) {
		idle_discard(pl);
		pl->idle_cnt += pl->idle_cnt < RND_IDLE_MAX;
		pl->idle_age = __U32_MAX;
	}
}

void rnd_pclass_age(struct rnd_pclass *pl)
{
	if (!pl->region)
		return;

	age_slabs(pl);
	if (pl->slot_len > RND_SHORT_LEN)
		age_idle(pl);
}
