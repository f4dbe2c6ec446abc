/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_FORMAT_H__
#define __UKALLOCRND_FORMAT_H__

/* Text from numbers, for messages of a library that stands below any libc
 *
 * How
 *   A subset of printf() on a buffer of the caller:
 *     %d %u %x   int and unsigned int, or with l and z the wider types
 *     %p         pointer as 0x..., also for __NULL
 *     %s %c %%   string, character, percent sign
 *   A width right-aligns, with zeros if it begins with 0.
 *
 * Concurrency
 *   Pure functions; they touch nothing but their arguments.
 */

#include <stdarg.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>

/**
 * Formats into a buffer, without a terminating zero. What does not fit is
 * cut off. A conversion that is not known ends the text.
 *
 * @param[out] dst
 *   The buffer
 * @param cap
 *   Its length in bytes
 * @param fmt
 *   The format, see above
 * @param args
 *   The arguments of the format
 *
 * @return
 *   Number of characters written, at most cap
 */
__sz rnd_format(char *dst, __sz cap, const char *fmt, va_list args)
	__printf(3, 0);

#endif /* __UKALLOCRND_FORMAT_H__ */
