/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/essentials.h>

#include "format.h"

/* Digits of the largest number in the smallest base, 10 */
#define NUMBER_LEN_MAX 20

/* The text so far; len <= cap */
struct text {
	char *dst;
	__sz cap;
	__sz len;
};

/* One conversion: %[0][width][l|ll|z]<type> */
struct spec {
	__bool zero;
	__bool is_long;
	unsigned int width;
	char type;
};

static void text_put(struct text *t, char c)
{
	if (t->len < t->cap)
		t->dst[t->len++] = c;
}

static void text_pad(struct text *t, const struct spec *sp, __sz used)
{
	for (; used < sp->width; used++)
		text_put(t, sp->zero ? '0' : ' ');
}

static void text_string(struct text *t, const struct spec *sp, const char *s)
{
	__sz len = 0;

	if (!s)
		s = "(null)";
	while (s[len])
		len++;

	text_pad(t, sp, len);
	while (*s)
		text_put(t, *s++);
}

static void text_number(struct text *t, const struct spec *sp, __u64 value,
			unsigned int base, __bool negative)
{
	char digits[NUMBER_LEN_MAX];
	__sz n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);

	/* The sign stands before zeros, but behind blanks */
	if (negative && sp->zero)
		text_put(t, '-');
	text_pad(t, sp, n + negative);
	if (negative && !sp->zero)
		text_put(t, '-');
	while (n)
		text_put(t, digits[--n]);
}

/* Reads what follows a percent sign; returns the rest of the format */
static const char *spec_read(struct spec *sp, const char *fmt)
{
	sp->zero = *fmt == '0';
	sp->width = 0;
	while (*fmt >= '0' && *fmt <= '9')
		sp->width = sp->width * 10 + (unsigned int)(*fmt++ - '0');

	sp->is_long = *fmt == 'l' || *fmt == 'z';
	while (*fmt == 'l' || *fmt == 'z')
		fmt++;

	sp->type = *fmt;
	return *fmt ? fmt + 1 : fmt;
}

static void text_signed(struct text *t, const struct spec *sp, __s64 value)
{
	__u64 size = value < 0 ? -(__u64)value : (__u64)value;

	text_number(t, sp, size, 10, value < 0);
}

__sz rnd_format(char *dst, __sz cap, const char *fmt, va_list args)
{
	struct text t = { .cap = cap };
	struct spec sp;
	__u64 value;

	t.dst = dst;
	while (*fmt) {
		if (*fmt != '%') {
			text_put(&t, *fmt++);
			continue;
		}

		fmt = spec_read(&sp, fmt + 1);
		switch (sp.type) {
		case 'd':
			text_signed(&t, &sp,
				    sp.is_long ? va_arg(args, __s64) :
						 va_arg(args, __s32));
			break;
		case 'u':
		case 'x':
			value = sp.is_long ? va_arg(args, __u64) :
					     va_arg(args, __u32);
			text_number(&t, &sp, value, sp.type == 'x' ? 16 : 10,
				    0);
			break;
		case 'p':
			text_put(&t, '0');
			text_put(&t, 'x');
			text_number(&t, &sp, (__uptr)va_arg(args, void *), 16,
				    0);
			break;
		case 's':
			text_string(&t, &sp, va_arg(args, const char *));
			break;
		case 'c':
			text_put(&t, (char)va_arg(args, int));
			break;
		case '%':
			text_put(&t, '%');
			break;
		default:
			/* The arguments that follow have an unknown type */
			return t.len;
		}
	}

	return t.len;
}
