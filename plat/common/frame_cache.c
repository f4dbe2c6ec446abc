/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/arch/paging.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/spinlock.h>

#include "falloc.h"
#include "frame_cache.h"
#include "random.h"
#include "rng.h"
#include "vector.h"

UK_CTASSERT(FRAME_CACHE_LOW + FRAME_CACHE_FILL <= FRAME_CACHE_LEN);
UK_CTASSERT(FRAME_CACHE_FILL > FRAME_CACHE_BATCH);
UK_CTASSERT(2 * FRAME_CACHE_BATCH <= FRAME_CACHE_LEN);

/* Draws between two visits of the generator */
#define CACHE_DRAWS 64U

/** (L) its lock, (a) read without it */
struct frame_cache {
	struct uk_spinlock lock;
	/** (L)(a) Number of frames */
	__u32 cnt;
	/** (L) Number of random words that are left */
	__u32 ndraws;
	/** (L) The frames, in no order */
	__u64 refs[FRAME_CACHE_LEN];
	/** (L) Random words */
	__u16 draws[CACHE_DRAWS];
	/** (L) Where they come from; never filled until it was seeded */
	struct plat_rng rng;
} __align(128);

static struct frame_cache caches[CONFIG_UKPLAT_LCPU_MAXCOUNT];

/* (a) CPUs have their %gs */
static __u32 caches_on;

void frame_cache_init(void)
{
	/* Relaxed: other CPUs are started later */
	__atomic_store_n(&caches_on, 1, __ATOMIC_RELAXED);
}

static void cnt_store(struct frame_cache *c, __u32 cnt)
{
	/* Relaxed: only a counter for frame_cache_held() */
	__atomic_store_n(&c->cnt, cnt, __ATOMIC_RELAXED);
}

/* Cache of this CPU, locked; __NULL if that would mean waiting */
static inline struct frame_cache *own_trylock(void)
{
	struct frame_cache *c;

	if (unlikely(!__atomic_load_n(&caches_on, __ATOMIC_RELAXED)))
		return __NULL;
	c = &caches[ukplat_lcpu_idx()];
	/* Or gcc computes the address anew at each use */
	__asm__("" : "+r"(c));
	return likely(uk_spin_trylock(&c->lock)) ? c : __NULL;
}

static void __noinline draws_fill(struct frame_cache *c)
{
	plat_rng_follow(&c->rng);
	plat_rng_bytes(&c->rng, c->draws, sizeof(c->draws));
	c->ndraws = CACHE_DRAWS;
}

/* Removes a random frame of a cache that has one */
static inline __u64 cache_draw(struct frame_cache *c)
{
	__u32 last = c->cnt - 1;
	__u32 i;
	__u64 ref;

	if (unlikely(!c->ndraws))
		draws_fill(c);
	i = (c->draws[--c->ndraws] * c->cnt) >> 16;
	ref = c->refs[i];
	c->refs[i] = c->refs[last];
	cnt_store(c, last);
	return ref;
}

static void __noinline cache_fill(struct frame_cache *c)
{
	cnt_store(c, c->cnt + falloc_refs_take(&c->refs[c->cnt],
					       FRAME_CACHE_FILL));
}

/* Gives away those that are in the cache for the longest time, roughly */
static void __noinline cache_flush(struct frame_cache *c)
{
	__u32 left = c->cnt - FRAME_CACHE_BATCH;

	falloc_refs_put(c->refs, FRAME_CACHE_BATCH);
	memmove(c->refs, &c->refs[FRAME_CACHE_BATCH],
		left * sizeof(c->refs[0]));
	cnt_store(c, left);
}

/* Frames of the core and, if need be, of all caches that are not in use */
static unsigned int __noinline core_take(__u64 *refs, unsigned int cnt)
{
	unsigned int got = falloc_refs_take(refs, cnt);

	if (likely(got == cnt) || !frame_cache_held())
		return got;
	frame_cache_reclaim();
	return got + falloc_refs_take(&refs[got], cnt - got);
}

static void __noinline frame_clear(__paddr_t paddr)
{
	vector_page_clear(ukplat_paddr_to_ptr(paddr));
}

/* Hands a frame out; no lock is held */
static inline __paddr_t ref_finish(__u64 ref)
{
	__paddr_t paddr = falloc_ref_paddr(ref);

	falloc_ref_own(ref);
	if (unlikely(!(ref & FALLOC_REF_ZERO)))
		frame_clear(paddr);
	return paddr;
}

/* Draws frames from the cache of this CPU; fewer if it cannot be used */
static unsigned int cache_take(__u64 *refs, unsigned int cnt)
{
	struct frame_cache *c = own_trylock();
	unsigned int got = 0;

	if (unlikely(!c))
		return 0;
	while (got < cnt) {
		if (unlikely(c->cnt < FRAME_CACHE_LOW))
			cache_fill(c);
		if (unlikely(!c->cnt))
			break;
		refs[got++] = cache_draw(c);
	}
	uk_spin_unlock(&c->lock);
	return got;
}

