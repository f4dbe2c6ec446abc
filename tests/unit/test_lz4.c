/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of bench/guest/lz4.c, with blocks made by hand
 *
 * links: bench/guest/lz4.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "lz4.h"

#include "fixture_draw.h"

#define ROUNDS 20000U

/* These bytes as a block, with contents of up to the size of out */
#define UNPACK(out, ...)                                                       \
	unpack((const __u8[]){ __VA_ARGS__ },                                  \
	       sizeof((const __u8[]){ __VA_ARGS__ }), out, sizeof(out))

static struct lz4 z;

/* Reads a copy that ends where its memory ends; up to max bytes of contents.
 * Returns how many, or the error
 */
static long unpack(const void *block, size_t len, __u8 *out, size_t max)
{
	__u8 *copy = malloc(len ? len : 1);
	size_t n = 0;
	int rc = 0;

	assert_non_null(copy);
	memcpy(copy, block, len);
	lz4_init(&z, copy, len);
	while (n < max && (rc = lz4_byte(&z)) >= 0)
		out[n++] = (__u8)rc;
	free(copy);
	return rc < 0 && rc != -ENODATA ? rc : (long)n;
}

static void lz4_literals_only(void **state)
{
	__u8 out[8];

	(void)state;
	assert_int_equal(UNPACK(out, 0x30, 'a', 'b', 'c'), 3);
	assert_memory_equal(out, "abc", 3);
	assert_int_equal(UNPACK(out, 0), 0);
}

static void lz4_end_is_told_again(void **state)
{
	static const __u8 block[] = { 0x10, 'a' };

	(void)state;
	lz4_init(&z, block, sizeof(block));
	assert_int_equal(lz4_byte(&z), 'a');
	assert_int_equal(lz4_byte(&z), -ENODATA);
	assert_int_equal(lz4_byte(&z), -ENODATA);
}

static void lz4_match_may_overlap_itself(void **state)
{
	__u8 out[32];

	(void)state;
	assert_int_equal(UNPACK(out, 0x25, 'a', 'b', 2, 0, 0x10, 'c'), 12);
	assert_memory_equal(out, "abababababac", 12);
}

/* 15 + 255 + 30 bytes as they are; a match of 15 + 255 + 255 + 0 + 4 */
static void lz4_long_lengths(void **state)
{
	static const __u8 match[] = { 0x2c, 0x01, 255, 255, 0, 0 };
	__u8 block[320] = { 0xff, 255, 30 }, out[1024];
	unsigned int i;

	(void)state;
	for (i = 0; i < 300; i++)
		block[3 + i] = (__u8)(i % 251);
	memcpy(block + 303, match, sizeof(match));
	assert_int_equal(unpack(block, 309, out, sizeof(out)), 829);
	for (i = 0; i < 829; i++)
		assert_int_equal(out[i], i % 300 % 251);
}

/* An x and zeros, 65535 bytes; then a match that begins with the x */
static void lz4_match_reaches_back_to_the_window(void **state)
{
	static const __u8 last[] = { 0, 0xff, 0xff, 0 };
	static __u8 block[266] = { 0x2f, 'x', 0, 1, 0 }, out[70000];
	unsigned int i;

	(void)state;
	memset(block + 5, 255, 256);
	block[261] = 65535 - 2 - 19 - 256 * 255;
	memcpy(block + 262, last, sizeof(last));

	assert_int_equal(unpack(block, 266, out, sizeof(out)), 65539);
	for (i = 0; i < 65539; i++)
		assert_int_equal(out[i], i % 65535 ? 0 : 'x');
}

static void lz4_refuses_what_is_damaged(void **state)
{
	__u8 out[64] = { 0 };

	(void)state;
	/* Nothing at all; literals, their length or the match cut off */
	assert_int_equal(unpack(out, 0, out, sizeof(out)), -EINVAL);
	assert_int_equal(UNPACK(out, 0x30, 'a', 'b'), -EINVAL);
	assert_int_equal(UNPACK(out, 0xf0, 255), -EINVAL);
	assert_int_equal(UNPACK(out, 0x10, 'a', 1), -EINVAL);
	assert_int_equal(UNPACK(out, 0x1f, 'a', 1, 0), -EINVAL);
	/* Nothing after a match */
	assert_int_equal(UNPACK(out, 0x10, 'a', 1, 0), -EINVAL);
	/* Matches that begin nowhere, and before the contents */
	assert_int_equal(UNPACK(out, 0x10, 'a', 0, 0, 0), -EINVAL);
	assert_int_equal(UNPACK(out, 0x10, 'a', 2, 0, 0), -EINVAL);
	assert_int_equal(UNPACK(out, 0, 1, 0, 0), -EINVAL);
}

/* ASan sees what is read; the reader must end or go on for a reason */
static void lz4_survives_any_block(void **state)
{
	static __u8 out[65536];
	__u8 block[24];
	unsigned int i, j;
	__u64 seed = 20261129;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		__sz len = fixture_uniform(&seed, sizeof(block));
		long rc;

		for (j = 0; j < len; j++)
			block[j] = (__u8)fixture_uniform(
				&seed, fixture_uniform(&seed, 3) ? 4 : 256);
		rc = unpack(block, len, out, sizeof(out));
		assert_true(rc >= 0 || rc == -EINVAL);
		assert_true(rc <= (long)len * 255);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lz4_literals_only),
		cmocka_unit_test(lz4_end_is_told_again),
		cmocka_unit_test(lz4_match_may_overlap_itself),
		cmocka_unit_test(lz4_long_lengths),
		cmocka_unit_test(lz4_match_reaches_back_to_the_window),
		cmocka_unit_test(lz4_refuses_what_is_damaged),
		cmocka_unit_test(lz4_survives_any_block),
	};

	return cmocka_run_group_tests_name("lz4", tests, NULL, NULL);
}
