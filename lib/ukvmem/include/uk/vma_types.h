/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_VMA_TYPES_H__
#define __UK_VMA_TYPES_H__

/* Kinds of areas
 *
 *   reserved  addresses only: every access faults. The owner may map pages
 *             inside with ukplat_page_map(); they vanish with the area
 *   anonymous zeroed memory of its own
 *   stack     anonymous memory between guards, with a random start
 *   dma       physical memory that the caller names and keeps
 *   file      pages that a function of the caller fills
 *
 *   A stack area, grown downwards:
 *
 *     +-------------+ end
 *     | top guard   |
 *     +-------------+
 *     | random rest | 0 to 4080 bytes above the initial stack pointer
 *     |-------------| uk_vma_stack_top()
 *     | stack       |
 *     +-------------+ *vaddr
 *     | low guard   | where overflows end
 *     +-------------+ start
 */

#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>
#include <uk/vmem.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const struct uk_vma_ops uk_vma_rsvd_ops;
extern const struct uk_vma_ops uk_vma_anon_ops;
extern const struct uk_vma_ops uk_vma_stack_ops;
extern const struct uk_vma_ops uk_vma_dma_ops;
extern const struct uk_vma_ops uk_vma_file_ops;

/* Names as upstream: the bottom is at the lowest address */
#define UK_VMA_STACK_TOP_GUARD_SIZE                                            \
	(CONFIG_LIBUKVMEM_STACK_GUARD_PAGES_TOP * PAGE_SIZE)
#define UK_VMA_STACK_BOTTOM_GUARD_SIZE                                         \
	(CONFIG_LIBUKVMEM_STACK_GUARD_PAGES_BOTTOM * PAGE_SIZE)
#define UK_VMA_STACK_GUARDS_SIZE                                               \
	(UK_VMA_STACK_TOP_GUARD_SIZE + UK_VMA_STACK_BOTTOM_GUARD_SIZE)

/**
 * Reserves addresses. Parameters and errors as uk_vma_map(). The attributes
 * of a reservation cannot be changed with uk_vma_set_attr().
 */
static inline int uk_vma_reserve(struct uk_vas *vas, __vaddr_t *vaddr, __sz len)
{
	return uk_vma_map(vas, vaddr, len, PAGE_ATTR_PROT_NONE, 0, __NULL,
			  &uk_vma_rsvd_ops, __NULL);
}

/**
 * Reserves exactly these addresses: what uk_vma_map() does for this kind, in
 * fewer steps.
 *
 * **Context:** any CPU
 *
 * @param vaddr
 *   Start, page aligned
 * @param len
 *   Length in bytes, multiple of the page length
 * @param name
 *   For humans; must outlive the area. May be __NULL
 *
 * @return
 *   - (0): Reserved
 *   - (-EINVAL): Zero or misaligned length, misaligned address, range not in
 *     [UK_VAS_START, UK_VAS_END)
 *   - (-EEXIST): The range overlaps an area
 *   - (-ENOMEM): No memory for the VMA object, even after reclaiming some
 */
int uk_vma_reserve_at(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		      const char *name);

/**
 * Reserves addresses, also in the place of other areas: with
 * UK_VMA_MAP_REPLACE, their pages are gone. Parameters and errors as
 * uk_vma_map().
 */
static inline int uk_vma_reserve_ex(struct uk_vas *vas, __vaddr_t *vaddr,
				    __sz len, unsigned long attr,
				    unsigned long flags, const char *name)
{
	return uk_vma_map(vas, vaddr, len, attr, flags, name, &uk_vma_rsvd_ops,
			  __NULL);
}

/**
 * Maps zeroed memory. Parameters and errors as uk_vma_map(). Without
 * UK_VMA_MAP_POPULATE a page comes when it is touched first; if there is no
 * memory then, the access is reported and the system stops.
 */
static inline int uk_vma_map_anon(struct uk_vas *vas, __vaddr_t *vaddr,
				  __sz len, unsigned long attr,
				  unsigned long flags, const char *name)
{
	return uk_vma_map(vas, vaddr, len, attr, flags, name, &uk_vma_anon_ops,
			  __NULL);
}

