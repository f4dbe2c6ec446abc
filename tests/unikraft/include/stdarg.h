/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_STDARG_H__
#define __STANDIN_STDARG_H__

/* Stands for lib/nolibc/include/stdarg.h of Unikraft. */

typedef __builtin_va_list va_list;

#define va_start(list, last) __builtin_va_start(list, last)
#define va_arg(list, type)   __builtin_va_arg(list, type)
#define va_end(list)	     __builtin_va_end(list)

#endif /* __STANDIN_STDARG_H__ */
