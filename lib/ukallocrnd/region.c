/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>

#include "atomic.h"
#include "bitmap.h"
#include "region.h"

UK_CTASSERT(sizeof(struct rnd_region) == 64);
/* Numbers of slots have 32 bits, and RND_SLOT_NONE is none of them */
UK_CTASSERT((1UL << RND_REGION_SHIFT) / RND_SLOT_ALIGN < RND_SLOT_NONE);

static __sz region_len(const struct rnd_region *r)
{
	return (__sz)r->slab_max * r->slab_len;
}

/* The descriptors, whole pages */
static __sz region_descs_len(const struct rnd_region *r)
{
	return ALIGN_UP((__sz)r->slab_max * RND_SLAB_META_LEN(r->slots),
			RND_PAGE_LEN);
}

/* The state words, whole pages */
static __sz region_states_len(const struct rnd_region *r)
{
	return ALIGN_UP(((__sz)r->slab_max << r->slot_shift) * sizeof(__u16),
			RND_PAGE_LEN);
}

/* Both, and a page between them that is never committed */
static __sz region_meta_len(const struct rnd_region *r)
{
	return region_descs_len(r) + RND_PAGE_LEN + region_states_len(r);
}

/* Reserves len bytes inside a random window that is not in use. Windows that
 * are tried and found taken by others are drawn again: no bias.
 */
static int region_place(struct rnd_region *r, struct rnd_vspace *vs,
			__u64 *used, __sz len)
{
	const __sz window_len = 1UL << RND_WINDOW_SHIFT;
	__uptr start, end, addr;
	__u64 first, cnt, w;
	int i, rc;

	rnd_port_va_range(&start, &end);
	first = DIV_ROUND_UP(start, window_len);
	cnt = MIN(end >> RND_WINDOW_SHIFT, (__u64)RND_WINDOW_COUNT);
	if (first >= cnt)
		return -ENOMEM;
	cnt -= first;

	for (i = 0; i < 4096; i++) {
		w = first + (RND_OPT_RANDOM_BASES ? rnd_vspace_draw(vs, cnt) :
						    (__u64)i % cnt);
		if (used[w / 64] & (1UL << (w % 64)))
			continue;

		addr = w << RND_WINDOW_SHIFT;
		if (RND_OPT_RANDOM_BASES)
			addr += rnd_vspace_draw(vs, (window_len - len) >>
							    RND_PAGE_SHIFT)
				<< RND_PAGE_SHIFT;
		rc = rnd_port_reserve_at(addr, len);
		if (!rc) {
			used[w / 64] |= 1UL << (w % 64);
			r->base = addr;
			return 0;
		}
		if (rc != -EEXIST)
			return rc;
	}

	return -ENOMEM;
}

static void region_unplace(struct rnd_region *r, __u64 *used)
{
	__u64 w = r->base >> RND_WINDOW_SHIFT;

	rnd_port_release(r->base, region_len(r));
	used[w / 64] &= ~(1UL << (w % 64));
}

static int region_reserve(struct rnd_region *r, struct rnd_vspace *vs,
			  __u64 *used, unsigned int shift)
{
	__uptr meta;
	int rc;

	/* Whole pages, because a slab is. A window has room for it */
	r->slab_max = (__u32)(RND_REGION_LEN(shift) / r->slab_len);
	rc = region_place(r, vs, used, region_len(r));
	if (unlikely(rc))
		return rc;

	rc = rnd_vspace_reserve_meta(vs, region_meta_len(r), &meta);
	if (unlikely(rc)) {
		region_unplace(r, used);
		return rc;
	}
	r->slabs = meta + region_descs_len(r) + r->desc_step;
	r->states = (__u16 *)(meta + region_descs_len(r) + RND_PAGE_LEN);

	return 0;
}

