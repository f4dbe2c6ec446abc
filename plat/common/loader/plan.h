/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PLAN_H__
#define __UKPLAT_PLAN_H__

/* Where everything goes, in memory and in the address space
 *
 * How
 *   Memory of the plan leaves the free memory of boot_info.map; places in the
 *   address space are areas of boot_info. All are drawn, each on its own,
 *   unless randomization is off: then memory is taken from the top and
 *   addresses are the lowest ones.
 *
 * Concurrency
 *   Boot CPU.
 */

#include <uk/arch/types.h>

#include "../memregion.h"

/**
 * Draws memory below 4 GiB; it is zeroed. Ends the boot if there is none.
 *
 * @param what
 *   Said if there is none
 * @param len
 *   Bytes, whole pages
 * @param type
 *   What becomes of it
 */
__paddr_t plan_memory(const char *what, __sz len, enum memregion_type type);

/** Adds an area at a place of its own; ends the boot if there is none. */
__vaddr_t plan_area(const char *name, __sz len, __sz align);

/** Adds an area at a given place, which may be anywhere. */
void plan_area_at(const char *name, __vaddr_t base, __sz len);

/** Tells whether a range is canonical and free. */
int plan_is_free(__vaddr_t base, __sz len);

/** Adds memory in use to the map. */
void plan_memory_add(__paddr_t paddr, __sz len, enum memregion_type type);

/**
 * Places what every image needs: page tables, direct map, window, metadata of
 * the frame allocator, stack. All but the direct map is mapped.
 */
void plan_platform(void);

/** Maps the direct map: all memory of the plan was drawn. */
void plan_direct_map(void);

/** End of the stack */
extern __vaddr_t plan_stack_top;

#endif /* __UKPLAT_PLAN_H__ */
