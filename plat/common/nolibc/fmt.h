/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __NOLIBC_FMT_H__
#define __NOLIBC_FMT_H__

/* Formatting: the part of the printf family without a destination
 *
 * Conversions d i u x X o c s p %, flags - 0 + space #, width and precision
 * as number or *, lengths hh h l ll j z t. No floating point. An unknown
 * conversion is printed as it is.
 *
 * Concurrency
 *   Pure, but for the destination and the strings.
 */

#include <stdarg.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>

/** A destination */
struct fmt_sink {
	/**
	 * Takes characters.
	 *
	 * @param sink
	 *   This destination; a larger structure may contain it
	 */
	void (*write)(struct fmt_sink *sink, const char *buf, __sz len);
};

/**
 * Formats.
 *
 * @return
 *   Number of characters written
 */
__sz fmt_vprint(struct fmt_sink *sink, const char *fmt, va_list ap)
	__printf(2, 0);

/**
 * Formats into a buffer.
 *
 * @param buf
 *   Receives at most len - 1 characters and a terminator; may be __NULL if
 *   len is 0
 * @param len
 *   Length of the buffer
 *
 * @return
 *   Number of characters that a long enough buffer would hold
 */
__sz fmt_vsnprint(char *buf, __sz len, const char *fmt, va_list ap)
	__printf(3, 0);

#endif /* __NOLIBC_FMT_H__ */
