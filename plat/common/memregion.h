/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_MEMREGION_H__
#define __UKPLAT_MEMREGION_H__

/* Memory map: what the loader says, made fit for use
 *
 * Why
 *   Maps of real firmware are not sorted, overlap and do not keep to pages.
 *   A frame that is in doubt must not be used.
 *
 * How
 *   Regions are added as they come. memregion_normalise() cuts them at all
 *   borders and gives each piece the strongest type that covers it.
 *
 * Invariants after memregion_normalise() (memregion_is_valid() tests them)
 *   M1 Regions are sorted, do not overlap and are not empty.
 *   M2 All borders are multiples of the page size; a page that is only partly
 *      free memory is not free memory.
 *   M3 Neighbours that touch have different types.
 *
 * Concurrency
 *   Boot CPU only. Pure: touches nothing but its arguments.
 */

#include <uk/arch/types.h>

#define MEMREGION_MAX 128

/* The greater type wins where regions overlap */
enum memregion_type {
	/** Free memory */
	MEMREGION_FREE = 1,
	/** The loader, its modules: free when it has ended */
	MEMREGION_LOADER,
	/** Blocks of page tables: free when they have no table any more */
	MEMREGION_TABLES,
	/** Memory in use by the platform */
	MEMREGION_USED,
	/** The loader or the firmware keeps it */
	MEMREGION_RESERVED
};

struct memregion {
	__paddr_t start;
	__paddr_t end;
	enum memregion_type type;
};

struct memregion_list {
	unsigned int cnt;
	struct memregion r[MEMREGION_MAX];
};

/**
 * Adds a region as it is. An empty one is ignored, one that leaves the
 * address space is cut.
 *
 * @return
 *   - (0): Added
 *   - (-ENOSPC): The list is full
 */
int memregion_add(struct memregion_list *list, __paddr_t start, __sz len,
		  enum memregion_type type);

/**
 * Establishes the invariants.
 *
 * @return
 *   - (0): Done
 *   - (-ENOSPC): The pieces do not fit into the list; the list is unchanged
 */
int memregion_normalise(struct memregion_list *list);

/** Tells whether the invariants hold. */
int memregion_is_valid(const struct memregion_list *list);

/**
 * Finds the next range that consists of weak types only, as long as it is.
 *
 * @param list
 *   A normalised list
 * @param[in,out] next
 *   Number of the region to begin with; receives that behind the range
 * @param type
 *   The strongest type that may be in it
 * @param[out] start, end
 *   Receive the range
 *
 * @return
 *   1, or 0 if there is none any more
 */
int memregion_next(const struct memregion_list *list, unsigned int *next,
		   enum memregion_type type, __paddr_t *start, __paddr_t *end);

/**
 * Finds free memory, from the highest address down.
 *
 * @param list
 *   A normalised list
 * @param len
 *   Number of bytes
 * @param align
 *   Alignment of the start, a power of two, at least the page size
 * @param min, max
 *   The memory must lie within [min, max)
 *
 * @return
 *   Its start, or __PADDR_INV if there is none
 */
__paddr_t memregion_find(const struct memregion_list *list, __sz len,
			 __sz align, __paddr_t min, __paddr_t max);

/**
 * Draws a place in free memory: all that there are are equally likely.
 *
 * @param list, len, align, min, max
 *   As memregion_find()
 * @param uniform, arg
 *   Draws a number from [0, bound)
 *
 * @return
 *   Its start, or __PADDR_INV if there is none
 */
__paddr_t memregion_draw(const struct memregion_list *list, __sz len,
			 __sz align, __paddr_t min, __paddr_t max,
			 __u64 (*uniform)(void *arg, __u64 bound), void *arg);

#endif /* __UKPLAT_MEMREGION_H__ */
