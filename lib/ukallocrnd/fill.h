/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_FILL_H__
#define __UKALLOCRND_FILL_H__

/* Zeroing freed slots, and finding out whether they still are zero
 *
 * Why
 *   Both run once per object, on the fast paths: a call of memset() and a
 *   loop would cost more than the work.
 *
 * How
 *   Lengths are multiples of the unit. Up to RND_FILL_SHORT_LEN a handful of
 *   units counted from both ends cover every length of a range: units in the
 *   middle are touched twice, which costs less than finding out how many
 *   there are. Longer slots take a loop (fill.c, wide.h).
 *
 *   A unit is one vector register where the compiler may use them, and two
 *   words in a kernel that must not.
 *
 * Concurrency
 *   None of its own: the caller owns the memory.
 */

#include <string.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "port.h"

/** Granule of all lengths and addresses in this file */
#define RND_FILL_UNIT 16UL

/* Longest length without a loop */
#define RND_FILL_SHORT_LEN (8 * RND_FILL_UNIT)

/* Asking which pages have memory costs less than one of so many */
#define RND_FILL_SPARSE_MIN (3 * RND_PAGE_LEN)
/* It may begin and end within pages; a word has a bit for each */
#define RND_FILL_SPARSE_MAX (63 * RND_PAGE_LEN)

/* Any object may be accessed through this type */
#ifdef __SSE2__
typedef __u64 __attribute__((vector_size(16), may_alias)) rnd_fill_unit;
#else
struct __attribute__((may_alias)) rnd_fill_words {
	__u64 lo, hi;
};
typedef struct rnd_fill_words rnd_fill_unit;
#endif

UK_CTASSERT(sizeof(rnd_fill_unit) == RND_FILL_UNIT);

/* Makes the compiler keep a unit in a register instead of making it anew */
#ifdef __SSE2__
#define rnd_fill_keep(unit) __asm__("" : "+x"(unit))
#else
#define rnd_fill_keep(unit) ((void)0)
#endif

static inline rnd_fill_unit rnd_fill_get(const void *p, __sz offset)
{
	return *(const rnd_fill_unit *)((const char *)p + offset);
}

static inline rnd_fill_unit rnd_fill_or(rnd_fill_unit a, rnd_fill_unit b)
{
#ifdef __SSE2__
	return a | b;
#else
	return (rnd_fill_unit){ a.lo | b.lo, a.hi | b.hi };
#endif
}

/* The bits in which two units differ */
static inline rnd_fill_unit rnd_fill_differ(rnd_fill_unit a, rnd_fill_unit b)
{
#ifdef __SSE2__
	return a ^ b;
#else
	return (rnd_fill_unit){ a.lo ^ b.lo, a.hi ^ b.hi };
#endif
}

/* Union of two units, one from each end */
static inline rnd_fill_unit rnd_fill_ends(const void *p, __sz len, __sz offset)
{
	return rnd_fill_or(rnd_fill_get(p, offset),
			   rnd_fill_get(p, len - RND_FILL_UNIT - offset));
}

static inline __bool rnd_fill_unit_is_zero(rnd_fill_unit u)
{
#ifdef __SSE2__
	return !(u[0] | u[1]);
#else
	return !(u.lo | u.hi);
#endif
}

/* Sets two units, one from each end */
static inline void rnd_fill_put_ends(void *p, __sz len, __sz offset,
				     rnd_fill_unit u)
{
	char *end = (char *)p + len - RND_FILL_UNIT;

	*(rnd_fill_unit *)((char *)p + offset) = u;
	*(rnd_fill_unit *)(end - offset) = u;
}

/**
 * Tells whether only those pages of a slot of so many bytes are cleared and
 * looked at that have memory.
 */
static inline __bool rnd_fill_is_sparse(__sz len)
{
	return RND_PORT_LENDS_SSE && RND_PORT_KNOWS_BACKED &&
	       len >= RND_FILL_SPARSE_MIN;
}

/* Slots longer than RND_FILL_SHORT_LEN: fill them, tell what they are filled
 * with
 */
void rnd_fill_zero_long(void *slot, __sz len);
__bool rnd_fill_is_zero_long(const void *slot, __sz len);
void rnd_fill_word_long(void *p, __sz len, __u64 word);
__bool rnd_fill_is_word_long(const void *p, __sz len, __u64 word);

/**
 * Clears a short slot.
 *
 * @param p
 *   Start, a multiple of RND_FILL_UNIT
 * @param len
 *   Number of bytes, a multiple of RND_FILL_UNIT, not 0, at most
 *   RND_FILL_SHORT_LEN
 */
static inline void rnd_fill_zero_short(void *p, __sz len)
{
	rnd_fill_unit zero = { 0, 0 };

	rnd_fill_keep(zero);
	if (len > 4 * RND_FILL_UNIT) {
		if (len > 6 * RND_FILL_UNIT)
			rnd_fill_put_ends(p, len, 3 * RND_FILL_UNIT, zero);
		rnd_fill_put_ends(p, len, 2 * RND_FILL_UNIT, zero);
	} else if (len <= 2 * RND_FILL_UNIT) {
		rnd_fill_put_ends(p, len, 0, zero);
		return;
	}
	rnd_fill_put_ends(p, len, 0, zero);
	rnd_fill_put_ends(p, len, RND_FILL_UNIT, zero);
}