int rnd_region_init(struct rnd_region *r, struct rnd_region_dyn *dyn,
		    unsigned int sc, struct rnd_vspace *vs, __u64 *used)
{
	const struct rnd_sizeclass *geo = &rnd_sizeclass[sc];
	unsigned int shift;
	int rc = -ENOMEM;

	UK_ASSERT(r && dyn && vs && used && sc < RND_CLASS_COUNT);

	r->dyn = dyn;
	r->sc = (__u8)sc;
	r->slot_len = geo->slot_len;
	r->inverse = geo->inverse;
	r->slots = geo->slots;
	r->slot_shift = geo->slot_shift;
	r->slab_len = geo->slot_len << geo->slot_shift;
	r->desc_step = 0UL - RND_SLAB_META_LEN(geo->slots);

	/* A limited address space (ulimit -v) gets smaller regions */
	for (shift = RND_REGION_SHIFT; shift >= RND_REGION_SHIFT_MIN; shift--) {
		rc = region_reserve(r, vs, used, shift);
		if (!rc)
			break;
	}
	if (unlikely(rc))
		return -ENOMEM;

	rnd_lock_init(&dyn->lock, RND_RANK_REGION);

	return 0;
}

void rnd_region_destroy(struct rnd_region *r)
{
	rnd_port_release(r->base, region_len(r));
	rnd_vspace_release_meta((__uptr)r->states - RND_PAGE_LEN -
					region_descs_len(r),
				region_meta_len(r));
}

/* Length of the runs of slabs between guards in the group that starts at idx.
 * With a limit of 65,530 areas a process can then use many GiB of a class.
 */
static __u32 region_run(__u32 idx)
{
	if (!RND_OPT_GUARD_SLABS)
		return RND_REGION_GROUP;
	if (RND_OPT_GUARD_EVERY || idx < 8 * RND_REGION_GROUP)
		return 1;
	if (idx < 64 * RND_REGION_GROUP)
		return 7;
	return RND_REGION_GROUP - 1;
}

/* Takes a slab out of the open group, which has one */
static __u32 region_draw(struct rnd_region_dyn *dyn, struct rnd_vspace *vs)
{
	__u32 n;

	n = RND_OPT_RANDOM_BASES ? (__u32)rnd_vspace_draw(vs, dyn->group_cnt) :
				   dyn->group_cnt - 1;
	n = rnd_word_select(dyn->group, n);
	dyn->group ^= 1U << n;
	dyn->group_cnt--;

	return dyn->next_idx - RND_REGION_GROUP + n;
}

/* Commits whole pages of metadata, if there are any */
static int region_commit(struct rnd_vspace *vs, __uptr from, __uptr to)
{
	if (to <= from)
		return 0;

	return rnd_vspace_commit(vs, from, to - from, RND_BACKING_META);
}

/* First byte behind the descriptors of the slabs from idx on */
static __uptr region_descs_end(const struct rnd_region *r, __u32 idx)
{
	return (__uptr)rnd_region_slab(r, idx) - r->desc_step;
}

/* The page that two groups share is committed with the first one: the lower
 * one of the state words, the upper one of the descriptors
 */
static int region_commit_group(const struct rnd_region *r,
			       struct rnd_vspace *vs, __u32 idx)
{
	const __u16 *first = r->states + ((__u64)idx << r->slot_shift);
	const __u16 *last = first + ((__u64)RND_REGION_GROUP << r->slot_shift);
	__uptr from = ALIGN_UP((__uptr)first, RND_PAGE_LEN);
	__uptr to = ALIGN_UP((__uptr)last, RND_PAGE_LEN);
	int rc;

	rc = region_commit(vs, from, to);
	if (unlikely(rc))
		return rc;
	rc = region_commit(
		vs,
		ALIGN_DOWN(region_descs_end(r, idx + RND_REGION_GROUP),
			   RND_PAGE_LEN),
		ALIGN_DOWN(region_descs_end(r, idx), RND_PAGE_LEN));
	if (unlikely(rc) && to > from)
		rnd_vspace_decommit(vs, from, to - from, RND_BACKING_META);

	return rc;
}

