/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of format.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format.h"

static char text[64];
static __sz text_len;

/* Not checked as printf(): some of the formats are wrong on purpose */
static void format_up_to(__sz cap, const char *fmt, ...)
{
	va_list args;

	memset(text, '#', sizeof(text));
	va_start(args, fmt);
	text_len = rnd_format(text, cap, fmt, args);
	va_end(args);
	assert_true(text_len <= cap);
	if (text_len < sizeof(text)) {
		assert_int_equal('#', text[text_len]);
		text[text_len] = 0;
	}
}

#define assert_format(expected, ...)                                           \
	do {                                                                   \
		format_up_to(sizeof(text), __VA_ARGS__);                       \
		assert_string_equal(expected, text);                           \
	} while (0)

static void format_prints_numbers(void **state)
{
	(void)state;
	assert_format("0 0 0", "%d %u %x", 0, 0U, 0U);
	assert_format("-1 4294967295 ffffffff", "%d %u %x", -1, ~0U, ~0U);
	assert_format("-2147483648 2147483647", "%d %d", INT32_MIN, INT32_MAX);
	assert_format("-9223372036854775808 9223372036854775807", "%ld %ld",
		      INT64_MIN, INT64_MAX);
	assert_format("18446744073709551615 ffffffffffffffff", "%zu %lx",
		      UINT64_MAX, UINT64_MAX);
	assert_format("10 abcdef", "%llu %x", 10ULL, 0xabcdefU);
}

static void format_prints_pointers(void **state)
{
	(void)state;
	assert_format("0x0", "%p", (void *)0);
	assert_format("0x7f0012345678", "%p", (void *)0x7f0012345678);
}

static void format_prints_text(void **state)
{
	(void)state;
	assert_format("a b (null) c % d", "a %s %s %c %% d", "b", (char *)0,
		      'c');
	assert_format("", "%s", "");
}

static void format_pads_to_the_width(void **state)
{
	(void)state;
	assert_format("  7|007| -7|-07", "%3d|%03d|%3d|%03d", 7, 7, -7, -7);
	assert_format("1234|001f|  ab|abc", "%3u|%04x|%4s|%2s", 1234U, 0x1fU,
		      "ab", "abc");
	assert_format("          18446744073709551615", "%30lu", UINT64_MAX);
}

static void format_cuts_what_does_not_fit(void **state)
{
	(void)state;
	format_up_to(5, "%s", "abcdefgh");
	assert_string_equal("abcde", text);
	format_up_to(3, "%x", 0x12345U);
	assert_string_equal("123", text);
	format_up_to(0, "%d", 1);
	assert_string_equal("", text);
}

static void format_ends_at_what_it_does_not_know(void **state)
{
	(void)state;
	assert_format("a ", "a %f b", 1.0);
	assert_format("a ", "a %");
	assert_format("a ", "a %5");
	assert_format("a ", "a %l");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_prints_numbers),
		cmocka_unit_test(format_prints_pointers),
		cmocka_unit_test(format_prints_text),
		cmocka_unit_test(format_pads_to_the_width),
		cmocka_unit_test(format_cuts_what_does_not_fit),
		cmocka_unit_test(format_ends_at_what_it_does_not_know),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
