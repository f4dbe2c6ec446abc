/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/essentials.h>

#include "fmt.h"

/* 64 bits in octal */
#define DIGITS_MAX 22

enum fmt_len {
	LEN_CHAR,
	LEN_SHORT,
	LEN_INT,
	LEN_LONG
};

/** One conversion, and where its output goes */
struct fmt_conv {
	struct fmt_sink *sink;
	/** Characters written so far, by all conversions */
	__sz written;
	__bool left, zero, plus, space, alt;
	/** Least number of characters, 0 if not given */
	__sz width;
	/** Precision; only if has_prec */
	__sz prec;
	__bool has_prec;
	enum fmt_len len;
};

static void out(struct fmt_conv *c, const char *buf, __sz len)
{
	if (len)
		c->sink->write(c->sink, buf, len);
	c->written += len;
}

static void out_repeat(struct fmt_conv *c, char ch, __sz cnt)
{
	while (cnt--)
		out(c, &ch, 1);
}

/* Prints prefix, zeroes and body within the width */
static void out_field(struct fmt_conv *c, const char *prefix, __sz prefix_len,
		      __sz zeroes, const char *body, __sz body_len)
{
	__sz used = prefix_len + zeroes + body_len;
	__sz pad = c->width > used ? c->width - used : 0;

	if (!c->left && !c->zero)
		out_repeat(c, ' ', pad);
	out(c, prefix, prefix_len);
	out_repeat(c, '0', zeroes);
	if (!c->left && c->zero)
		out_repeat(c, '0', pad);
	out(c, body, body_len);
	if (c->left)
		out_repeat(c, ' ', pad);
}

static void conv_number(struct fmt_conv *c, __u64 val, unsigned int base,
			int upper, const char *prefix)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char buf[DIGITS_MAX];
	__sz prefix_len = 0;
	__sz pos = DIGITS_MAX;
	__sz cnt;

	for (; val; val /= base)
		buf[--pos] = digits[val % base];
	cnt = DIGITS_MAX - pos;
	if (!c->has_prec)
		c->prec = 1;
	else
		c->zero = 0;
	while (prefix[prefix_len])
		prefix_len++;
	out_field(c, prefix, prefix_len, c->prec > cnt ? c->prec - cnt : 0,
		  buf + pos, cnt);
}

static void conv_signed(struct fmt_conv *c, __s64 val)
{
	const char *prefix = "";

	if (val < 0)
		prefix = "-";
	else if (c->plus)
		prefix = "+";
	else if (c->space)
		prefix = " ";
	conv_number(c, val < 0 ? -(__u64)val : (__u64)val, 10, 0, prefix);
}

static void conv_string(struct fmt_conv *c, const char *s)
{
	__sz len = 0;

	if (!s)
		s = "(null)";
	/* With a precision there need not be a terminator */
	while ((!c->has_prec || len < c->prec) && s[len])
		len++;
	c->zero = 0;
	out_field(c, "", 0, 0, s, len);
}

static __u64 arg_unsigned(const struct fmt_conv *c, __u64 val)
{
	switch (c->len) {
	case LEN_CHAR:
		return (__u8)val;
	case LEN_SHORT:
		return (__u16)val;
	case LEN_INT:
		return (__u32)val;
	default:
		return val;
	}
}

static __s64 arg_signed(const struct fmt_conv *c, __u64 val)
{
	switch (c->len) {
	case LEN_CHAR:
		return (__s8)val;
	case LEN_SHORT:
		return (__s16)val;
	case LEN_INT:
		return (__s32)val;
	default:
		return (__s64)val;
	}
}

static const char *parse_flags(struct fmt_conv *c, const char *fmt)
{
	for (;; fmt++) {
		switch (*fmt) {
		case '-':
			c->left = 1;
			break;
		case '0':
			c->zero = 1;
			break;
		case '+':
			c->plus = 1;
			break;
		case ' ':
			c->space = 1;
			break;
		case '#':
			c->alt = 1;
			break;
		default:
			return fmt;
		}
	}
}

static const char *parse_number(const char *fmt, __sz *val)
{
	*val = 0;
	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		*val = *val * 10 + (__sz)(*fmt - '0');
	return fmt;
}

