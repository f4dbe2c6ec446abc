/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_ASSERT_H__
#define __STANDIN_UK_ASSERT_H__

/* Stands for lib/ukdebug/include/uk/assert.h of Unikraft, which says what
 * failed before it stops. A condition is not evaluated if assertions are off.
 */

#include <uk/arch/lcpu.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>

#if CONFIG_LIBUKDEBUG_ENABLE_ASSERT
#define UK_ASSERT(x)                                                           \
	do {                                                                   \
		if (unlikely(!(x)))                                            \
			ukplat_terminate(UKPLAT_CRASH);                        \
	} while (0)
#else
#define UK_ASSERT(x)                                                           \
	do {                                                                   \
	} while (0)
#endif

#endif /* __STANDIN_UK_ASSERT_H__ */
