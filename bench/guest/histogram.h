/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTBENCH_HISTOGRAM_H__
#define __GUESTBENCH_HISTOGRAM_H__

/* How often each cost occurred; every percentile is exact
 *
 * Costs below HISTOGRAM_DIRECT have a counter each, the others, which are
 * few, a list that is sorted when it is asked for.
 */

#include <uk/arch/types.h>

#define HISTOGRAM_DIRECT 4096U
#define HISTOGRAM_BEYOND 65536U

struct bench_histogram {
	/** Number of costs in all, and of those in the list */
	unsigned long cnt, beyond_cnt;
	/** Costs that found no place; such a histogram is worth nothing */
	unsigned long lost;
	__u32 direct[HISTOGRAM_DIRECT];
	__u64 beyond[HISTOGRAM_BEYOND];
};

/** Empties a histogram. */
void bench_histogram_reset(struct bench_histogram *h);

/** Adds a cost. */
void bench_histogram_add(struct bench_histogram *h, __u64 cost);

/** Sorts the list. To be called after the last bench_histogram_add(). */
void bench_histogram_finish(struct bench_histogram *h);

/**
 * Returns a percentile of a finished histogram.
 *
 * @param permille
 *   Share of costs that are not above the result; 1000: the maximum
 *
 * @return
 *   The least cost of which that is true; 0 for an empty histogram
 */
__u64 bench_histogram_rank(const struct bench_histogram *h,
			   unsigned int permille);

/**
 * Counts the costs above a threshold in a finished histogram.
 *
 * @param[out] sum
 *   Receives what they add up to
 */
unsigned long bench_histogram_above(const struct bench_histogram *h,
				    __u64 threshold, __u64 *sum);

#endif /* __GUESTBENCH_HISTOGRAM_H__ */