/**
 * Maps a stack with guards at both ends. The stack pointer starts up to one
 * page below the end, by a random multiple of 16 bytes.
 *
 * @param vas
 *   Address space
 * @param[in,out] vaddr
 *   Lowest address of the stack, or __VADDR_ANY for a random one; receives
 *   it. The low guard lies below
 * @param len
 *   Length in bytes without guards, multiple of the page length
 * @param flags
 *   As uk_vma_map()
 * @param name
 *   For humans; must outlive the area. May be __NULL
 * @param premapped_len
 *   Number of bytes below the initial stack pointer that must not fault, at
 *   most len. Code that runs on the stack with interrupts disabled may hold
 *   a lock that a fault needs, so it has to fit in there: at least 8 KiB for
 *   functions of the platform and of this library, or all of the stack
 *
 * @return
 *   As uk_vma_map(); -EINVAL also if premapped_len is too large
 */
int uk_vma_map_stack(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
		     unsigned long flags, const char *name, __sz premapped_len);

/**
 * Returns the initial stack pointer of a stack, 16-byte aligned.
 *
 * @param vaddr
 *   Any address in the stack
 *
 * @return
 *   The stack pointer, or __VADDR_INV if there is no stack
 */
__vaddr_t uk_vma_stack_top(struct uk_vas *vas, __vaddr_t vaddr);

/**
 * Unmaps a stack with its guards.
 *
 * @param vaddr
 *   Any address in the stack
 *
 * @return
 *   As uk_vma_unmap(); -EINVAL if there is no stack
 */
int uk_vma_unmap_stack(struct uk_vas *vas, __vaddr_t vaddr);

/** Data for uk_vma_dma_ops */
struct uk_vma_dma_args {
	__paddr_t paddr; /* first frame, page aligned */
};

/** Physical addresses of x86_64 have at most 52 bits; no page at the end */
#define UK_VMA_DMA_PADDR_END (((__paddr_t)1 << 52) - PAGE_SIZE)

/**
 * Maps physical memory: device registers, with PAGE_ATTR_DEVICE, or frames
 * that the caller has allocated. It is never freed here, and several areas
 * may show the same. UK_VMA_MAP_UNINITIALIZED is refused.
 *
 * @param paddr
 *   First physical address, page aligned
 *
 * @return
 *   As uk_vma_map(); -EINVAL also for a physical range that is misaligned or
 *   does not exist
 */
static inline int uk_vma_map_dma(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
				 unsigned long attr, unsigned long flags,
				 const char *name, __paddr_t paddr)
{
	struct uk_vma_dma_args args = { .paddr = paddr };

	return uk_vma_map(vas, vaddr, len, attr, flags, name, &uk_vma_dma_ops,
			  &args);
}

/**
 * Data for uk_vma_file_ops. It must outlive the area, unchanged, in memory
 * that is not demand-paged. There is no file system below: whoever has the
 * contents supplies them page by page. Areas are private copies: nothing is
 * written back, and UK_VMA_ADV_DONTNEED forgets what was written.
 */
struct uk_vma_file_args {
	/**
	 * Fills a page. Runs when a page is touched first, as the fault
	 * operation of struct uk_vma_ops does, on several CPUs at once, maybe
	 * for the same page; what the slower one reads is thrown away.
	 *
	 * @param arg
	 *   From this structure
	 * @param off
	 *   Position in the file
	 * @param page
	 *   Receives the contents; undefined before
	 * @param len
	 *   Number of bytes to read
	 *
	 * @return
	 *   Number of bytes read, fewer at the end of the file, where zeros
	 *   follow; or a negative errno, which makes the access an error
	 */
	__ssz (*read)(void *arg, __off off, void *page, __sz len);
	void *arg;
	__off off; /* position of the first page, not negative */
};

/**
 * Maps the contents of something that can be read.
 *
 * @param args
 *   Where the contents come from; see struct uk_vma_file_args
 *
 * @return
 *   As uk_vma_map(); -EINVAL also for a bad position or no function. With
 *   UK_VMA_MAP_POPULATE also what args->read() says
 */
static inline int uk_vma_map_file(struct uk_vas *vas, __vaddr_t *vaddr,
				  __sz len, unsigned long attr,
				  unsigned long flags, const char *name,
				  const struct uk_vma_file_args *args)
{
	return uk_vma_map(vas, vaddr, len, attr, flags, name, &uk_vma_file_ops,
			  args);
}

#ifdef __cplusplus
}
#endif

#endif /* __UK_VMA_TYPES_H__ */
