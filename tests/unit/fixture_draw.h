/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __FIXTURE_DRAW_H__
#define __FIXTURE_DRAW_H__

/* Chance for tests of what draws places: the same in every run */

#include <uk/arch/types.h>

/** Draws a number from [0, bound); state points to a __u64. */
static inline __u64 fixture_uniform(void *state, __u64 bound)
{
	__u64 *at = state, word = *at += 0x9e3779b97f4a7c15;

	/* splitmix64 by S. Vigna, public domain */
	word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
	word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
	word ^= word >> 31;
	return (__u64)((unsigned __int128)word * bound >> 64);
}

/* Values that Pearson's statistic exceeds with a probability of 1e-6, by
 * Wilson and Hilferty's approximation
 */
#define CHI2_LIMIT_15  57.4
#define CHI2_LIMIT_63  131.8
#define CHI2_LIMIT_119 207.5

/** Pearson's statistic of n counts against equal probabilities. */
static inline double fixture_chi2(const unsigned int *counts, unsigned int n)
{
	double sum = 0, chi2 = 0, off;
	unsigned int i;

	for (i = 0; i < n; i++)
		sum += counts[i];
	for (i = 0; i < n; i++) {
		off = counts[i] - sum / n;
		chi2 += off * off * n / sum;
	}
	return chi2;
}

#endif /* __FIXTURE_DRAW_H__ */
