/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_TABLES_H__
#define __UKPLAT_TABLES_H__

/* The page tables of the image, built by the loader
 *
 * How
 *   Tables are drawn from blocks of 2 MiB below 4 GiB, which the image takes
 *   over. The entries are those of the guest: see pt.h for what they count
 *   and which bits are ours. They are written through the identity map.
 *
 * Concurrency
 *   Boot CPU.
 */

#include <uk/arch/types.h>

/** Address of paddr 0: 0, except in tests */
extern __vaddr_t tables_identity;

/**
 * Draws blocks and makes the two top level tables; fills boot_info.
 *
 * @param ram
 *   Bytes of memory that the direct map will have
 *
 * @return
 *   - (0): Done
 *   - (-ENOMEM): No block
 */
int tables_init(__u64 ram);

/**
 * Maps pages that are not mapped yet.
 *
 * @param attr
 *   PAGE_ATTR_PROT_*
 *
 * @return
 *   - (0): Mapped
 *   - (-EINVAL): Unknown attributes, or writable and executable
 *   - (-ENOMEM): No tables left
 */
int tables_map(__vaddr_t va, __paddr_t pa, unsigned long pages,
	       unsigned long attr);

/**
 * Maps RAM into the direct map, and makes the tables that its blocks would need
 * in the window.
 *
 * @param start, end
 *   Physical range, page aligned
 *
 * @return
 *   As tables_map()
 */
int tables_direct_map(__paddr_t start, __paddr_t end);

/** Maps the blocks into the window; as tables_map(). */
int tables_window(void);

/**
 * Completes the table of sleeping CPUs, and adds the mappings of the image to
 * the page table in use.
 *
 * @param entry
 *   Address in the image
 */
void tables_finish(__vaddr_t entry);

#endif /* __UKPLAT_TABLES_H__ */
