/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>

#include "atomic.h"
#include "vspace.h"

/* A try hits something that exists with the probability of the share of the
 * space in use. Even at one half, 128 tries fail once in 2^128.
 */
#define RND_VSPACE_TRIES 128

void rnd_vspace_init(struct rnd_vspace *vs, __sz limit)
{
	__uptr start, end;

	UK_ASSERT(vs);

	rnd_lock_init(&vs->lock, RND_RANK_VSPACE);
	rnd_rng_start(&vs->rng);
	/* Fixed places start in the middle: size classes take the windows
	 * from the bottom up
	 */
	rnd_port_va_range(&start, &end);
	vs->next = ALIGN_UP(start + (end - start) / 2, RND_PAGE_LEN);
	vs->limit = limit;
	vs->total = rnd_port_total() >> RND_PAGE_SHIFT;
	vs->user = 0;
	vs->meta = 0;
}

/* A number, and a word for another one if it is wanted */
static inline __u64 vspace_draw(struct rnd_vspace *vs, __u64 bound, __u64 *word)
{
	unsigned long flags;
	__u64 n;

	flags = rnd_lock_acquire(&vs->lock);
	rnd_rng_follow(&vs->rng);
	n = rnd_rng_uniform64(&vs->rng, bound);
	if (word)
		*word = rnd_rng_u64(&vs->rng);
	rnd_lock_release(&vs->lock, flags);

	return n;
}

__u64 rnd_vspace_draw(struct rnd_vspace *vs, __u64 bound)
{
	return vspace_draw(vs, bound, __NULL);
}

__u64 rnd_vspace_draw_both(struct rnd_vspace *vs, __u64 bound, __u64 *word)
{
	return vspace_draw(vs, bound, word);
}

/* An unbiased number below bound of a word, or of another one where that would
 * not be fair: see rnd_rng_uniform64()
 */
static __u64 vspace_number(struct rnd_vspace *vs, __u64 word, __u64 bound)
{
	unsigned __int128 product = (unsigned __int128)word * bound;

	if (unlikely((__u64)product < bound) &&
	    (__u64)product < (0UL - bound) % bound)
		return rnd_vspace_draw(vs, bound);

	return (__u64)(product >> 64);
}

/* Next place in ascending order, for CONFIG_LIBUKALLOCRND_RANDOM_BASES=n. Each
 * failed try leaps farther, to get over what others have there.
 */
static __uptr vspace_next(struct rnd_vspace *vs, __sz len, __sz align, __sz pre,
			  __uptr first, __uptr end, int tries)
{
	unsigned long flags;
	__uptr addr;

	flags = rnd_lock_acquire(&vs->lock);
	if (tries)
		vs->next += len << MIN(tries / 2, 24);
	addr = ALIGN_UP(vs->next + pre, align) - pre;
	/* Behind the end, what was given back at the beginning is next */
	if (addr > end - len || addr < first)
		addr = first;
	vs->next = addr + len;
	rnd_lock_release(&vs->lock, flags);

	return addr;
}

/* The first place is that of the word, if there is one */
static inline int vspace_reserve(struct rnd_vspace *vs, __sz len, __sz align,
				 __sz pre, const __u64 *word, __uptr *addr)
{
	__uptr start, end, first, try;
	__sz places, n;
	int i, rc;

	UK_ASSERT(vs);
	UK_ASSERT(len && !(len & (RND_PAGE_LEN - 1)) && pre < len);
	UK_ASSERT(POWER_OF_2(align) && align >= RND_PAGE_LEN);

	rnd_port_va_range(&start, &end);
	first = ALIGN_UP(start + pre, align) - pre;
	if (unlikely(first < start || first >= end || len > end - first))
		return -ENOMEM;
	places = (end - first - len) / align + 1;

	for (i = 0; i < RND_VSPACE_TRIES; i++) {
		if (RND_OPT_RANDOM_BASES) {
			n = word && !i ? vspace_number(vs, *word, places) :
					 rnd_vspace_draw(vs, places);
			try = first + n * align;
		} else {
			try = vspace_next(vs, len, align, pre, first, end, i);
		}
		rc = rnd_port_reserve_at(try, len);
		if (!rc) {
			*addr = try;
			return 0;
		}
		if (rc != -EEXIST)
			break;
	}

	return -ENOMEM;
}

