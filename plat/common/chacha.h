/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_CHACHA_H__
#define __UKPLAT_CHACHA_H__

/* The block function of ChaCha
 *
 * Source
 *   D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008; RFC 8439, 2.3
 */

#include <uk/arch/types.h>

#define PLAT_CHACHA_KEY_LEN   32
#define PLAT_CHACHA_BLOCK_LEN 64

/**
 * Computes one block with a 64-bit counter and nonce 0.
 *
 * @param key
 *   PLAT_CHACHA_KEY_LEN bytes
 * @param counter
 *   Number of the block
 * @param rounds
 *   8, 12 or 20
 * @param[out] out
 *   Receives PLAT_CHACHA_BLOCK_LEN bytes; may overlap the key
 */
void plat_chacha_block(const __u8 *key, __u64 counter, unsigned int rounds,
		       __u8 *out);

#endif /* __UKPLAT_CHACHA_H__ */
