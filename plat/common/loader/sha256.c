/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/essentials.h>

#include "sha256.h"

#define BLOCK_LEN 64U
/* The length, in bits, ends the last block */
#define LENGTH_AT 56U
#define WORDS	  8U
#define ROUNDS	  64U
/* Words of the message that the schedule looks back at */
#define WINDOW	  16

/* First 32 bits of the fractional parts of the cube roots of the first 64
 * primes
 */
static const __u32 round_key[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static __u32 rotr(__u32 v, unsigned int n)
{
	return v >> n | v << (32 - n);
}

/* Word i of the schedule: of the message, or made of those before it. The
 * window holds the last 16.
 */
static inline __u32 schedule(__u32 *w, unsigned int i)
{
	__u32 a = w[(i + 1) % WINDOW], b = w[(i + 14) % WINDOW];

	if (i >= WINDOW)
		w[i % WINDOW] += (rotr(a, 7) ^ rotr(a, 18) ^ a >> 3) +
				 w[(i + 9) % WINDOW] +
				 (rotr(b, 17) ^ rotr(b, 19) ^ b >> 10);
	return w[i % WINDOW];
}

/* One round; the eight words change places by their indices, not in memory.
 * Choice and majority in the forms with the fewest operations.
 */
static inline void round_do(__u32 *s, __u32 *w, unsigned int i)
{
	const __u32 a = s[(0U - i) % WORDS], b = s[(1U - i) % WORDS],
		    c = s[(2U - i) % WORDS], e = s[(4U - i) % WORDS],
		    f = s[(5U - i) % WORDS], g = s[(6U - i) % WORDS];
	__u32 t;

	t = s[(7U - i) % WORDS] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
	    (g ^ (e & (f ^ g))) + round_key[i] + schedule(w, i);
	s[(3U - i) % WORDS] += t;
	s[(7U - i) % WORDS] = t + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
			      ((a & b) | (c & (a | b)));
}

static void block_add(__u32 *state, const __u8 *block)
{
	__u32 w[WINDOW], s[WORDS], word;
	unsigned int i;

	for (i = 0; i < WINDOW; i++) {
		memcpy(&word, block + i * 4UL, sizeof(word));
		w[i] = __builtin_bswap32(word);
	}
	memcpy(s, state, sizeof(s));
	/* Unrolled, all indices are constants */
#pragma GCC unroll 64
	for (i = 0; i < ROUNDS; i++)
		round_do(s, w, i);
	for (i = 0; i < WORDS; i++)
		state[i] += s[i];
}

void sha256(const __u8 *data, __sz len, __u8 *digest)
{
	/* The same of the square roots of the first eight primes */
	__u32 state[WORDS] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	__u64 bits = __builtin_bswap64((__u64)len << 3);
	__u8 last[BLOCK_LEN];
	unsigned int i;
	__sz rest;

	for (rest = len; rest >= BLOCK_LEN;
	     rest -= BLOCK_LEN, data += BLOCK_LEN)
		block_add(state, data);

	memset(last, 0, sizeof(last));
	memcpy(last, data, rest);
	last[rest] = 0x80;
	if (rest >= LENGTH_AT) {
		block_add(state, last);
		memset(last, 0, sizeof(last));
	}
	memcpy(last + LENGTH_AT, &bits, sizeof(bits));
	block_add(state, last);

	for (i = 0; i < WORDS; i++)
		state[i] = __builtin_bswap32(state[i]);
	memcpy(digest, state, SHA256_LEN);
}
