/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_BOOT_H__
#define __UKPLAT_BOOT_H__

/* Boot: from an identity map to random addresses
 *
 * Why
 *   Whoever knows one fixed address in the heap's address space knows where
 *   to start. So everything gets its own random place before the first
 *   allocation, and the map with fixed addresses goes away.
 *
 * How
 *   1 boot.S enables long mode with the first 4 GiB mapped at their physical
 *     addresses and calls boot_main() where the loader put the image.
 *   2 boot_main() relocates the image for this place, seeds the generator,
 *     starts frame allocator and page tables (the same code that serves later;
 *     its direct map has base 0 for now) and draws all bases.
 *   3 It relocates the image once more, for the final place, and boot_jump()
 *     goes there. From then on until step 4 nothing may be called through a
 *     pointer.
 *   4 boot_high, at the final place, leaves the identity map for good and
 *     calls ukplat_entry() on the final stack.
 *   5 ukplat_entry() tells frame allocator, page tables and area table their
 *     new addresses.
 *
 * Concurrency
 *   Boot CPU, interrupts disabled.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

/**
 * Steps 2 and 3. Called by boot.S.
 *
 * @param start
 *   Physical address of struct hvm_start_info
 */
void __noreturn boot_main(__paddr_t start);

/** Steps 3 and 4, in boot.S. */
void __noreturn boot_jump(__paddr_t cr3, __vaddr_t stack_top, __vaddr_t high);

/** Where boot_jump() continues */
void boot_high(void);

/** Step 5 and everything after it. Called by boot.S. */
void __noreturn ukplat_entry(void);

/**
 * Sets the control registers of the calling CPU as far as CPUID allows:
 * SMEP, SMAP, UMIP, FSGSBASE.
 */
void cpu_features_enable(void);

/* The temporary top level table */
extern __u64 boot_pml4[];

#endif /* __UKPLAT_BOOT_H__ */
