/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>

#include "atomic.h"
#include "bitmap.h"
#include "fill.h"
#include "pclass.h"
#include "port.h"
#include "report.h"

#ifdef RND_PORT_CHOICE_BYTES
#define CHOICE_BYTES MIN(RND_CHOICE_BYTES, RND_PORT_CHOICE_BYTES)
#else
#define CHOICE_BYTES RND_CHOICE_BYTES
#endif

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
		bytes /= 2;

	pl->choice_most = clamp_u32(bytes / len, RND_CHOICE_MIN, cnt);
	pl->choice_least = pl->choice_most;
	if (len > RND_BULK_SLOT_MIN)
		pl->choice_least = clamp_u32(bytes / RND_CHOICE_SHARE / len,
					     RND_CHOICE_MIN, cnt);
}

/* The choice that there should be, from now on */
static void choice_adapt(struct rnd_pclass *pl)
{
	pl->choice = MIN(MAX(pl->out / RND_CHOICE_SHARE, pl->choice_least),
			 pl->choice_most);
	pl->pool_max = pl->choice + RND_POOL_SPARE(pl->choice);
	pl->pool_high = RND_POOL_HIGH(pl->choice);
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
	pl->desc_len = region->desc_len;
	pl->slot_shift = region->slot_shift;
	pl->live = rnd_state_live(len, cpu, 0, 0);
	pl->freed = rnd_state_freed(RND_SLOT_FREED, cpu);
	pl->key = *key;
	pl->region = region;
	pl->vs = vs;
	pl->rng = rng;
	pl->cpu = cpu;
	choice_init(pl);
	choice_adapt(pl);
	quarantine_init(pl, clamp_u32(RND_QUARANTINE_BYTES / len, 1,
				      RND_QUARANTINE_FIFO_LEN) +
				    clamp_u32(RND_QUARANTINE_BURST_BYTES / len,
					      0, RND_QUARANTINE_BURST_LEN));
}

/*
 * Lists of slabs
 */

static __bool slab_is_empty(const struct rnd_slab *s)
{
	return s->free_cnt == s->slots;
}

/* Free slabs are the last ones to be used again, and the first to be purged */
static void partial_insert(struct rnd_pclass *pl, struct rnd_slab *s)
{
	__bool is_empty = slab_is_empty(s);

	UK_ASSERT(!s->listed && !s->active);

	s->prev = is_empty ? pl->partial_last : __NULL;
	s->next = is_empty ? __NULL : pl->partial;
	if (s->next)
		s->next->prev = s;
	else
		pl->partial_last = s;
	if (s->prev)
		s->prev->next = s;
	else
		pl->partial = s;
	s->listed = 1;
	pl->empty_cnt += is_empty;
}

static void partial_unlink(struct rnd_pclass *pl, struct rnd_slab *s)
{
	UK_ASSERT(s->listed);

	if (s->prev)
		s->prev->next = s->next;
	else
		pl->partial = s->next;
	if (s->next)
		s->next->prev = s->prev;
	else
		pl->partial_last = s->prev;
	s->next = __NULL;
	s->prev = __NULL;
	s->listed = 0;
}

static void partial_remove(struct rnd_pclass *pl, struct rnd_slab *s)
{
	partial_unlink(pl, s);
	pl->empty_cnt -= slab_is_empty(s);
	pl->empty_low = MIN(pl->empty_low, pl->empty_cnt);
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
	/* Acquire: pairs with the release in deliver() */
	return slab_is_empty(s) && !rnd_load_acquire(&s->visit);
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
			partial_remove(pl, s);
		else
			s = rnd_region_take(pl->region, pl->vs, (__u16)pl->cpu);
		if (unlikely(!s))
			break;

		active_insert(pl, s);
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

static void __noinline __noreturn verify_report(const struct rnd_pclass *pl,
						__u32 n)
{
	const void *slot = rnd_pclass_slot(pl, n);
	__u16 state = pl->states[n];
	struct rnd_bug_info info = {
		.bug = RND_BUG_WRITE_AFTER_FREE,
		.op = "refill",
		.ptr = slot,
		.slot_len = pl->slot_len,
		.bad = rnd_fill_find_nonzero(slot, pl->slot_len),
		.has_cpu = state >> RND_STATE_BITS != 0,
		.cpu = (state >> RND_STATE_BITS) - 1U,
	};

	rnd_report(&info);
}

/* A slot may have been written to while it was in its slab. Class 0 has no
 * memory
 */
static void verify(const struct rnd_pclass *pl, __u32 n)
{
	if (pl->region->sc &&
	    unlikely(!rnd_fill_is_zero(rnd_pclass_slot(pl, n), pl->slot_len)))
		verify_report(pl, n);
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
		if (RND_OPT_VERIFY)
			verify(pl, n);
		pl->pool[pl->pool_cnt++] = n;
	}
	if (!s->free_cnt)
		active_remove(pl, i);
}

__bool rnd_pclass_refill(struct rnd_pclass *pl)
{
	pl->refills++;
	choice_adapt(pl);
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
		partial_unlink(pl, s);
	partial_insert(pl, s);
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
	while (pl->pool_cnt > pl->pool_max)
		pclass_release(pl, pl->pool[--pl->pool_cnt]);
}

void rnd_pclass_age(struct rnd_pclass *pl)
{
	struct rnd_slab *s;
	__u32 i, low;

	if (!pl->region || ++pl->empty_age < RND_EMPTY_AGE)
		return;

	low = pl->empty_low;
	for (i = 0; i < MIN(low, RND_EMPTY_BATCH); i++) {
		s = pl->partial_last;
		if (!slab_is_quiet(s))
			break;
		partial_remove(pl, s);
		rnd_region_return(pl->region, pl->vs, s);
	}
	pl->empty_low = low - i;
	if (i < RND_EMPTY_BATCH) {
		pl->empty_age = 0;
		pl->empty_low = pl->empty_cnt;
	}
}

/*
 * Common quarantine
 */

void rnd_pclass_join(struct rnd_pclass *pl, struct rnd_bulk *bulk)
{
	UK_ASSERT(pl->slot_len > RND_BULK_SLOT_MIN && !pl->pool_cnt);

	pl->bulk = bulk;
	/* Nothing gets in, and the fast path finds no room */
	quarantine_init(pl, 1);
}

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

/*
 * Giving back
 */

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

/* First slot from i on that is free, or not: the number of slots if there is
 * none
 */
static __u32 find_slot(struct rnd_slab *s, __u32 i, __bool is_free)
{
	const __u64 *bits = rnd_slab_free_bits(s);

	while (i < s->slots && (bits[i / 64] >> (i & 63U) & 1) != is_free)
		i++;

	return i;
}

/* Gives back the pages of a slab that only free slots touch */
static __sz slab_discard(const struct rnd_pclass *pl, struct rnd_slab *s)
{
	__uptr start, end;
	__u32 from, to;
	__sz len = 0;

	for (from = 0; from < s->slots; from = to) {
		from = find_slot(s, from, 1);
		to = find_slot(s, from, 0);
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
		active_remove(pl, i - 1);
		partial_insert(pl, s);
	}

	for (s = pl->partial; s; s = next) {
		next = s->next;
		if (slab_is_quiet(s)) {
			partial_remove(pl, s);
			rnd_region_return(pl->region, pl->vs, s);
			len += pl->region->slab_len;
		} else {
			len += slab_discard(pl, s);
		}
	}

	return len;
}
