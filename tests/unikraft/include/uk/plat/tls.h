/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_PLAT_TLS_H__
#define __STANDIN_UK_PLAT_TLS_H__

/* Stands for include/uk/plat/tls.h of Unikraft. */

#include <uk/arch/types.h>

__uptr ukplat_tlsp_get(void);

#endif /* __STANDIN_UK_PLAT_TLS_H__ */
