/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Open addressing, the next slot is tried next. Nothing is marked as deleted:
 * what follows a slot that becomes empty moves up.
 */

#include <string.h>

#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/essentials.h>

#include "live.h"

#define SLOTS_BITS 18
#define SLOTS	   (1UL << SLOTS_BITS)

/* Objects at most; searches stay short */
#define OBJECTS_MAX (SLOTS / 4 * 3)

struct slot {
	__uptr ptr; /* 0: empty */
	__sz size;
};

static struct slot slots[SLOTS];
static struct bench_live live;

/* By the golden ratio; the upper bits of a product depend on all others */
static unsigned long home(__uptr ptr)
{
	return ptr * 0x9e3779b97f4a7c15UL >> (64 - SLOTS_BITS);
}

static unsigned long next(unsigned long i)
{
	return (i + 1) % SLOTS;
}

static unsigned long find(__uptr ptr)
{
	unsigned long i = home(ptr);

	while (slots[i].ptr && slots[i].ptr != ptr)
		i = next(i);
	return i;
}

void bench_live_reset(void)
{
	if (live.objects)
		memset(slots, 0, sizeof(slots));
	memset(&live, 0, sizeof(live));
}

void bench_live_add(const void *ptr, __sz size)
{
	unsigned long i;

	UK_ASSERT(live.objects < OBJECTS_MAX);
	i = find((__uptr)ptr);
	slots[i].ptr = (__uptr)ptr;
	slots[i].size = size;
	live.objects++;
	live.bytes += size;
	if (live.bytes <= live.peak_bytes)
		return;
	live.peak_bytes = live.bytes;
	live.peak_objects = live.objects;
}

/* Fills the gap with what may lie there, and so on behind that */
static void close_gap(unsigned long gap)
{
	unsigned long i;

	for (i = next(gap); slots[i].ptr; i = next(i)) {
		unsigned long dist = (i - home(slots[i].ptr)) % SLOTS;

		if (dist < (i - gap) % SLOTS)
			continue;
		slots[gap] = slots[i];
		gap = i;
	}
	slots[gap].ptr = 0;
}

void bench_live_remove(const void *ptr)
{
	unsigned long i = find((__uptr)ptr);

	if (!ptr || !slots[i].ptr)
		return;
	live.objects--;
	live.bytes -= slots[i].size;
	close_gap(i);
}

const struct bench_live *bench_live_get(void)
{
	return &live;
}
