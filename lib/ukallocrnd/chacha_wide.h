/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_CHACHA_WIDE_H__
#define __UKALLOCRND_CHACHA_WIDE_H__

/* Four blocks of ChaCha at a time, where the processor has AVX2 */

#include <uk/arch/types.h>

#include "chacha.h"

/**
 * Finds out what the processor can do. Until then, and where the compiler may
 * not use vector registers, blocks are computed in the way that always works.
 */
void rnd_chacha_choose(void);

#ifdef __SSE2__
/* 1: rnd_chacha_four() may be called */
extern __u8 rnd_chacha_is_wide __attribute__((visibility("hidden")));

/**
 * Computes four blocks of RND_CHACHA_ROUNDS rounds.
 *
 * @param in
 *   Input of the first one; the lower word of its counter is at most 2^32 - 4
 * @param[out] dst
 *   Receives 4 * RND_CHACHA_BLOCK_LEN bytes
 */
void rnd_chacha_four(const __u32 in[RND_CHACHA_WORDS], __u8 *dst);
#endif

#endif /* __UKALLOCRND_CHACHA_WIDE_H__ */
