/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_ARCH_LIMITS_H__
#define __STANDIN_UK_ARCH_LIMITS_H__

/* Stands for include/uk/arch/limits.h of Unikraft. The largest size there is
 * that of a signed one.
 */

#define __PAGE_SIZE  0x1000ULL
#define __STACK_SIZE (16 * __PAGE_SIZE)

#define __U8_MAX  (255U)
#define __U32_MAX (4294967295U)
#define __U64_MAX (18446744073709551615UL)
#define __SZ_MAX  (9223372036854775807UL)
#define __SSZ_MAX (9223372036854775807L)

#endif /* __STANDIN_UK_ARCH_LIMITS_H__ */
