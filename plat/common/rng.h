/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_RNG_H__
#define __UKPLAT_RNG_H__

/* Random numbers of one owner
 *
 * Why
 *   What leaks from memory later must not reveal what was drawn before.
 *
 * How
 *   ChaCha fills a buffer. Its first bytes are the next key, the rest is
 *   handed out; what has been handed out is wiped (fast key erasure).
 *
 * Concurrency
 *   None of its own: the lock of the owner protects it.
 *
 * Source
 *   D. J. Bernstein, "Fast-key-erasure random-number generators", 2017
 */

#include <uk/arch/types.h>

#include "chacha.h"

#define PLAT_RNG_ROUNDS	 8
#define PLAT_RNG_BUF_LEN (8UL * PLAT_CHACHA_BLOCK_LEN)

struct plat_rng {
	/** Next byte of buf to hand out; 0 if the buffer was never filled */
	__u32 pos;
	/** Epoch of the platform that the seed is from, 0 before the first one;
	 * the owner's, see random.h
	 */
	__u32 epoch;
	/** The first PLAT_CHACHA_KEY_LEN bytes are the next key */
	__u8 buf[PLAT_RNG_BUF_LEN];
};

/** Makes everything that was not drawn yet depend on these bytes, too. */
void plat_rng_mix(struct plat_rng *rng, const void *data, __sz len);

/** Draws bytes. */
void plat_rng_bytes(struct plat_rng *rng, void *dst, __sz len);

/** Draws 64 bits. */
__u64 plat_rng_u64(struct plat_rng *rng);

/** Draws an unbiased number from [0, bound); bound is at least 1. */
__u32 plat_rng_uniform32(struct plat_rng *rng, __u32 bound);

/** As plat_rng_uniform32(), with 64 bits. */
__u64 plat_rng_uniform64(struct plat_rng *rng, __u64 bound);

/**
 * Mixes fresh bytes of the platform's generator into another one and notes
 * the epoch; needs random_init().
 */
void plat_rng_fork(struct plat_rng *rng);

#endif /* __UKPLAT_RNG_H__ */