int rnd_vspace_reserve(struct rnd_vspace *vs, __sz len, __sz align, __sz pre,
		       __uptr *addr)
{
	return vspace_reserve(vs, len, align, pre, __NULL, addr);
}

int rnd_vspace_reserve_drawn(struct rnd_vspace *vs, __sz len, __sz align,
			     __sz pre, __u64 word, __uptr *addr)
{
	return vspace_reserve(vs, len, align, pre, &word, addr);
}

int rnd_vspace_reserve_meta(struct rnd_vspace *vs, __sz len, __uptr *addr)
{
	int rc;

	rc = rnd_vspace_reserve(vs, len + 2 * RND_PAGE_LEN, RND_PAGE_LEN, 0,
				addr);
	if (likely(!rc))
		*addr += RND_PAGE_LEN;

	return rc;
}

void rnd_vspace_release_meta(__uptr addr, __sz len)
{
	rnd_port_release(addr - RND_PAGE_LEN, len + 2 * RND_PAGE_LEN);
}

static __sz *vspace_counter(struct rnd_vspace *vs, enum rnd_backing what)
{
	return what == RND_BACKING_META ? &vs->meta : &vs->user;
}

static void vspace_uncharge(struct rnd_vspace *vs, __sz pages,
			    enum rnd_backing what)
{
	rnd_sub_relaxed(vspace_counter(vs, what), pages);
}

static int vspace_charge(struct rnd_vspace *vs, __sz pages,
			 enum rnd_backing what)
{
	/* Charge first: two CPUs can together exceed the limit only if both
	 * see the sum, and then both withdraw
	 */
	rnd_add_relaxed(vspace_counter(vs, what), pages);
	if (likely(rnd_load_relaxed(&vs->user) + rnd_load_relaxed(&vs->meta) <=
		   rnd_load_relaxed(&vs->limit)))
		return 0;

	vspace_uncharge(vs, pages, what);
	return -ENOMEM;
}

int rnd_vspace_commit(struct rnd_vspace *vs, __uptr addr, __sz len,
		      enum rnd_backing what)
{
	__sz pages = len >> RND_PAGE_SHIFT;
	int rc;

	if (unlikely(vspace_charge(vs, pages, what)))
		return -ENOMEM;

	rc = rnd_port_commit(addr, len, what == RND_BACKING_OBJECT);
	if (unlikely(rc))
		vspace_uncharge(vs, pages, what);

	return rc;
}

void rnd_vspace_decommit(struct rnd_vspace *vs, __uptr addr, __sz len,
			 enum rnd_backing what)
{
	rnd_port_decommit(addr, len);
	vspace_uncharge(vs, len >> RND_PAGE_SHIFT, what);
}

int rnd_vspace_move(struct rnd_vspace *vs, __uptr from, __sz len, __uptr to,
		    __sz to_len)
{
	__sz more = (to_len - len) >> RND_PAGE_SHIFT;
	int rc;

	UK_ASSERT(to_len >= len);

	if (unlikely(more && vspace_charge(vs, more, RND_BACKING_USER)))
		return -ENOTSUP;

	rc = rnd_port_move(from, len, to, to_len);
	if (unlikely(rc < 0))
		vspace_uncharge(vs, more, RND_BACKING_USER);

	return rc;
}

__sz rnd_vspace_available(const struct rnd_vspace *vs)
{
	__sz limit = rnd_load_relaxed(&vs->limit);
	__sz used = rnd_load_relaxed(&vs->user) + rnd_load_relaxed(&vs->meta);
	__sz sys = rnd_port_available() >> RND_PAGE_SHIFT;

	if (limit == __SZ_MAX)
		return sys;

	return used < limit ? MIN(limit - used, sys) : 0;
}
