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
 *   (none) --------------> busy ------------------> at rest <---+ fault
 *      ^                    | ^                      | |  |     |
 *      +--------------------+ +----------------------+ |  +-----+
 *       populate failed, or     unmap, set_attr:       |
 *       unmap done              begin, when no fault   | map: replace
 *                               is under way           v
 *                              (set_attr ends:      out of the set, until
 *                               at rest)            its pages are gone
 *
 * Busy areas stay in the set, so their addresses are taken. Only the
 * operation that made an area busy touches it or changes its pages.
 *
 * Invariants
 *   V1 A busy area has no fault under way, and none begins.
 *   V2 An area with a fault under way is not removed, and its ops, attr,
 *      flags, priv and origin do not change.
 *   V3 Pages of an area whose kind has faults lie in [used_start, used_end),
 *      which may reach over its ends after a split; other kinds cannot know,
 *      so all of such an area counts as used.
 */

#include <errno.h>

#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/paging.h>
#include <uk/spinlock.h>
#include <uk/vmem.h>

#include "vma_hole.h"
#include "vma_pool.h"
#include "vma_tree.h"

/* Rounds of reclaiming memory before an operation gives up. What came back
 * may be gone before it is asked for, so more than one; who takes it all the
 * time has to be told in the end.
 */
#define VMEM_RECLAIM_TRIES 3

/** All attributes that pages of areas can have */
#define VMEM_ATTR_ALL                                                          \
	(PAGE_ATTR_PROT_RW | PAGE_ATTR_PROT_EXEC | PAGE_ATTR_DEVICE)

/** The calling CPU, counted from 1 */
#if __STDC_HOSTED__
__u32 vmem_cpu(void);
#else
static inline __u32 vmem_cpu(void)
{
	return ukplat_lcpu_idx() + 1;
}
#endif /* !__STDC_HOSTED__ */

/** Tests attributes for areas; 0, -EINVAL or -EPERM */
int vmem_attr_check(unsigned long attr);

/* vas.c */

/** Takes the lock of an address space; returns the interrupt state. */
static inline unsigned long vas_lock(struct uk_vas *vas)
{
	unsigned long irqf = uk_spin_lock_irqsave(&vas->lock);

	/* Relaxed: a CPU compares it with itself, and sees its own stores */
	__atomic_store_n(&vas->holder, vmem_cpu(), __ATOMIC_RELAXED);
	return irqf;
}

/** Releases the lock and restores the interrupt state. */
static inline void vas_unlock(struct uk_vas *vas, unsigned long irqf)
{
	__atomic_store_n(&vas->holder, 0, __ATOMIC_RELAXED);
	uk_spin_unlock_irqrestore(&vas->lock, irqf);
}

/**
 * Gives others a chance to take the lock, which is held before and after.
 * Interrupts stay disabled: a handler that faults could wait for the caller.
 */
void vas_lock_yield(struct uk_vas *vas);

/* The long half of the function below */
__bool vas_reclaim_slow(struct uk_vas *vas, unsigned int *tries);

/**
 * Decides after an operation whether it is worth another try: it failed for
 * lack of memory and some could be reclaimed. No lock is held.
 *
 * @param[in,out] tries
 *   Tries that are left; VMEM_RECLAIM_TRIES before the first
 */
static inline __bool vas_reclaim(struct uk_vas *vas, int rc,
				 unsigned int *tries)
{
	return unlikely(rc == -ENOMEM) && vas_reclaim_slow(vas, tries);
}

/* The long halves of the functions below */
int vas_pool_grow(struct uk_vas *vas, __sz objects);
void vas_pool_shrink(struct uk_vas *vas, __sz keep);

/**
 * Makes sure that count + keep objects are in the pool, with frames if
 * necessary. The lock is held.
 *
 * @return
 *   0, or -ENOMEM; the pool is then as before
 */
static inline int vas_pool_want(struct uk_vas *vas, __sz count, __sz keep)
{
	if (likely(vas->pool.free >= count + keep))
		return 0;
	return vas_pool_grow(vas, count + keep);
}

/** Gives pages that the pool does not need back. The lock is held. */
static inline void vas_pool_trim(struct uk_vas *vas)
{
	/* A page more than needed: no frame goes back and forth when the
	 * number of areas moves around a limit
	 */
	const __sz keep = VMA_POOL_RESERVE + VMA_PER_PAGE;

	if (vas->pool.free >= VMA_PER_PAGE + keep)
		vas_pool_shrink(vas, keep);
}

