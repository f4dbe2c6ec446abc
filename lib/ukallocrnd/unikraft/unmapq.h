/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_UNIKRAFT_UNMAPQ_H__
#define __UKALLOCRND_UNIKRAFT_UNMAPQ_H__

/* Unmap quarantine: what is unmapped and may still be remembered
 *
 * How
 *   Ranges are collected in an open batch. One that is full, with a MiB, is
 *   closed: a generation starts (generation.h). When all CPUs have passed it
 *   the batch is reaped: its frames are free. Only when all batches are
 *   closed CPUs are interrupted.
 *
 *      add --> [ open ]   [ closed ] [ closed ] --> reap
 *
 *   With one CPU that can ever run, each range is reaped at once.
 *
 * Invariants
 *   Q1 head <= tail < head + RND_UNMAPQ_DEPTH. The batches [head, tail) are
 *      closed, in the order of their generations; that of tail is open.
 *   Q2 A zombie belongs to the batch that its entry names (table.h), also if
 *      older batches hold its address.
 *   Q3 A table that was taken out waits in the batch that was open then.
 *
 * Concurrency
 *   None of its own: the caller holds the lock of the port.
 */

#include <uk/arch/types.h>

#include "table.h"

#define RND_UNMAPQ_DEPTH  8U
#define RND_UNMAPQ_RANGES 252U
#define RND_UNMAPQ_PAGES  256U

struct rnd_unmapq_range {
	__uptr addr;
	__sz pages;
};

struct rnd_unmapq_batch {
	__u64 gen;
	__u32 cnt;
	__u32 pages;
	struct rnd_tables_retired tables;
	struct rnd_unmapq_range range[RND_UNMAPQ_RANGES];
};

UK_CTASSERT(sizeof(struct rnd_unmapq_batch) <= 4096);
/* No two batches at a time have the same number */
UK_CTASSERT(RND_TABLE_IDS % RND_UNMAPQ_DEPTH == 0);

struct rnd_unmapq_stats {
	__u64 batches;
	__u64 waits;
	__u64 pages;
};

extern struct rnd_unmapq_stats rnd_unmapq_stats;

/**
 * Maps a page, which is not mapped, to a frame full of zeros.
 *
 * @return
 *   0, or -ENOMEM: nothing is mapped
 */
int rnd_unmapq_map(__uptr addr);

/** The same with a frame of the caller's: see rnd_table_map_to(). */
int rnd_unmapq_map_to(__uptr addr, __paddr_t frame);

/**
 * Unmaps pages; those that are not mapped are left alone. Waits for the other
 * CPUs if too much waits for them already.
 */
void rnd_unmapq_unmap(__uptr addr, __sz pages);

/** Waits for the other CPUs until everything unmapped so far is free. */
void rnd_unmapq_drain(void);

/** Pages that wait. */
__sz rnd_unmapq_pages(void);

#endif /* __UKALLOCRND_UNIKRAFT_UNMAPQ_H__ */
