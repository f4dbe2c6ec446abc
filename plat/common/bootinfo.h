/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_BOOTINFO_H__
#define __UKPLAT_BOOTINFO_H__

/* What the loader tells, and what the boot decided
 *
 * Why
 *   The loader's structures lie somewhere in memory that is not ours. They
 *   are copied once, with all lengths checked.
 *
 * Concurrency
 *   Written on the boot CPU before any other starts, constant afterwards.
 */

#include <uk/arch/types.h>

#include "memregion.h"

#define BOOT_CMDLINE_LEN 1024

struct boot_info {
	/** Words of the command line; always terminated */
	char cmdline[BOOT_CMDLINE_LEN];
	/** ACPI root pointer, 0 if unknown */
	__paddr_t rsdp;
	/** All memory, normalised */
	struct memregion_list map;
	/** Page for the start of other CPUs, 0 if there is none */
	__paddr_t lowmem_page;

	/** Where the image lies, physically and in the final page table */
	__paddr_t image_paddr;
	__vaddr_t image_vaddr;
	/** Direct map, and window for page tables: address of paddr 0 */
	__vaddr_t direct_map;
	__vaddr_t window;
	/** Metadata of the frame allocator */
	__paddr_t meta_paddr;
	__sz meta_len;
	__vaddr_t meta_vaddr;
	/** Stack of the boot CPU */
	__vaddr_t stack_top;
};

extern struct boot_info boot_info;

/**
 * Copies what the loader passed. The first 4 GiB are mapped at their physical
 * addresses.
 *
 * @param start
 *   Address of struct hvm_start_info
 *
 * @return
 *   - (0): Copied
 *   - (-EINVAL): That is no such structure, or it has no memory map
 *   - (-ENOSPC): The memory map is too long
 */
int bootinfo_parse(__paddr_t start);

#endif /* __UKPLAT_BOOTINFO_H__ */
