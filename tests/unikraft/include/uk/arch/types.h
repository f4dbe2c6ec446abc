/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_ARCH_TYPES_H__
#define __STANDIN_UK_ARCH_TYPES_H__

/* Stands for include/uk/arch/types.h of Unikraft. Limits are elsewhere. */

typedef signed int __s32;
typedef signed long __s64;
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long __u64;

typedef __u64 __uptr;
typedef __u64 __sz;
typedef __s64 __ssz;
typedef __u64 __vaddr_t;
typedef __u64 __paddr_t;
typedef _Bool __bool;

#define __NULL ((void *)0)

#endif /* __STANDIN_UK_ARCH_TYPES_H__ */
