/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PT_LADEN_H__
#define __UKPLAT_PT_LADEN_H__

/* Laden tables: out of reach, with the frames of their pages still in them
 *
 * Why
 *   To give a frame back takes a hundred instructions. Who unmaps thousands of
 *   pages that were all used would make one call of that.
 *
 * How
 *   If all entries in use of a lowest level table go, and no other CPU is awake
 *   to remember them, the table is cut off as it is: one store takes up to 512
 *   pages away. It waits in a list of such tables. Whoever takes frames, at a
 *   touch mostly, gives as many of the list back, so it does not become longer
 *   if objects come and go; each map and unmap gives back a few, so it ends.
 *   From the middle of the list on who adds frames gives as many back; and who
 *   finds no frames as many as he needs.
 *
 *                unlink                add             drain
 *      in use ------------> pt_cut ----------> list ----------> pool of tables
 *                            | all CPUs forget  |
 *                                               '-> frames, at most 64 at a
 *                                                   time
 *
 *   Frames in laden tables are in use for the frame allocator, and have any
 *   contents: they are cleared when they are taken again.
 *
 * Invariants
 *   B1 No CPU can walk a table of the list, nor remembers an entry of it.
 *   B2 Entries of a table of the list are OWNED, LAZY, which is the same there,
 *      wait for a frame, which nobody promises any more, or are empty; `frames`
 *      of them are of the first two kinds.
 *   B3 `frames` of the list is the sum over its tables, which are at most a
 *      sixteenth of the memory.
 *
 * Concurrency
 *   A lock for the list, below that of the page table; below it only those of
 *   the pool of tables and of frames. What it takes of a table under the lock
 *   belongs to the caller. `frames` is read without it.
 */

#include <uk/arch/types.h>
#include <uk/plat/tlbq.h>
#include <uk/spinlock.h>

#include "pt.h"

/* Tables of the list at most: 128 MiB; and of one cut: 16 MiB */
#define PT_LADEN_MAX 64U
#define PT_CUT_MAX   8U

/* Frames that each map and unmap gives back besides what it has taken */
#define PT_LADEN_PAY 16UL

/** A table with frames in it */
struct pt_laden_table {
	__paddr_t paddr;
	/** Number of frames */
	unsigned int frames;
	/** All of them are in front of this entry */
	unsigned int end;
};

/** Tables that were taken off a range, not forgotten yet */
struct pt_cut {
	struct pt_laden_table table[PT_CUT_MAX];
	unsigned int cnt;
	/** What has to be forgotten: from the first page to the last one */
	__vaddr_t va;
	unsigned long pages;
};

/** (L) lock, (a) read without it */
struct pt_laden {
	struct uk_spinlock lock;
	/** (L)(a) Frames in all tables */
	unsigned long frames;
	/** (L) Number of tables; the last one is drained first */
	unsigned int cnt;
	struct pt_laden_table table[PT_LADEN_MAX];
};

extern struct pt_laden pt_laden;

/**
 * Cuts off the table of a chunk if everything that is in use there is in the
 * chunk, or is a lazy zombie of the caller in front of it, which the cut has
 * from then on. pt->lock is held; all other CPUs sleep or did so not long ago.
 *
 * @param va
 *   Address of the first entry of the chunk
 * @param zombies
 *   Those zombies, all in this table; may have no pages
 * @param[out] untouched
 *   Receives the number of pages that waited for a frame
 *
 * @return
 *   1 if it was cut off; else nothing has changed
 */
int pt_laden_cut(struct uk_pagetable *pt, const struct pt_chunk *chunk,
		 __vaddr_t va, const struct ukplat_tlbq_range *zombies,
		 struct pt_cut *cut, unsigned long *untouched);

/**
 * Puts the tables of a cut, which is empty afterwards, into the list. All CPUs
 * have forgotten what the cut says. Gives frames back if the list is full.
 *
 * **Context:** any, no lock held but pt->lock
 */
void pt_laden_add(struct pt_cut *cut);

/**
 * Gives so many frames of the list back, if there are as many.
 *
 * **Context:** as pt_laden_add()
 *
 * @return
 *   Number of frames
 */
unsigned long pt_laden_drain(unsigned long frames);

/** Number of frames in the list; may be outdated at once. */
static inline unsigned long pt_laden_frames(void)
{
	return __atomic_load_n(&pt_laden.frames, __ATOMIC_RELAXED);
}

/* The slow halves of the functions below */
void pt_laden_pay_taken(unsigned long frames);
void pt_laden_pay_left(const struct uk_pagetable *pt, unsigned long frames);

/** Gives back what somebody owes who has taken so many frames. */
static inline void pt_laden_take(unsigned long frames)
{
	if (unlikely(pt_laden_frames()))
		pt_laden_pay_taken(frames);
}

/** Gives back what somebody owes who has unmapped pages, and added so many
 * frames to the list.
 */
static inline void pt_laden_leave(const struct uk_pagetable *pt,
				  unsigned long frames)
{
	if (unlikely(pt_laden_frames()))
		pt_laden_pay_left(pt, frames);
}

#endif /* __UKPLAT_PT_LADEN_H__ */
