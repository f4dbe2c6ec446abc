/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_ARCH_PAGING_H__
#define __UK_ARCH_PAGING_H__

/* Page table entries of x86_64, four levels
 *
 * Source
 *   SDM 3A 4.5 (4-level paging), 4.7 (access rights)
 */

#define PAGE_SHIFT 12
#define PAGE_SIZE  0x1000UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define PAGE_LARGE_SHIFT 21
#define PAGE_LARGE_SIZE	 (1UL << PAGE_LARGE_SHIFT)

#define UKARCH_PT_LEVELS     4
#define UKARCH_PT_ENTRIES    512
/* First level 4 entry of the upper half of the address space */
#define UKARCH_PT_UPPER_HALF 256

/* The upper half belongs to the platform, the lower one to everybody else */
#define UKARCH_VADDR_UPPER_START 0xffff800000000000UL
#define UKARCH_VADDR_LOWER_END	 0x0000800000000000UL

#define X86_PTE_PRESENT	 (1UL << 0)
#define X86_PTE_RW	 (1UL << 1)
#define X86_PTE_USER	 (1UL << 2)
#define X86_PTE_PWT	 (1UL << 3)
#define X86_PTE_PCD	 (1UL << 4)
#define X86_PTE_ACCESSED (1UL << 5)
#define X86_PTE_DIRTY	 (1UL << 6)
#define X86_PTE_PS	 (1UL << 7)
#define X86_PTE_NX	 (1UL << 63)

/* Bits 9 to 11 are ours in every entry of a page, present or not.
 *
 * OWNED: the entry holds a frame, even if it is not present (PROT_NONE)
 * ZOMBIE: the entry was cleared, its frame waits for the shootdown
 * LAZY: the entry was cleared, its frame is in an unmap quarantine
 */
#define X86_PTE_OWNED  (1UL << 9)
#define X86_PTE_ZOMBIE (1UL << 10)
#define X86_PTE_LAZY   (1UL << 11)
#define X86_PTE_OURS   (X86_PTE_OWNED | X86_PTE_ZOMBIE | X86_PTE_LAZY)

/* In an entry without a frame: the page gets one when it is touched. Such an
 * entry is not present, all its bits are ours.
 */
#define X86_PTE_DEMAND (1UL << 8)

#define X86_PTE_PADDR_MASK 0x000ffffffffff000UL

/* An entry that points to a table counts the entries in use there in bits
 * that the processor ignores. All 512 need ten bits.
 */
#define X86_PTE_USED_SHIFT 52
#define X86_PTE_USED_ONE   (1UL << X86_PTE_USED_SHIFT)
#define X86_PTE_USED_MASK  (0x3ffUL << X86_PTE_USED_SHIFT)

#endif /* __UK_ARCH_PAGING_H__ */
