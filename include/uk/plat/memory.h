/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_MEMORY_H__
#define __UK_PLAT_MEMORY_H__

/* Memory of the platform: areas at random addresses, the direct map
 *
 * Why
 *   Everything the platform maps lies in an area of its own, at an address
 *   drawn for this boot from the whole upper half of the address space.
 *   Nothing is mapped at a fixed address.
 *
 * How
 *   A table holds all areas; it is the source of the printed memory map and
 *   keeps areas apart. An area ends at unmapped addresses on both sides.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/arch/paging.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Reserves addresses for an area; nothing is mapped.
 *
 * @param name
 *   Shown in the memory map; must stay valid
 * @param len
 *   Length in bytes, a multiple of the page size
 * @param align
 *   Alignment of the start, a power of two, at least the page size
 * @param[out] base
 *   Receives the start
 *
 * @return
 *   - (0): Reserved
 *   - (-EINVAL): Bad length or alignment
 *   - (-ENOSPC): The table is full, or no place was found
 */
int ukplat_area_reserve(const char *name, __sz len, __sz align,
			__vaddr_t *base);

/**
 * Reserves an area and maps it.
 *
 * @param name
 *   Shown in the memory map; must stay valid
 * @param paddr
 *   First frame (device memory, tables), or __PADDR_ANY for zeroed frames
 * @param pages
 *   Number of pages
 * @param attr
 *   PAGE_ATTR_* of <uk/plat/paging.h>
 * @param[out] base
 *   Receives the start
 *
 * @return
 *   - (0): Mapped
 *   - (-EINVAL), (-ENOSPC): As ukplat_area_reserve()
 *   - (-ENOMEM): No memory for the pages or the page tables
 */
int ukplat_area_map(const char *name, __paddr_t paddr, unsigned long pages,
		    unsigned long attr, __vaddr_t *base);

/**
 * Unmaps an area and forgets it. Frames that ukplat_area_map() allocated are
 * freed, others are not.
 *
 * @param base
 *   Start of the area
 */
void ukplat_area_destroy(__vaddr_t base);

/**
 * Reports every base of this boot: image segments, direct map, stacks,
 * tables, areas of others.
 *
 * @param fn
 *   Called for each; must not create or destroy areas
 * @param arg
 *   Passed to fn
 */
void ukplat_map_foreach(void (*fn)(void *arg, const char *name, __uptr base,
				   __sz len),
			void *arg);

/**
 * Addresses of the lower half that are not for others: the image can be asked
 * to run there, and then it shares no page table with anybody.
 *
 * @param[out] base, len
 *   Receive the range, page aligned
 *
 * @return
 *   1 if there are any
 */
int ukplat_lower_used(__vaddr_t *base, __sz *len);

/**
 * Address of physical memory in the direct map.
 *
 * @param paddr
 *   Address of RAM. The image and the metadata of the frame allocator are
 *   not there: they have no second address. Neither are devices.
 */
void *ukplat_paddr_to_ptr(__paddr_t paddr);

/**
 * A page of low memory that belongs to nobody else, for the start of other
 * CPUs.
 *
 * @return
 *   Physical address, page aligned, in [4 KiB, 640 KiB), or 0 if there is
 *   none
 */
__paddr_t ukplat_lowmem_page(void);

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_MEMORY_H__ */
