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
 *   The port's entropy is replaced by a generator with a fixed seed, so that
 *   the heaps of one program are the same in every run: a test passes always
 *   or never. Another seed on the command line is another sample; a correct
 *   allocator then fails a single test with probability CHANCE_ALPHA.
 *
 *   Each test is one-sided against a stated alternative: a distribution less
 *   uniform, a place easier to guess, a distance shorter than promised.
 */

#include <stddef.h>
#include <stdint.h>

/** Probability that a single test fails although nothing is wrong */
#define CHANCE_ALPHA 1e-6

/* The quantile of the standard normal distribution that belongs to it */
#define CHANCE_Z 4.753

/** Reads the seed from the command line, if there is one, and prints it */
void chance_init(int argc, char **argv);

/** Pearson's statistic of n counts against equal probabilities */
double chance_chi2(const unsigned int *counts, size_t n);

/**
 * Upper CHANCE_ALPHA quantile of the chi-square distribution, in Wilson and
 * Hilferty's approximation.
 */
double chance_chi2_limit(size_t degrees);

/** Fails unless n counts may come from equal probabilities */
void assert_equal_chances(const char *what, const unsigned int *counts,
			  size_t n);

/**
 * Fails unless hits out of n trials may have probability p or less.
 */
void assert_not_more_likely(const char *what, size_t hits, size_t n, double p);

/** Fails unless hits out of n trials may have probability 1/2 */
void assert_even(const char *what, size_t hits, size_t n);

/** Number of different values; sorts them */
size_t count_different(uint64_t *values, size_t n);

/** How often the most frequent value occurs; sorts the values */
size_t count_most_frequent(uint64_t *values, size_t n);

#endif /* __TESTS_CHANCE_H__ */
