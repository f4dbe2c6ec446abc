/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>

#include "bitmap.h"
#include "fill.h"
#include "pclass_priv.h"
#include "port.h"

#ifdef RND_PORT_CHOICE_BYTES
#define CHOICE_BYTES	  MIN(RND_CHOICE_BYTES, RND_PORT_CHOICE_BYTES)
#define CHOICE_BULK_BYTES CHOICE_BYTES
#else
#define CHOICE_BYTES	  RND_CHOICE_BYTES
#define CHOICE_BULK_BYTES (RND_CHOICE_BYTES / 2)
#endif

UK_CTASSERT(RND_SLOT_LEN_MAX <= RND_FILL_SPARSE_MAX);

static __u32 clamp_u32(__sz value, __sz low, __sz high)
{
	return (__u32)MIN(MAX(value, low), high);
}

/* Random stage: the largest power of two within both limits */
static __u32 pclass_rand_len(__u32 slot_len)
{
	__u32 len = RND_QUARANTINE_RAND_LEN;

	while (len > 1 && (__sz)len * slot_len > RND_QUARANTINE_BYTES / 2)
		len >>= 1;

	return len;
}

/* Slots to choose from. What is to choose from is touched in time, and there
 * are dozens of classes of long slots: of those there are fewer, nine bits up
 * to 1 KiB, and beyond that few until many are in use
 */
static void choice_init(struct rnd_pclass *pl)
{
	__sz len = pl->slot_len, bytes = CHOICE_BYTES;
	__u32 cnt = RND_CHOICE_LEN;

	if (len > RND_SHORT_LEN)
		cnt = MAX(cnt * 2 / 3, RND_CHOICE_MIN);
	if (len > RND_BULK_SLOT_MIN)
		bytes = CHOICE_BULK_BYTES;

	pl->choice_most = clamp_u32(bytes / len, RND_CHOICE_MIN, cnt);
	pl->choice_least = pl->choice_most;
	if (len > RND_BULK_SLOT_MIN)
		pl->choice_least = clamp_u32(bytes / RND_CHOICE_FEW / len,
					     RND_CHOICE_MIN, cnt);
}

/* What there is beyond the choice, if it costs no memory */
static __u32 pool_spare(const struct rnd_pclass *pl)
{
	__u32 spare, least;

	if (pl->slot_len <= RND_SHORT_LEN)
		spare = RND_POOL_SPARE(pl->choice);
	else
		spare = RND_POOL_SPARE_LONG(pl->choice);

	/* What leaves the quarantine must not come and go by way of slabs; nor
	 * what is freed where there is none
	 */
	least = pl->q.seg_len;
	if (!RND_OPT_QUARANTINE && pl->slot_len > RND_SHORT_LEN)
		least = RND_QUARANTINE_SEG_MAX;
	if (pl->slot_len > RND_BULK_SLOT_MIN)
		least = clamp_u32(RND_POOL_BULK_BYTES / pl->slot_len,
				  RND_POOL_BULK_LEAST, RND_POOL_BULK_MOST);

	return MAX(spare, least);
}

/* The choice that there should be, from now on */
static void choice_adapt(struct rnd_pclass *pl)
{
	__u32 spare;

	pl->choice = MIN(MAX(pl->out / RND_CHOICE_SHARE, pl->choice_least),
			 pl->choice_most);
	spare = pool_spare(pl);
	pl->pool_max = pl->choice + spare;
	pl->pool_high = pl->slot_len > RND_SHORT_LEN ?
				RND_POOL_HIGH_LONG(pl->choice, spare) :
				RND_POOL_HIGH(pl->choice, spare);
}

/* Segments of a quarter of the FIFO stage: what it holds back beyond its
 * length is memory
 */
static void quarantine_init(struct rnd_pclass *pl, __u32 fifo_len)
{
	rnd_quarantine_init(&pl->q, pclass_rand_len(pl->slot_len), fifo_len,
			    clamp_u32(fifo_len / 4, 1, RND_QUARANTINE_SEG_MAX));
}

void rnd_pclass_init(struct rnd_pclass *pl, const struct rnd_region *region,
		     const struct rnd_canary_key *key, struct rnd_vspace *vs,
		     struct rnd_rng *rng, __u32 cpu)
{
	__u32 len = region->slot_len;

	UK_ASSERT(pl && region && vs && rng);

	pl->slot_len = len;
	pl->base = region->base;
	pl->states = region->states;
	pl->inverse = region->inverse;
	pl->slabs = region->slabs;
	pl->desc_step = region->desc_step;
	pl->slot_shift = region->slot_shift;
	pl->live = rnd_state_live(len, cpu, 0, 0);
	pl->freed = rnd_state_freed(RND_SLOT_FREED, cpu);
	pl->key = *key;
	pl->region = region;
	pl->vs = vs;
	pl->rng = rng;
	pl->cpu = cpu;
	quarantine_init(pl, clamp_u32(RND_QUARANTINE_BYTES / len, 1,
				      RND_QUARANTINE_FIFO_LEN));
	choice_init(pl);
	choice_adapt(pl);
	pl->burst = clamp_u32(RND_QUARANTINE_BURST_BYTES / len, 0,
			      RND_QUARANTINE_BURST_LEN);
}

void rnd_pclass_join(struct rnd_pclass *pl, struct rnd_bulk *bulk)
{
	UK_ASSERT(pl->slot_len > RND_BULK_SLOT_MIN && !pl->pool_cnt);

	pl->bulk = bulk;
	/* Nothing gets in, and the fast path finds no room */
	quarantine_init(pl, 1);
	pl->burst = 0;
	choice_adapt(pl);
}

