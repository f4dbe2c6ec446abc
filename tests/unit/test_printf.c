/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the guest's printf: glibc's is the reference
 *
 * links: plat/common/nolibc/fmt.c
 */

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fmt.h"

#define BUF_LEN 256

static __printf(3, 4) __sz print(char *buf, __sz len, const char *fmt, ...)
{
	va_list ap;
	__sz cnt;

	va_start(ap, fmt);
	cnt = fmt_vsnprint(buf, len, fmt, ap);
	va_end(ap);
	return cnt;
}

/* For formats that a compiler would complain about */
static __sz print_unchecked(char *buf, __sz len, const char *fmt, ...)
{
	va_list ap;
	__sz cnt;

	va_start(ap, fmt);
	cnt = fmt_vsnprint(buf, len, fmt, ap);
	va_end(ap);
	return cnt;
}

/* Both must give the same text and the same length */
#define CHECK(...)                                                             \
	do {                                                                   \
		char own[BUF_LEN], ref[BUF_LEN];                               \
		__sz cnt = print(own, BUF_LEN, __VA_ARGS__);                   \
                                                                               \
		assert_int_equal(cnt, snprintf(ref, BUF_LEN, __VA_ARGS__));    \
		assert_string_equal(own, ref);                                 \
	} while (0)

static void printf_text_and_percent(void **state)
{
	const char *empty = "";

	(void)state;
	CHECK("plain");
	CHECK("%s", empty);
	CHECK("100%% of %%d");
}

static void printf_signed(void **state)
{
	(void)state;
	CHECK("%d %d %d", 0, 1, -1);
	CHECK("%d %i", INT_MIN, INT_MAX);
	CHECK("%ld %ld", LONG_MIN, LONG_MAX);
	CHECK("%lld", LLONG_MIN);
	CHECK("%hd %hhd", (short)-2, (signed char)-3);
	CHECK("%+d %+d % d % d", 5, -5, 5, -5);
	CHECK("%zd %jd %td", (ssize_t)-4, (intmax_t)-5, (ptrdiff_t)-6);
}

static void printf_unsigned(void **state)
{
	(void)state;
	CHECK("%u %u", 0U, UINT_MAX);
	CHECK("%lu %llu %zu", ULONG_MAX, ULLONG_MAX, (size_t)42);
	CHECK("%x %X %o", 0xdeadbeefU, 0xdeadbeefU, 0777U);
	CHECK("%lx %lo", ULONG_MAX, ULONG_MAX);
	CHECK("%#x %#X %#x", 0x1aU, 0x1aU, 0U);
	CHECK("%hx %hhx", (unsigned short)0xabcd, (unsigned char)0xef);
}

static void printf_width_and_zeroes(void **state)
{
	(void)state;
	CHECK("[%5d] [%-5d] [%05d]", 42, 42, 42);
	CHECK("[%5d] [%-5d] [%05d]", -42, -42, -42);
	CHECK("[%2d] [%02d]", 12345, 12345);
	CHECK("[%016lx] [%#010x]", 0x1234UL, 0xabU);
	CHECK("[%*d] [%*d]", 6, 1, -6, 1);
	CHECK("[%+05d] [% 05d]", 7, 7);
}

static void printf_precision(void **state)
{
	(void)state;
	CHECK("[%.3d] [%8.3d] [%-8.3d]", 5, 5, -5);
	CHECK("[%.0d] [%.0d]", 0, 1);
	CHECK("[%.*u] [%.*u]", 4, 9U, -1, 9U);
	CHECK("[%#.4x]", 0x1fU);
}

static void printf_strings(void **state)
{
	const char raw[3] = { 'a', 'b', 'c' };

	(void)state;
	CHECK("[%s] [%5s] [%-5s]", "abc", "abc", "abc");
	CHECK("[%.2s] [%5.2s] [%.9s]", "abc", "abc", "abc");
	/* No terminator: the precision bounds the reads */
	CHECK("[%.*s]", 3, raw);
	CHECK("[%.*s]", 0, raw);
	CHECK("[%c] [%3c] [%-3c]", 'x', 'y', 'z');
}

static void printf_pointers(void **state)
{
	(void)state;
	CHECK("%p", (void *)0xffff800012345678UL);
	CHECK("[%20p] [%-20p]", (void *)0x1000, (void *)0x1000);
}

static void printf_null_string(void **state)
{
	const char *volatile null = NULL;
	char buf[BUF_LEN];

	(void)state;
	print(buf, sizeof(buf), "[%s]", null);
	assert_string_equal(buf, "[(null)]");
}

static void printf_cuts_but_counts(void **state)
{
	char buf[8];

	(void)state;
	memset(buf, '#', sizeof(buf));
	assert_int_equal(print(buf, 5, "%d-%s", 1234, "abc"), 8);
	assert_string_equal(buf, "1234");
	assert_int_equal(buf[5], '#');
	assert_int_equal(print(buf, 1, "abc"), 3);
	assert_int_equal(buf[0], '\0');
	assert_int_equal(print(NULL, 0, "%d", 100), 3);
}

static void printf_unknown_conversion_is_text(void **state)
{
	char buf[BUF_LEN];

	(void)state;
	assert_int_equal(print_unchecked(buf, sizeof(buf), "%y %5"), 5);
	assert_string_equal(buf, "%y %5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printf_text_and_percent),
		cmocka_unit_test(printf_signed),
		cmocka_unit_test(printf_unsigned),
		cmocka_unit_test(printf_width_and_zeroes),
		cmocka_unit_test(printf_precision),
		cmocka_unit_test(printf_strings),
		cmocka_unit_test(printf_pointers),
		cmocka_unit_test(printf_null_string),
		cmocka_unit_test(printf_cuts_but_counts),
		cmocka_unit_test(printf_unknown_conversion_is_text),
	};

	return cmocka_run_group_tests_name("printf", tests, NULL, NULL);
}