/**
 * Puts a VMA into the set unless it overlaps one there. The lock is held.
 *
 * @return
 *   1 if it is in the set
 */
static inline __bool vas_try_insert(struct uk_vas *vas, struct uk_vma *vma)
{
	if (unlikely(!vma_tree_try_insert(&vas->root, vma)))
		return 0;
	vas->vma_count++;
	vas->mapped_len += uk_vma_len(vma);
	return 1;
}

/** Puts a VMA that overlaps none into the set. The lock is held. */
void vas_insert(struct uk_vas *vas, struct uk_vma *vma);

/** Takes a VMA out of the set; it stays the caller's. The lock is held. */
void vas_take_out(struct uk_vas *vas, struct uk_vma *vma);

/** Takes a VMA out of the set, into the pool. The lock is held. */
void vas_remove(struct uk_vas *vas, struct uk_vma *vma);

/**
 * Takes the VMA of exactly these addresses out of the set, into the pool, if
 * it is at rest and has no pages. The lock is held.
 *
 * @return
 *   1 if it has gone
 */
__bool vas_remove_clear(struct uk_vas *vas, __vaddr_t start, __vaddr_t end);

/* vma_place.c */

/** Tells whether an area may be there. Alignment does not matter */
static inline __bool vma_place_is_inside(__vaddr_t vaddr, __sz len)
{
	return vaddr >= UK_VAS_START && len <= UK_VAS_END - UK_VAS_START &&
	       vaddr <= UK_VAS_END - len;
}

/** Where a new area may go */
struct vma_place {
	__vaddr_t vaddr; /* wanted, or __VADDR_ANY */
	__sz len;	 /* bytes, multiple of align */
	__sz align;
	__bool is_hint;	 /* any other place will do */
	__bool replaces; /* what is at vaddr goes */
	__u64 words[VMA_HOLE_WORDS + 1];
};

/**
 * Checks what was asked for and draws random words. No lock is held: the
 * generator may take its time.
 *
 * @return
 *   0, -EINVAL, or -ENOSPC if no place can be long enough
 */
int vma_place_init(struct vma_place *place, __vaddr_t vaddr, __sz len,
		   unsigned long flags);

/**
 * Chooses an address. The lock is held. One that is no hint is not looked at:
 * the insertion will tell.
 *
 * @return
 *   0, or -ENOSPC if there is no place
 */
int vma_place_choose(const struct uk_vas *vas, const struct vma_place *place,
		     __vaddr_t *vaddr);

/* vma_map.c */

/**
 * Makes a busy VMA after a model and puts it into the set. The lock is held
 * and there is an object in the pool.
 *
 * @return
 *   The VMA, or __NULL if some of its addresses are taken
 */
struct uk_vma *vma_insert_busy(const struct uk_vma *model, __vaddr_t vaddr);

/* vma_replace.c */

/**
 * Puts a busy VMA in the place of everything in its range, whose pages are
 * gone when the function returns. No lock is held.
 *
 * @param model
 *   What the VMA is like; its start is 0
 *
 * @return
 *   0, or -EPERM, -EBUSY, -ENOMEM as uk_vma_map(); nothing has changed then,
 *   unless a kind failed to unmap pages
 */
int vma_replace(const struct uk_vma *model, __vaddr_t vaddr,
		struct uk_vma **vma);

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
 * Where a fault is under way, the join is left to its end. The lock is held.
 */
void vma_join(struct uk_vma *vma);

/* vma_range.c */

/** Areas that only in part lie in a range, and are not split */
enum vma_whole {
	VMA_WHOLE_NONE, /* none: if one must not be split, nothing is done */
	VMA_WHOLE_KIND, /* those that must not be split */
	VMA_WHOLE_ALL
};

