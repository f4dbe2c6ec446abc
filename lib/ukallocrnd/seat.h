/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_SEAT_H__
#define __UKALLOCRND_SEAT_H__

/* Seat: where in its pages a large object sits
 *
 * Why
 *   An object has whole pages between guards, but seldom fills them. At the
 *   start of its pages its low address bits are known to everybody, and an
 *   overflow runs through up to a page of slack before it faults, which a
 *   read never tells. At the end of its pages the first bytes behind it are
 *   the guard.
 *
 * How
 *   START   at the first byte of the first page
 *   RANDOM  at a random multiple of its alignment; an object that would have
 *           little choice gets a page more
 *   RIGHT   as near to the end of the last page as its alignment allows
 *
 *     base         addr                       addr + req      end
 *     | front      | object ...                | back         | guard
 *
 *   Front and back hold a keyed pattern (canary.h), which is tested when the
 *   object is freed or resized. Unlike the slack of a slot they can have any
 *   length, from 0 on.
 *
 * Invariants
 *   T1  An object starts in its first page and ends in its last one.
 *   T2  Behind an object at RIGHT there are fewer bytes than its alignment,
 *       until it is made smaller in place.
 *
 * Concurrency
 *   None of its own: the caller owns the pages.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "canary.h"
#include "config.h"
#include "port.h"
#include "sizeclass.h"

enum rnd_seat {
	RND_SEAT_START,
	RND_SEAT_RANDOM,
	RND_SEAT_RIGHT,
};

/** Seat of large objects by the configuration */
static inline enum rnd_seat rnd_seat_default(void)
{
	if (RND_OPT_LARGE_RANDOM)
		return RND_SEAT_RANDOM;

	return RND_OPT_LARGE_RIGHT ? RND_SEAT_RIGHT : RND_SEAT_START;
}

/** Pages of an object of req bytes */
static inline __sz rnd_seat_pages(enum rnd_seat seat, __sz req)
{
	__sz pages = DIV_ROUND_UP(req, RND_PAGE_LEN);

	if (seat == RND_SEAT_RIGHT)
		return pages;

	/* A slack shorter than the canary would cover less than it should */
	if (pages * RND_PAGE_LEN != req)
		pages = DIV_ROUND_UP(req + RND_CANARY_LEN, RND_PAGE_LEN);
	if (seat == RND_SEAT_RANDOM &&
	    pages * RND_PAGE_LEN - req < RND_PAGE_LEN / 2)
		pages++;

	return pages;
}

/* Lowest and highest offset of an object in its pages */
static inline __sz seat_bounds(enum rnd_seat seat, __sz req, __sz align,
			       __sz *low)
{
	__sz slack = rnd_seat_pages(seat, req) * RND_PAGE_LEN - req;

	*low = 0;
	if (seat == RND_SEAT_START || align >= RND_PAGE_LEN)
		return 0;
	if (seat == RND_SEAT_RIGHT) {
		*low = ALIGN_DOWN(slack, align);
		return *low;
	}

	/* T1 */
	if (slack >= RND_PAGE_LEN)
		*low = ALIGN_UP(slack - RND_PAGE_LEN + 1, align);

	return ALIGN_DOWN(MIN(slack - RND_CANARY_LEN, RND_PAGE_LEN - align),
			  align);
}

/**
 * Number of places that an object has.
 *
 * @param align
 *   Its alignment, a power of two, at least RND_SLOT_ALIGN
 */
static inline __sz rnd_seat_choices(enum rnd_seat seat, __sz req, __sz align)
{
	__sz low, high = seat_bounds(seat, req, align, &low);

	return (high - low) / align + 1;
}

/** Offset of the choice-th place of an object in its pages */
static inline __sz rnd_seat_offset(enum rnd_seat seat, __sz req, __sz align,
				   __sz choice)
{
	__sz low;

	(void)seat_bounds(seat, req, align, &low);

	return low + choice * align;
}

/** Tells whether an object may start at an offset in its pages */
static inline __bool rnd_seat_allows(enum rnd_seat seat, __sz req, __sz offset)
{
	__sz low, high = seat_bounds(seat, req, RND_SLOT_ALIGN, &low);

	return offset >= low && offset <= high;
}

/* Byte of the pattern that belongs to an address */
static inline __u8 seat_byte(__u64 word, __uptr at)
{
	return (__u8)(word >> (at % sizeof(__u64)) * 8);
}

/** Fills [at, end) with the pattern, nothing or anything */
static inline void rnd_seat_write(__u64 word, __uptr at, __uptr end)
{
	for (; at < end && at % sizeof(word); at++)
		*(__u8 *)at = seat_byte(word, at);
	for (; at + sizeof(word) <= end; at += sizeof(word))
		*rnd_canary_at((void *)at, 0) = word;
	for (; at < end; at++)
		*(__u8 *)at = seat_byte(word, at);
}

/**
 * Finds the first byte of [at, end) that is not as rnd_seat_write() left it.
 *
 * @return
 *   Its address, or __NULL if there is none
 */
static inline const void *rnd_seat_find_bad(__u64 word, __uptr at, __uptr end)
{
	for (; at < end; at++) {
		if (at % sizeof(word) == 0)
			while (at + sizeof(word) <= end &&
			       *rnd_canary_at((void *)at, 0) == word)
				at += sizeof(word);
		if (at < end && *(__u8 *)at != seat_byte(word, at))
			return (void *)at;
	}

	return __NULL;
}

#endif /* __UKALLOCRND_SEAT_H__ */
