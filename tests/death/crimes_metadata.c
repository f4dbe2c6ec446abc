/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Writes into the allocator's own tables
 *
 * They are somewhere else each time, so a crime has to search all memory for
 * them. It knows three words that a per-CPU part of a size class has side by
 * side: base of the region, address of the state words, inverse of the length.
 */

#include <limits.h>
#include <stdlib.h>

#include "crime.h"

#define PAGE_LEN 4096UL

/* A region is at most so long */
#define REGION_LEN (1UL << 35)

/* What the state word of a live slot says that no free one may say */
#define STATE_TAKEN 4

/* Objects of the class that exist before */
#define OBJECTS 100

struct part {
	size_t base;
	unsigned short *states;
	size_t inverse;
};

/* Finds the part of the size class that an object of slot length len is in */
static struct part *find_part(size_t obj, size_t len)
{
	const size_t inverse = ULONG_MAX / len + 1;
	struct crime_area area;
	struct part *part;
	size_t at;

	for (area = crime_next_area(0); area.end;
	     area = crime_next_area(area.end))
		for (at = area.start; at + sizeof(*part) <= area.end; at += 8) {
			part = (struct part *)at;
			if (part->inverse == inverse &&
			    part->base % PAGE_LEN == 0 &&
			    obj - part->base < REGION_LEN)
				return part;
		}
	crime_skip("the metadata was not found");
}

/* The state words of all free slots around say that they are live. args->offset
 * is the slot length
 */
static void corrupt_states(const struct crime_args *args)
{
	size_t obj, n, i;
	struct part *part;

	for (i = 0; i < OBJECTS; i++)
		obj = (size_t)crime_malloc(args->size);
	part = find_part(obj, args->offset);
	n = (obj - part->base) / args->offset;
	/* The group of slabs that it is in: state words exist for all of it */
	for (i = n / PAGE_LEN * PAGE_LEN; i < (n / PAGE_LEN + 1) * PAGE_LEN;
	     i++)
		part->states[i] |= STATE_TAKEN;
	/* Which of them is drawn is random */
	crime_announce(NULL);
	for (i = 0; i < PAGE_LEN; i++)
		crime_malloc(args->size);
}

const struct crime crimes_metadata[] = {
	{ "corrupt_states", corrupt_states },
	{ NULL, NULL },
};
