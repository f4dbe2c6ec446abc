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
#include "port.h"

#if RND_PORT_LENDS_SSE
#include "fill_saved.h"

UK_CTASSERT(FILL_SAVED_LEN <= RND_FILL_SHORT_LEN);

/* Slots of so many bytes are looked at page by page, if asking costs less than
 * a page; how many pages are asked for at a time
 */
#define SPARSE_MIN   (RND_PORT_KNOWS_BACKED ? 3 * RND_PAGE_LEN : __SZ_MAX)
#define SPARSE_PAGES 32UL

/* The next run of pages with frames, as far as it is in [p, end) */
static char *run_find(char *p, const char *end, __sz *len)
{
	__u8 is_there[SPARSE_PAGES];
	__uptr page = ALIGN_DOWN((__uptr)p, RND_PAGE_LEN);
	__sz pages = DIV_ROUND_UP((__uptr)end - page, RND_PAGE_LEN);
	__sz first = 0, last;

	pages = MIN(pages, SPARSE_PAGES);
	rnd_port_backed(page, pages, is_there);
	while (first < pages && !is_there[first])
		first++;
	for (last = first; last < pages && is_there[last];)
		last++;
	if (first)
		p = (char *)MIN((__uptr)end, page + first * RND_PAGE_LEN);
	*len = MIN((__uptr)end, page + last * RND_PAGE_LEN) - (__uptr)p;
	return p;
}

/* Clears what has frames: the rest is zero */
static void __noinline zero_sparse(char *p, const char *end)
{
	__sz len;

	for (; p < end; p += len) {
		p = run_find(p, end, &len);
		if (len > RND_FILL_SHORT_LEN)
			rnd_fill_zero_saved(p, len);
		else if (len)
			rnd_fill_zero_short(p, len);
	}
}

static __bool __noinline is_zero_sparse(char *p, const char *end)
{
	__bool is_zero = 1;
	__sz len;

	for (; p < end && is_zero; p += len) {
		p = run_find(p, end, &len);
		if (len > RND_FILL_SHORT_LEN)
			is_zero = rnd_fill_is_zero_saved(p, len);
		else if (len)
			is_zero = rnd_fill_is_zero_short(p, len);
	}
	return is_zero;
}

void rnd_fill_zero_long(void *slot, __sz len)
{
	if (unlikely(len >= SPARSE_MIN))
		zero_sparse(slot, (char *)slot + len);
	else
		rnd_fill_zero_saved(slot, len);
}

__bool rnd_fill_is_zero_long(const void *slot, __sz len)
{
	char *p = (char *)(__uptr)slot;

	if (unlikely(len >= SPARSE_MIN))
		return is_zero_sparse(p, p + len);
	return rnd_fill_is_zero_saved(slot, len);
}

#else

#define BATCH_LEN (8 * RND_FILL_UNIT)

UK_CTASSERT(BATCH_LEN <= RND_FILL_SHORT_LEN);

static inline void zero_batch(char *p)
{
	rnd_fill_zero_short(p, BATCH_LEN);
}

static inline rnd_fill_unit or_batch(const char *p)
{
	rnd_fill_unit u = rnd_fill_ends(p, BATCH_LEN, 0);

	u = rnd_fill_or(u, rnd_fill_ends(p, BATCH_LEN, RND_FILL_UNIT));
	u = rnd_fill_or(u, rnd_fill_ends(p, BATCH_LEN, 2 * RND_FILL_UNIT));
	return rnd_fill_or(u, rnd_fill_ends(p, BATCH_LEN, 3 * RND_FILL_UNIT));
}

void rnd_fill_zero_long(void *slot, __sz len)
{
	char *p = slot, *last = p + len - BATCH_LEN;

	for (; p < last; p += BATCH_LEN)
		zero_batch(p);
	zero_batch(last);
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

#endif
