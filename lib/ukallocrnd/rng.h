/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_RNG_H__
#define __UKALLOCRND_RNG_H__

/* Random numbers of one owner
 *
 * Why
 *   A draw must cost less than a cache miss, must not be predictable from
 *   earlier draws, and a later leak of the state must not reveal past ones.
 *
 * How
 *   ChaCha fills a buffer; 32 bytes of it become the next key and are never
 *   handed out (fast key erasure). The rest is handed out from its end on.
 *   What was handed out stays in the buffer until the next fill, unless it
 *   was drawn as bytes, for keys. After RND_RNG_RESEED_LEN bytes fresh entropy
 *   is mixed into the key, and when the port's epoch has changed.
 *
 * Concurrency
 *   None of its own: a generator belongs to one CPU or to one lock.
 *
 * Source
 *   D. J. Bernstein, "Fast-key-erasure random-number generators", 2017.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "chacha.h"
#include "config.h"
#include "port.h"

/* Bytes generated together, and how many of them are handed out */
#define RND_RNG_BUF_LEN 512U
#define RND_RNG_YIELD	(RND_RNG_BUF_LEN - RND_CHACHA_KEY_LEN)

/* Words of the buffer, at any address */
typedef __u16 __attribute__((may_alias, aligned(1))) rnd_rng_word16;
typedef __u64 __attribute__((may_alias, aligned(1))) rnd_rng_word64;

/** A generator. Field markings: (o) its owner */
struct rnd_rng {
	/** (o) Bytes of buf that were not handed out yet */
	__u32 left;

	/** (o) Refills of buf since the last reseed */
	__u32 drawn;

	/** (o) Random bytes; words of them are taken at any address */
	__u8 buf[RND_RNG_YIELD];

	/** (o) The next key */
	__u8 key[RND_CHACHA_KEY_LEN];

	/** (o) Epoch of the port that the seed is from; 0: none yet */
	__u32 epoch;
};

UK_CTASSERT(__builtin_offsetof(struct rnd_rng, key) ==
	    __builtin_offsetof(struct rnd_rng, buf) + RND_RNG_YIELD);

/**
 * Starts a generator from seed material. The same seed gives the same
 * sequence (until the first reseed).
 *
 * @param seed
 *   RND_CHACHA_KEY_LEN bytes
 */
void rnd_rng_init(struct rnd_rng *rng, const __u8 *seed);

/** Starts a generator with entropy of the port, of which no copy is left */
void rnd_rng_start(struct rnd_rng *rng);

/** Mixes fresh entropy of the port into the generator and drops its buffer */
void rnd_rng_reseed(struct rnd_rng *rng);

/**
 * Overwrites buffer and key with fresh entropy. Unlike all others, for an
 * interrupt handler that may have interrupted the owner: whatever the owner
 * draws next is fresh. What it is about to fill is not; so the epoch is not
 * noted, and rnd_rng_refill() will find it changed.
 */
void rnd_rng_renew(struct rnd_rng *rng);

/** Reseeds if the port's epoch has changed; for the owner, on slow paths */
static inline void rnd_rng_follow(struct rnd_rng *rng)
{
	if (RND_PORT_HAS_EPOCH && unlikely(rng->epoch != rnd_port_epoch()))
		rnd_rng_reseed(rng);
}

/** Refills the buffer; the slow part of the functions below */
void rnd_rng_refill(struct rnd_rng *rng);

/** Draws len bytes */
void rnd_rng_bytes(struct rnd_rng *rng, void *dst, __sz len);

/** Draws an unbiased number from [0, bound); bound is at least 1 */
__u32 rnd_rng_uniform(struct rnd_rng *rng, __u32 bound);

/** Draws a byte: a handful of instructions unless the buffer is empty */
static inline __u8 rnd_rng_u8(struct rnd_rng *rng)
{
	if (unlikely(!rng->left))
		rnd_rng_refill(rng);
	return rng->buf[--rng->left];
}

/** Tells whether rnd_rng_take16() may be called */
static inline __bool rnd_rng_has16(const struct rnd_rng *rng)
{
	return likely(rng->left >= sizeof(__u16));
}

/** Draws 16 bits that are in the buffer: three instructions */
static inline __u32 rnd_rng_take16(struct rnd_rng *rng)
{
	__u32 left = rng->left - (__u32)sizeof(__u16);

	rng->left = left;

	return *(rnd_rng_word16 *)&rng->buf[left];
}

/** Draws 16 bits: a handful of instructions unless the buffer is empty */
static inline __u32 rnd_rng_u16(struct rnd_rng *rng)
{
	if (unlikely(!rnd_rng_has16(rng)))
		rnd_rng_refill(rng);

	return rnd_rng_take16(rng);
}

/**
 * Draws an unbiased number from [0, bound) with 16 random bits; bound is in
 * [1, 65536]. Faster than rnd_rng_uniform().
 *
 * Source: D. Lemire, "Fast random integer generation in an interval", 2019.
 */
static inline __u32 rnd_rng_uniform16(struct rnd_rng *rng, __u32 bound)
{
	__u32 product = rnd_rng_u16(rng) * bound;

	if (unlikely((product & 0xffffU) < bound)) {
		__u32 unfair = 0x10000U % bound;

		while ((product & 0xffffU) < unfair)
			product = rnd_rng_u16(rng) * bound;
	}

	return product >> 16;
}

/** Draws 32 bits */
static inline __u32 rnd_rng_u32(struct rnd_rng *rng)
{
	__u32 word;

	rnd_rng_bytes(rng, &word, sizeof(word));
	return word;
}

/** Draws 64 bits */
static inline __u64 rnd_rng_u64(struct rnd_rng *rng)
{
	rnd_rng_word64 *at;
	__u64 word;

	/* The same bytes, without two calls */
	if (likely(rng->left >= sizeof(word))) {
		rng->left -= (__u32)sizeof(word);
		at = (rnd_rng_word64 *)&rng->buf[rng->left];
		word = *at;
		*at = 0;
		return word;
	}
	rnd_rng_bytes(rng, &word, sizeof(word));
	return word;
}

/* Draws until the low half of a product with bound is fair */
__u64 rnd_rng_uniform64_slow(struct rnd_rng *rng, __u64 bound,
			     unsigned __int128 product);

/** Draws an unbiased number from [0, bound); bound is at least 1 */
static inline __u64 rnd_rng_uniform64(struct rnd_rng *rng, __u64 bound)
{
	unsigned __int128 product = (unsigned __int128)rnd_rng_u64(rng) * bound;

	if (unlikely((__u64)product < bound))
		return rnd_rng_uniform64_slow(rng, bound, product);

	return (__u64)(product >> 64);
}

#endif /* __UKALLOCRND_RNG_H__ */
