/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "falloc_core.h"

void falloc_core_init(struct falloc_core *core, __u32 *perm, __u32 *pos,
		      __u32 cap, __u32 (*rand)(void *arg, __u32 bound),
		      void *rand_arg)
{
	UK_ASSERT(cap < FALLOC_CORE_NONE);

	core->perm = perm;
	core->pos = pos;
	core->cap = cap;
	core->total = 0;
	core->nfree = 0;
	core->rand = rand;
	core->rand_arg = rand_arg;
	core->nranges = 0;
}

/* Exchanges two entries of the permutation */
static void perm_swap(struct falloc_core *core, __u32 a, __u32 b)
{
	__u32 frame_a = core->perm[a];
	__u32 frame_b = core->perm[b];

	core->perm[a] = frame_b;
	core->pos[frame_b] = a;
	core->perm[b] = frame_a;
	core->pos[frame_a] = b;
}

static int frame_is_free(const struct falloc_core *core, __u32 idx)
{
	return core->pos[idx] < core->nfree;
}

static void frame_take(struct falloc_core *core, __u32 idx)
{
	perm_swap(core, core->pos[idx], core->nfree - 1);
	core->nfree--;
}

static void frame_put(struct falloc_core *core, __u32 idx)
{
	perm_swap(core, core->pos[idx], core->nfree);
	core->nfree++;
}

/* Index of a frame, FALLOC_CORE_NONE if there is no such frame */
static __u32 frame_find(const struct falloc_core *core, __u64 pfn)
{
	const struct falloc_range *r;
	unsigned int i;

	for (i = 0; i < core->nranges; i++) {
		r = &core->ranges[i];
		if (pfn - r->pfn < r->cnt)
			return r->first + (__u32)(pfn - r->pfn);
	}
	return FALLOC_CORE_NONE;
}

/* Range that an index belongs to */
static unsigned int range_of(const struct falloc_core *core, __u32 idx)
{
	unsigned int i = 0;

	while (idx - core->ranges[i].first >= core->ranges[i].cnt)
		i++;
	return i;
}

int falloc_core_add(struct falloc_core *core, __u64 pfn, __u64 cnt)
{
	const struct falloc_range *r;
	__u32 i;

	if (!cnt || pfn + cnt < pfn)
		return -EINVAL;
	for (i = 0; i < core->nranges; i++) {
		r = &core->ranges[i];
		if (pfn < r->pfn + r->cnt && r->pfn < pfn + cnt)
			return -EINVAL;
	}
	if (core->nranges == FALLOC_CORE_RANGES ||
	    cnt > core->cap - core->total)
		return -ENOMEM;

	core->ranges[core->nranges++] = (struct falloc_range){
		.pfn = pfn,
		.first = core->total,
		.cnt = (__u32)cnt,
	};
	for (i = core->total; i < core->total + (__u32)cnt; i++) {
		core->perm[i] = i;
		core->pos[i] = i;
	}
	core->total += (__u32)cnt;
	while (i-- > core->total - (__u32)cnt)
		frame_put(core, i);
	return 0;
}

int falloc_core_take(struct falloc_core *core, __u64 *pfn)
{
	const struct falloc_range *r;
	__u32 idx;

	if (!core->nfree)
		return -ENOMEM;

	idx = core->perm[core->rand(core->rand_arg, core->nfree)];
	r = &core->ranges[range_of(core, idx)];
	frame_take(core, idx);
	*pfn = r->pfn + (idx - r->first);
	return 0;
}

/* Searches frame numbers [from, to) of one range for a free run */
static int run_search(const struct falloc_core *core,
		      const struct falloc_range *r, __u64 from, __u64 to,
		      __u64 cnt, __u64 align, __u64 *pfn)
{
	__u64 start, i;

	start = ALIGN_UP(from, align);
	while (start >= from && start < to && to - start >= cnt) {
		/* From the end: what is in the way is skipped at once */
		i = start + cnt;
		while (i > start &&
		       frame_is_free(core, r->first + (__u32)(i - 1 - r->pfn)))
			i--;
		if (i == start) {
			*pfn = start;
			return 0;
		}
		start = ALIGN_UP(i, align);
	}
	return -ENOMEM;
}

int falloc_core_take_run(struct falloc_core *core, __u64 cnt, __u64 align,
			 __u64 min, __u64 max, __u64 *pfn)
{
	const struct falloc_range *r;
	unsigned int begin, i;
	__u64 from, to, mid;
	__u32 idx;

	UK_ASSERT(cnt);
	UK_ASSERT(POWER_OF_2(align));
	if (cnt > core->nfree)
		return -ENOMEM;

	/* From a random frame to the end of its range, through all other
	 * ranges, and to that frame again
	 */
	idx = core->rand(core->rand_arg, core->total);
	begin = range_of(core, idx);
	mid = core->ranges[begin].pfn + (idx - core->ranges[begin].first);
	for (i = 0; i <= core->nranges; i++) {
		r = &core->ranges[(begin + i) % core->nranges];
		from = MAX(r->pfn, min);
		to = MIN(r->pfn + r->cnt, max);
		if (i == 0)
			from = MAX(from, mid);
		else if (i == core->nranges)
			to = MIN(to, mid + cnt);
		if (from < to &&
		    run_search(core, r, from, to, cnt, align, pfn) == 0)
			return falloc_core_take_at(core, *pfn, cnt);
	}
	return -ENOMEM;
}

int falloc_core_take_at(struct falloc_core *core, __u64 pfn, __u64 cnt)
{
	__u64 i;
	__u32 idx;

	if (!cnt || pfn + cnt < pfn)
		return -EINVAL;
	for (i = 0; i < cnt; i++) {
		idx = frame_find(core, pfn + i);
		if (idx == FALLOC_CORE_NONE)
			return -EINVAL;
		if (!frame_is_free(core, idx))
			return -ENOMEM;
	}
	for (i = 0; i < cnt; i++)
		frame_take(core, frame_find(core, pfn + i));
	return 0;
}

int falloc_core_put(struct falloc_core *core, __u64 pfn, __u64 cnt, __u64 *bad)
{
	__u64 i;
	__u32 idx;

	for (i = 0; i < cnt; i++) {
		*bad = pfn + i;
		idx = frame_find(core, pfn + i);
		if (idx == FALLOC_CORE_NONE)
			return -EINVAL;
		if (frame_is_free(core, idx))
			return -EEXIST;
	}
	for (i = 0; i < cnt; i++)
		frame_put(core, frame_find(core, pfn + i));
	return 0;
}

int falloc_core_is_valid(const struct falloc_core *core)
{
	__u32 first = 0;
	__u32 i;

	if (core->nfree > core->total || core->total > core->cap) /* F2 */
		return 0;
	for (i = 0; i < core->nranges; i++) { /* F3 */
		if (core->ranges[i].first != first)
			return 0;
		first += core->ranges[i].cnt;
	}
	if (first != core->total)
		return 0;
	for (i = 0; i < core->total; i++) /* F1 */
		if (core->pos[i] >= core->total ||
		    core->perm[core->pos[i]] != i)
			return 0;
	return 1;
}
