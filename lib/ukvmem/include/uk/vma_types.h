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
 * Maps zeroed memory. Parameters and errors as uk_vma_map(). All of it is
 * backed at once, with and without UK_VMA_MAP_POPULATE.
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
 *   Number of bytes that must not fault; all of them for the time being
 *
 * @return
 *   As uk_vma_map()
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

#ifdef __cplusplus
}
#endif

#endif /* __UK_VMA_TYPES_H__ */
