/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_ASSERT_H__
#define __UK_ASSERT_H__

/* UK_ASSERT: contracts inside the system
 *
 * May vanish (CONFIG_LIBUKDEBUG_ENABLE_ASSERT=n), so it never carries a
 * security property and its condition has no side effects.
 */

#include <uk/config.h>
#include <uk/essentials.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Prints the failed condition with its place and stops the system.
 *
 * @param cond
 *   Text of the condition
 * @param file
 *   Source file
 * @param line
 *   Line in the source file
 */
void __noreturn uk_assert_fail(const char *cond, const char *file, int line);

#ifdef __cplusplus
}
#endif

#ifdef CONFIG_LIBUKDEBUG_ENABLE_ASSERT
#define UK_ASSERT(x)                                                           \
	do {                                                                   \
		if (unlikely(!(x)))                                            \
			uk_assert_fail(#x, __FILE__, __LINE__);                \
	} while (0)
#else
#define UK_ASSERT(x) ((void)sizeof(!(x)))
#endif

#endif /* __UK_ASSERT_H__ */