/*
 * Filling the pool
 */

/* Free slots of the active slabs */
struct active_sums {
	__u32 all;
	__u32 used;
};

static void active_add(struct rnd_pclass *pl, struct rnd_slab *s,
		       struct active_sums *sum)
{
	rnd_pclass_activate(pl, s);
	sum->all += s->free_cnt;
	sum->used += rnd_slab_used_cnt(s);
}

/* Counts free slots, and adds slabs of the partial list that have used ones
 * until there are as many of these as wanted
 */
static struct active_sums active_collect(struct rnd_pclass *pl, __u32 want)
{
	struct active_sums sum = { 0, 0 };
	struct rnd_slab *s;
	__u32 i;

	for (i = 0; i < pl->active_cnt; i++) {
		s = pl->active[i];
		sum.all += s->free_cnt;
		sum.used += rnd_slab_used_cnt(s);
	}
	while (sum.used < want && pl->active_cnt < RND_ACTIVE_MAX) {
		s = pl->partial;
		if (!s || !rnd_slab_used_cnt(s))
			break;
		rnd_pclass_take_listed(pl, s);
		active_add(pl, s, &sum);
	}

	return sum;
}

/* Adds slabs until there are as many free slots as wanted. New memory only if
 * the slabs that exist are not enough.
 */
static void active_widen(struct rnd_pclass *pl, __u32 want,
			 struct active_sums sum)
{
	struct rnd_slab *s;

	while (sum.all < want && pl->active_cnt < RND_ACTIVE_MAX) {
		s = pl->partial;
		if (s)
			rnd_pclass_take_listed(pl, s);
		else
			s = rnd_region_take(pl->region, pl->vs, (__u16)pl->cpu);
		if (unlikely(!s))
			break;

		active_add(pl, s, &sum);
		pl->end = MAX(pl->end, (s->idx + 1UL) * pl->region->slab_len);
	}
}

/* A number below bound; which one is not a secret, its choice only spreads
 * what is in the pool
 */
static __u32 pick(struct rnd_pclass *pl, __u32 bound)
{
	if (!RND_OPT_RANDOM_SLOTS || bound == 1)
		return 0;

	return (rnd_rng_u16(pl->rng) * bound) >> 16;
}

/* Any of the active slabs that have used slots, if there is one. What nobody
 * has used yet costs memory
 */
static __u32 active_pick(struct rnd_pclass *pl)
{
	__u32 first = pick(pl, pl->active_cnt), i = first;

	do {
		if (likely(rnd_slab_used_cnt(pl->active[i])))
			break;
		i = i + 1 < pl->active_cnt ? i + 1 : 0;
	} while (i != first);

	return i;
}

/* Moves up to max slots of one word of one active slab into the pool */
static void pool_take_word(struct rnd_pclass *pl, __u32 max)
{
	__u32 i = active_pick(pl), word, first, n;
	struct rnd_slab *s = pl->active[i];
	__u64 bits;

	pl->out += s->free_cnt;
	word = rnd_slab_grab(s, pick(pl, RND_SLAB_WORDS(s->slots)), max, &bits);
	UK_ASSERT(word != ~0U);
	pl->out -= s->free_cnt;

	first = (s->idx << pl->region->slot_shift) + word * 64;
	for (; bits; bits &= bits - 1) {
		n = first + (__u32)__builtin_ctzl(bits);
		/* It may have been written to while it was in its slab. Class
		 * 0 has no memory
		 */
		if (RND_OPT_VERIFY && pl->region->sc)
			rnd_pclass_verify(pl, n, "refill");
		pl->pool[pl->pool_cnt++] = n;
	}
	if (!s->free_cnt)
		rnd_pclass_deactivate(pl, i);
}

/* Fills the pool up to cnt slots, or as far as memory lasts */
static void pool_fill(struct rnd_pclass *pl, __u32 cnt, struct active_sums sum)
{
	if (pl->pool_cnt < cnt)
		active_widen(pl, cnt - pl->pool_cnt, sum);

	while (pl->pool_cnt < cnt) {
		/* All that was active has been taken */
		if (!pl->active_cnt)
			active_widen(pl, cnt - pl->pool_cnt,
				     (struct active_sums){ 0, 0 });
		if (unlikely(!pl->active_cnt))
			break;
		pool_take_word(pl, cnt - pl->pool_cnt);
	}
}

__bool rnd_pclass_refill(struct rnd_pclass *pl)
{
	struct active_sums sum;
	__u32 cnt, fresh;

	pl->refills++;
	choice_adapt(pl);
	/* There is less to choose from now than has been kept so far */
	if (unlikely(pl->pool_cnt > pl->pool_high))
		rnd_pclass_spill(pl);

	/* As many as there is room for, if they were used before. Of others as
	 * many as it takes, and a few, so that few refills make a heap grow
	 */
	cnt = MIN(pl->pool_cnt, pl->pool_max);
	sum = active_collect(pl, pl->pool_max - cnt);
	fresh = MAX(pl->out, pl->choice) / RND_POOL_FRESH + 2;
	cnt = MAX(cnt + sum.used, pl->choice + fresh);
	pool_fill(pl, MIN(cnt, pl->pool_max), sum);

	/* Without memory less choice is better than none */
	pl->pool_min = pl->pool_cnt > pl->choice ? pl->choice :
						   pl->pool_cnt / 2;

	return pl->pool_cnt != 0;
}
