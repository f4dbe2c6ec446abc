/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/essentials.h>

#include "memregion.h"

/* Highest address plus one that is a multiple of the page size */
#define PADDR_LIMIT (__PADDR_MAX & PAGE_MASK)

int memregion_add(struct memregion_list *list, __paddr_t start, __sz len,
		  enum memregion_type type)
{
	struct memregion *r;

	if (!len || start >= PADDR_LIMIT)
		return 0;
	if (list->cnt == MEMREGION_MAX)
		return -ENOSPC;

	r = &list->r[list->cnt++];
	r->start = start;
	r->end = len > PADDR_LIMIT - start ? PADDR_LIMIT : start + len;
	r->type = type;
	return 0;
}

/* Free memory loses its partial pages, everything else gains them (M2) */
static void region_align(struct memregion *r)
{
	if (r->type == MEMREGION_FREE) {
		r->start = ALIGN_UP(r->start, PAGE_SIZE);
		r->end = ALIGN_DOWN(r->end, PAGE_SIZE);
	} else {
		r->start = ALIGN_DOWN(r->start, PAGE_SIZE);
		r->end = ALIGN_UP(r->end, PAGE_SIZE);
	}
	if (r->end < r->start)
		r->end = r->start;
}

/* First border above addr, PADDR_LIMIT if there is none */
static __paddr_t border_next(const struct memregion_list *list, __paddr_t addr)
{
	__paddr_t next = PADDR_LIMIT;
	unsigned int i;

	for (i = 0; i < list->cnt; i++) {
		if (list->r[i].start > addr)
			next = MIN(next, list->r[i].start);
		if (list->r[i].end > addr)
			next = MIN(next, list->r[i].end);
	}
	return next;
}

/* Strongest type at addr, 0 if nothing is there */
static unsigned int type_at(const struct memregion_list *list, __paddr_t addr)
{
	unsigned int type = 0;
	unsigned int i;

	for (i = 0; i < list->cnt; i++)
		if (addr >= list->r[i].start && addr < list->r[i].end)
			type = MAX(type, (unsigned int)list->r[i].type);
	return type;
}

/* Adds a piece at the end, merged with its neighbour if possible (M3) */
static int piece_add(struct memregion_list *out, __paddr_t start, __paddr_t end,
		     enum memregion_type type)
{
	struct memregion *last;

	if (out->cnt) {
		last = &out->r[out->cnt - 1];
		if (last->end == start && last->type == type) {
			last->end = end;
			return 0;
		}
	}
	return memregion_add(out, start, end - start, type);
}

int memregion_normalise(struct memregion_list *list)
{
	struct memregion_list in = *list;
	struct memregion_list out = { .cnt = 0 };
	__paddr_t start = 0, end;
	unsigned int i, type;
	int rc;

	for (i = 0; i < in.cnt; i++)
		region_align(&in.r[i]);

	while (start < PADDR_LIMIT) {
		end = border_next(&in, start);
		type = type_at(&in, start);
		if (type) {
			rc = piece_add(&out, start, end,
				       (enum memregion_type)type);
			if (rc)
				return rc;
		}
		start = end;
	}

	*list = out;
	return 0;
}

int memregion_is_valid(const struct memregion_list *list)
{
	const struct memregion *r;
	unsigned int i;

	for (i = 0; i < list->cnt; i++) {
		r = &list->r[i];
		if (r->start >= r->end || (r->start | r->end) & ~PAGE_MASK)
			return 0;
		if (!i)
			continue;
		if (r[-1].end > r->start ||
		    (r[-1].end == r->start && r[-1].type == r->type))
			return 0;
	}
	return 1;
}

int memregion_next(const struct memregion_list *list, unsigned int *next,
		   enum memregion_type type, __paddr_t *start, __paddr_t *end)
{
	unsigned int i = *next;

	while (i < list->cnt && list->r[i].type > type)
		i++;
	if (i == list->cnt)
		return 0;
	*start = list->r[i].start;
	do
		*end = list->r[i++].end;
	while (i < list->cnt && list->r[i].type <= type &&
	       list->r[i].start == *end);
	*next = i;
	return 1;
}

__paddr_t memregion_find(const struct memregion_list *list, __sz len,
			 __sz align, __paddr_t min, __paddr_t max)
{
	__paddr_t start, end;
	unsigned int i;

	UK_ASSERT(POWER_OF_2(align));
	for (i = list->cnt; i-- > 0;) {
		if (list->r[i].type != MEMREGION_FREE)
			continue;
		start = MAX(list->r[i].start, min);
		end = MIN(list->r[i].end, max);
		if (end < start || end - start < len)
			continue;
		end = ALIGN_DOWN(end - len, align);
		if (end >= start)
			return end;
	}
	return __PADDR_INV;
}

/* First place in a region, and how many there are */
static __u64 places_in(const struct memregion *r, __sz len, __sz align,
		       __paddr_t min, __paddr_t max, __paddr_t *first)
{
	__paddr_t start = MAX(r->start, min), end = MIN(r->end, max);

	/* Below the start: the alignment left the address space */
	*first = ALIGN_UP(start, align);
	if (r->type != MEMREGION_FREE || *first < start || *first >= end ||
	    end - *first < len)
		return 0;
	return (end - *first - len) / align + 1;
}

__paddr_t memregion_draw(const struct memregion_list *list, __sz len,
			 __sz align, __paddr_t min, __paddr_t max,
			 __u64 (*uniform)(void *arg, __u64 bound), void *arg)
{
	__u64 places = 0, n, here;
	__paddr_t first;
	unsigned int i;

	UK_ASSERT(POWER_OF_2(align));
	for (i = 0; i < list->cnt; i++)
		places += places_in(&list->r[i], len, align, min, max, &first);
	if (!places)
		return __PADDR_INV;
	n = uniform(arg, places);
	for (i = 0;; i++) {
		here = places_in(&list->r[i], len, align, min, max, &first);
		if (n < here)
			return first + n * align;
		n -= here;
	}
}
