/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_HEALTH_H__
#define __UKPLAT_HEALTH_H__

/* Health tests of an entropy source
 *
 * Why
 *   A source that has died still delivers: the same word for ever, or one
 *   value far too often. What is claimed for it would be a lie.
 *
 * How
 *   Two tests look at every sample. The repetition count test counts equal
 *   samples in a row. The adaptive proportion test counts how often the first
 *   sample of a window occurs in it. Both have a cutoff that a source of the
 *   claimed min-entropy reaches with a probability of 2^-30 a sample or a
 *   window. Nothing here proves that there is entropy: a counter passes.
 *
 * Context
 *   Pure: no memory, no lock, no floating point, any context.
 *
 * Source
 *   NIST SP 800-90B (2018), 4.4.1 and 4.4.2
 */

#include <uk/arch/types.h>

/* Claims are given in eighths of a bit a sample */
#define HEALTH_H_UNIT 8U
/* Largest claim: 32 bits */
#define HEALTH_H_MAX  (32U * HEALTH_H_UNIT)

/* Samples of a window, for sources that are not binary */
#define HEALTH_WINDOW 512U
/* A good source fails with a probability of 2^-HEALTH_ALPHA */
#define HEALTH_ALPHA  30U

/** State of the tests of one source; owned by the caller */
struct health {
	/** Cutoffs: a count that reaches one is a failure */
	__u32 rct_cutoff;
	__u32 apt_cutoff;
	/** The sample before, and how often it came in a row */
	__u64 rct_last;
	__u32 rct_cnt;
	/** First sample of the window, and how often it came so far */
	__u32 apt_cnt;
	__u64 apt_first;
	/** Samples of the window so far; 0: the next one begins it */
	__u32 apt_pos;
	/** 1 for good after a failure */
	__u32 failed;
};

/**
 * Cutoff of the repetition count test, 1 + ceil(alpha / H).
 *
 * @param h
 *   Claimed min-entropy of a sample in 1/HEALTH_H_UNIT bit, not 0
 * @param alpha
 *   The error rate is 2^-alpha
 */
__u32 health_rct_cutoff(__u32 h, __u32 alpha);

/**
 * Cutoff of the adaptive proportion test: the smallest count that a binomial
 * variable of `window` tries, each successful with 2^-H, reaches with a
 * probability of at most 2^-alpha. Computed with 53 significant bits or more.
 *
 * @param h
 *   Claimed min-entropy of a sample in 1/HEALTH_H_UNIT bit, from 1 to
 *   HEALTH_H_MAX
 * @param alpha
 *   The error rate is 2^-alpha
 * @param window
 *   Number of samples, at least 1
 *
 * @return
 *   The cutoff; window + 1 if no count is that unlikely
 */
__u32 health_apt_cutoff(__u32 h, __u32 alpha, __u32 window);

/** Starts the tests of a source; h as for health_apt_cutoff(). */
void health_init(struct health *health, __u32 h);

/**
 * Looks at a sample.
 *
 * @return
 *   1 if the source has passed so far; 0 from the first failure on
 */
int health_feed(struct health *health, __u64 sample);

#endif /* __UKPLAT_HEALTH_H__ */
