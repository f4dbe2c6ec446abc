/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>

#include "atomic.h"
#include "pclass.h"
#include "report.h"

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

void rnd_pclass_init(struct rnd_pclass *pl, const struct rnd_region *region,
		     const struct rnd_canary_key *key, struct rnd_vspace *vs,
		     struct rnd_rng *rng, __u16 cpu)
{
	__u32 len = region->slot_len;

	UK_ASSERT(pl && region && vs && rng);

	pl->slot_len = len;
	pl->base = region->base;
	pl->meta = region->meta;
	pl->key = *key;
	pl->region = region;
	pl->vs = vs;
	pl->rng = rng;
	pl->cpu = cpu;
	pl->mag_max =
		(__u16)clamp_u32(RND_MAGAZINE_BYTES / len, 1, RND_MAGAZINE_LEN);
	pl->choice =
		clamp_u32(RND_CHOICE_LEN / len, RND_CHOICE_MIN, RND_CHOICE_MAX);
	rnd_quarantine_init(&pl->q, pclass_rand_len(len),
			    clamp_u32(RND_QUARANTINE_BYTES / len, 1,
				      RND_QUARANTINE_FIFO_LEN));
}

/*
 * Lists of slabs
 */

static __bool slab_is_empty(const struct rnd_slab *s)
{
	return s->free_cnt == s->slots;
}

static void partial_insert(struct rnd_pclass *pl, struct rnd_slab *s)
{
	UK_ASSERT(!s->listed && !s->active);

	s->prev = __NULL;
	s->next = pl->partial;
	if (s->next)
		s->next->prev = s;
	pl->partial = s;
	s->listed = 1;
	pl->empty_cnt += slab_is_empty(s);
}

static void partial_remove(struct rnd_pclass *pl, struct rnd_slab *s)
{
	UK_ASSERT(s->listed);

	if (s->prev)
		s->prev->next = s->next;
	else
		pl->partial = s->next;
	if (s->next)
		s->next->prev = s->prev;
	s->next = __NULL;
	s->prev = __NULL;
	s->listed = 0;
	pl->empty_cnt -= slab_is_empty(s);
}

static void active_insert(struct rnd_pclass *pl, struct rnd_slab *s)
{
	s->active = 1;
	pl->active[pl->active_cnt++] = s;
}

static void active_remove(struct rnd_pclass *pl, __u32 i)
{
	pl->active[i]->active = 0;
	pl->active[i] = pl->active[--pl->active_cnt];
	pl->active[pl->active_cnt] = __NULL;
}

/* A free slab can be purged when no other CPU still looks at it: a visitor
 * may have set the last remote bit and be about to put it in our inbox.
 */
static __bool slab_is_quiet(struct rnd_slab *s)
{
	/* Acquire: pairs with the release in flush_slab() */
	return slab_is_empty(s) && !rnd_load_acquire(&s->visit);
}

/*
 * Drawing
 */

static __u32 active_free_cnt(const struct rnd_pclass *pl)
{
	__u32 i, sum = 0;

	for (i = 0; i < pl->active_cnt; i++)
		sum += pl->active[i]->free_cnt;

	return sum;
}

/* Adds slabs until there is enough choice. New memory only if the slabs that
 * exist are not enough.
 */
static __u32 active_widen(struct rnd_pclass *pl)
{
	__u32 sum = active_free_cnt(pl);
	struct rnd_slab *s;

	while (sum < pl->choice && pl->active_cnt < RND_ACTIVE_MAX) {
		s = pl->partial;
		if (s)
			partial_remove(pl, s);
		else
			s = rnd_region_take(pl->region, pl->vs, pl->cpu);
		if (unlikely(!s))
			break;

		active_insert(pl, s);
		sum += s->free_cnt;
	}

	return sum;
}

/* The n-th slot of all active slabs, free or not: which slab, and its slot */
static __u32 active_nth(const struct rnd_pclass *pl, __u32 *n)
{
	__u32 i;

	for (i = 0; *n >= pl->region->slots; i++)
		*n -= pl->region->slots;

	return i;
}

/* The n-th free slot of all active slabs; drawn */
static __u32 active_take_nth(struct rnd_pclass *pl, __u32 *n)
{
	__u32 i;

	for (i = 0; *n >= pl->active[i]->free_cnt; i++) {
		*n -= pl->active[i]->free_cnt;
		UK_ASSERT(i + 1 < pl->active_cnt);
	}
	*n = rnd_slab_take(pl->active[i], *n);

	return i;
}

/* Draws one of the sum free slots of all active slabs, each equally likely.
 * A slot picked among all slots, free or not, and rejected if it is not free,
 * is uniform over the free ones. Counting to the n-th free slot is as well,
 * and does not depend on luck.
 */
static __u64 active_draw(struct rnd_pclass *pl, __u32 sum)
{
	const struct rnd_region *r = pl->region;
	__u32 i, n, tries = RND_OPT_RANDOM_SLOTS ? RND_DRAW_TRIES : 0;
	struct rnd_slab *s;

	for (; tries; tries--) {
		n = rnd_rng_uniform16(pl->rng, pl->active_cnt * r->slots);
		i = active_nth(pl, &n);
		if (likely(rnd_slab_try(pl->active[i], n)))
			break;
	}
	if (!tries) {
		n = RND_OPT_RANDOM_SLOTS ? rnd_rng_uniform(pl->rng, sum) : 0;
		i = active_take_nth(pl, &n);
	}

	s = pl->active[i];
	if (!s->free_cnt)
		active_remove(pl, i);

	return rnd_ref_make(r, (char *)s->base + (__sz)n * r->slot_len,
			    rnd_slab_states(s) + n);
}

