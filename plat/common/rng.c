/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/essentials.h>

#include "rng.h"

#define BLOCKS (PLAT_RNG_BUF_LEN / PLAT_CHACHA_BLOCK_LEN)

/* Bytes of stack that rng_step() uses, at most */
#define STACK_LEN 512U

/* Replaces the key, and what follows it as far as `blocks` go */
static void rng_step(struct plat_rng *rng, unsigned int blocks)
{
	__u8 key[PLAT_CHACHA_KEY_LEN];
	unsigned int i;

	memcpy(key, rng->buf, sizeof(key));
	for (i = 0; i < blocks; i++)
		plat_chacha_block(key, i, PLAT_RNG_ROUNDS,
				  rng->buf + (__sz)i * PLAT_CHACHA_BLOCK_LEN);
	memset(key, 0, sizeof(key));
	barrier(); /* the wipe is not dead code */
}

/* Words of the last block, which may be there, tell the key */
static void __noinline stack_wipe(void)
{
	__u64 words[STACK_LEN / sizeof(__u64)], *word;

	for (word = words; word < words + ARRAY_SIZE(words); word += 8) {
		word[0] = word[1] = word[2] = word[3] = 0;
		word[4] = word[5] = word[6] = word[7] = 0;
		/* The compiler would drop what nobody reads */
		__asm__ __volatile__("" : : "r"(word) : "memory");
	}
}

static void rng_refill(struct plat_rng *rng)
{
	rng_step(rng, BLOCKS);
	rng->pos = PLAT_CHACHA_KEY_LEN;
	stack_wipe();
}

void plat_rng_mix(struct plat_rng *rng, const void *data, __sz len)
{
	const __u8 *bytes = data;
	__sz i, n;

	while (len) {
		n = MIN(len, (__sz)PLAT_CHACHA_KEY_LEN);
		for (i = 0; i < n; i++)
			rng->buf[i] ^= bytes[i];
		bytes += n;
		len -= n;
		/* The key is now the hash of everything mixed in so far. The
		 * rest of the buffer is needed only at the end
		 */
		if (len)
			rng_step(rng, 1);
		else
			rng_refill(rng);
	}
}

void plat_rng_bytes(struct plat_rng *rng, void *dst, __sz len)
{
	__u8 *out = dst;
	__sz n;

	while (len) {
		if (rng->pos == 0 || rng->pos == PLAT_RNG_BUF_LEN)
			rng_refill(rng);
		n = MIN(len, (__sz)(PLAT_RNG_BUF_LEN - rng->pos));
		memcpy(out, rng->buf + rng->pos, n);
		memset(rng->buf + rng->pos, 0, n);
		rng->pos += (__u32)n;
		out += n;
		len -= n;
	}
}

/* Draws a word of a constant length, at most PLAT_RNG_BUF_LEN */
static inline void word_draw(struct plat_rng *rng, void *word, __sz len)
{
	if (unlikely(!rng->pos || rng->pos > PLAT_RNG_BUF_LEN - len))
		rng_refill(rng);
	__builtin_memcpy(word, rng->buf + rng->pos, len);
	__builtin_memset(rng->buf + rng->pos, 0, len);
	rng->pos += (__u32)len;
}

__u64 plat_rng_u64(struct plat_rng *rng)
{
	__u64 word;

	word_draw(rng, &word, sizeof(word));
	return word;
}

static __u32 rng_u32(struct plat_rng *rng)
{
	__u32 word;

	word_draw(rng, &word, sizeof(word));
	return word;
}

__u32 plat_rng_uniform32(struct plat_rng *rng, __u32 bound)
{
	/* Lemire: the high half of word * bound is the result */
	__u64 product = (__u64)rng_u32(rng) * bound;
	__u32 min;

	if (unlikely((__u32)product < bound)) {
		/* Words below this would make small results more frequent */
		min = (0U - bound) % bound;
		while ((__u32)product < min)
			product = (__u64)rng_u32(rng) * bound;
	}
	return (__u32)(product >> 32);
}

__u64 plat_rng_uniform64(struct plat_rng *rng, __u64 bound)
{
	__u64 min = (0UL - bound) % bound;
	__u64 word;

	do {
		word = plat_rng_u64(rng);
	} while (unlikely(word < min));
	return word % bound;
}
