/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_CONSOLE_H__
#define __STANDIN_UK_CONSOLE_H__

/* Stands for lib/ukconsole/include/uk/console.h of Unikraft. */

#include <uk/arch/types.h>

__ssz uk_console_out(const char *buf, __sz len);

#endif /* __STANDIN_UK_CONSOLE_H__ */
