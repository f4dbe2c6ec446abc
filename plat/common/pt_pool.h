/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PT_POOL_H__
#define __UKPLAT_PT_POOL_H__

/* Frames for page tables
 *
 * Why
 *   Who can write to a page table owns the machine, so tables do not lie where
 *   everything else lies: the direct map does not have them. And a frame that
 *   was a table never becomes anything else while some CPU might still walk
 *   it.
 *
 * How
 *   Tables come from blocks of 2 MiB. A block leaves the direct map when it
 *   becomes part of the pool, and appears in a window of its own, at another
 *   random base, where only blocks are mapped:
 *
 *      direct map   | RAM |     | RAM            |     | RAM |
 *      window              |blk|                  |blk|
 *      paddr        0 ------------------------------------------>
 *
 *   A bitmap of all blocks tells which tables are free; one of those in the
 *   first blocks is drawn at random, at least 256 to choose from: numbers of
 *   tables are, until one is free. What is left of a random word is for the
 *   next draw, unless another epoch has begun. The pool grows when few are
 *   left, and gives blocks without tables back when memory is short.
 *
 * Invariants
 *   L1 A block is mapped in the window or in the direct map, never in both.
 *   L2 A table that is free is zero, or is known to be stale, and cleared when
 *      it is drawn.
 *   L3 `free` is the number of bits in the bitmap, and those of the blocks
 *      are what lies in them. None lies behind the last block.
 *
 * Concurrency
 *   One lock for the bitmaps, below that of the page table. Blocks come and
 *   go under another one, which is above, with interrupts disabled; it is
 *   held while other CPUs are waited for, and who waits for it polls.
 */

#include <uk/arch/types.h>
#include <uk/falloc.h>
#include <uk/plat/paging.h>

#include "pt.h"

/** Tables that the pool has at least, if there is memory */
#define PT_POOL_LOW 64UL

struct boot_info;

/**
 * Starts the pool with the blocks of the loader, whose memory the frame
 * allocator has, and thinks free. Boot only.
 *
 * @return
 *   - (0): Started
 *   - (-ENOMEM): The memory of a block is not free
 */
int pt_pool_take_over(const struct boot_info *info, struct uk_falloc *fa);

/** Tells whether a block of the pool begins at an address. */
int pt_pool_has(__paddr_t paddr);

/**
 * Draws a free table. Any context, pt->lock may be held.
 *
 * @param max
 *   The table ends below this address
 *
 * @return
 *   Physical address, or __PADDR_INV if there is none
 */
__paddr_t pt_pool_take(__paddr_t max);

/** Gives a table back, which is zero. Any context, pt->lock may be held. */
void pt_pool_put(__paddr_t paddr);

/**
 * Draws free tables, all or none, and adds them to a list. Context as
 * pt_pool_take(), under one hold of the lock.
 *
 * @return
 *   - (0): Added
 *   - (-ENOMEM): Not that many are free
 */
int pt_pool_take_list(struct pt_frames *list, unsigned long cnt);

/** Gives all tables of a list back, which are zero but for their links. */
void pt_pool_put_list(struct pt_frames *list);

/** Number of free tables; may be outdated at once. */
unsigned long pt_pool_free(void);

/** How many of them pt_pool_shrink() would give back; any context. */
unsigned long pt_pool_spare(void);

/**
 * Makes the pool have so many free tables.
 *
 * **Context:** as ukplat_tlb_sync(), no lock held
 *
 * @return
 *   - (0): It had
 *   - (-ENOMEM): No block is free
 */
int pt_pool_want(struct uk_pagetable *pt, unsigned long tables);

/**
 * Makes the pool have PT_POOL_LOW tables, unless there was no block for them
 * not long ago.
 *
 * **Context:** as pt_pool_want()
 */
void pt_pool_top_up(struct uk_pagetable *pt);

/**
 * Gives blocks back that have no table in use, as long as PT_POOL_LOW stay.
 *
 * **Context:** as ukplat_tlb_sync(), no lock held
 */
void pt_pool_shrink(struct uk_pagetable *pt);

#endif /* __UKPLAT_PT_POOL_H__ */
