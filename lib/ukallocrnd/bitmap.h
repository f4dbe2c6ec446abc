/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_BITMAP_H__
#define __UKALLOCRND_BITMAP_H__

/* Bits of one word: count them, find the n-th
 *
 * Written with plain arithmetic: the x86_64 baseline has no population count
 * instruction, and the compiler's replacement would be a library call.
 */

#include <uk/arch/types.h>

/* Population count of every byte, in that byte */
static inline __u64 rnd_word_byte_counts(__u64 w)
{
	w -= (w >> 1) & 0x5555555555555555UL;
	w = (w & 0x3333333333333333UL) + ((w >> 2) & 0x3333333333333333UL);
	return (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
}

/** Number of set bits */
static inline unsigned int rnd_word_count(__u64 w)
{
	return (unsigned int)((rnd_word_byte_counts(w) *
			       0x0101010101010101UL) >>
			      56);
}

/**
 * Position of the n-th set bit, counted from bit 0.
 *
 * @param n
 *   Below rnd_word_count(w)
 */
static inline unsigned int rnd_word_select(__u64 w, unsigned int n)
{
	/* Byte k of sums: set bits in bytes 0..k */
	__u64 sums = rnd_word_byte_counts(w) * 0x0101010101010101UL;
	__u64 above;
	unsigned int byte, bits;

	/* Bit 7 of byte k: sums[k] > n. All values are at most 64 */
	above = ((sums | 0x8080808080808080UL) -
		 (n + 1) * 0x0101010101010101UL) &
		0x8080808080808080UL;
	byte = (unsigned int)__builtin_ctzl(above) & ~7U;
	if (byte)
		n -= (unsigned int)(sums >> (byte - 8)) & 0xffU;

	bits = (unsigned int)(w >> byte) & 0xffU;
	while (n--)
		bits &= bits - 1;

	return byte + (unsigned int)__builtin_ctz(bits);
}

#endif /* __UKALLOCRND_BITMAP_H__ */
