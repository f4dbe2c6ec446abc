/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_CHANCE_H__
#define __TESTS_CHANCE_H__

/* Randomness under test, and what it is measured with
 *
 * How
 *   The port's entropy is replaced by a generator with a fixed seed, and the
 *   kernel is asked not to randomize the process, so that the heaps of one
 *   program are the same in every run: a test passes always or never. Another
 *   seed on the command line is another sample; a correct allocator then
 *   fails each test function with a probability of at most CHANCE_ALPHA.
 *
 *   Limits are derived from tail bounds, not tables: a deviation of z standard
 *   deviations has probability exp(-z^2 / 2) at most (Chernoff, Hoeffding). A
 *   function that tests the same thing many times says so (trials), and the
 *   limits widen accordingly (Bonferroni).
 */

#include <stddef.h>
#include <stdint.h>

/** Bound of the probability that a test fails although nothing is wrong */
#define CHANCE_ALPHA 1e-6

/** Reads the seed from the command line, if there is one, and prints it */
void chance_init(int argc, char **argv);

/** Pearson's statistic of n counts against equal probabilities */
double chance_chi2(const unsigned int *counts, size_t n);

/** Deviation, in standard deviations, that none of so many trials reaches */
double chance_z(size_t trials);

/** Value that Pearson's statistic does not reach in any of so many trials, by
 * Wilson and Hilferty's approximation
 */
double chance_chi2_limit(size_t degrees, size_t trials);

/** Fails unless n counts may come from equal probabilities */
void assert_equal_chances(const char *what, const unsigned int *counts,
			  size_t n);

/** Fails unless hits out of n may have a probability of p or less, one of many
 * trials
 */
void assert_not_more_likely(const char *what, size_t hits, size_t n, double p,
			    size_t trials);

/** Fails unless hits out of n may have probability 1/2, one of many trials */
void assert_even(const char *what, size_t hits, size_t n, size_t trials);

/** Number of different values; sorts them */
size_t count_different(uint64_t *values, size_t n);

/** How often the most frequent value occurs; sorts the values */
size_t count_most_frequent(uint64_t *values, size_t n);

#endif /* __TESTS_CHANCE_H__ */
