/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_AREA_TABLE_H__
#define __UKPLAT_AREA_TABLE_H__

/* Areas of the upper half, and where the next one goes
 *
 * Why
 *   Loader and guest place areas; both must do it the same way and know of
 *   each other's.
 *
 * How
 *   An array in no order. A place is drawn from all there are until it has
 *   AREA_GAP unmapped bytes on both sides; the half is nearly empty. Without
 *   randomization it is the lowest place above AREA_FIXED_FIRST.
 *
 * Invariants
 *   A1 Areas lie in the upper half, at least AREA_GAP apart and away from
 *      its ends. One that was put to a fixed place may lie in the lower half.
 *
 * Concurrency
 *   None of its own. Pure: touches nothing but its arguments.
 */

#include <uk/arch/paging.h>
#include <uk/arch/types.h>

/* Unmapped addresses around every area */
#define AREA_GAP 0x200000UL

#define AREA_FIRST (UKARCH_VADDR_UPPER_START + AREA_GAP)
#define AREA_LIMIT (-AREA_GAP)

/* Where areas begin that are not at random places */
#define AREA_FIXED_FIRST 0xffff900000000000UL

#define AREA_NAME_LEN 32

struct area {
	char name[AREA_NAME_LEN];
	__vaddr_t base;
	__sz len;
	/** Unmapping frees the frames */
	__u32 owned;
	/** Part of the image: map rows come from its segments */
	__u32 image;
};

/** Draws a number from [0, bound). */
typedef __u64 area_uniform_fn(void *arg, __u64 bound);

/** Tells whether a range comes too close to an area of a table. */
int area_table_collides(const struct area *tab, unsigned int cnt,
			__vaddr_t base, __sz len);

/**
 * Finds a place for an area.
 *
 * @param tab, cnt
 *   The areas there are
 * @param len
 *   Length in bytes, a multiple of the page size, not 0
 * @param align
 *   Alignment of the start, a power of two, at least the page size
 * @param uniform, arg
 *   Draws the place; __NULL: the lowest place is taken
 * @param[out] base
 *   Receives the start
 *
 * @return
 *   - (0): Found
 *   - (-ENOSPC): There is none, or chance did not find it
 */
int area_table_place(const struct area *tab, unsigned int cnt, __sz len,
		     __sz align, area_uniform_fn *uniform, void *arg,
		     __vaddr_t *base);

/** Fills an entry in; the name is cut to its length. */
void area_set(struct area *area, const char *name, __vaddr_t base, __sz len);

#endif /* __UKPLAT_AREA_TABLE_H__ */