/** An operation on all areas in [start, end) */
struct vma_range {
	struct uk_vas *vas;
	__vaddr_t start;
	__vaddr_t end;
	__bool is_strict; /* refuse holes */
	__bool sets_attr; /* refuse areas whose attributes are fixed */
	enum vma_whole whole;

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
 * Waits for faults in a range, splits the areas at both ends as range->whole
 * says, and makes all inside busy. The lock is held, but not all the time.
 *
 * @param count, keep
 *   Objects that the caller needs besides, and that it has to leave, as for
 *   vas_pool_want()
 *
 * @return
 *   0, or -ENOENT, -EPERM, -EBUSY, -ENOMEM as uk_vma_unmap(); nothing has
 *   changed then
 */
int vma_range_claim(struct vma_range *range, __sz count, __sz keep);

/** As vma_range_claim() for no other objects; no lock is held. */
int vma_range_begin(struct vma_range *range);

/**
 * Tests whether a range can be worked on, without changing anything but
 * range->vmas, which receives the first area above its start. The lock is held.
 *
 * @param[out] objects
 *   Number of splits that it takes
 *
 * @return
 *   As vma_range_claim(), or -EAGAIN: a fault is under way
 */
int vma_range_check(struct vma_range *range, __sz *objects);

/**
 * Ends the operation for the rest of its areas, which stay, and gives objects
 * that the pool does not need back. They come to rest from the lowest to the
 * highest, so each joins what lies below it; the one above is still busy. The
 * lock is held.
 *
 * @param vma
 *   The first of them, __NULL if there is none
 */
void vma_range_rest(struct uk_vas *vas, struct uk_vma *vma);

/* vma_unmap.c */

/**
 * Unmaps the pages of all areas of a range, which are busy and need no lock.
 *
 * @param[out] stop
 *   First area whose pages are still there, __NULL if there is none
 *
 * @return
 *   0, or what the kind said
 */
int vma_range_unmap(const struct vma_range *range, struct uk_vma **stop);

/* vma_page.c */

/**
 * Notes that pages of an area may be mapped in a range (V3). The lock is
 * held, or the area is busy.
 */
void vma_note_used(struct uk_vma *vma, __vaddr_t start, __vaddr_t end);

/** The set_attr operation of areas that get their pages by and by */
int vma_pages_set_attr(struct uk_vma *vma, unsigned long attr);

/** Cuts a range down to where an area may have pages; 0: there are none */
__bool vma_clip_used(const struct uk_vma *vma, __vaddr_t *start,
		     __vaddr_t *end);

/* vma_fault.c */

/**
 * Supplies the page at an address. Interrupts are disabled: a handler that
 * faults would wait for an operation that waits for this fault.
 *
 * @param type
 *   UK_VMA_FAULT_*. With UK_VMA_FAULT_SOFT attributes do not matter
 * @param regs
 *   What was interrupted, or __NULL
 *
 * @return
 *   - (0): The page is there
 *   - (-EBUSY): An operation works on the area
 *   - (-EAGAIN): An operation waits for faults that are under way
 *   - (-EDEADLK): The operation is one of this CPU, or it holds the lock
 *   - (-EFAULT): No area, or one without pages here
 *   - (-EACCES): The attributes forbid it
 *   - (-ENOMEM): No memory, even after reclaiming some
 *   - Another negative errno: The kind of the area failed
 */
int vas_fault(struct uk_vas *vas, __vaddr_t vaddr, unsigned int type,
	      const struct __regs *regs);

/**
 * Serves a page fault from the active address space, with interrupts
 * disabled.
 *
 * @return
 *   - (0): Try the instruction again
 *   - As vas_fault() but for -EBUSY, -EAGAIN: The access is an error
 */
int vmem_pagefault(__vaddr_t vaddr, unsigned int type,
		   const struct __regs *regs);

/* pagefault.c */

/** Makes the platform ask this library about page faults. */
void vmem_pagefault_install(void);

/* vma_anon.c */

/** Maps zeroed pages with the attributes of the VMA, all or nothing */
int vma_anon_map(const struct uk_vma *vma, __vaddr_t vaddr, __sz len);

/** Tells whether large pages were asked for. */
static inline __bool vma_is_large(const struct uk_vma *vma)
{
	return UK_VMA_MAP_SIZE_TO_ORDER(vma->flags) >= PAGE_LARGE_SHIFT;
}

/** The fault operation of areas that own zeroed frames */
int vma_anon_fault(struct uk_vma *vma, struct uk_vm_fault *fault);

/** The unmap operation of areas that own their frames */
int vma_anon_unmap(struct uk_vma *vma, __vaddr_t vaddr, __sz len);

/** The advise operation of areas that own their frames */
int vma_anon_advise(struct uk_vma *vma, __vaddr_t vaddr, __sz len,
		    unsigned long advice);

#endif /* __UKVMEM_PRIV_H__ */