/** Clears a slot of any length. Parameters as above */
static inline void rnd_fill_zero(void *p, __sz len)
{
	if (unlikely(len > RND_FILL_SHORT_LEN))
		rnd_fill_zero_long(p, len);
	else
		rnd_fill_zero_short(p, len);
}

/**
 * Tells whether all bytes of a short slot are 0. Parameters as for
 * rnd_fill_zero_short().
 */
#if defined(__x86_64__) && !defined(__SSE2__)
/* Compilers load each word before they use it. Words from both ends: as many as
 * the longest slot of a range has.
 */
#define FILL_OR(offset)                                                        \
	"orq " offset "(%[p]), %[u]\n"                                         \
	"orq -8-" offset "(%[end]), %[u]\n"

static inline __bool rnd_fill_is_zero_short(const void *p, __sz len)
{
	const char *end = (const char *)p + len;
	__u64 u = 0;

	if (len > 6 * RND_FILL_UNIT)
		__asm__(FILL_OR("48") FILL_OR("56")
			: [u] "+r"(u)
			: [p] "r"(p), [end] "r"(end)
			: "cc", "memory");
	if (len > 4 * RND_FILL_UNIT)
		__asm__(FILL_OR("32") FILL_OR("40")
			: [u] "+r"(u)
			: [p] "r"(p), [end] "r"(end)
			: "cc", "memory");
	if (len > 2 * RND_FILL_UNIT)
		__asm__(FILL_OR("16") FILL_OR("24")
			: [u] "+r"(u)
			: [p] "r"(p), [end] "r"(end)
			: "cc", "memory");
	__asm__(FILL_OR("0") FILL_OR("8")
		: [u] "+r"(u)
		: [p] "r"(p), [end] "r"(end)
		: "cc", "memory");
	return !u;
}
#else
static inline __bool rnd_fill_is_zero_short(const void *p, __sz len)
{
	rnd_fill_unit u = rnd_fill_ends(p, len, 0);

	if (len > 4 * RND_FILL_UNIT) {
		if (len > 6 * RND_FILL_UNIT)
			u = rnd_fill_or(u, rnd_fill_ends(p, len,
							 3 * RND_FILL_UNIT));
		u = rnd_fill_or(u, rnd_fill_ends(p, len, 2 * RND_FILL_UNIT));
	} else if (len <= 2 * RND_FILL_UNIT) {
		return rnd_fill_unit_is_zero(u);
	}
	u = rnd_fill_or(u, rnd_fill_ends(p, len, RND_FILL_UNIT));
	return rnd_fill_unit_is_zero(u);
}
#endif

/** Tells whether all bytes of a slot of any length are 0 */
static inline __bool rnd_fill_is_zero(const void *p, __sz len)
{
	return unlikely(len > RND_FILL_SHORT_LEN) ?
		       rnd_fill_is_zero_long(p, len) :
		       rnd_fill_is_zero_short(p, len);
}

/**
 * Fills a part of a slot with a word, without a call: for few units.
 *
 * @param p
 *   Start, a multiple of RND_FILL_UNIT
 * @param len
 *   Number of bytes, a multiple of RND_FILL_UNIT, may be 0
 */
static inline void rnd_fill_word_few(void *p, __sz len, __u64 word)
{
	const rnd_fill_unit unit = { word, word };
	char *at = p, *end = at + len;

	for (; at < end; at += RND_FILL_UNIT)
		*(rnd_fill_unit *)at = unit;
}

/** The same for any number of units */
static inline void rnd_fill_word(void *p, __sz len, __u64 word)
{
	if (unlikely(len > RND_FILL_SHORT_LEN))
		rnd_fill_word_long(p, len, word);
	else
		rnd_fill_word_few(p, len, word);
}

/**
 * Tells whether all words of a part of a slot are this one. As
 * rnd_fill_word_few().
 */
static inline __bool rnd_fill_is_word_few(const void *p, __sz len, __u64 word)
{
	const char *at = p, *end = at + len;
#ifdef __SSE2__
	const rnd_fill_unit unit = { word, word };
	rnd_fill_unit sum = { 0, 0 };

	for (; at < end; at += RND_FILL_UNIT)
		sum |= *(const rnd_fill_unit *)at ^ unit;
	return rnd_fill_unit_is_zero(sum);
#else
	/* A word is compared where it is, and most are as they should be */
	for (; at < end; at += RND_FILL_UNIT) {
		const rnd_fill_unit *unit = (const rnd_fill_unit *)at;

		if (unit->lo != word || unit->hi != word)
			return 0;
	}
	return 1;
#endif
}

/** The same for any number of units */
static inline __bool rnd_fill_is_word(const void *p, __sz len, __u64 word)
{
	return unlikely(len > RND_FILL_SHORT_LEN) ?
		       rnd_fill_is_word_long(p, len, word) :
		       rnd_fill_is_word_few(p, len, word);
}

/**
 * Finds the first byte of a slot that is not 0. Slow, for reports.
 *
 * @return
 *   Its address, or __NULL if there is none
 */
static inline const void *rnd_fill_find_nonzero(const void *p, __sz len)
{
	const __u8 *byte = p;

	for (; len; len--, byte++)
		if (*byte)
			return byte;

	return __NULL;
}

#endif /* __UKALLOCRND_FILL_H__ */
