/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of chacha.c and chacha_wide.c: published vectors, and what blocks()
 * adds to core(), with and without the registers that the processor has
 *
 * links: lib/ukallocrnd/chacha_wide.c
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "chacha.h"
#include "chacha_saved.h"
#include "wide_registers.h"
#include "chacha_wide.h"
#include "config.h"
#include "rng.h"

/* "expand 32-byte k" */
#define CONSTANTS 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574

/* The same with the registers that the processor has */
#define WIDE_TEST(fn)                                                          \
	{                                                                      \
#fn "_if_wide", fn, choose, NULL, NULL                         \
	}

static const __u32 zero_key[RND_CHACHA_WORDS] = { CONSTANTS };

static int choose(void **state)
{
	(void)state;
	rnd_chacha_choose();
	return 0;
}

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

#define BLOCKS_MAX 9U
#define BORDER	   16U

static __u8 memory[BORDER + 1 + BLOCKS_MAX * RND_CHACHA_BLOCK_LEN + BORDER];

/* Every byte of the blocks, none outside; at an odd and an even address */
static void check_blocks(const __u8 *key, __u64 counter, unsigned int blocks)
{
	__u8 expected[RND_CHACHA_BLOCK_LEN], *dst;
	unsigned int odd, i;
	__sz len = blocks * sizeof(expected);

	for (odd = 0; odd < 2; odd++) {
		dst = memory + BORDER + odd;
		memset(memory, 0xa5, sizeof(memory));
		rnd_chacha_blocks(key, counter, dst, blocks);
		for (i = 0; i < blocks; i++) {
			block_expected(key, counter + i, expected);
			assert_memory_equal(expected,
					    dst + i * sizeof(expected),
					    sizeof(expected));
		}
		for (i = 0; i < BORDER; i++) {
			assert_int_equal(0xa5, dst[-1 - (int)i]);
			assert_int_equal(0xa5, dst[len + i]);
		}
	}
}

/* Puts a pattern into the five registers, calls, and looks for it */
static void core_saved_keeps(const __u32 *in, unsigned int rounds, __u8 *dst)
{
	__u8 before[5][16], after[5][16];

	memset(before, 0xa5, sizeof(before));
	memset(after, 0, sizeof(after));
	__asm__ __volatile__("movups (%0), %%xmm0; movups 16(%0), %%xmm1\n"
			     "movups 32(%0), %%xmm2; movups 48(%0), %%xmm3\n"
			     "movups 64(%0), %%xmm4"
			     :
			     : "r"(before)
			     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
			       "memory");
	rnd_chacha_core_saved(in, rounds, dst);
	__asm__ __volatile__("movups %%xmm0, (%0); movups %%xmm1, 16(%0)\n"
			     "movups %%xmm2, 32(%0); movups %%xmm3, 48(%0)\n"
			     "movups %%xmm4, 64(%0)"
			     :
			     : "r"(after)
			     : "memory");
	assert_memory_equal(before, after, sizeof(before));
}

static void chacha_core_saved_is_core(void **state)
{
	__u32 in[RND_CHACHA_WORDS] = { CONSTANTS };
	__u8 want[RND_CHACHA_BLOCK_LEN], got[RND_CHACHA_BLOCK_LEN];
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 100; i++) {
		for (k = 4; k < RND_CHACHA_WORDS; k++)
			in[k] = in[k] * 1664525U + 1013904223U + k;
		rnd_chacha_core(in, 8 + 4 * (i % 3 + i % 3 / 2), want);
		core_saved_keeps(in, 8 + 4 * (i % 3 + i % 3 / 2), got);
		assert_memory_equal(want, got, sizeof(want));
	}
}

/* The same for two blocks, with whole registers */
static void two_wide_keeps(const __u32 *in, unsigned int rounds, __u8 *dst)
{
	__u8 before[5][32], after[5][32];

	memset(before, 0xa5, sizeof(before));
	memset(after, 0, sizeof(after));
	__asm__ __volatile__(".irp i,0,1,2,3,4\n"
			     "vmovups \\i*32(%0), %%ymm\\i\n"
			     ".endr"
			     :
			     : "r"(before)
			     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
			       "memory");
	rnd_chacha_two_wide(in, rounds, dst);
	__asm__ __volatile__(".irp i,0,1,2,3,4\n"
			     "vmovups %%ymm\\i, \\i*32(%0)\n"
			     ".endr\n"
			     "vzeroupper"
			     :
			     : "r"(after)
			     : "memory");
	assert_memory_equal(before, after, sizeof(before));
}

static void chacha_two_wide_are_those_of_core(void **state)
{
	__u32 in[RND_CHACHA_WORDS] = { CONSTANTS };
	__u8 want[2][RND_CHACHA_BLOCK_LEN], got[2][RND_CHACHA_BLOCK_LEN];
	unsigned int i, k, rounds;

	(void)state;
	if (!has_wide_registers())
		skip();
	for (i = 0; i < 100; i++) {
		rounds = 8 + 4 * (i % 3 + i % 3 / 2);
		for (k = 4; k < RND_CHACHA_WORDS; k++)
			in[k] = in[k] * 1664525U + 1013904223U + k;
		rnd_chacha_core(in, rounds, want[0]);
		in[12]++;
		rnd_chacha_core(in, rounds, want[1]);
		in[12]--;
		two_wide_keeps(in, rounds, got[0]);
		assert_memory_equal(want, got, sizeof(want));
	}
}

/* Any number of blocks, also where vectors do two at a time */
static void chacha_blocks_are_those_of_core(void **state)
{
	__u8 key[RND_CHACHA_KEY_LEN];
	unsigned int blocks, i, k;

	(void)state;
	for (k = 0; k < 50; k++) {
		for (i = 0; i < sizeof(key); i++)
			key[i] = (__u8)((k + 3) * (i + 7) * (2 * i + k + 1));
		for (blocks = 0; blocks <= BLOCKS_MAX; blocks++)
			check_blocks(key, k * 0x0123456789abcdefUL, blocks);
	}
}

