/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_CANARY_H__
#define __UKALLOCRND_CANARY_H__

/* Canaries: a keyed pattern in every byte behind an object
 *
 * Why
 *   A write past the end of an object is found when the object is freed or
 *   resized, even if it changed a single byte; and nobody who cannot read the
 *   pattern at this very address can write it back.
 *
 * How
 *   The slot's address and a key are mixed into one word. All bytes of the
 *   slack [req, slot_len) hold the bytes of that word, each at its place
 *   within an aligned word:
 *
 *     slot                req                              slot_len
 *     |                    |                                    |
 *     +---------+---------+---------+---------+-...-+-----------+
 *     | object  | object  | o o o 3 4 5 6 7   | 0 1 2 3 4 5 6 7 |
 *     +---------+---------+---------+---------+-...-+-----------+
 *
 *   One word at req, not aligned and thus rotated, one or two at the end of
 *   the slot: together they cover up to three words, which is all the slack
 *   that small classes have. They overlap as needed.
 *
 *   Every byte of the pattern is odd, thus not 0: the terminating zero of a
 *   string that is one character too long is always found. A blind write of
 *   another byte goes unnoticed with probability 2^-7, of a word with 2^-56.
 *   The mixer is no message authentication code: somebody who reads the
 *   patterns of several slots at known addresses can solve for the key.
 *
 * Invariants
 *   C1  Writing and checking touch the slack and nothing else: no byte of the
 *       pattern ever gets among the object's bytes.
 *
 * Concurrency
 *   None of its own: the caller owns the slot.
 *
 * Source
 *   The mixer is the folded product known from wyhash (W. Yi, public domain).
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "fill.h"

/** Least slack of an object */
#define RND_CANARY_SLACK_MIN 8UL

#define RND_CANARY_ODD 0x0101010101010101UL

/* Any object may be accessed through this type, at any address */
typedef __u64 __attribute__((may_alias, aligned(1))) rnd_canary_slack;

/** Key of all canaries of a heap. Field marking: (s) on the sealed page */
struct rnd_canary_key {
	/** (s) Secrets */
	__u64 add;
	__u64 mul;

	/** (s) RND_CANARY_ODD, where no instruction has to build it */
	__u64 odd;
};

/**
 * Initializes a key.
 *
 * @param add, mul
 *   Two random words
 */
static inline void rnd_canary_key_init(struct rnd_canary_key *key, __u64 add,
				       __u64 mul)
{
	key->add = add;
	/* An odd factor loses nothing */
	key->mul = mul | 1;
	key->odd = RND_CANARY_ODD;
}

/* Low half of a product xor its high half. Compilers pass a 128 bit product
 * through memory when registers are scarce.
 */
static inline __u64 canary_fold(__u64 a, __u64 b)
{
#ifdef __x86_64__
	__u64 low, high;

	__asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "rm"(b) : "cc");
	return low ^ high;
#else
	unsigned __int128 product = (unsigned __int128)a * b;

	return (__u64)product ^ (__u64)(product >> 64);
#endif
}

/**
 * Computes the pattern of one slot: five instructions.
 *
 * @param key
 *   The key
 * @param p
 *   Start of the slot
 *
 * @return
 *   The pattern; no byte of it is even
 */
static inline __u64 rnd_canary_word(const struct rnd_canary_key *key, __uptr p)
{
	return canary_fold(p ^ key->add, key->mul) | key->odd;
}

/* The pattern as seen from the address req: byte 0 is what belongs there */
static inline __u64 rnd_canary_rotate(__u64 word, __sz req)
{
	unsigned int shift = (unsigned int)req * 8;

#ifdef __x86_64__
	/* The processor takes the shift modulo 64, compilers do it again */
	__asm__("rorq %b1, %0" : "+r"(word) : "c"(shift) : "cc");
	return word;
#else
	return (word >> shift % 64) | (word << -shift % 64);
#endif
}

/* The same for an address so many bytes in front of a multiple of 8 */
static inline __u64 rnd_canary_rotate_back(__u64 word, __sz slack)
{
	unsigned int shift = (unsigned int)slack * 8;

#ifdef __x86_64__
	__asm__("rolq %b1, %0" : "+r"(word) : "c"(shift) : "cc");
	return word;
#else
	return (word << shift % 64) | (word >> -shift % 64);
#endif
}

static inline rnd_canary_slack *rnd_canary_at(const void *p, __sz offset)
{
	return (rnd_canary_slack *)((__uptr)p + offset);
}

/* Slack that the functions for short slots can do */
#define RND_CANARY_SHORT_MAX 24UL

