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
 *   there are. Longer slots take a loop over batches and a last batch that
 *   ends with the slot, very long ones memset().
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

/** Granule of all lengths and addresses in this file */
#define RND_FILL_UNIT 16UL

/* Longest length without a loop */
#define RND_FILL_SHORT_LEN (8 * RND_FILL_UNIT)

/* What the loop does at once; every length that takes the loop is longer */
#define RND_FILL_BATCH_LEN RND_FILL_SHORT_LEN

/* Longest length that is cleared by the loop: beyond, the start of memset()
 * costs less than what its wider stores save
 */
#define RND_FILL_LOOP_LEN (4 * RND_FILL_BATCH_LEN)

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

static inline void rnd_fill_put(void *p, __sz offset)
{
	*(rnd_fill_unit *)((char *)p + offset) = (rnd_fill_unit){ 0, 0 };
}

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

/* Clears two units, one from each end */
static inline void rnd_fill_put_ends(void *p, __sz len, __sz offset)
{
	rnd_fill_put(p, offset);
	rnd_fill_put(p, len - RND_FILL_UNIT - offset);
}

static inline void rnd_fill_zero_batch(void *p)
{
	rnd_fill_put_ends(p, RND_FILL_BATCH_LEN, 0);
	rnd_fill_put_ends(p, RND_FILL_BATCH_LEN, RND_FILL_UNIT);
	rnd_fill_put_ends(p, RND_FILL_BATCH_LEN, 2 * RND_FILL_UNIT);
	rnd_fill_put_ends(p, RND_FILL_BATCH_LEN, 3 * RND_FILL_UNIT);
}

static inline __bool rnd_fill_is_zero_batch(const void *p)
{
	rnd_fill_unit u;

	u = rnd_fill_ends(p, RND_FILL_BATCH_LEN, 0);
	u = rnd_fill_or(u, rnd_fill_ends(p, RND_FILL_BATCH_LEN, RND_FILL_UNIT));
	u = rnd_fill_or(u, rnd_fill_ends(p, RND_FILL_BATCH_LEN,
					 2 * RND_FILL_UNIT));
	u = rnd_fill_or(u, rnd_fill_ends(p, RND_FILL_BATCH_LEN,
					 3 * RND_FILL_UNIT));
	return rnd_fill_unit_is_zero(u);
}

static __noinline __maybe_unused void rnd_fill_zero_long(void *p, __sz len)
{
	char *last = (char *)p + len - RND_FILL_BATCH_LEN;
	char *at;

	if (len > RND_FILL_LOOP_LEN) {
		memset(p, 0, len);
		return;
	}

	for (at = p; at < last; at += RND_FILL_BATCH_LEN)
		rnd_fill_zero_batch(at);
	rnd_fill_zero_batch(last);
}

static __noinline __maybe_unused __bool rnd_fill_is_zero_long(const void *p,
							      __sz len)
{
	const char *last = (const char *)p + len - RND_FILL_BATCH_LEN;
	const char *at;

	for (at = p; at < last; at += RND_FILL_BATCH_LEN)
		if (unlikely(!rnd_fill_is_zero_batch(at)))
			return 0;
	return rnd_fill_is_zero_batch(last);
}

/**
 * Clears a slot.
 *
 * @param p
 *   Start, a multiple of RND_FILL_UNIT
 * @param len
 *   Number of bytes, a multiple of RND_FILL_UNIT, not 0
 */
static inline void rnd_fill_zero(void *p, __sz len)
{
	if (len > 4 * RND_FILL_UNIT) {
		if (unlikely(len > RND_FILL_SHORT_LEN)) {
			rnd_fill_zero_long(p, len);
			return;
		}
		rnd_fill_put_ends(p, len, 2 * RND_FILL_UNIT);
		rnd_fill_put_ends(p, len, 3 * RND_FILL_UNIT);
	} else if (len <= 2 * RND_FILL_UNIT) {
		rnd_fill_put_ends(p, len, 0);
		return;
	}
	rnd_fill_put_ends(p, len, 0);
	rnd_fill_put_ends(p, len, RND_FILL_UNIT);
}

/**
 * Tells whether all bytes of a slot are 0.
 *
 * @param p
 *   Start, a multiple of RND_FILL_UNIT
 * @param len
 *   Number of bytes, a multiple of RND_FILL_UNIT, not 0
 */
static inline __bool rnd_fill_is_zero(const void *p, __sz len)
{
	rnd_fill_unit u = rnd_fill_ends(p, len, 0);

	if (len > 4 * RND_FILL_UNIT) {
		if (unlikely(len > RND_FILL_SHORT_LEN))
			return rnd_fill_is_zero_long(p, len);
		u = rnd_fill_or(u, rnd_fill_ends(p, len, 2 * RND_FILL_UNIT));
		u = rnd_fill_or(u, rnd_fill_ends(p, len, 3 * RND_FILL_UNIT));
	} else if (len <= 2 * RND_FILL_UNIT) {
		return rnd_fill_unit_is_zero(u);
	}
	u = rnd_fill_or(u, rnd_fill_ends(p, len, RND_FILL_UNIT));
	return rnd_fill_unit_is_zero(u);
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
