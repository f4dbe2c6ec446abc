/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKVMEM_PRIV_H__
#define __UKVMEM_PRIV_H__

/* Inside of ukvmem: private functions, grouped by the file they are in
 *
 * Life of an area
 *
 *            map: insert            populate done
 *   (none) --------------> busy ------------------> at rest
 *      ^                    | ^                        |
 *      +--------------------+ +------------------------+
 *       populate failed, or     unmap, set_attr: begin
 *       unmap done              (set_attr ends: at rest)
 *
 * Busy areas stay in the set, so their addresses are taken. Only the
 * operation that made an area busy touches it or changes its pages.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>
#include <uk/vmem.h>

/* vas.c */

/**
 * Makes sure that count + keep objects are in the pool, with frames if
 * necessary. The lock is held.
 *
 * @return
 *   0, or -ENOMEM; the pool is then as before
 */
int vas_pool_want(struct uk_vas *vas, __sz count, __sz keep);

/** Gives pages that the pool does not need back. The lock is held. */
void vas_pool_trim(struct uk_vas *vas);

/** Puts a VMA into the set. The lock is held. */
void vas_insert(struct uk_vas *vas, struct uk_vma *vma);

/** Takes a VMA out of the set, into the pool. The lock is held. */
void vas_remove(struct uk_vas *vas, struct uk_vma *vma);

/* vma_split.c */

/**
 * Splits an area; it keeps the part below the address. The lock is held and
 * there is an object in the pool.
 */
void vma_split(struct uk_vma *vma, __vaddr_t vaddr);

/**
 * Joins an area with its neighbours as far as they are at rest, agree, and
 * come from the same call of uk_vma_map(). So a join only ever undoes a
 * split, and an area that was mapped in one piece can be unmapped in one.
 * The lock is held.
 */
void vma_join(struct uk_vma *vma);

/* vma_range.c */

/** An operation on all areas in [start, end) */
struct vma_range {
	struct uk_vas *vas;
	__vaddr_t start;
	__vaddr_t end;
	__bool is_strict; /* refuse holes */
	__bool sets_attr; /* refuse areas whose attributes are fixed */

	struct uk_vma *vmas; /* what it works on, chained through op_next */
};

/**
 * Fills in a range from parameters of the public functions.
 *
 * @return
 *   0, or -EINVAL
 */
int vma_range_init(struct vma_range *range, struct uk_vas *vas, __vaddr_t vaddr,
		   __sz len, unsigned long flags);

/**
 * Splits the areas at both ends of a range and makes all inside busy.
 *
 * @return
 *   0, or -ENOENT, -EPERM, -EBUSY, -ENOMEM as uk_vma_unmap(); nothing has
 *   changed then
 */
int vma_range_begin(struct vma_range *range);

/** Ends the operation for one area, which stays. The lock is held. */
void vma_range_keep(struct uk_vma *vma);

/* vma_anon.c */

/** Maps zeroed pages with the attributes of the VMA, all or nothing */
int vma_anon_map(const struct uk_vma *vma, __vaddr_t vaddr, __sz len);

/** The unmap operation of areas that own their frames */
int vma_anon_unmap(struct uk_vma *vma, __vaddr_t vaddr, __sz len);

#endif /* __UKVMEM_PRIV_H__ */
