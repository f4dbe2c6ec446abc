/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_VECTOR_H__
#define __UKPLAT_VECTOR_H__

/* Runs of words: pages, and entries of page tables
 *
 * Why
 *   Frames are cleared and verified, and tables are filled, tested and emptied
 *   by the hundred words. What does two or four of them with an instruction
 *   takes half of the instructions, or a quarter.
 *
 * How
 *   With vector registers that are put back, wide halves included
 *   (ukplat_lcpu_has_avx()): any context may use these functions, one that was
 *   interrupted in the middle of them, too. Eight registers at a time, of a
 *   long run sixteen; the last ones end with the run and may have been there
 *   before.
 *
 * Concurrency
 *   None of its own. A store is in one piece for each byte, no more. So who
 *   changes entries of page tables makes sure that no processor walks the
 *   table yet, or that bit 0 is 0 before and afterwards: an entry of which the
 *   one half is old and the other one new is then not present either.
 */

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#define VECTOR_PAGE_WORDS (PAGE_SIZE / sizeof(__u64))

/* Shorter runs are done word by word */
#define VECTOR_MIN 16UL

/* The long halves of the functions below */
void vector_fill_long(__u64 *p, unsigned long n, __u64 word);
__u64 vector_and_long(const __u64 *p, unsigned long n);
__u64 vector_or_long(const __u64 *p, unsigned long n);

/** Fills n words. */
static inline void vector_fill(__u64 *p, unsigned long n, __u64 word)
{
	__u64 *end = p + n;

	if (n >= VECTOR_MIN) {
		vector_fill_long(p, n, word);
		return;
	}
	for (; p < end; p++)
		__atomic_store_n(p, word, __ATOMIC_RELAXED);
}

/** The bits that are set in all of n words, which nobody changes. */
static inline __u64 vector_and(const __u64 *p, unsigned long n)
{
	const __u64 *end = p + n;
	__u64 bits = ~0UL;

	if (n >= VECTOR_MIN)
		return vector_and_long(p, n);
	for (; p < end; p++)
		bits &= __atomic_load_n(p, __ATOMIC_RELAXED);
	return bits;
}

/** The bits that are set in any of n words, which nobody changes. */
static inline __u64 vector_or(const __u64 *p, unsigned long n)
{
	const __u64 *end = p + n;
	__u64 bits = 0;

	if (n >= VECTOR_MIN)
		return vector_or_long(p, n);
	for (; p < end; p++)
		bits |= __atomic_load_n(p, __ATOMIC_RELAXED);
	return bits;
}

/** Clears a page. */
static inline void vector_page_clear(void *page)
{
	vector_fill_long(page, VECTOR_PAGE_WORDS, 0);
}

/** Tells whether a page is zero. */
static inline int vector_page_is_zero(const void *page)
{
	return !vector_or_long(page, VECTOR_PAGE_WORDS);
}

#endif /* __UKPLAT_VECTOR_H__ */
