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

/* Slots in the pool at most; there is room for those of a segment besides */
static __u32 pool_high(const struct rnd_pclass *pl, __u32 spare)
{
	__u32 high = RND_POOL_HIGH(pl->choice, spare), keep;

	if (pl->slot_len <= RND_SHORT_LEN)
		return high;
	keep = MIN(RND_POOL_KEEP_LEN,
		   (__u32)(RND_PORT_POOL_KEEP / pl->slot_len));

	return MAX(high, MIN(pl->choice + keep,
			     RND_POOL_LEN - RND_QUARANTINE_SEG_MAX));
}

/* The choice that there should be, from now on */
static void choice_adapt(struct rnd_pclass *pl)
{
	__u32 spare;

	pl->choice = MIN(MAX(pl->out / RND_CHOICE_SHARE, pl->choice_least),
			 pl->choice_most);
	spare = pl->slot_len > RND_SHORT_LEN ? RND_POOL_SPARE_LONG(pl->choice) :
					       RND_POOL_SPARE(pl->choice);
	/* What leaves the quarantine must not come and go by way of slabs */
	spare = MAX(spare, pl->q.seg_len);
	pl->pool_max = pl->choice + spare;
	pl->pool_high = pool_high(pl, spare);
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

static __u32 active_free_cnt(const struct rnd_pclass *pl)
{
	__u32 i, sum = 0;

	for (i = 0; i < pl->active_cnt; i++)
		sum += pl->active[i]->free_cnt;

	return sum;
}

/* Adds slabs until there are as many free slots as wanted. New memory only if
 * the slabs that exist are not enough.
 */
static void active_widen(struct rnd_pclass *pl, __u32 want)
{
	__u32 sum = active_free_cnt(pl);
	struct rnd_slab *s;

	while (sum < want && pl->active_cnt < RND_ACTIVE_MAX) {
		s = pl->partial;
		if (s)
			rnd_pclass_take_listed(pl, s);
		else
			s = rnd_region_take(pl->region, pl->vs, (__u16)pl->cpu);
		if (unlikely(!s))
			break;

		rnd_pclass_activate(pl, s);
		sum += s->free_cnt;
		pl->end = MAX(pl->end, (s->idx + 1UL) * pl->region->slab_len);
	}
}

/* A number below bound; which one is not a secret, its choice only spreads
 * what is in the pool
 */
static __u32 pick(struct rnd_pclass *pl, __u32 bound)
{
	if (!RND_OPT_RANDOM_SLOTS)
		return 0;

	return (rnd_rng_u16(pl->rng) * bound) >> 16;
}

/* Moves up to max slots of one word of one active slab into the pool */
static void pool_take_word(struct rnd_pclass *pl, __u32 max)
{
	__u32 i = pick(pl, pl->active_cnt), word, first, n;
	struct rnd_slab *s = pl->active[i];
	__u64 bits;

	word = rnd_slab_grab(s, pick(pl, RND_SLAB_WORDS(s->slots)), max, &bits);
	UK_ASSERT(word != ~0U);

	pl->out += rnd_word_count(bits);
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

__bool rnd_pclass_refill(struct rnd_pclass *pl)
{
	pl->refills++;
	choice_adapt(pl);
	/* There is less to choose from now than has been kept so far */
	if (unlikely(pl->pool_cnt > pl->pool_high))
		rnd_pclass_spill(pl);
	if (pl->pool_cnt < pl->pool_max)
		active_widen(pl, pl->pool_max - pl->pool_cnt);

	while (pl->pool_cnt < pl->pool_max) {
		if (!pl->active_cnt)
			active_widen(pl, pl->pool_max - pl->pool_cnt);
		if (unlikely(!pl->active_cnt))
			break;
		pool_take_word(pl, pl->pool_max - pl->pool_cnt);
	}

	/* Without memory less choice is better than none */
	pl->pool_min = pl->pool_cnt > pl->choice ? pl->choice :
						   pl->pool_cnt / 2;

	return pl->pool_cnt != 0;
}
