/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/essentials.h>

#include "area_table.h"

/* The upper half is nearly empty: even two failures in a row are unlikely */
#define AREA_TRIES 64

int area_table_collides(const struct area *tab, unsigned int cnt,
			__vaddr_t base, __sz len)
{
	unsigned int i;

	/* Distances, because the gap behind the last place ends at 2^64 */
	for (i = 0; i < cnt; i++)
		if (base < tab[i].base ?
			    tab[i].base - base < len + AREA_GAP :
			    base - tab[i].base < tab[i].len + AREA_GAP)
			return 1;
	return 0;
}

/* The lowest place: behind one of the areas, or the first one */
static int place_lowest(const struct area *tab, unsigned int cnt, __sz len,
			__sz align, __vaddr_t *base)
{
	__vaddr_t best = 0, at = ALIGN_UP(AREA_FIXED_FIRST, align);
	unsigned int i = 0;

	for (;;
	     at = ALIGN_UP(tab[i].base + tab[i].len + AREA_GAP, align), i++) {
		if (at >= AREA_FIXED_FIRST && at < AREA_LIMIT &&
		    AREA_LIMIT - at >= len && (!best || at < best) &&
		    !area_table_collides(tab, cnt, at, len))
			best = at;
		if (i == cnt)
			break;
	}
	*base = best;
	return best ? 0 : -ENOSPC;
}

int area_table_place(const struct area *tab, unsigned int cnt, __sz len,
		     __sz align, area_uniform_fn *uniform, void *arg,
		     __vaddr_t *base)
{
	const __vaddr_t first = ALIGN_UP(AREA_FIRST, align);
	unsigned int tries = AREA_TRIES;
	__u64 places;

	if (first > AREA_LIMIT || AREA_LIMIT - first < len)
		return -ENOSPC;
	if (!uniform)
		return place_lowest(tab, cnt, len, align, base);
	places = (AREA_LIMIT - first - len) / align + 1;
	do {
		if (!tries--)
			return -ENOSPC;
		*base = first + uniform(arg, places) * align;
	} while (area_table_collides(tab, cnt, *base, len));
	return 0;
}

void area_set(struct area *area, const char *name, __vaddr_t base, __sz len)
{
	__sz i;

	memset(area, 0, sizeof(*area));
	for (i = 0; i < AREA_NAME_LEN - 1 && name[i]; i++)
		area->name[i] = name[i];
	area->base = base;
	area->len = len;
}