static int region_open_group(const struct rnd_region *r, struct rnd_vspace *vs)
{
	struct rnd_region_dyn *dyn = r->dyn;
	__u32 idx = dyn->next_idx, run = region_run(idx), i;
	int rc;

	if (unlikely(idx + RND_REGION_GROUP > r->slab_max))
		return -ENOMEM;
	rc = region_commit_group(r, vs, idx);
	if (unlikely(rc))
		return rc;

	for (i = 0; i < RND_REGION_GROUP; i++)
		if (run == RND_REGION_GROUP || i % (run + 1) != run)
			dyn->group |= 1U << i;
	dyn->group_cnt = rnd_word_count(dyn->group);

	dyn->next_idx = idx + RND_REGION_GROUP;
	/* Release: the descriptors are committed. Pairs with the acquire in
	 * rnd_pagemap_find() and rnd_region_opened()
	 */
	rnd_store_release(&dyn->end, (__sz)dyn->next_idx * r->slab_len);

	return 0;
}

static struct rnd_slab *region_recycle(struct rnd_region_dyn *dyn)
{
	struct rnd_slab *s = dyn->recycle_head;

	dyn->recycle_head = s->next;
	if (!dyn->recycle_head)
		dyn->recycle_tail = __NULL;
	dyn->recycle_cnt--;

	return s;
}

static void region_retire(struct rnd_region_dyn *dyn, struct rnd_slab *s)
{
	s->next = __NULL;
	if (dyn->recycle_tail)
		dyn->recycle_tail->next = s;
	else
		dyn->recycle_head = s;
	dyn->recycle_tail = s;
	dyn->recycle_cnt++;
}

/* Picks a descriptor without a committed slab; the region lock is held */
static struct rnd_slab *region_pick(const struct rnd_region *r,
				    struct rnd_vspace *vs)
{
	struct rnd_region_dyn *dyn = r->dyn;
	struct rnd_slab *s;
	__u32 idx;

	/* An old address only after enough others were given up since */
	if (dyn->recycle_cnt > RND_REGION_RECYCLE_MIN)
		return region_recycle(dyn);

	/* The usual case: the open group, or a new one */
	if (!dyn->group_cnt && unlikely(region_open_group(r, vs)))
		/* Better an old address than no memory */
		return dyn->recycle_cnt ? region_recycle(dyn) : __NULL;

	idx = region_draw(dyn, vs);
	s = rnd_region_slab(r, idx);
	s->idx = idx;
	s->sc = r->sc;
	s->base = r->base + (__uptr)idx * r->slab_len;

	return s;
}

struct rnd_slab *rnd_region_take(const struct rnd_region *r,
				 struct rnd_vspace *vs, __u16 owner)
{
	struct rnd_region_dyn *dyn = r->dyn;
	unsigned long flags;
	struct rnd_slab *s;
	int rc = 0;

	flags = rnd_lock_acquire(&dyn->lock);
	s = region_pick(r, vs);
	rnd_lock_release(&dyn->lock, flags);
	if (unlikely(!s))
		return __NULL;

	/* Zero-size objects have addresses, but no memory */
	if (likely(r->sc))
		rc = rnd_vspace_commit(vs, s->base, r->slab_len,
				       RND_BACKING_USER);

	if (likely(!rc))
		rnd_slab_init(s, owner);

	flags = rnd_lock_acquire(&dyn->lock);
	if (likely(!rc)) {
		s->committed = 1;
		dyn->slab_cnt++;
	} else {
		region_retire(dyn, s);
	}
	rnd_lock_release(&dyn->lock, flags);

	return likely(!rc) ? s : __NULL;
}

void rnd_region_return(const struct rnd_region *r, struct rnd_vspace *vs,
		       struct rnd_slab *s)
{
	struct rnd_region_dyn *dyn = r->dyn;
	unsigned long flags;

	UK_ASSERT(s->free_cnt == s->slots && !s->active && !s->listed);

	if (r->sc)
		rnd_vspace_decommit(vs, s->base, r->slab_len, RND_BACKING_USER);

	flags = rnd_lock_acquire(&dyn->lock);
	s->committed = 0;
	dyn->slab_cnt--;
	region_retire(dyn, s);
	rnd_lock_release(&dyn->lock, flags);
}
