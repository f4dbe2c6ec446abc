/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of chacha.c: published vectors, and what blocks() adds to core()
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chacha.h"
#include "config.h"

/* "expand 32-byte k" */
#define CONSTANTS 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574

static const __u32 zero_key[RND_CHACHA_WORDS] = { CONSTANTS };

static void assert_block(const char *hex, const __u8 *block)
{
	char text[2 * RND_CHACHA_BLOCK_LEN + 1];
	__sz i;

	for (i = 0; i < RND_CHACHA_BLOCK_LEN; i++) {
		text[2 * i] = "0123456789abcdef"[block[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[block[i] & 15];
	}
	text[sizeof(text) - 1] = 0;
	assert_string_equal(hex, text);
}

/* Test vectors TC1 for keys of 256 bits, draft-strombergson-chacha-test-vectors
 */
static void chacha_matches_vector_of_8_rounds(void **state)
{
	__u8 block[RND_CHACHA_BLOCK_LEN];

	(void)state;
	rnd_chacha_core(zero_key, 8, block);
	assert_block("3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b"
		     "181be188ef711a1e984ce172b9216f419f445367456d5619"
		     "314a42a3da86b001387bfdb80e0cfe42",
		     block);
}

static void chacha_matches_vector_of_12_rounds(void **state)
{
	__u8 block[RND_CHACHA_BLOCK_LEN];

	(void)state;
	rnd_chacha_core(zero_key, 12, block);
	assert_block("9bf49a6a0755f953811fce125f2683d50429c3bb49e07414"
		     "7e0089a52eae155f0564f879d27ae3c02ce82834acfa8c79"
		     "3a629f2ca0de6919610be82f411326be",
		     block);
}

static void chacha_matches_vector_of_20_rounds(void **state)
{
	__u8 block[RND_CHACHA_BLOCK_LEN];

	(void)state;
	rnd_chacha_core(zero_key, 20, block);
	assert_block("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1a"
		     "a836efcc8b770dc7da41597c5157488d7724e03fb8d84a37"
		     "6a43b8f41518a11cc387b669b2ee6586",
		     block);
}

/* RFC 8439, section 2.3.2: every word of the input differs */
static void chacha_matches_vector_of_rfc8439(void **state)
{
	const __u32 in[RND_CHACHA_WORDS] = {
		CONSTANTS,  0x03020100, 0x07060504, 0x0b0a0908,
		0x0f0e0d0c, 0x13121110, 0x17161514, 0x1b1a1918,
		0x1f1e1d1c, 0x00000001, 0x09000000, 0x4a000000,
	};
	__u8 block[RND_CHACHA_BLOCK_LEN];

	(void)state;
	rnd_chacha_core(in, 20, block);
	assert_block("10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c06803"
		     "0422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2"
		     "b5129cd1de164eb9cbd083e8a2503c4e",
		     block);
}

/* What block number counter of a stream has to be */
static void block_expected(const __u8 *key, __u64 counter, __u8 *dst)
{
	__u32 in[RND_CHACHA_WORDS] = { CONSTANTS };

	memcpy(&in[4], key, RND_CHACHA_KEY_LEN);
	in[12] = (__u32)counter;
	in[13] = (__u32)(counter >> 32);
	rnd_chacha_core(in, RND_CHACHA_ROUNDS, dst);
}

static void chacha_blocks_count_beyond_32_bits(void **state)
{
	const __u64 first = 0xfffffffeUL;
	__u8 key[RND_CHACHA_KEY_LEN], expected[RND_CHACHA_BLOCK_LEN];
	__u8 stream[4 * RND_CHACHA_BLOCK_LEN];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(key); i++)
		key[i] = (__u8)(3 * i + 1);

	rnd_chacha_blocks(key, first, stream, 4);

	for (i = 0; i < 4; i++) {
		block_expected(key, first + i, expected);
		assert_memory_equal(expected, stream + i * sizeof(expected),
				    sizeof(expected));
	}
}

static void chacha_blocks_may_overwrite_their_key(void **state)
{
	__u8 separate[3 * RND_CHACHA_BLOCK_LEN];
	__u8 shared[3 * RND_CHACHA_BLOCK_LEN] = { 1, 2, 3, 4 };

	(void)state;
	rnd_chacha_blocks(shared, 0, separate, 3);
	rnd_chacha_blocks(shared, 0, shared, 3);
	assert_memory_equal(separate, shared, sizeof(shared));
}

static void chacha_zero_blocks_write_nothing(void **state)
{
	const __u8 key[RND_CHACHA_KEY_LEN] = { 0 };
	__u8 byte = 0xa5;

	(void)state;
	rnd_chacha_blocks(key, 0, &byte, 0);
	assert_int_equal(0xa5, byte);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chacha_matches_vector_of_8_rounds),
		cmocka_unit_test(chacha_matches_vector_of_12_rounds),
		cmocka_unit_test(chacha_matches_vector_of_20_rounds),
		cmocka_unit_test(chacha_matches_vector_of_rfc8439),
		cmocka_unit_test(chacha_blocks_count_beyond_32_bits),
		cmocka_unit_test(chacha_blocks_may_overwrite_their_key),
		cmocka_unit_test(chacha_zero_blocks_write_nothing),
	};

	return cmocka_run_group_tests_name("chacha", tests, NULL, NULL);
}
