/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_PLAT_COMMON_LCPU_H__
#define __STANDIN_UK_PLAT_COMMON_LCPU_H__

/* Stands for plat/common/include/uk/plat/common/lcpu.h of Unikraft, which is
 * found only by who asks for that folder. What %gs points to starts like this.
 */

#include <uk/essentials.h>
#include <uk/plat/lcpu.h>

#define LCPU_IDX_OFFSET 0x04

#define LCPU_STATE_HALTED  -1
#define LCPU_STATE_OFFLINE 0

struct lcpu {
	volatile int state;
	__lcpuidx idx;
	__lcpuid id;
	int error_code;
};

UK_CTASSERT(__builtin_offsetof(struct lcpu, idx) == LCPU_IDX_OFFSET);

/* Up to here a CPU has no interrupts yet */
static inline int lcpu_state_is_online(int state)
{
	return state > 1;
}

struct lcpu *lcpu_get(__lcpuidx idx);
int lcpu_init(struct lcpu *this_lcpu);

#if CONFIG_HAVE_SMP
void __weak __noreturn lcpu_entry_default(struct lcpu *this_lcpu);
#endif

#endif /* __STANDIN_UK_PLAT_COMMON_LCPU_H__ */
