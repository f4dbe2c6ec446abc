/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/essentials.h>

#include "app.h"

/* Under -icount shift=0 an instruction takes a nanosecond, and the time stamp
 * counter of QEMU runs at a rate that is printed: both are exact
 */
static unsigned long tsc(void)
{
	return __builtin_ia32_rdtsc();
}

static unsigned long loop_cost(int cnt)
{
	unsigned long start = tsc();
	int i;

	for (i = 0; i < cnt; i++)
		__asm__ __volatile__("" : : "r"(i) : "memory");

	return tsc() - start;
}

static __noinline void pair_loop(size_t size, int cnt)
{
	void *p;
	int i;

	for (i = 0; i < cnt; i++) {
		p = malloc(size);
		/* The compiler must not know that nobody looks at it */
		__asm__ __volatile__("" : "+r"(p) : : "memory");
		free(p);
	}
}

static void pairs_of(size_t size, int cnt)
{
	unsigned long start, ticks;

	/* Once to fill the caches, once to count */
	pair_loop(size, cnt);
	start = tsc();
	pair_loop(size, cnt);
	ticks = tsc() - start - loop_cost(cnt);
	printf("pair %lu bytes: %lu.%02lu ticks\n", (unsigned long)size,
	       ticks / cnt, ticks * 100 / cnt % 100);
}

int app_pairs(const char *arg)
{
	static const size_t sizes[] = { 16, 64, 256, 1024 };
	const char *one = strchr(arg, ':');
	int cnt = atoi(arg);
	unsigned int s;

	if (one) {
		pairs_of(strtoul(one + 1, NULL, 10), cnt);
		return 0;
	}
	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		pairs_of(sizes[s], cnt);

	return 0;
}

int app_objects(const char *arg)
{
	struct uk_alloc *a = uk_alloc_get_default();
	long before = (long)uk_alloc_availmem(a);
	int cnt = atoi(arg), i;
	void **p = malloc(cnt * sizeof(*p));

	for (i = 0; p && i < cnt; i++) {
		p[i] = malloc(48);
		if (!p[i])
			break;
		*(char *)p[i] = 1;
	}
	printf("objects: %d of 48 bytes take %ld bytes\n", i,
	       before - (long)uk_alloc_availmem(a));

	return 0;
}

static int can_have(size_t mib)
{
	char *volatile p = malloc(mib << 20);

	if (!p)
		return 0;
	p[0] = 1;
	p[(mib << 20) - 1] = 1;
	free(p);

	return 1;
}

/* 0: finds out by halving */
int app_largest(const char *arg)
{
	size_t mib = strtoul(arg, NULL, 10), low = 0, high;

	if (mib) {
		printf("largest: malloc(%lu MiB): %s\n", (unsigned long)mib,
		       can_have(mib) ? "yes" : "no");
		return 0;
	}
	high = (size_t)uk_alloc_availmem(uk_alloc_get_default()) >> 20;
	while (low < high) {
		mib = (low + high + 1) / 2;
		if (can_have(mib))
			low = mib;
		else
			high = mib - 1;
	}
	printf("largest: malloc(%lu MiB)\n", (unsigned long)low);

	return !low;
}
