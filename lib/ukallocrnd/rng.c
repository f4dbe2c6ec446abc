/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/assert.h>

#include "port.h"
#include "rng.h"

/* Bytes of stack that rnd_chacha_blocks() uses, at most */
#define RNG_STACK_LEN 768U

#define RNG_REFILLS_PER_SEED DIV_ROUND_UP(RND_RNG_RESEED_LEN, RND_RNG_YIELD)

UK_CTASSERT(RND_RNG_BUF_LEN % RND_CHACHA_BLOCK_LEN == 0);
UK_CTASSERT(RND_RNG_BUF_LEN > RND_CHACHA_KEY_LEN);

/* Overwrites what the cipher may have left on the stack: of words in the middle
 * of a block the key can be computed
 */
static void __noinline stack_wipe(void)
{
	__u64 words[RNG_STACK_LEN / sizeof(__u64)], *word;

	for (word = words; word < words + ARRAY_SIZE(words); word += 8) {
		word[0] = word[1] = word[2] = word[3] = 0;
		word[4] = word[5] = word[6] = word[7] = 0;
		/* The compiler would drop what nobody reads, or call memset */
		__asm__ __volatile__("" : : "r"(word) : "memory");
	}
}

/* Replaces key and stream; what was in the buffer can not be recovered */
static void buffer_fill(struct rnd_rng *rng)
{
	rnd_chacha_blocks(rng->key, 0, rng->buf,
			  RND_RNG_BUF_LEN / RND_CHACHA_BLOCK_LEN);
	rng->left = RND_RNG_YIELD;
	stack_wipe();
}

void rnd_rng_init(struct rnd_rng *rng, const __u8 *seed)
{
	UK_ASSERT(rng);
	UK_ASSERT(seed);

	memcpy(rng->key, seed, RND_CHACHA_KEY_LEN);
	rng->drawn = 0;
	/* The seed may be older than the epoch is */
	rng->epoch = 0;
	buffer_fill(rng);
}

/* The compiler would drop a plain clearing of a dying array */
static void seed_wipe(__u8 *seed)
{
	memset(seed, 0, RND_CHACHA_KEY_LEN);
	__asm__ __volatile__("" : : "r"(seed) : "memory");
}

void rnd_rng_start(struct rnd_rng *rng)
{
	__u8 seed[RND_CHACHA_KEY_LEN];

	rnd_port_entropy(seed, sizeof(seed));
	rnd_rng_init(rng, seed);
	seed_wipe(seed);
}

static void reseed_once(struct rnd_rng *rng)
{
	__u8 seed[RND_CHACHA_KEY_LEN];
	unsigned int i;

	/* By xor the new key is at least as hard to know as the harder one of
	 * old key and fresh entropy
	 */
	rnd_port_entropy(seed, sizeof(seed));
	for (i = 0; i < sizeof(seed); i++)
		rng->key[i] ^= seed[i];

	rng->drawn = 0;
	buffer_fill(rng);

	seed_wipe(seed);
}

void rnd_rng_reseed(struct rnd_rng *rng)
{
	UK_ASSERT(rng);

	if (!RND_PORT_HAS_EPOCH) {
		reseed_once(rng);
		return;
	}
	/* Again, if an epoch begins meanwhile: its rnd_rng_renew() may have
	 * come before the buffer was filled
	 */
	do {
		rng->epoch = rnd_port_epoch();
		reseed_once(rng);
	} while (unlikely(rng->epoch != rnd_port_epoch()));
}

void rnd_rng_refill(struct rnd_rng *rng)
{
	UK_ASSERT(rng);

	if (unlikely(++rng->drawn >= RNG_REFILLS_PER_SEED)) {
		rnd_rng_reseed(rng);
		return;
	}
	buffer_fill(rng);
	/* Afterwards, because of rnd_rng_renew() */
	rnd_rng_follow(rng);
}

void rnd_rng_renew(struct rnd_rng *rng)
{
	rnd_port_entropy(rng->buf, sizeof(rng->buf));
	rnd_port_entropy(rng->key, sizeof(rng->key));
	/* Without an epoch that tells, the next refill reseeds */
	if (!RND_PORT_HAS_EPOCH)
		rng->drawn = RNG_REFILLS_PER_SEED;
}

void rnd_rng_bytes(struct rnd_rng *rng, void *dst, __sz len)
{
	__u8 *out = dst;

	UK_ASSERT(rng);
	UK_ASSERT(dst || !len);

	while (len) {
		__sz part;

		if (!rng->left)
			rnd_rng_refill(rng);

		part = MIN(len, (__sz)rng->left);
		rng->left -= (__u32)part;
		memcpy(out, &rng->buf[rng->left], part);
		memset(&rng->buf[rng->left], 0, part);
		out += part;
		len -= part;
	}
}

/* Both below scale a random word to bound by a multiplication; the high part
 * of the product is the result. Of the words that yield one result either
 * floor(2^n / bound) or one more exist. Rejecting the 2^n mod bound smallest
 * low parts leaves equally many for each. The division is needed only when
 * the low part is small enough for a rejection at all.
 *
 * D. Lemire, "Fast random integer generation in an interval", 2019.
 */
__u32 rnd_rng_uniform(struct rnd_rng *rng, __u32 bound)
{
	__u64 product;

	UK_ASSERT(bound);

	product = (__u64)rnd_rng_u32(rng) * bound;
	if (unlikely((__u32)product < bound)) {
		__u32 reject = (0U - bound) % bound;

		while ((__u32)product < reject)
			product = (__u64)rnd_rng_u32(rng) * bound;
	}

	return (__u32)(product >> 32);
}

__u64 rnd_rng_uniform64_slow(struct rnd_rng *rng, __u64 bound,
			     unsigned __int128 product)
{
	__u64 reject;

	UK_ASSERT(bound);

	reject = (0UL - bound) % bound;
	while ((__u64)product < reject)
		product = (unsigned __int128)rnd_rng_u64(rng) * bound;

	return (__u64)(product >> 64);
}
