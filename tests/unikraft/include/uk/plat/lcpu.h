/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_PLAT_LCPU_H__
#define __STANDIN_UK_PLAT_LCPU_H__

/* Stands for include/uk/plat/lcpu.h of Unikraft. */

#include <uk/arch/lcpu.h>
#include <uk/config.h>

typedef __u32 __lcpuidx;
typedef __u64 __lcpuid;

#if CONFIG_HAVE_SMP
__u32 ukplat_lcpu_count(void);
#endif

#endif /* __STANDIN_UK_PLAT_LCPU_H__ */
