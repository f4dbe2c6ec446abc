/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* What comes back to a part: from its pool to the slabs, from the common
 * quarantine to the pool, from other CPUs to the quarantine
 */

#include "bitmap.h"
#include "pclass_priv.h"
#include "report.h"

/*
 * Returning
 */

static void __noinline __noreturn release_report(struct rnd_pclass *pl, __u32 n)
{
	__u16 state = pl->states[n];
	struct rnd_bug_info info = {
		.bug = RND_BUG_DOUBLE_FREE,
		.op = "free",
		.ptr = rnd_pclass_slot(pl, n),
		.slot_len = pl->slot_len,
		.where = "freed by two CPUs at the same time",
		.has_cpu = (state & RND_STATE_MASK) < RND_SLOT_LIVE,
		.cpu = (state >> RND_STATE_BITS) - 1U,
	};

	rnd_report(&info);
}

/* A slab has got its first free slot, or its last one */
static void release_slab(struct rnd_pclass *pl, struct rnd_slab *s)
{
	if (s->active)
		return;

	/* To the end, now that it is free */
	if (s->listed)
		rnd_pclass_unlist(pl, s);
	rnd_pclass_list(pl, s);
}

/* Returns a slot of the pool, or of the quarantine, to its slab */
static inline void pclass_release(struct rnd_pclass *pl, __u32 n)
{
	struct rnd_slab *s = rnd_pclass_slab(pl, n);

	/* A racing double free put the slot in here twice */
	if (unlikely(!rnd_slab_return(s, n & ((1U << pl->slot_shift) - 1))))
		release_report(pl, n);
	pl->out--;
	if (unlikely(!(s->active | s->listed) || s->free_cnt == s->slots))
		release_slab(pl, s);
}

void rnd_pclass_spill(struct rnd_pclass *pl)
{
	__u32 left = RND_SPILL_LEN;

	for (; left && pl->pool_cnt > pl->pool_max; left--)
		pclass_release(pl, pl->pool[--pl->pool_cnt]);
}

/*
 * Common quarantine
 */

/* The oldest slot enters the pool of its class */
static void bulk_evict(struct rnd_pclass *cls, struct rnd_bulk *b)
{
	const struct rnd_bulk_entry *e = rnd_bulk_take(b);
	struct rnd_pclass *pl = &cls[e->sc];

	b->bytes -= pl->slot_len;
	pl->pool[pl->pool_cnt++] = e->n;
	if (unlikely(pl->pool_cnt > pl->pool_high))
		rnd_pclass_spill(pl);
}

void rnd_pclass_quarantine_bulk(struct rnd_pclass *pl, __u32 n)
{
	struct rnd_bulk *b = pl->bulk;

	rnd_bulk_push(b, pl->region->sc, n, pl->slot_len);
	while (rnd_bulk_is_full(b))
		bulk_evict(pl - pl->region->sc, b);
}

void rnd_pclass_drain_bulk(struct rnd_pclass *cls, struct rnd_bulk *bulk)
{
	while (bulk->cnt)
		bulk_evict(cls, bulk);
}

/*
 * Slots from other CPUs
 */

static void take_remote_slot(struct rnd_pclass *pl, __u32 n)
{
	__u16 *word = pl->states + n, state = *word;

	/* The owner freed it as well, at the same time */
	if (unlikely((state & RND_STATE_MASK) != RND_SLOT_REMOTE))
		release_report(pl, n);

	*word = (__u16)(state ^ RND_SLOT_REMOTE ^ RND_SLOT_FREED);
	if (likely(rnd_pclass_can_step(pl, pl->rng)))
		rnd_pclass_step(pl, pl->rng, n);
	else
		rnd_pclass_quarantine(pl, n);
}

__u32 rnd_pclass_take_remote(struct rnd_pclass *pl, struct rnd_slab *s)
{
	__u64 *bits = rnd_slab_remote_bits(s), taken;
	__u32 first = s->idx << pl->region->slot_shift;
	__u32 i, cnt = 0, words = RND_SLAB_WORDS(s->slots);

	/* From now on slots arrive in bursts, in no order: those that were
	 * freed last may be the first ones
	 */
	if (unlikely(pl->burst)) {
		rnd_quarantine_grow(&pl->q, pl->burst);
		pl->burst = 0;
	}
	for (i = 0; i < words; i++) {
		if (!rnd_load_relaxed(&bits[i]))
			continue;

		/* Acquire: the slots' contents and states. Pairs with the
		 * exchange in rnd_slab_mark_remote()
		 */
		taken = rnd_xchg_acq_rel(&bits[i], 0UL);
		for (; taken; taken &= taken - 1, cnt++)
			take_remote_slot(pl,
					 first + i * 64 +
						 (__u32)__builtin_ctzl(taken));
	}

	return cnt;
}

static void release_one(void *pl, __u32 n)
{
	pclass_release(pl, n);
}

void rnd_pclass_flush(struct rnd_pclass *pl)
{
	if (!pl->region)
		return;

	while (pl->pool_cnt)
		pclass_release(pl, pl->pool[--pl->pool_cnt]);
	rnd_quarantine_drain(&pl->q, release_one, pl);
}