__bool rnd_pclass_refill(struct rnd_pclass *pl)
{
	__u32 sum, want;

	UK_ASSERT(!pl->mag_cnt);

	sum = active_widen(pl);
	/* Without choice, take less: what is not drawn yet is still free */
	want = MIN((__u32)pl->mag_max, MAX(sum / 2, 1U));
	pl->refills++;

	while (sum && pl->mag_cnt < want) {
		pl->mag[pl->mag_cnt] = active_draw(pl, sum--);
		pl->mag_cnt++;
	}

	return pl->mag_cnt != 0;
}

/*
 * Returning
 */

static void slab_put(struct rnd_pclass *pl, struct rnd_slab *s,
		     unsigned int slot)
{
	rnd_slab_return(s, slot);
	if (s->active)
		return;

	if (!s->listed) {
		partial_insert(pl, s);
	} else if (slab_is_empty(s)) {
		pl->empty_cnt++;
	}

	if (unlikely(pl->empty_cnt > RND_EMPTY_MAX) && slab_is_quiet(s)) {
		partial_remove(pl, s);
		rnd_region_return(pl->region, pl->vs, s);
	}
}

static void __noinline __noreturn release_report(struct rnd_pclass *pl,
						 __u64 ref, __u16 state)
{
	struct rnd_bug_info info = {
		.bug = RND_BUG_DOUBLE_FREE,
		.op = "free",
		.ptr = rnd_ref_slot(pl, ref),
		.slot_len = pl->slot_len,
		.where = "freed by two CPUs at the same time",
		.has_cpu = (state & RND_STATE_MASK) < RND_SLOT_LIVE,
		.cpu = (state >> RND_STATE_BITS) - 1U,
	};

	rnd_report(&info);
}

void rnd_pclass_release(struct rnd_pclass *pl, __u64 ref)
{
	__u16 *word = rnd_ref_state(pl, ref), state = *word;
	const struct rnd_region *r = pl->region;
	struct rnd_slab *s;

	/* A racing double free put the slot in here twice */
	if (unlikely((state & RND_STATE_MASK) != RND_SLOT_QUARANTINED))
		release_report(pl, ref, state);

	s = rnd_region_slab(r, (__u32)((__uptr)(__u32)ref >>
				       (r->slab_shift - 4U)));
	slab_put(pl, s, (unsigned int)(word - rnd_slab_states(s)));
}

static void take_remote_slot(struct rnd_pclass *pl, struct rnd_slab *s,
			     unsigned int slot)
{
	const struct rnd_region *r = pl->region;
	__u16 *word = rnd_slab_states(s) + slot, state = *word;
	__u64 ref;

	ref = rnd_ref_make(r, (char *)s->base + (__sz)slot * r->slot_len, word);
	/* The owner freed it as well, at the same time */
	if (unlikely((state & RND_STATE_MASK) != RND_SLOT_REMOTE))
		release_report(pl, ref, state);

	*word = (__u16)((state & ~RND_STATE_MASK) | RND_SLOT_QUARANTINED);
	rnd_pclass_quarantine(pl, ref);
}

__u32 rnd_pclass_take_remote(struct rnd_pclass *pl, struct rnd_slab *s)
{
	__u64 *bits = rnd_slab_remote_bits(s), taken;
	__u32 i, cnt = 0, words = RND_SLAB_WORDS(s->slots);

	for (i = 0; i < words; i++) {
		if (!rnd_load_relaxed(&bits[i]))
			continue;

		/* Acquire: the slots' contents and states. Pairs with the
		 * exchange in rnd_slab_mark_remote()
		 */
		taken = rnd_xchg_acq_rel(&bits[i], 0UL);
		for (; taken; taken &= taken - 1, cnt++)
			take_remote_slot(
				pl, s,
				i * 64 + (unsigned int)__builtin_ctzl(taken));
	}

	return cnt;
}

/*
 * Giving back
 */

static void release_ref(void *pl, __u64 ref)
{
	rnd_pclass_release(pl, ref);
}

void rnd_pclass_flush_magazine(struct rnd_pclass *pl)
{
	__u64 ref;

	while (pl->mag_cnt) {
		ref = pl->mag[--pl->mag_cnt];
		pl->mag[pl->mag_cnt] = 0;
		/* Drawn, but never handed out: as good as from quarantine */
		*rnd_ref_state(pl, ref) ^= RND_SLOT_DRAWN ^
					   RND_SLOT_QUARANTINED;
		rnd_pclass_release(pl, ref);
	}
}

void rnd_pclass_flush(struct rnd_pclass *pl)
{
	rnd_pclass_flush_magazine(pl);
	rnd_quarantine_drain(&pl->q, release_ref, pl);
}

__sz rnd_pclass_purge(struct rnd_pclass *pl)
{
	struct rnd_slab *s, *next;
	__sz cnt = 0;
	__u32 i;

	for (i = pl->active_cnt; i; i--) {
		s = pl->active[i - 1];
		active_remove(pl, i - 1);
		partial_insert(pl, s);
	}

	for (s = pl->partial; s; s = next) {
		next = s->next;
		if (!slab_is_quiet(s))
			continue;
		partial_remove(pl, s);
		rnd_region_return(pl->region, pl->vs, s);
		cnt++;
	}

	return pl->region->sc ? cnt << pl->region->slab_shift : 0;
}
