/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PT_LEAVE_H__
#define __UKPLAT_PT_LEAVE_H__

/* The way of unmapped pages: quarantine, collection, or list of laden tables
 *
 * Why
 *   Their frames may be used again when all CPUs have forgotten the pages, and
 *   there are three ways to see to that.
 *
 * How
 *   Lazy zombies next to each other are a run. It joins the unmap quarantine
 *   (pt_lazy.c), with clear frames, so that writes after unmap are seen. If it
 *   is long, and all other CPUs sleep before and after, nobody remembers it: it
 *   is collected at once, without that. Tables that nothing else is in are cut
 *   off in the second case, and become laden (pt_laden.h).
 *
 * Invariants
 *   Those of pt.h; P6 for runs, B1 for tables.
 *
 * Concurrency
 *   An unmapping belongs to its caller. These functions flush and wait, so
 *   pt->lock is not held.
 */

#include <uk/arch/types.h>

#include "pt.h"
#include "pt_laden.h"

/** An unmapping under way */
struct pt_unmapping {
	struct uk_pagetable *pt;
	/** Mark of the zombies; 0: the frames stay with the caller */
	__u64 kind;
	/** It is long, and all other CPUs slept when it began */
	int alone;
	/** Entries that were changed, of pages with frames */
	unsigned long cnt;
	/** Those of pages that waited for one */
	unsigned long untouched;
	/** Lazy zombies without a gap that are not in the quarantine yet */
	__vaddr_t run;
	unsigned long run_pages;
	/** Steps so far */
	unsigned int steps;
	/** Tables that are cut off; frames in these and all before */
	struct pt_cut *cut;
	unsigned long laden;
};

/**
 * Clears the frames of zombies, the first n entries of a chunk, or of a large
 * page; they keep the table where it is (P7).
 */
void pt_frames_clear(const struct pt_chunk *chunk, unsigned long n);

/**
 * Ends the run: collects it if nobody else remembers it. Frames are clear where
 * other CPUs may find them; otherwise they are cleared when they are taken
 * again.
 *
 * **Context:** as ukplat_page_unmap(), pt->lock not held
 */
void pt_leave_run(struct pt_unmapping *u);

/**
 * Hands the tables that are cut off over when all CPUs have forgotten them. A
 * CPU that has woken up since the unmapping began may have written to their
 * pages: that is lost, and nobody sees it.
 *
 * **Context:** as pt_leave_run()
 */
void pt_leave_cut(struct pt_unmapping *u);

#endif /* __UKPLAT_PT_LEAVE_H__ */
