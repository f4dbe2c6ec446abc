/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Fuzz target: sizes and alignments
 *
 * Every function that takes one is called with any number. What cannot be has
 * to fail with the right error and change nothing; what is small must not
 * fail; what is between may do either, but has to be what was asked for.
 */

#include <string.h>

#include <uk/allocrnd.h>

#include "ask.h"
#include "input.h"

struct uk_alloc *ask_heap;

static void expect_failure(const struct ask *k)
{
	EXPECT(k->crooked || k->len > SURELY_LEN || k->align > SURELY_LEN ||
	       k->too_long);
	if (k->is_quiet)
		return;
	EXPECT(k->err == ENOMEM || k->err == EINVAL);
	EXPECT(k->err != EINVAL || k->crooked);
	EXPECT(k->err != ENOMEM || !k->crooked || k->too_long ||
	       k->len > SURELY_LEN);
}

/* Both ends are there; in between, a big object is left alone */
static void expect_object(const struct ask *k)
{
	volatile unsigned char *byte = k->ptr;
	size_t i;

	EXPECT(!k->crooked && !k->too_long && k->len < NEVER_LEN);
	EXPECT((uintptr_t)k->ptr % 16 == 0);
	EXPECT(!is_power_of_2(k->align) || (uintptr_t)k->ptr % k->align == 0);
	if (!k->len)
		return;
	for (i = 0; k->is_zeroed && i < k->len && i < PAGE_LEN; i++)
		EXPECT(!byte[i] && !byte[k->len - 1 - i]);
	byte[0] = 1;
	byte[k->len - 1] = 2;
}

int ask_check(const struct ask *k)
{
	if (k->ptr)
		expect_object(k);
	else
		expect_failure(k);
	return k->ptr != NULL;
}

void ask_set_len(struct ask *k)
{
	k->too_long = __builtin_mul_overflow(k->cnt, k->size, &k->len);
	if (k->too_long)
		k->len = SIZE_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	const struct asker *asker;
	struct ask ask;
	size_t which;

	if (!ask_heap)
		ask_heap = uk_allocrnd_init(NULL, 0);
	EXPECT(ask_heap);
	while (in.len) {
		which = input_index(&in, askers_uk_cnt + askers_pre_cnt);
		asker = which < askers_uk_cnt ?
				&askers_uk[which] :
				&askers_pre[which - askers_uk_cnt];
		memset(&ask, 0, sizeof(ask));
		ask.way = (int)input_u8(&in);
		ask.size = input_any(&in);
		ask.len = ask.size;
		ask.cnt = input_any(&in);
		if (asker->takes_align)
			ask.align = input_any(&in);
		errno = 0;
		asker->fn(&ask);
	}
	EXPECT(uk_allocrnd_check(ask_heap) == 0);
	return 0;
}
