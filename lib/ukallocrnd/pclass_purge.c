/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Memory of a part that is given back
 *
 * Whole slabs, and pages that only free slots touch: when somebody asks, and
 * now and then what was not needed for long. A write after free would be
 * forgotten with the page, so it is looked for before.
 */

#include "fill.h"
#include "pclass_priv.h"
#include "port.h"
#include "report.h"

void __noinline __noreturn rnd_pclass_verify_report(const struct rnd_pclass *pl,
						    __u32 n, const char *op)
{
	const void *slot = rnd_pclass_slot(pl, n);
	__u16 state = pl->states[n];
	struct rnd_bug_info info = {
		.bug = RND_BUG_WRITE_AFTER_FREE,
		.op = op,
		.ptr = slot,
		.slot_len = pl->slot_len,
		.bad = rnd_fill_find_nonzero(slot, pl->slot_len),
		.has_cpu = state >> RND_STATE_BITS != 0,
		.cpu = (state >> RND_STATE_BITS) - 1U,
	};

	rnd_report(&info);
}

/* One page more at both ends than a slab may have */
#define LOOK_LEN (RND_SLAB_LEN_MAX / RND_PAGE_LEN + 2)
UK_CTASSERT(LOOK_LEN <= RND_PORT_LOOK);

static __bool slot_was_used(const struct rnd_pclass *pl, __u32 n)
{
	return (pl->states[n] & RND_STATE_MASK) == RND_SLOT_FREED;
}

/* Those of some free slots of a slab, at least one, that were ever used, unless
 * they have no pages: looking would bring these back
 */
static void verify_there(const struct rnd_pclass *pl, __u32 n, __u32 cnt)
{
	__uptr start = (__uptr)rnd_pclass_slot(pl, n);
	__uptr end = start + (__uptr)cnt * pl->slot_len;
	__uptr page = ALIGN_DOWN(start, RND_PAGE_LEN);
	__u8 is_there[LOOK_LEN];
	__sz i, last;

	rnd_port_backed(page,
			(ALIGN_UP(end, RND_PAGE_LEN) - page) / RND_PAGE_LEN,
			is_there);
	for (; start < end; start += pl->slot_len, n++) {
		if (!slot_was_used(pl, n))
			continue;
		i = (start - page) / RND_PAGE_LEN;
		last = (start + pl->slot_len - 1 - page) / RND_PAGE_LEN;
		while (i < last && !is_there[i])
			i++;
		if (is_there[i])
			rnd_pclass_verify(pl, n, "purge");
	}
}

static void verify_slots(const struct rnd_pclass *pl, __u32 n, __u32 cnt)
{
	if (!RND_OPT_WAF)
		return;
	if (!rnd_fill_is_sparse(pl->slot_len)) {
		verify_there(pl, n, cnt);
		return;
	}
	/* The test itself looks only at pages that are there */
	for (; cnt; cnt--, n++)
		if (slot_was_used(pl, n))
			rnd_pclass_verify(pl, n, "purge");
}

/* The slab is on no list and no visitor is there */
static void slab_purge(struct rnd_pclass *pl, struct rnd_slab *s)
{
	if (pl->region->sc)
		verify_slots(pl, s->idx << pl->slot_shift, s->slots);
	rnd_region_return(pl->region, pl->vs, s);
}

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

	if (!RND_PORT_DISCARDS)
		return 0;

	for (from = 0; from < s->slots; from = to) {
		from = find_slot(states, from, s->slots, 1);
		to = find_slot(states, from, s->slots, 0);
		start = ALIGN_UP(s->base + (__uptr)from * pl->slot_len,
				 RND_PAGE_LEN);
		end = ALIGN_DOWN(s->base + (__uptr)to * pl->slot_len,
				 RND_PAGE_LEN);
		if (end <= start)
			continue;
		verify_slots(pl, (s->idx << pl->slot_shift) + from, to - from);
		if (rnd_port_discard(start, end - start))
			len += end - start;
	}

	return len;
}

/* Puts active slabs where others are */
static void active_end(struct rnd_pclass *pl)
{
	struct rnd_slab *s;
	__u32 i;

	for (i = pl->active_cnt; i; i--) {
		s = pl->active[i - 1];
		rnd_pclass_deactivate(pl, i - 1);
		rnd_pclass_list(pl, s);
	}
}

/* Gives back a slab of the partial list that is quiet */
static __sz listed_purge(struct rnd_pclass *pl, struct rnd_slab *s)
{
	rnd_pclass_take_listed(pl, s);
	slab_purge(pl, s);

	return pl->region->slab_len;
}

__sz rnd_pclass_trim(struct rnd_pclass *pl, __sz want)
{
	struct rnd_slab *s, *prev;
	__sz len = 0;

	/* Never used, or without memory */
	if (!pl->region || !pl->region->sc)
		return 0;

	active_end(pl);
	/* Free ones are behind all others (P4) */
	for (s = pl->partial_last; s && rnd_slab_is_empty(s) && len < want;
	     s = prev) {
		prev = s->prev;
		if (rnd_slab_is_quiet(s))
			len += listed_purge(pl, s);
	}
	pl->empty_age = RND_EMPTY_AGE;
	pl->empty_low = pl->empty_cnt;

	return len;
}

__sz rnd_pclass_purge(struct rnd_pclass *pl)
{
	struct rnd_slab *s, *next;
	__sz len = 0;

	/* Never used, or without memory */
	if (!pl->region || !pl->region->sc)
		return 0;

	active_end(pl);
	for (s = pl->partial; s; s = next) {
		next = s->next;
		len += rnd_slab_is_quiet(s) ? listed_purge(pl, s) :
					      slab_discard(pl, s);
	}

	return len;
}

/*
 * What happens now and then
 */

/* Slabs that were not needed for long; 1: there may be more of them */
static __bool age_slabs(struct rnd_pclass *pl)
{
	__u32 i, low = pl->empty_low;
	__sz len = 0;

	if (++pl->empty_age < RND_EMPTY_AGE)
		return 0;

	for (i = 0; i < MIN(low, RND_EMPTY_BATCH) && len < RND_EMPTY_LEN; i++) {
		if (!rnd_slab_is_quiet(pl->partial_last))
			break;
		len += listed_purge(pl, pl->partial_last);
	}
	pl->empty_low = low - i;
	if (i == RND_EMPTY_BATCH || len >= RND_EMPTY_LEN)
		return 1;
	pl->empty_age = 0;
	pl->empty_low = pl->empty_cnt;

	return 0;
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

/* Something that is another one when a part was used. Without a quarantine a
 * free may undo what a draw did, but not at every visit, if draws are random
 */
static __u64 idle_sign(const struct rnd_pclass *pl)
{
	__u64 last = pl->pool_cnt ? pl->pool[pl->pool_cnt - 1] : 0;

	/* Neither count has more than 13 bits */
	return pl->refills << 58 | (__u64)pl->q.left << 45 |
	       (__u64)pl->pool_cnt << 32 | last;
}

/* A part that nobody used for long */
static void age_idle(struct rnd_pclass *pl)
{
	__u64 seen = idle_sign(pl);

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

__bool rnd_pclass_age(struct rnd_pclass *pl)
{
	__bool more;

	if (!pl->region)
		return 0;

	more = age_slabs(pl);
	if (pl->slot_len > RND_SHORT_LEN)
		age_idle(pl);

	return more;
}