static void chacha_blocks_count_beyond_32_bits(void **state)
{
	static const __u64 limits[] = { 1UL << 32, 5UL << 32, 1UL << 63, 0 };
	__u8 key[RND_CHACHA_KEY_LEN];
	unsigned int i, blocks;
	__u64 back;

	(void)state;
	for (i = 0; i < sizeof(key); i++)
		key[i] = (__u8)(3 * i + 1);

	/* From so many blocks before the lower word overflows, or all do */
	for (i = 0; i < ARRAY_SIZE(limits); i++)
		for (back = 0; back <= BLOCKS_MAX; back++)
			for (blocks = 1; blocks <= BLOCKS_MAX; blocks++)
				check_blocks(key, limits[i] - back, blocks);
}

/* The key at every place of what is written, and partly in front of it */
static void chacha_blocks_may_overwrite_their_key(void **state)
{
	__u8 expected[BLOCKS_MAX * RND_CHACHA_BLOCK_LEN];
	__u8 key[RND_CHACHA_KEY_LEN];
	unsigned int i, blocks;
	__sz at, len;

	(void)state;
	for (i = 0; i < sizeof(key); i++)
		key[i] = (__u8)(7 * i + 9);
	for (blocks = 1; blocks <= BLOCKS_MAX; blocks++) {
		len = (__sz)blocks * RND_CHACHA_BLOCK_LEN;
		rnd_chacha_blocks(key, 1, expected, blocks);
		for (at = 0; at < len; at++) {
			memset(memory, 0, sizeof(memory));
			memcpy(memory + at, key, sizeof(key));
			rnd_chacha_blocks(memory + at, 1, memory + BORDER,
					  blocks);
			assert_memory_equal(expected, memory + BORDER, len);
		}
	}
}

static void chacha_zero_blocks_write_nothing(void **state)
{
	const __u8 key[RND_CHACHA_KEY_LEN] = { 0 };
	__u8 byte = 0xa5;

	(void)state;
	rnd_chacha_blocks(key, 0, &byte, 0);
	assert_int_equal(0xa5, byte);
}

/* The sanitizers' copies and valgrind's opinion of a dead stack are their own
 */
#if defined(__SANITIZE_ADDRESS__) || defined(RND_TEST_SLOW)
#define STACK_IS_OTHERS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STACK_IS_OTHERS 1
#endif
#endif
#ifndef STACK_IS_OTHERS
#define STACK_IS_OTHERS 0
#endif

/* As the generator of rng.h calls it */
static void *stack_user(void *key)
{
	rnd_chacha_blocks(key, 0, memory,
			  RND_RNG_BUF_LEN / RND_CHACHA_BLOCK_LEN);
	return NULL;
}

static unsigned int words_found(const __u8 *in, __sz len, const __u8 *key)
{
	unsigned int i, cnt = 0;
	__sz at;

	for (at = 0; at + 4 <= len; at += 4)
		for (i = 0; i < RND_CHACHA_KEY_LEN; i += 4)
			cnt += !memcmp(in + at, key + i, 4);

	return cnt;
}

static void chacha_blocks_leave_no_key_on_the_stack(void **state)
{
	const __sz len = 1UL << 20;
	__u8 key[RND_CHACHA_KEY_LEN];
	pthread_attr_t attr;
	pthread_t thread;
	unsigned int i;
	__u8 *stack;

	(void)state;
	if (STACK_IS_OTHERS)
		skip();
	for (i = 0; i < sizeof(key); i++)
		key[i] = (__u8)(0x91 + 37 * i);
	/* The linker has bound all functions after this */
	(void)stack_user(key);

	stack = mmap(NULL, len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(stack != MAP_FAILED);
	assert_int_equal(0, pthread_attr_init(&attr));
	assert_int_equal(0, pthread_attr_setstack(&attr, stack, len));
	assert_int_equal(0, pthread_create(&thread, &attr, stack_user, key));
	assert_int_equal(0, pthread_join(thread, NULL));
	assert_int_equal(0, words_found(stack, len, key));

	/* It would be seen */
	memcpy(stack + len / 2, key, sizeof(key));
	assert_int_equal(8, words_found(stack, len, key));
	assert_int_equal(0, munmap(stack, len));
	assert_int_equal(0, pthread_attr_destroy(&attr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chacha_matches_vector_of_8_rounds),
		cmocka_unit_test(chacha_matches_vector_of_12_rounds),
		cmocka_unit_test(chacha_matches_vector_of_20_rounds),
		cmocka_unit_test(chacha_matches_vector_of_rfc8439),
		cmocka_unit_test(chacha_core_saved_is_core),
		cmocka_unit_test(chacha_two_wide_are_those_of_core),
		cmocka_unit_test(chacha_blocks_are_those_of_core),
		cmocka_unit_test(chacha_blocks_count_beyond_32_bits),
		cmocka_unit_test(chacha_blocks_may_overwrite_their_key),
		cmocka_unit_test(chacha_zero_blocks_write_nothing),
		cmocka_unit_test(chacha_blocks_leave_no_key_on_the_stack),
		WIDE_TEST(chacha_blocks_are_those_of_core),
		WIDE_TEST(chacha_blocks_count_beyond_32_bits),
		WIDE_TEST(chacha_blocks_may_overwrite_their_key),
		WIDE_TEST(chacha_blocks_leave_no_key_on_the_stack),
	};

	return cmocka_run_group_tests_name("chacha", tests, NULL, NULL);
}
