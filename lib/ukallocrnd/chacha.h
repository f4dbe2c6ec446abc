/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_CHACHA_H__
#define __UKALLOCRND_CHACHA_H__

/* The ChaCha block function
 *
 * Why
 *   A stream that nobody can predict without the key, from additions, xors
 *   and rotations alone: no table that leaks through the cache, no
 *   instruction that a kernel without vector registers lacks.
 *
 * How
 *   A block is a pure function of 16 words: four constants, eight words of
 *   key, a counter of 64 bits and a nonce, which is always 0 here because a
 *   key is never used for two streams.
 *
 * Source
 *   D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008. RFC 8439 has the
 *   same function with another split of the last four words.
 */

#include <uk/arch/types.h>

#define RND_CHACHA_KEY_LEN   32
#define RND_CHACHA_BLOCK_LEN 64
#define RND_CHACHA_WORDS     16

/**
 * Computes one block from a complete input.
 *
 * @param in
 *   Constants, key, counter and nonce
 * @param rounds
 *   Number of rounds, even
 * @param[out] dst
 *   Receives RND_CHACHA_BLOCK_LEN bytes; must not overlap in
 */
void rnd_chacha_core(const __u32 in[RND_CHACHA_WORDS], unsigned int rounds,
		     __u8 *dst);

/**
 * Computes consecutive blocks of a stream with RND_CHACHA_ROUNDS rounds.
 * Leaves no copy of the key on the stack.
 *
 * @param key
 *   RND_CHACHA_KEY_LEN bytes; read completely before dst is written, so
 *   that dst may overlap it
 * @param counter
 *   Number of the first block
 * @param[out] dst
 *   Receives blocks * RND_CHACHA_BLOCK_LEN bytes
 * @param blocks
 *   Number of blocks
 */
void rnd_chacha_blocks(const __u8 key[RND_CHACHA_KEY_LEN], __u64 counter,
		       __u8 *dst, __sz blocks);

#endif /* __UKALLOCRND_CHACHA_H__ */
