/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_STRING_H__
#define __STANDIN_STRING_H__

/* Stands for lib/nolibc/include/string.h of Unikraft. */

#include <uk/arch/types.h>

void *memcpy(void *dst, const void *src, __sz len);
void *memmove(void *dst, const void *src, __sz len);
void *memset(void *ptr, int val, __sz len);

#endif /* __STANDIN_STRING_H__ */
