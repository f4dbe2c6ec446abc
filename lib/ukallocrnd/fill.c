/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Filling of long slots
 *
 * Batches from the start, and a last one that ends with the slot: it overlaps
 * the one before, which costs less than a loop for the rest.
 */

#include "fill.h"

#if RND_PORT_LENDS_SSE
#include "fill_saved.h"

UK_CTASSERT(FILL_SAVED_LEN <= RND_FILL_SHORT_LEN);
UK_CTASSERT(FILL_WIDE_LEN / 2 <= RND_FILL_SHORT_LEN);

void rnd_fill_word_long(void *p, __sz len, __u64 word)
{
	rnd_fill_lent(word, p, len, word);
}

__bool rnd_fill_is_word_long(const void *p, __sz len, __u64 word)
{
	return rnd_fill_lent(is_word, p, len, word);
}

static inline void zero_any(char *p, __sz len)
{
	if (len >= FILL_LONG_LEN && rnd_port_lends_avx())
		rnd_fill_word_wide_long(p, len, 0);
	else
		rnd_fill_lent(word, p, len, 0);
}

static inline __bool is_zero_any(const char *p, __sz len)
{
	if (len >= FILL_LONG_LEN && rnd_port_lends_avx())
		return rnd_fill_is_zero_wide_long(p, len);
	return rnd_fill_lent(is_zero, p, len);
}

#if RND_PORT_KNOWS_BACKED
/** What of a slot has frames */
struct backed {
	__uptr start, end;
	/* Its first page; a bit for each page from there on that has a frame
	 * and was not found yet
	 */
	__uptr page;
	__u64 bits;
};

static inline struct backed backed_of(const void *slot, __sz len)
{
	struct backed b = { .start = (__uptr)slot };

	b.end = b.start + len;
	b.page = ALIGN_DOWN(b.start, RND_PAGE_LEN);
	b.bits = rnd_port_backed_bits(b.page, DIV_ROUND_UP(b.end - b.page,
							   RND_PAGE_LEN));
	return b;
}

/* Address of the page that a word's lowest bit is for */
static inline __uptr lowest(__uptr page, __u64 bits)
{
	return page + ((__uptr)__builtin_ctzl(bits) << RND_PAGE_SHIFT);
}

/* Finds the next part that has frames */
static inline __bool backed_next(struct backed *b, char **p, __sz *len)
{
	__uptr from, to;
	__u64 above;

	if (!b->bits)
		return 0;
	from = lowest(b->page, b->bits);
	/* No bit of the lowest run, but the one behind it */
	above = b->bits + (b->bits & -b->bits);
	to = lowest(b->page, above);
	b->bits &= above;
	from = MAX(from, b->start);
	*p = (char *)from;
	*len = MIN(to, b->end) - from;
	return 1;
}

/* Clears what has frames: the rest is zero */
static void __noinline zero_sparse(void *slot, __sz len)
{
	struct backed b = backed_of(slot, len);
	char *p;

	while (backed_next(&b, &p, &len)) {
		if (len > RND_FILL_SHORT_LEN)
			zero_any(p, len);
		else
			rnd_fill_zero_short(p, len);
	}
}

static __bool __noinline is_zero_sparse(const void *slot, __sz len)
{
	struct backed b = backed_of(slot, len);
	__bool is_zero = 1;
	char *p;

	while (is_zero && backed_next(&b, &p, &len))
		is_zero = len > RND_FILL_SHORT_LEN ?
				  is_zero_any(p, len) :
				  rnd_fill_is_zero_short(p, len);
	return is_zero;
}
#else
static void zero_sparse(void *slot __unused, __sz len __unused) {}

static __bool is_zero_sparse(const void *slot __unused, __sz len __unused)
{
	return 1;
}
#endif

void rnd_fill_zero_long(void *slot, __sz len)
{
	if (unlikely(rnd_fill_is_sparse(len)))
		zero_sparse(slot, len);
	else
		zero_any(slot, len);
}

__bool rnd_fill_is_zero_long(const void *slot, __sz len)
{
	if (unlikely(rnd_fill_is_sparse(len)))
		return is_zero_sparse(slot, len);
	return is_zero_any(slot, len);
}

#else

#define BATCH_LEN (8 * RND_FILL_UNIT)

UK_CTASSERT(BATCH_LEN <= RND_FILL_SHORT_LEN);

static inline void unit_batch(char *p, rnd_fill_unit unit)
{
	__sz i;

	for (i = 0; i < BATCH_LEN / 2; i += RND_FILL_UNIT)
		rnd_fill_put_ends(p, BATCH_LEN, i, unit);
}

static inline rnd_fill_unit or_batch(const char *p)
{
	rnd_fill_unit u = rnd_fill_ends(p, BATCH_LEN, 0);

	u = rnd_fill_or(u, rnd_fill_ends(p, BATCH_LEN, RND_FILL_UNIT));
	u = rnd_fill_or(u, rnd_fill_ends(p, BATCH_LEN, 2 * RND_FILL_UNIT));
	return rnd_fill_or(u, rnd_fill_ends(p, BATCH_LEN, 3 * RND_FILL_UNIT));
}

static inline void word_long(char *p, __sz len, __u64 word)
{
	rnd_fill_unit unit = { word, word };
	char *last = p + len - BATCH_LEN;

	rnd_fill_keep(unit);
	for (; p < last; p += BATCH_LEN)
		unit_batch(p, unit);
	unit_batch(last, unit);
}

void rnd_fill_zero_long(void *slot, __sz len)
{
	word_long(slot, len, 0);
}

void rnd_fill_word_long(void *p, __sz len, __u64 word)
{
	word_long(p, len, word);
}

__bool rnd_fill_is_zero_long(const void *slot, __sz len)
{
	const char *p = slot, *last = p + len - BATCH_LEN;
	rnd_fill_unit sum;

	sum = or_batch(last);
	for (; p < last; p += BATCH_LEN)
		sum = rnd_fill_or(sum, or_batch(p));

	return rnd_fill_unit_is_zero(sum);
}

__bool rnd_fill_is_word_long(const void *p, __sz len, __u64 word)
{
	const rnd_fill_unit unit = { word, word };
	rnd_fill_unit sum = { 0, 0 };
	__sz at;

	for (at = 0; at < len; at += RND_FILL_UNIT)
		sum = rnd_fill_or(sum,
				  rnd_fill_differ(rnd_fill_get(p, at), unit));
	return rnd_fill_unit_is_zero(sum);
}

#endif
