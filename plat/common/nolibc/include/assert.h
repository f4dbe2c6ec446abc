/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __NOLIBC_ASSERT_H__
#define __NOLIBC_ASSERT_H__

/* assert() for guest programs, whatever the assertions of the system do */

#include <uk/assert.h>

#ifdef NDEBUG
#define assert(x) ((void)0)
#else
#define assert(x) ((x) ? (void)0 : uk_assert_fail(#x, __FILE__, __LINE__))
#endif

#ifndef __cplusplus
#define static_assert _Static_assert
#endif

#endif /* __NOLIBC_ASSERT_H__ */
