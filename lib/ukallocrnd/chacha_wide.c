/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Blocks of ChaCha with registers of 32 bytes: a row of the matrix of two
 * blocks is one, and two pairs of blocks at a time hide the latency of one
 * another. A quarter of the instructions that a pair takes with registers of
 * 16 bytes and without a byte shuffle.
 */

#include <string.h>

#include "chacha_wide.h"
#include "config.h"

#ifdef __SSE2__
#include "wide.h"

#define AVX2 __attribute__((target("avx2")))

typedef __u32 __attribute__((vector_size(16), may_alias, aligned(4))) row;
typedef __u32 __attribute__((vector_size(32), may_alias)) rows;
typedef __u8 __attribute__((vector_size(32), may_alias)) bytes;

/* The same row of two blocks in each */
struct pair {
	rows a, b, c, d;
};

__u8 rnd_chacha_is_wide;

void rnd_chacha_choose(void)
{
	rnd_chacha_is_wide = rnd_wide_level() >= RND_WIDE_32;
}

#define ROWS_SHIFT(w, bits)  (((w) << (bits)) | ((w) >> (32 - (bits))))
#define ROWS_SHUFFLE(w, ...) __builtin_shufflevector((w), (w), __VA_ARGS__)

static AVX2 inline rows rows_rotate_16(rows w)
{
	bytes v = (bytes)w;

	return (rows)ROWS_SHUFFLE(v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14,
				  15, 12, 13, 18, 19, 16, 17, 22, 23, 20, 21,
				  26, 27, 24, 25, 30, 31, 28, 29);
}

static AVX2 inline rows rows_rotate_8(rows w)
{
	bytes v = (bytes)w;

	return (rows)ROWS_SHUFFLE(v, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15,
				  12, 13, 14, 19, 16, 17, 18, 23, 20, 21, 22,
				  27, 24, 25, 26, 31, 28, 29, 30);
}

static AVX2 inline void pair_round(struct pair *p)
{
	p->a += p->b;
	p->d = rows_rotate_16(p->d ^ p->a);
	p->c += p->d;
	p->b ^= p->c;
	p->b = ROWS_SHIFT(p->b, 12);
	p->a += p->b;
	p->d = rows_rotate_8(p->d ^ p->a);
	p->c += p->d;
	p->b ^= p->c;
	p->b = ROWS_SHIFT(p->b, 7);
}

static AVX2 inline void pair_double_round(struct pair *p)
{
	pair_round(p);
	p->b = ROWS_SHUFFLE(p->b, 1, 2, 3, 0, 5, 6, 7, 4);
	p->c = ROWS_SHUFFLE(p->c, 2, 3, 0, 1, 6, 7, 4, 5);
	p->d = ROWS_SHUFFLE(p->d, 3, 0, 1, 2, 7, 4, 5, 6);
	pair_round(p);
	p->b = ROWS_SHUFFLE(p->b, 3, 0, 1, 2, 7, 4, 5, 6);
	p->c = ROWS_SHUFFLE(p->c, 2, 3, 0, 1, 6, 7, 4, 5);
	p->d = ROWS_SHUFFLE(p->d, 1, 2, 3, 0, 5, 6, 7, 4);
}

static AVX2 inline rows rows_twice(const __u32 *in)
{
	const row w = *(const row *)in;

	return __builtin_shufflevector(w, w, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* Both blocks, the low halves first */
static AVX2 inline void pair_store(__u8 *dst, const struct pair *p)
{
	rows x[4];

	x[0] = __builtin_shufflevector(p->a, p->b, 0, 1, 2, 3, 8, 9, 10, 11);
	x[1] = __builtin_shufflevector(p->c, p->d, 0, 1, 2, 3, 8, 9, 10, 11);
	x[2] = __builtin_shufflevector(p->a, p->b, 4, 5, 6, 7, 12, 13, 14, 15);
	x[3] = __builtin_shufflevector(p->c, p->d, 4, 5, 6, 7, 12, 13, 14, 15);
	memcpy(dst, x, sizeof(x));
}

AVX2 void rnd_chacha_four(const __u32 in[RND_CHACHA_WORDS], __u8 *dst)
{
	const rows one = { 0, 0, 0, 0, 1, 0, 0, 0 };
	const rows two = { 2, 0, 0, 0, 2, 0, 0, 0 };
	const struct pair from = { rows_twice(in), rows_twice(in + 4),
				   rows_twice(in + 8),
				   rows_twice(in + 12) + one };
	struct pair x = from, y = from;
	unsigned int i;

	y.d += two;
	for (i = 0; i < RND_CHACHA_ROUNDS; i += 2) {
		pair_double_round(&x);
		pair_double_round(&y);
	}

	x.a += from.a;
	x.b += from.b;
	x.c += from.c;
	x.d += from.d;
	pair_store(dst, &x);
	y.a += from.a;
	y.b += from.b;
	y.c += from.c;
	y.d += from.d + two;
	pair_store(dst + 2UL * RND_CHACHA_BLOCK_LEN, &y);
}
#else
void rnd_chacha_choose(void) {}
#endif
