/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_ARCH_TYPES_H__
#define __UK_ARCH_TYPES_H__

/* Unikraft's basic types for x86_64
 *
 * The stand-alone guest and the host build use this file; inside a Unikraft
 * tree upstream's header of the same name takes its place.
 */

#ifndef __ASSEMBLY__

typedef signed char __s8;
typedef unsigned char __u8;
typedef signed short __s16;
typedef unsigned short __u16;
typedef signed int __s32;
typedef unsigned int __u32;
typedef signed long __s64;
typedef unsigned long __u64;

typedef unsigned long __sz;
typedef signed long __ssz;
typedef unsigned long __uptr;
typedef signed long __off;
typedef unsigned long __paddr_t;
typedef unsigned long __vaddr_t;
typedef __s64 __snsec;
typedef __u64 __nsec;
typedef _Bool __bool;

#define __U8_MAX  0xffU
#define __U16_MAX 0xffffU
#define __U32_MAX 0xffffffffU
#define __U64_MAX 0xffffffffffffffffUL
#define __SZ_MAX  __U64_MAX
#define __SSZ_MAX 0x7fffffffffffffffL

#define __PADDR_MAX __U64_MAX
#define __PADDR_ANY __PADDR_MAX
#define __PADDR_INV (__PADDR_MAX - 1)
#define __VADDR_MAX __U64_MAX
#define __VADDR_ANY __VADDR_MAX
#define __VADDR_INV (__VADDR_MAX - 1)

#endif /* !__ASSEMBLY__ */

#endif /* __UK_ARCH_TYPES_H__ */
