/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_ARCH_PAGING_H__
#define __STANDIN_UK_ARCH_PAGING_H__

/* Stands for include/uk/arch/paging.h of Unikraft and the part for x86_64. */

#include <uk/arch/types.h>

typedef __u64 __pte_t;

#define __VADDR_ANY 0xbaadbaad80000000UL
#define __PADDR_ANY 0xbaadbaad80000000UL

#define PAGE_LEVEL 0
#define PAGE_SHIFT 12
#define PAGE_SIZE  0x1000UL

#define PAGE_ALIGN_DOWN(addr) ((addr) & ~(PAGE_SIZE - 1))

#define PAGE_ATTR_PROT_NONE 0x00

#define X86_PTE_PRESENT 0x001UL
#define X86_PTE_RW	0x002UL
#define X86_PTE_PSE	0x080UL
#define X86_PTE_NX	(1UL << 63)

#define PT_Lx_PTE_PRESENT(pte, lvl) ((pte)&X86_PTE_PRESENT)
#define PAGE_Lx_IS(pte, lvl)	    (!(lvl) || ((pte)&X86_PTE_PSE))

#endif /* __STANDIN_UK_ARCH_PAGING_H__ */
