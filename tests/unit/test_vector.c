/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vector.c: runs of all lengths up to some batches, and registers
 * that keep what they had
 *
 * links: plat/common/vector.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vector.h"
#include "wide_registers.h"

#define RUN_MAX 140UL
#define PLACES	4UL
#define WORD	0x8123456789abcdefUL
#define OTHER	0x1111111111111111UL

__u8 ukplat_lcpu_avx;

static __u64 words[RUN_MAX + 2 * PLACES] __align(32);
static __u64 page[VECTOR_PAGE_WORDS] __align(4096);

/* Runs a test for registers of 16 bytes, then for those of 32 */
static void with_both(void (*fn)(void))
{
	int wide = has_wide_registers(), i;

	for (i = 0; i <= wide; i++) {
		ukplat_lcpu_avx = (__u8)i;
		fn();
	}
}

static void words_set(__u64 word)
{
	unsigned long i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = word;
}

static void fill_each_length(void)
{
	unsigned long n, at, i;

	for (n = 0; n <= RUN_MAX; n++) {
		for (at = 0; at < PLACES; at++) {
			words_set(OTHER);
			vector_fill(&words[at], n, WORD);
			for (i = 0; i < ARRAY_SIZE(words); i++)
				assert_int_equal(words[i],
						 i - at < n ? WORD : OTHER);
		}
	}
}

static void fill_changes_the_run_and_nothing_else(void **state)
{
	(void)state;
	with_both(fill_each_length);
}

/* A bit that is missing somewhere, and all around the run */
static void and_each_length(void)
{
	unsigned long n, at, i;

	for (n = 0; n <= RUN_MAX; n++) {
		for (at = 0; at < PLACES; at++) {
			words_set(0);
			for (i = 0; i < n; i++)
				words[at + i] = WORD;
			assert_int_equal(vector_and(&words[at], n),
					 n ? WORD : ~0UL);
			for (i = 0; i < n; i++) {
				words[at + i] = WORD & ~(1UL << 63);
				assert_int_equal(vector_and(&words[at], n),
						 WORD & ~(1UL << 63));
				words[at + i] = WORD & ~1UL;
				assert_int_equal(vector_and(&words[at], n),
						 WORD & ~1UL);
				words[at + i] = WORD;
			}
		}
	}
}

static void and_finds_what_one_word_lacks(void **state)
{
	(void)state;
	with_both(and_each_length);
}

static void or_each_length(void)
{
	unsigned long n, at, i;

	for (n = 0; n <= RUN_MAX; n++) {
		for (at = 0; at < PLACES; at++) {
			words_set(OTHER);
			for (i = 0; i < n; i++)
				words[at + i] = 0;
			assert_int_equal(vector_or(&words[at], n), 0);
			for (i = 0; i < n; i++) {
				words[at + i] = WORD;
				assert_int_equal(vector_or(&words[at], n),
						 WORD);
				words[at + i] = 0;
			}
		}
	}
}

static void or_finds_what_one_word_has(void **state)
{
	(void)state;
	with_both(or_each_length);
}

static void page_each_byte(void)
{
	__u8 *byte = (__u8 *)page;
	unsigned long i;

	memset(page, 0xff, sizeof(page));
	assert_false(vector_page_is_zero(page));
	vector_page_clear(page);
	for (i = 0; i < sizeof(page); i++)
		assert_int_equal(byte[i], 0);
	assert_true(vector_page_is_zero(page));
	for (i = 0; i < sizeof(page); i++) {
		byte[i] = 0x80;
		assert_false(vector_page_is_zero(page));
		byte[i] = 0;
	}
}

static void page_is_zero_after_it_was_cleared(void **state)
{
	(void)state;
	with_both(page_each_byte);
}

/* Calls a function with values in vector register 0, and stores what is there
 * afterwards. On a stack of its own alignment, below what the compiler may have
 * under the stack pointer.
 */
#define CALL(move, reg, fn, n, before, after)                                  \
	do {                                                                   \
		const void *p_ = words;                                        \
		unsigned long n_ = (n), word_ = WORD;                          \
                                                                               \
		__asm__ __volatile__(                                          \
			"lea -128(%%rsp), %%rsp\n"                             \
			"mov %%rsp, %%r12\n"                                   \
			"and $-64, %%rsp\n" move " (%[from]), " reg "\n"       \
			"call *%[func]\n" move " " reg ", (%[to])\n"           \
			"mov %%r12, %%rsp\n"                                   \
			"lea 128(%%rsp), %%rsp\n"                              \
			: "+D"(p_), "+S"(n_), "+d"(word_)                      \
			: [func] "r"(fn), [from] "r"(before), [to] "r"(after)  \
			: "rax", "rcx", "r8", "r9", "r10", "r11", "r12", "cc", \
			  "memory", "xmm0", "xmm1");                           \
	} while (0)

static void registers_are_put_back(void **state)
{
	const __u64 before[4] = { 1, 2, 3, 4 };
	__u64 after[4];
	unsigned long n;

	(void)state;
	for (n = VECTOR_MIN; n <= RUN_MAX; n++) {
		ukplat_lcpu_avx = 0;
		memset(after, 0, sizeof(after));
		CALL("movups", "%%xmm0", vector_fill_long, n, before, after);
		assert_memory_equal(before, after, 16);
		memset(after, 0, sizeof(after));
		CALL("movups", "%%xmm0", vector_and_long, n, before, after);
		assert_memory_equal(before, after, 16);
		memset(after, 0, sizeof(after));
		CALL("movups", "%%xmm0", vector_or_long, n, before, after);
		assert_memory_equal(before, after, 16);
		if (!has_wide_registers())
			continue;
		ukplat_lcpu_avx = 1;
		memset(after, 0, sizeof(after));
		CALL("vmovups", "%%ymm0", vector_fill_long, n, before, after);
		assert_memory_equal(before, after, 32);
		memset(after, 0, sizeof(after));
		CALL("vmovups", "%%ymm0", vector_and_long, n, before, after);
		assert_memory_equal(before, after, 32);
		memset(after, 0, sizeof(after));
		CALL("vmovups", "%%ymm0", vector_or_long, n, before, after);
		assert_memory_equal(before, after, 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fill_changes_the_run_and_nothing_else),
		cmocka_unit_test(and_finds_what_one_word_lacks),
		cmocka_unit_test(or_finds_what_one_word_has),
		cmocka_unit_test(page_is_zero_after_it_was_cleared),
		cmocka_unit_test(registers_are_put_back),
	};

	return cmocka_run_group_tests_name("vector", tests, NULL, NULL);
}
