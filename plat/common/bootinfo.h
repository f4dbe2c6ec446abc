/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_BOOTINFO_H__
#define __UKPLAT_BOOTINFO_H__

/* What the loader tells the image: the boot information structure
 *
 * Why
 *   The loader knows the machine and has drawn all first addresses. It goes
 *   away; this is all that is left of it.
 *
 * How
 *   The loader fills boot_info in its own memory and jumps to the image with
 *
 *      %rdi  physical address of the top level page table
 *      %rsi  end of the stack
 *      %rdx  struct boot_info, in the direct map
 *
 *   interrupts disabled, in long mode, on a page table of its own that has
 *   the mappings of the new one, too. The image changes to the new page
 *   table, where the loader is free memory of the direct map, copies the
 *   structure, and clears all of the loader's memory.
 *
 *   Page tables are in blocks of 2 MiB, which the image continues to use
 *   (pt_pool.h). Everything that the loader has mapped is an area.
 *
 * Invariants
 *   B1 `map` is normalised. Free memory in it belongs to nobody; memory of
 *      the loader is free as soon as it has been cleared. Both are in the
 *      direct map, blocks are in the window, nothing else is in either.
 *   B2 No page is writable and executable, no address of the lower half is
 *      mapped, unless the image was asked to be there.
 *
 * Concurrency
 *   Written on the boot CPU before any other starts, constant afterwards.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "area_table.h"
#include "memregion.h"
#include "pt_block.h"

#define BOOT_INFO_MAGIC	  0x6f66746f6f626b75UL
#define BOOT_INFO_VERSION 2U

#define BOOT_CMDLINE_LEN 1024
#define BOOT_SEGS_MAX	 48
#define BOOT_AREAS_MAX	 64
/* Enough for the direct map of 255 GiB */
#define BOOT_BLOCKS_MAX	 512
#define BOOT_KEY_LEN	 32
#define BOOT_CPU_LEN	 PAGE_SIZE

/** Addresses are not at random places: `nokaslr` */
#define BOOT_FIXED	 1U
/** The image runs where it was linked, if there is room */
#define BOOT_IMAGE_FIXED 2U

/** A segment of the image */
struct boot_seg {
	char name[AREA_NAME_LEN];
	__vaddr_t vaddr;
	__sz len;
	/** Address as linked minus the lowest one */
	__u64 offset;
	/** PAGE_ATTR_* */
	__u64 attr;
};

struct boot_info {
	__u64 magic;
	__u32 version;
	/** sizeof(struct boot_info) */
	__u32 len;

	/** Words of the command line; always terminated */
	char cmdline[BOOT_CMDLINE_LEN];
	/** ACPI root pointer, 0 if unknown */
	__paddr_t rsdp;
	/** All memory */
	struct memregion_list map;
	/** Page for the start of other CPUs, 0 if there is none */
	__paddr_t lowmem_page;
	/** Time stamp of the loader's first instruction */
	__u64 tsc;
	/** BOOT_* */
	__u32 flags;

	/** Seed of the image's generators, the entropy in it in bits, and where
	 * that is from (entropy.h)
	 */
	__u32 seed_bits;
	__u32 seed_flags;
	__u8 seed[BOOT_KEY_LEN];

	/** Direct map, and window for page tables: address of paddr 0 */
	__vaddr_t direct_map;
	__vaddr_t window;
	/** Length of either */
	__sz map_len;
	/** Metadata of the frame allocator: for so many frames */
	__vaddr_t meta_vaddr;
	__u64 meta_frames;
	/** What the first CPU has for itself: BOOT_CPU_LEN bytes, zero */
	__vaddr_t cpu_vaddr;
	/** Top level table, and the same with what sleeping CPUs need */
	__paddr_t pt_root;
	__paddr_t pt_idle;

	__u32 block_cnt;
	__u32 area_cnt;
	__u32 seg_cnt;
	struct pt_block block[BOOT_BLOCKS_MAX];
	struct area area[BOOT_AREAS_MAX];
	struct boot_seg seg[BOOT_SEGS_MAX];
};

extern struct boot_info boot_info;

#endif /* __UKPLAT_BOOTINFO_H__ */