/* The cache is low, or cannot be used; it is locked if it is not __NULL */
static __paddr_t __noinline take_slow(struct frame_cache *c)
{
	__u64 ref;

	if (c)
		uk_spin_unlock(&c->lock);
	if (!cache_take(&ref, 1) && !core_take(&ref, 1))
		return __PADDR_INV;
	return ref_finish(ref);
}

__paddr_t frame_take(void)
{
	struct frame_cache *c;
	__u64 ref;

	if (unlikely(falloc_inject_hits()))
		return __PADDR_INV;
	c = own_trylock();
	if (unlikely(!c || c->cnt < FRAME_CACHE_LOW))
		return take_slow(c);
	ref = cache_draw(c);
	uk_spin_unlock(&c->lock);
	return ref_finish(ref);
}

/* Number of allocations until one has to fail, cnt if none has to */
static unsigned int inject_until(unsigned int cnt)
{
	unsigned int i;

	for (i = 0; i < cnt; i++)
		if (unlikely(falloc_inject_hits()))
			break;
	return i;
}

unsigned int frame_take_many(__paddr_t *out, unsigned int cnt)
{
	__u64 refs[FRAME_CACHE_BATCH];
	unsigned int done = 0;
	unsigned int want, n, got, i;

	do {
		want = MIN(cnt - done, FRAME_CACHE_BATCH);
		n = inject_until(want);
		got = cache_take(refs, n);
		if (unlikely(got < n))
			got += core_take(&refs[got], n - got);
		for (i = 0; i < got; i++)
			out[done++] = ref_finish(refs[i]);
	} while (done < cnt && got == want);
	return done;
}

/* Adds at most a batch of frames that nobody owns */
static void cache_put(const __u64 *refs, unsigned int cnt)
{
	struct frame_cache *c = own_trylock();
	unsigned int i;

	if (unlikely(!c)) {
		falloc_refs_put(refs, cnt);
		return;
	}
	if (unlikely(c->cnt + cnt > FRAME_CACHE_LEN))
		cache_flush(c);
	for (i = 0; i < cnt; i++)
		c->refs[c->cnt + i] = refs[i];
	cnt_store(c, c->cnt + cnt);
	uk_spin_unlock(&c->lock);
}

/* The cache is full, or cannot be used; it is locked if it is not __NULL */
static void __noinline put_slow(struct frame_cache *c, __u64 ref)
{
	if (c)
		uk_spin_unlock(&c->lock);
	cache_put(&ref, 1);
}

void frame_put(__paddr_t paddr)
{
	__u64 ref = falloc_ref_disown(paddr) | FALLOC_REF_ZERO;
	struct frame_cache *c = own_trylock();

	if (unlikely(!c || c->cnt == FRAME_CACHE_LEN)) {
		put_slow(c, ref);
		return;
	}
	c->refs[c->cnt] = ref;
	cnt_store(c, c->cnt + 1);
	uk_spin_unlock(&c->lock);
}

/* zero: what their references say about them */
static inline void frames_put(const __paddr_t *in, unsigned int cnt, __u64 zero)
{
	__u64 refs[FRAME_CACHE_BATCH];
	unsigned int n, i;

	for (; cnt; cnt -= n, in += n) {
		n = MIN(cnt, FRAME_CACHE_BATCH);
		for (i = 0; i < n; i++)
			refs[i] = falloc_ref_disown(in[i]) | zero;
		/* A batch would push out as many, which may be zero */
		if (!zero && n == FRAME_CACHE_BATCH)
			falloc_refs_put(refs, n);
		else
			cache_put(refs, n);
	}
}

void frame_put_many(const __paddr_t *in, unsigned int cnt)
{
	frames_put(in, cnt, FALLOC_REF_ZERO);
}

void frame_put_dirty(const __paddr_t *in, unsigned int cnt)
{
	frames_put(in, cnt, 0);
}

/* Gives all frames of a cache whose lock is held to the core, and unlocks */
static void cache_empty(struct frame_cache *c, unsigned long irqf)
{
	falloc_refs_put(c->refs, c->cnt);
	cnt_store(c, 0);
	uk_spin_unlock_irqrestore(&c->lock, irqf);
}

/* Empties a cache unless it is in use */
static int cache_try_empty(struct frame_cache *c)
{
	unsigned long irqf;

	if (!uk_spin_trylock_irqsave(&c->lock, &irqf))
		return 0;
	cache_empty(c, irqf);
	return 1;
}

void frame_cache_drain(void)
{
	unsigned int own, i;

	if (!__atomic_load_n(&caches_on, __ATOMIC_RELAXED))
		return;
	own = ukplat_lcpu_idx();
	if (!cache_try_empty(&caches[own])) {
		/* Below this context may be one that uses the cache and goes
		 * on only after this one has ended: no waiting
		 */
		frame_cache_reclaim();
		return;
	}
	for (i = 0; i < ARRAY_SIZE(caches); i++)
		if (i != own)
			cache_empty(&caches[i],
				    uk_spin_lock_irqsave(&caches[i].lock));
}

void frame_cache_reclaim(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(caches); i++)
		(void)cache_try_empty(&caches[i]);
}

__sz frame_cache_held(void)
{
	__sz held = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(caches); i++)
		held += __atomic_load_n(&caches[i].cnt, __ATOMIC_RELAXED);
	return held;
}
