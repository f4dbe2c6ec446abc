/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "histogram.h"

void bench_histogram_reset(struct bench_histogram *h)
{
	h->cnt = h->beyond_cnt = h->lost = 0;
	memset(h->direct, 0, sizeof(h->direct));
}

void bench_histogram_add(struct bench_histogram *h, __u64 cost)
{
	h->cnt++;
	if (likely(cost < HISTOGRAM_DIRECT))
		h->direct[cost]++;
	else if (likely(h->beyond_cnt < HISTOGRAM_BEYOND))
		h->beyond[h->beyond_cnt++] = cost;
	else
		h->lost++;
}

/* By Shell's method, with gaps of a power of two less one */
void bench_histogram_finish(struct bench_histogram *h)
{
	unsigned long gap = 1, i, j;

	while (gap < h->beyond_cnt)
		gap = 2 * gap + 1;
	for (; gap; gap /= 2)
		for (i = gap; i < h->beyond_cnt; i++) {
			__u64 v = h->beyond[i];

			for (j = i; j >= gap && h->beyond[j - gap] > v;
			     j -= gap)
				h->beyond[j] = h->beyond[j - gap];
			h->beyond[j] = v;
		}
}

__u64 bench_histogram_rank(const struct bench_histogram *h,
			   unsigned int permille)
{
	unsigned long want = DIV_ROUND_UP(h->cnt * permille, 1000), seen = 0;
	unsigned int cost;

	if (!h->cnt)
		return 0;
	for (cost = 0; cost < HISTOGRAM_DIRECT; cost++) {
		seen += h->direct[cost];
		if (seen >= want)
			return cost;
	}
	return h->beyond[MIN(want - seen, h->beyond_cnt) - 1];
}

unsigned long bench_histogram_above(const struct bench_histogram *h,
				    __u64 threshold, __u64 *sum)
{
	unsigned long n = 0, i;

	*sum = 0;
	for (i = threshold + 1; i < HISTOGRAM_DIRECT; i++) {
		n += h->direct[i];
		*sum += i * h->direct[i];
	}
	for (i = 0; i < h->beyond_cnt; i++)
		if (h->beyond[i] > threshold) {
			n++;
			*sum += h->beyond[i];
		}
	return n;
}
