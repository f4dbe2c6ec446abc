/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/essentials.h>

#include "chacha.h"

#define WORDS (PLAT_CHACHA_BLOCK_LEN / sizeof(__u32))

static __u32 rotl(__u32 v, unsigned int n)
{
	return v << n | v >> (32 - n);
}

/* With indexes that the compiler knows it takes two thirds of the time */
static inline __attribute__((always_inline)) void
quarter_round(__u32 *x, unsigned int a, unsigned int b, unsigned int c,
	      unsigned int d)
{
	x[a] += x[b];
	x[d] = rotl(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotl(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotl(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotl(x[b] ^ x[c], 7);
}

void plat_chacha_block(const __u8 *key, __u64 counter, unsigned int rounds,
		       __u8 *out)
{
	__u32 in[WORDS], x[WORDS];
	unsigned int i;

	/* "expand 32-byte k" */
	in[0] = 0x61707865;
	in[1] = 0x3320646e;
	in[2] = 0x79622d32;
	in[3] = 0x6b206574;
	memcpy(&in[4], key, PLAT_CHACHA_KEY_LEN);
	in[12] = (__u32)counter;
	in[13] = (__u32)(counter >> 32);
	in[14] = 0;
	in[15] = 0;
	memcpy(x, in, sizeof(x));

	for (i = 0; i < rounds; i += 2) {
		quarter_round(x, 0, 4, 8, 12);
		quarter_round(x, 1, 5, 9, 13);
		quarter_round(x, 2, 6, 10, 14);
		quarter_round(x, 3, 7, 11, 15);
		quarter_round(x, 0, 5, 10, 15);
		quarter_round(x, 1, 6, 11, 12);
		quarter_round(x, 2, 7, 8, 13);
		quarter_round(x, 3, 4, 9, 14);
	}
	for (i = 0; i < WORDS; i++)
		x[i] += in[i];
	memcpy(out, x, sizeof(x));
}