/**
 * Fills the slack of a slot, RND_CANARY_SHORT_MAX bytes at most.
 *
 * @param word
 *   The slot's pattern
 * @param p
 *   Start of the slot, a multiple of RND_FILL_UNIT
 * @param req
 *   Length of the object in bytes
 * @param slot_len
 *   Length of the slot, a multiple of RND_FILL_UNIT and at least
 *   req + RND_CANARY_SLACK_MIN
 */
static inline void rnd_canary_write_short(__u64 word, void *p, __sz req,
					  __sz slot_len)
{
	*rnd_canary_at(p, req) = rnd_canary_rotate(word, req);
	*rnd_canary_at(p, slot_len - 8) = word;
	if (slot_len - req > 16)
		*rnd_canary_at(p, slot_len - 16) = word;
}

/* Slack of more than three words: the second word, which is not aligned, then
 * everything behind it in units that end with the slot. Unit and word may
 * overlap, they agree.
 *
 * few: the units are few, call nothing for them. A constant
 */
static inline void canary_write_long(__u64 word, void *p, __sz req,
				     __sz slot_len, __bool few)
{
	__sz at = ALIGN_UP(req, RND_FILL_UNIT);

	*rnd_canary_at(p, req + 8) = rnd_canary_rotate(word, req);
	if (few)
		rnd_fill_word_few((char *)p + at, slot_len - at, word);
	else
		rnd_fill_word((char *)p + at, slot_len - at, word);
}

static inline __bool canary_check_long(__u64 word, const void *p, __sz req,
				       __sz slot_len, __bool few)
{
	__sz at = ALIGN_UP(req, RND_FILL_UNIT), len = slot_len - at;
	const char *units = (const char *)p + at;

	return *rnd_canary_at(p, req + 8) == rnd_canary_rotate(word, req) &&
	       (few ? rnd_fill_is_word_few(units, len, word) :
		      rnd_fill_is_word(units, len, word));
}

/** Fills the slack of a slot. Parameters as above; any slack. */
static inline void rnd_canary_write(__u64 word, void *p, __sz req,
				    __sz slot_len)
{
	rnd_canary_write_short(word, p, req, slot_len);
	if (slot_len - req > RND_CANARY_SHORT_MAX)
		canary_write_long(word, p, req, slot_len, 0);
}

/** The same where slack is not long: calls nothing */
static inline void rnd_canary_write_few(__u64 word, void *p, __sz req,
					__sz slot_len)
{
	rnd_canary_write_short(word, p, req, slot_len);
	if (slot_len - req > RND_CANARY_SHORT_MAX)
		canary_write_long(word, p, req, slot_len, 1);
}

/**
 * Tells whether the whole slack of a slot, RND_CANARY_SHORT_MAX bytes at
 * most, still is as written.
 *
 * @param word
 *   The slot's pattern
 * @param p
 *   Start of the slot, a multiple of RND_FILL_UNIT
 * @param slot_len
 *   Its length, a multiple of RND_FILL_UNIT
 * @param slack
 *   Bytes from the end of the object to the end of the slot
 */
static inline __bool rnd_canary_check_short(__u64 word, const void *p,
					    __sz slot_len, __sz slack)
{
	__u64 changed;

	changed = *rnd_canary_at(p, slot_len - slack) ^
		  rnd_canary_rotate_back(word, slack);
	changed |= *rnd_canary_at(p, slot_len - 8) ^ word;
	if (slack > 16)
		changed |= *rnd_canary_at(p, slot_len - 16) ^ word;

	return !changed;
}

/** The same for any slack */
static inline __bool rnd_canary_check(__u64 word, const void *p, __sz req,
				      __sz slot_len)
{
	if (slot_len - req > RND_CANARY_SHORT_MAX &&
	    !canary_check_long(word, p, req, slot_len, 0))
		return 0;

	return rnd_canary_check_short(word, p, slot_len, slot_len - req);
}

/** The same where slack is not long: calls nothing */
static inline __bool rnd_canary_check_few(__u64 word, const void *p, __sz req,
					  __sz slot_len)
{
	if (slot_len - req > RND_CANARY_SHORT_MAX &&
	    !canary_check_long(word, p, req, slot_len, 1))
		return 0;

	return rnd_canary_check_short(word, p, slot_len, slot_len - req);
}

/**
 * Finds the first byte of the slack that was changed. Slow, for reports.
 * Parameters as for rnd_canary_write().
 *
 * @return
 *   Its address, or __NULL if there is none
 */
static inline const void *rnd_canary_find_bad(__u64 word, const void *p,
					      __sz req, __sz slot_len)
{
	const __u8 *slot = p;
	__sz i;

	for (i = req; i < slot_len; i++)
		if (slot[i] != (__u8)(word >> (i % sizeof(__u64)) * 8))
			return &slot[i];

	return __NULL;
}

#endif /* __UKALLOCRND_CANARY_H__ */