static const char *parse_len(struct fmt_conv *c, const char *fmt)
{
	c->len = LEN_INT;
	switch (*fmt) {
	case 'h':
		c->len = fmt[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		return fmt + (fmt[1] == 'h' ? 2 : 1);
	case 'l':
		c->len = LEN_LONG;
		return fmt + (fmt[1] == 'l' ? 2 : 1);
	case 'j':
	case 'z':
	case 't':
		c->len = LEN_LONG;
		return fmt + 1;
	default:
		return fmt;
	}
}

/* The analyzer does not follow a va_list that is passed by address. All reads
 * of arguments are in the next three functions.
 */
static int arg_int(va_list *args)
{
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	return va_arg(*args, int);
}

static unsigned long arg_long(va_list *args)
{
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	return va_arg(*args, unsigned long);
}

static const void *arg_ptr(va_list *args)
{
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	return va_arg(*args, const void *);
}

/* Everything between % and the conversion character */
static const char *parse_spec(struct fmt_conv *c, const char *fmt,
			      va_list *args)
{
	int star;

	c->left = c->zero = c->plus = c->space = c->alt = c->has_prec = 0;
	c->prec = 0;
	fmt = parse_flags(c, fmt);
	if (*fmt == '*') {
		star = arg_int(args);
		if (star < 0)
			c->left = 1;
		c->width = star < 0 ? -(__sz)star : (__sz)star;
		fmt++;
	} else {
		fmt = parse_number(fmt, &c->width);
	}
	if (*fmt == '.') {
		c->has_prec = 1;
		fmt++;
		if (*fmt == '*') {
			star = arg_int(args);
			c->has_prec = star >= 0;
			c->prec = star >= 0 ? (__sz)star : 0;
			fmt++;
		} else {
			fmt = parse_number(fmt, &c->prec);
		}
	}
	return parse_len(c, fmt);
}

/* The next integer argument, whatever its length. A shorter one was widened
 * to int by the caller.
 */
static __u64 arg_next(const struct fmt_conv *c, va_list *args)
{
	if (c->len == LEN_LONG)
		return arg_long(args);
	return (unsigned int)arg_int(args);
}

/* Prints one conversion; 0 if it is unknown */
static int conv_print(struct fmt_conv *c, char conv, va_list *args)
{
	__u64 val;
	char ch;

	switch (conv) {
	case 'd':
	case 'i':
		conv_signed(c, arg_signed(c, arg_next(c, args)));
		break;
	case 'u':
		conv_number(c, arg_unsigned(c, arg_next(c, args)), 10, 0, "");
		break;
	case 'o':
		conv_number(c, arg_unsigned(c, arg_next(c, args)), 8, 0, "");
		break;
	case 'x':
	case 'X':
		val = arg_unsigned(c, arg_next(c, args));
		conv_number(c, val, 16, conv == 'X',
			    !c->alt || !val ? "" :
			    conv == 'X'	    ? "0X" :
					      "0x");
		break;
	case 'p':
		conv_number(c, (__u64)arg_ptr(args), 16, 0, "0x");
		break;
	case 'c':
		ch = (char)arg_int(args);
		c->zero = 0;
		out_field(c, "", 0, 0, &ch, 1);
		break;
	case 's':
		conv_string(c, arg_ptr(args));
		break;
	case '%':
		out(c, "%", 1);
		break;
	default:
		return 0;
	}
	return 1;
}

__sz fmt_vprint(struct fmt_sink *sink, const char *fmt, va_list ap)
{
	struct fmt_conv c = { .sink = sink };
	va_list args;
	const char *text;

	va_copy(args, ap);
	while (*fmt) {
		text = fmt;
		while (*fmt && *fmt != '%')
			fmt++;
		out(&c, text, (__sz)(fmt - text));
		if (!*fmt)
			break;
		text = fmt;
		fmt = parse_spec(&c, fmt + 1, &args);
		if (*fmt && conv_print(&c, *fmt, &args))
			fmt++;
		else
			out(&c, text, (__sz)(fmt - text));
	}
	va_end(args);
	return c.written;
}

/** Destination of fmt_vsnprint() */
struct fmt_buf {
	struct fmt_sink sink; /* first: the sink is cast to this type */
	char *buf;
	/** Characters that still fit, without the terminator */
	__sz left;
};

static void buf_write(struct fmt_sink *sink, const char *text, __sz len)
{
	struct fmt_buf *b = (struct fmt_buf *)sink;

	for (; len && b->left; len--) {
		*b->buf++ = *text++;
		b->left--;
	}
}

/* NOLINTNEXTLINE(readability-non-const-parameter): buf is written through b */
__sz fmt_vsnprint(char *buf, __sz len, const char *fmt, va_list ap)
{
	struct fmt_buf b = {
		.sink.write = buf_write,
		.buf = buf,
		.left = len ? len - 1 : 0,
	};
	__sz cnt;

	cnt = fmt_vprint(&b.sink, fmt, ap);
	if (len)
		*b.buf = '\0';
	return cnt;
}
