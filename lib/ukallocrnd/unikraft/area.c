/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "area.h"

static struct rnd_area *area_at(const struct rnd_areas *t, __u32 link)
{
	UK_ASSERT(link && link <= t->cnt);

	return &t->area[link - 1];
}

void rnd_areas_init(struct rnd_areas *t, struct rnd_area *area)
{
	*t = (struct rnd_areas){ .area = area };
}

__bool rnd_areas_is_full(const struct rnd_areas *t)
{
	return !t->free && t->cnt == t->cap;
}

static __u32 entry_take(struct rnd_areas *t)
{
	__u32 link = t->free;

	if (link)
		t->free = area_at(t, link)->low;
	else
		link = ++t->cnt;

	return link;
}

static void entry_give(struct rnd_areas *t, __u32 link)
{
	*area_at(t, link) = (struct rnd_area){ .low = t->free };
	t->free = link;
}

/* The area that contains addr, or the next one above; 0: none */
static __u32 area_above(const struct rnd_areas *t, __uptr addr)
{
	__u32 link = t->root, best = 0;

	while (link) {
		struct rnd_area *a = area_at(t, link);

		if (addr < a->end) {
			best = link;
			link = a->low;
		} else {
			link = a->high;
		}
	}
	return best;
}

__bool rnd_areas_hit(const struct rnd_areas *t, __uptr start, __uptr end)
{
	__u32 link = area_above(t, start);

	return link && area_at(t, link)->start < end;
}

/* Divides a tree: what is below addr goes to *low, the rest to *high */
static void tree_split(struct rnd_areas *t, __u32 link, __uptr addr, __u32 *low,
		       __u32 *high)
{
	while (link) {
		struct rnd_area *a = area_at(t, link);

		if (a->start < addr) {
			*low = link;
			low = &a->high;
			link = a->high;
		} else {
			*high = link;
			high = &a->low;
			link = a->low;
		}
	}
	*low = 0;
	*high = 0;
}

/* Puts two trees together, of which all of `low` is below all of `high` */
static void tree_join(struct rnd_areas *t, __u32 low, __u32 high, __u32 *link)
{
	while (low && high) {
		struct rnd_area *l = area_at(t, low), *h = area_at(t, high);

		if (l->prio >= h->prio) {
			*link = low;
			link = &l->high;
			low = l->high;
		} else {
			*link = high;
			link = &h->low;
			high = h->low;
		}
	}
	*link = low ? low : high;
}

static void tree_insert(struct rnd_areas *t, __u32 node)
{
	struct rnd_area *a = area_at(t, node);
	__u32 *link = &t->root;

	while (*link && area_at(t, *link)->prio >= a->prio) {
		struct rnd_area *at = area_at(t, *link);

		link = a->start < at->start ? &at->low : &at->high;
	}
	tree_split(t, *link, a->start, &a->low, &a->high);
	*link = node;
}

static void tree_remove(struct rnd_areas *t, __u32 node)
{
	struct rnd_area *a = area_at(t, node);
	__u32 *link = &t->root;

	while (*link != node) {
		struct rnd_area *at = area_at(t, *link);

		link = a->start < at->start ? &at->low : &at->high;
	}
	tree_join(t, a->low, a->high, link);
}

static void area_add(struct rnd_areas *t, __uptr start, __uptr end, __u32 prio)
{
	__u32 node = entry_take(t);

	*area_at(t, node) = (struct rnd_area){
		.start = start,
		.end = end,
		.prio = prio,
	};
	tree_insert(t, node);
}

int rnd_areas_insert(struct rnd_areas *t, __uptr start, __uptr end, __u32 prio)
{
	UK_ASSERT(start < end);
	UK_ASSERT(!rnd_areas_is_full(t));

	if (rnd_areas_hit(t, start, end))
		return -EEXIST;
	area_add(t, start, end, prio);

	return 0;
}

int rnd_areas_remove(struct rnd_areas *t, __uptr start, __uptr end, __u32 prio)
{
	__u32 link = area_above(t, start);
	struct rnd_area *a;
	__uptr old_end;

	UK_ASSERT(start < end);

	if (!link)
		return -ENOENT;
	a = area_at(t, link);
	if (a->start > start || a->end < end)
		return -ENOENT;

	if (a->start == start && a->end == end) {
		tree_remove(t, link);
		entry_give(t, link);
	} else if (a->start == start) {
		a->start = end;
	} else if (a->end == end) {
		a->end = start;
	} else {
		if (rnd_areas_is_full(t))
			return -ENOMEM;
		old_end = a->end;
		a->end = start;
		area_add(t, end, old_end, prio);
	}
	return 0;
}
