/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of SHA-256
 *
 * links: plat/common/loader/sha256.c
 *
 * Source
 *   FIPS 180-4 and its examples; the digest of all lengths was made with
 *   Python's hashlib
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sha256.h"

#define MILLION 1000000U
#define LEN_MAX 200U

static void assert_digest(const __u8 *data, __sz len, const char *hex)
{
	char text[2 * SHA256_LEN + 1];
	/* No byte behind the message is read */
	__u8 *copy = malloc(len ? len : 1), digest[SHA256_LEN];
	unsigned int i;

	assert_non_null(copy);
	memcpy(copy, data, len);
	sha256(copy, len, digest);
	free(copy);
	for (i = 0; i < SHA256_LEN; i++)
		(void)sprintf(text + (size_t)i * 2, "%02x", digest[i]);
	assert_string_equal(text, hex);
}

static void assert_text(const char *text, const char *hex)
{
	assert_digest((const __u8 *)text, strlen(text), hex);
}

static void sha256_has_the_examples_of_the_standard(void **state)
{
	(void)state;
	assert_text("", "e3b0c44298fc1c149afbf4c8996fb924"
			"27ae41e4649b934ca495991b7852b855");
	assert_text("abc", "ba7816bf8f01cfea414140de5dae2223"
			   "b00361a396177a9cb410ff61f20015ad");
	assert_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039"
		    "a33ce45964ff2167f6ecedd419db06c1");
}

static void sha256_of_a_million_letters(void **state)
{
	__u8 *data = malloc(MILLION);

	(void)state;
	assert_non_null(data);
	memset(data, 'a', MILLION);
	assert_digest(data, MILLION,
		      "cdc76e5c9914fb9281a1c7e284d73e67"
		      "f1809a48a497200e046d39ccc7112cd0");
	free(data);
}

/* Where the padding goes depends on the length: one digest of the digests of
 * all lengths up to more than three blocks
 */
static void sha256_of_every_length(void **state)
{
	__u8 digests[(LEN_MAX + 1) * SHA256_LEN], data[LEN_MAX];
	unsigned int i;

	(void)state;
	for (i = 0; i < LEN_MAX; i++)
		data[i] = (__u8)(i * 7 + 3);
	for (i = 0; i <= LEN_MAX; i++)
		sha256(data, i, digests + (size_t)i * SHA256_LEN);
	assert_digest(digests, sizeof(digests),
		      "3275febb4612d86d586eb9f11cd21e64"
		      "8a9fc7d95e0f6b8d362786e28c9c5b79");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_has_the_examples_of_the_standard),
		cmocka_unit_test(sha256_of_a_million_letters),
		cmocka_unit_test(sha256_of_every_length),
	};

	return cmocka_run_group_tests_name("loader_sha256", tests, NULL, NULL);
}
