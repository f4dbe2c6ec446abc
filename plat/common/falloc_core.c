/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "falloc_block.h"
#include "falloc_core.h"

/* Each range may have an incomplete block at both ends */
static __sz blocks_max(__u64 cap)
{
	return (cap >> FALLOC_CORE_BLOCK_SHIFT) + 2UL * FALLOC_CORE_RANGES;
}

__sz falloc_core_meta_len(__u64 cap)
{
	return blocks_max(cap) * sizeof(struct falloc_block) +
	       cap * (2 * sizeof(__u32) + sizeof(__u8));
}

void falloc_core_init(struct falloc_core *core, void *meta, __u32 cap,
		      __u32 (*rand)(void *arg, __u32 bound), void *rand_arg)
{
	UK_ASSERT(cap <= FALLOC_CORE_MAX);

	*core = (struct falloc_core){
		.cap = cap,
		.rand = rand,
		.rand_arg = rand_arg,
	};
	core->block = meta;
	core->list = (__u32 *)(core->block + blocks_max(cap));
	core->pos = core->list + cap;
	core->owned = (__u8 *)(core->pos + cap);
}

unsigned int falloc_core_range_find(struct falloc_core *core, __u64 pfn)
{
	unsigned int i, n;

	/* Acquire: the range is complete. Pairs with the release in
	 * falloc_core_add()
	 */
	n = __atomic_load_n(&core->nranges, __ATOMIC_ACQUIRE);
	for (i = 0; i < n; i++)
		if (pfn - core->ranges[i].pfn < core->ranges[i].cnt)
			break;
	if (i == n)
		return FALLOC_CORE_RANGES;
	/* Release: who finds the number finds the range complete. Pairs with
	 * the acquire in falloc_core_range()
	 */
	__atomic_store_n(&core->near[falloc_core_near(pfn)], (__u8)i,
			 __ATOMIC_RELEASE);
	return i;
}

/* Range that an index belongs to */
static unsigned int range_of(const struct falloc_core *core, __u32 idx)
{
	unsigned int i = core->nranges - 1;

	while (idx < core->ranges[i].first)
		i--;
	return i;
}

/* Opens blocks until there is enough to draw from, or all are open */
static void choice_widen(struct falloc_core *core)
{
	__u32 from, i;

	while (core->nopen < FALLOC_CORE_CHOICE && core->end[1]) {
		from = core->end[1] > core->end[0] ? core->end[0] : 0;
		i = from + core->rand(core->rand_arg, core->end[1] - from);
		falloc_block_open(core, core->block[i].order);
	}
}

/* All frames of a range that is new */
static void range_fill(struct falloc_core *core, const struct falloc_range *r)
{
	__u64 pfn = r->pfn;
	__u64 end = r->pfn + r->cnt;
	struct falloc_spot spot;
	__u64 stop;

	while (pfn < end) {
		stop = MIN(end, ALIGN_UP(pfn + 1, (__u64)FALLOC_CORE_BLOCK));
		spot = falloc_spot_at(r, pfn);
		falloc_block_add(core, spot.idx, (__u32)(stop - pfn));
		if (stop - pfn < FALLOC_CORE_BLOCK)
			for (; pfn < stop; pfn++, spot.idx++)
				falloc_spot_put(core, spot, 0);
		pfn = stop;
	}
}

int falloc_core_add(struct falloc_core *core, __u64 pfn, __u64 cnt)
{
	struct falloc_range *r;
	unsigned int i;

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

	r = &core->ranges[core->nranges];
	*r = (struct falloc_range){
		.pfn = pfn,
		.first = core->total,
		.cnt = (__u32)cnt,
		.block = core->nblocks,
		.to_idx = core->total - (__u32)pfn,
		.to_block =
			core->nblocks - (__u32)(pfn >> FALLOC_CORE_BLOCK_SHIFT),
	};
	core->total += (__u32)cnt;
	range_fill(core, r);
	falloc_choice_narrow(core, r->block);
	/* Release: publishes the range. Pairs with the acquire in
	 * falloc_core_range_find()
	 */
	__atomic_store_n(&core->nranges, core->nranges + 1, __ATOMIC_RELEASE);
	return 0;
}

