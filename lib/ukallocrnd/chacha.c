/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/essentials.h>

#include "chacha.h"
#include "chacha_saved.h"
#include "chacha_wide.h"
#include "config.h"
#include "port.h"

/* First words of the counter and of the key within the input */
#define CHACHA_KEY     4
#define CHACHA_COUNTER 12

UK_CTASSERT(RND_CHACHA_WORDS * sizeof(__u32) == RND_CHACHA_BLOCK_LEN);
UK_CTASSERT((CHACHA_COUNTER - CHACHA_KEY) * sizeof(__u32) ==
	    RND_CHACHA_KEY_LEN);

static inline __u32 word_rotate(__u32 w, unsigned int bits)
{
	return (w << bits) | (w >> (32 - bits));
}

static inline void quarter_round(__u32 *x, int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = word_rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = word_rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = word_rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = word_rotate(x[b] ^ x[c], 7);
}

static void double_round(__u32 *x)
{
	/* Columns of the 4x4 matrix, then its diagonals */
	quarter_round(x, 0, 4, 8, 12);
	quarter_round(x, 1, 5, 9, 13);
	quarter_round(x, 2, 6, 10, 14);
	quarter_round(x, 3, 7, 11, 15);
	quarter_round(x, 0, 5, 10, 15);
	quarter_round(x, 1, 6, 11, 12);
	quarter_round(x, 2, 7, 8, 13);
	quarter_round(x, 3, 4, 9, 14);
}

void rnd_chacha_core(const __u32 in[RND_CHACHA_WORDS], unsigned int rounds,
		     __u8 *dst)
{
	__u32 x[RND_CHACHA_WORDS];
	unsigned int i;

	memcpy(x, in, sizeof(x));
	for (i = 0; i < rounds; i += 2)
		double_round(x);

	for (i = 0; i < RND_CHACHA_WORDS; i++)
		x[i] += in[i];

	/* The words go out in little-endian order, which is the machine's */
	memcpy(dst, x, sizeof(x));
}

#ifdef __SSE2__
/* The same with vectors: a row of the matrix is one, so that a quarter round
 * does all columns. Diagonals become columns when the rows are rotated. Two
 * blocks at a time hide the latency of one another.
 */
typedef __u32 __attribute__((vector_size(16), may_alias)) row;

struct __attribute__((may_alias)) matrix {
	row a, b, c, d;
};

#define ROW_ROTATE(w, bits) (((w) << (bits)) | ((w) >> (32 - (bits))))
#define ROW_SHUFFLE(w, ...) __builtin_shufflevector((w), (w), __VA_ARGS__)

static inline __attribute__((always_inline)) void rows_round(struct matrix *m)
{
	m->a += m->b;
	m->d ^= m->a;
	m->d = ROW_ROTATE(m->d, 16);
	m->c += m->d;
	m->b ^= m->c;
	m->b = ROW_ROTATE(m->b, 12);
	m->a += m->b;
	m->d ^= m->a;
	m->d = ROW_ROTATE(m->d, 8);
	m->c += m->d;
	m->b ^= m->c;
	m->b = ROW_ROTATE(m->b, 7);
}

static inline __attribute__((always_inline)) void
rows_double_round(struct matrix *m)
{
	rows_round(m);
	m->b = ROW_SHUFFLE(m->b, 1, 2, 3, 0);
	m->c = ROW_SHUFFLE(m->c, 2, 3, 0, 1);
	m->d = ROW_SHUFFLE(m->d, 3, 0, 1, 2);
	rows_round(m);
	m->b = ROW_SHUFFLE(m->b, 3, 0, 1, 2);
	m->c = ROW_SHUFFLE(m->c, 2, 3, 0, 1);
	m->d = ROW_SHUFFLE(m->d, 1, 2, 3, 0);
}

/* The input of the second block differs in its last row only */
static inline __attribute__((always_inline)) void
rows_store(__u8 *dst, const struct matrix *m, const struct matrix *in, row d)
{
	const struct matrix sum = { m->a + in->a, m->b + in->b, m->c + in->c,
				    m->d + d };

	memcpy(dst, &sum, sizeof(sum));
}

/* Two blocks; in is the input of the first one */
static void rows_two_blocks(const struct matrix *in, __u8 *dst)
{
	struct matrix x = *in, y = *in;
	unsigned int i;

	/* The caller sees to it that the lower word does not overflow */
	y.d += (row){ 1, 0, 0, 0 };
	for (i = 0; i < RND_CHACHA_ROUNDS; i += 2) {
		rows_double_round(&x);
		rows_double_round(&y);
	}
	rows_store(dst, &x, in, in->d);
	rows_store(dst + RND_CHACHA_BLOCK_LEN, &y, in,
		   in->d + (row){ 1, 0, 0, 0 });
}
#endif

void rnd_chacha_blocks(const __u8 key[RND_CHACHA_KEY_LEN], __u64 counter,
		       __u8 *dst, __sz blocks)
{
	/* The constants spell "expand 32-byte k" */
	__u32 in[RND_CHACHA_WORDS] __align(16) = { 0x61707865, 0x3320646e,
						   0x79622d32, 0x6b206574 };

	memcpy(&in[CHACHA_KEY], key, RND_CHACHA_KEY_LEN);
#ifdef __SSE2__
	while (rnd_chacha_is_wide && blocks >= 4 && (__u32)counter < ~2U) {
		memcpy(&in[CHACHA_COUNTER], &counter, sizeof(counter));
		rnd_chacha_four(in, dst);
		counter += 4;
		dst += 4UL * RND_CHACHA_BLOCK_LEN;
		blocks -= 4;
	}
	for (; blocks >= 2 && (__u32)counter != ~0U; blocks -= 2) {
		memcpy(&in[CHACHA_COUNTER], &counter, sizeof(counter));
		rows_two_blocks((const struct matrix *)(const void *)in, dst);
		counter += 2;
		dst += 2UL * RND_CHACHA_BLOCK_LEN;
	}
#endif
#if RND_PORT_LENDS_SSE
	for (; blocks >= 2 && (__u32)counter != ~0U && rnd_port_lends_avx();
	     blocks -= 2) {
		memcpy(&in[CHACHA_COUNTER], &counter, sizeof(counter));
		rnd_chacha_two_wide(in, RND_CHACHA_ROUNDS, dst);
		counter += 2;
		dst += 2UL * RND_CHACHA_BLOCK_LEN;
	}
#endif
	for (; blocks; blocks--) {
		memcpy(&in[CHACHA_COUNTER], &counter, sizeof(counter));
#if RND_PORT_LENDS_SSE
		rnd_chacha_core_saved(in, RND_CHACHA_ROUNDS, dst);
#else
		rnd_chacha_core(in, RND_CHACHA_ROUNDS, dst);
#endif
		counter++;
		dst += RND_CHACHA_BLOCK_LEN;
	}

	/* The compiler would drop a plain clearing of a dying array */
	memset(in, 0, sizeof(in));
	__asm__ __volatile__("" : : "r"(in) : "memory");
}
