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

void rnd_fill_zero_long(void *slot, __sz len)
{
	rnd_fill_zero_saved(slot, len);
}

__bool rnd_fill_is_zero_long(const void *slot, __sz len)
{
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