/* Frames that are free and not promised */
static __u32 frames_left(const struct falloc_core *core)
{
	return core->nfree - core->promised;
}

static void frame_draw(struct falloc_core *core, __u64 *pfn, int *zero)
{
	const struct falloc_range *r;
	__u32 idx;

	choice_widen(core);
	idx = core->list[core->rand(core->rand_arg, core->nopen)];
	r = &core->ranges[range_of(core, idx)];
	*pfn = r->pfn + (idx - r->first);
	*zero = falloc_spot_take(core, falloc_spot_at(r, *pfn));
}

int falloc_core_take(struct falloc_core *core, __u64 *pfn, int *zero)
{
	if (unlikely(!frames_left(core)))
		return -ENOMEM;

	frame_draw(core, pfn, zero);
	return 0;
}

int falloc_core_promise(struct falloc_core *core, __u64 cnt)
{
	if (unlikely(cnt > frames_left(core)))
		return -ENOMEM;

	core->promised += (__u32)cnt;
	return 0;
}

void falloc_core_promise_end(struct falloc_core *core, __u64 cnt)
{
	UK_ASSERT(cnt <= core->promised);
	core->promised -= (__u32)cnt;
}

void falloc_core_take_promised(struct falloc_core *core, __u64 *pfn, int *zero)
{
	falloc_core_promise_end(core, 1);
	frame_draw(core, pfn, zero);
}

int falloc_core_take_at(struct falloc_core *core, __u64 pfn, __u64 cnt,
			int *zero)
{
	struct falloc_spot spot;
	unsigned int r;
	__u64 i;

	if (!cnt || pfn + cnt < pfn)
		return -EINVAL;
	for (i = 0; i < cnt; i++) {
		r = falloc_core_range(core, pfn + i);
		if (r == FALLOC_CORE_RANGES)
			return -EINVAL;
		if (!falloc_spot_is_free(core, falloc_spot_at(&core->ranges[r],
							      pfn + i)))
			return -ENOMEM;
	}
	if (unlikely(cnt > frames_left(core)))
		return -ENOMEM;
	*zero = 1;
	for (i = 0; i < cnt;) {
		spot = falloc_spot_of(core, pfn + i);
		if (falloc_block_is_at(core, spot, cnt - i)) {
			*zero &= falloc_block_take(core, spot.block);
			i += FALLOC_CORE_BLOCK;
			continue;
		}
		if (core->block[spot.block].state == FALLOC_BLOCK_WHOLE)
			falloc_block_open(core, spot.block);
		*zero &= falloc_spot_take(core, spot);
		i++;
	}
	falloc_choice_narrow(core, falloc_spot_of(core, pfn).block);
	return 0;
}

/* Takes a random block of which all frames are free */
static int block_draw(struct falloc_core *core, __u64 *pfn, int *zero)
{
	const struct falloc_range *r;
	__u32 b;

	if (!core->end[0] && core->end[2] == core->end[1])
		return -ENOMEM;
	if (!core->end[0])
		falloc_block_close(core, core->block[core->end[1]].order);
	b = core->block[core->rand(core->rand_arg, core->end[0])].order;
	*zero = falloc_block_take(core, b);
	r = &core->ranges[range_of(core, core->block[b].first)];
	*pfn = r->pfn + (core->block[b].first - r->first);
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
		       falloc_spot_is_free(core, falloc_spot_at(r, i - 1)))
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
			 __u64 min, __u64 max, __u64 *pfn, int *zero)
{
	const struct falloc_range *r;
	unsigned int begin, i;
	__u64 from, to, mid;
	__u32 idx;

	UK_ASSERT(cnt);
	UK_ASSERT(POWER_OF_2(align));
	if (cnt > frames_left(core))
		return -ENOMEM;
	if (cnt == FALLOC_CORE_BLOCK && align == FALLOC_CORE_BLOCK && !min &&
	    max == __U64_MAX)
		return block_draw(core, pfn, zero);

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
			return falloc_core_take_at(core, *pfn, cnt, zero);
	}
	return -ENOMEM;
}
