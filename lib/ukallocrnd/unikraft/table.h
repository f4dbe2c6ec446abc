/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_UNIKRAFT_TABLE_H__
#define __UKALLOCRND_UNIKRAFT_TABLE_H__

/* Page tables of the window: the addresses that heaps have for themselves
 *
 * Why
 *   Unikraft has no page tables to offer in some configurations, takes no lock
 *   around them in others, and frees what it unmaps before other CPUs have
 *   forgotten it. But on x86_64 a CPU always has a top level table, and half
 *   of its lower half is enough for heaps: whoever fills these entries alone
 *   needs nobody else.
 *
 *      0            2^46 WINDOW_START        2^47 WINDOW_END
 *      |  Unikraft   |  heaps                 |
 *
 * How
 *   Pages have 4 KiB. What is unmapped keeps its frame for as long as another
 *   CPU may remember it: the entry is then a zombie, not present, and says
 *   which batch of the shootdown it waits for. A page that is mapped again
 *   while it is a zombie gets the same frame back.
 *
 *        map             unmap             reap
 *   0 ---------> present -----> zombie(id) -----> 0, frame is free
 *                   ^-------------/ map
 *
 *   An entry for a table also holds the number of its entries that are not 0.
 *   A table that has become empty is taken out, and waits in turn. A page
 *   below it may be mapped before it is free, with a new table: a CPU that
 *   remembers the old one faults there, forgets it, and tries again.
 *
 * Invariants
 *   T1 The count in an entry for a table is the number of entries of that
 *      table that are not 0.
 *   T2 A frame is behind one entry, present or zombie, or free, or a table, or
 *      in a list of retired tables.
 *   T3 No table below the top is empty, except for new ones of a failed
 *      rnd_table_map(), which the next reap nearby takes.
 *
 * Concurrency
 *   None of its own: the caller holds the lock of the port, but for
 *   rnd_table_allows(). CPUs walk the tables at any time, so every state in
 *   between is a valid one.
 */

#include <uk/arch/types.h>

#include "frame.h"
#include "glue.h"

#define RND_WINDOW_START (1UL << 46)
#define RND_WINDOW_END	 (1UL << 47)

/* Numbers of batches, from 0 */
#define RND_TABLE_IDS 1024U

/** Tables that are taken out, a list through their first entries */
struct rnd_tables_retired {
	__paddr_t head;
	__sz cnt;
};

/**
 * Maps a page, which is not mapped, to a frame full of zeros. Never
 * executable.
 *
 * @param[out] changed
 *   Address of the first byte that was written since the page was unmapped,
 *   if it still has its old frame; otherwise 0
 *
 * @return
 *   0, or -ENOMEM: nothing is mapped
 */
int rnd_table_map(__uptr addr, __uptr *changed);

/**
 * The same with a frame that the caller has taken, or RND_FRAME_NONE. It is
 * free if it is not used: on failure, or if the page still has its old one.
 */
int rnd_table_map_to(__uptr addr, __paddr_t frame, __uptr *changed);

/** Frame of a page, RND_FRAME_NONE if it is not mapped. */
__paddr_t rnd_table_frame(__uptr addr);

/**
 * Unmaps a page if it is mapped and makes the calling CPU forget it.
 *
 * @param id
 *   Batch that it waits for, below RND_TABLE_IDS
 * @param is_clean
 *   1 to clear the frame: it is only needed if somebody may remember it
 *
 * @return
 *   1 if there is a zombie now
 */
__bool rnd_table_unmap(__uptr addr, __u32 id, __bool is_clean);

/**
 * Frees the frame of a page if it is a zombie of the given batch, and takes
 * out tables that have become empty. No CPU remembers the page any more.
 *
 * @param is_clean
 *   1 if the frame must still be full of zeros
 *
 * @return
 *   0, or the address of the first byte of the page that was written after it
 *   was unmapped
 */
__uptr rnd_table_reap(__uptr addr, __u32 id, __bool is_clean,
		      struct rnd_tables_retired *retired);

/** Frees tables that no CPU remembers. */
void rnd_table_free(struct rnd_tables_retired *retired);

/** Makes a mapped page read-only, and the calling CPU know it. */
void rnd_table_seal(__uptr addr);

/** True if a page is mapped. */
__bool rnd_table_is_mapped(__uptr addr);

/**
 * True if a page is mapped, and may be written if is_write: what faulted was an
 * old state. Needs no lock, but interrupts off: the CPU must not pass a
 * generation in the middle, or the tables it looks at may become free.
 */
__bool rnd_table_allows(__uptr addr, __bool is_write);

#endif /* __UKALLOCRND_UNIKRAFT_TABLE_H__ */
