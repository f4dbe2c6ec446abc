/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_ARCH_LCPU_H__
#define __STANDIN_UK_ARCH_LCPU_H__

/* Stands for include/uk/arch/lcpu.h of Unikraft and the architecture's part of
 * it. Hints for branches are here, not in <uk/essentials.h>.
 */

#include <uk/arch/types.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier()   __asm__ __volatile__("" ::: "memory")

/* State of an interrupted context; it has more registers */
struct __regs {
	unsigned long rip;
};

#endif /* __STANDIN_UK_ARCH_LCPU_H__ */
