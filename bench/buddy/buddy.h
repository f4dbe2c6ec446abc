/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __BENCH_BUDDY_H__
#define __BENCH_BUDDY_H__

/* A binary buddy allocator, the yardstick of the benchmark
 *
 * Why
 *   Unikernels ship such an allocator as their default: pages in runs of
 *   powers of two, everything else one run an object. This one is written for
 *   comparison and has what the comparison needs: one lock that makes it
 *   usable from several CPUs and from interrupts, and pages that may be freed
 *   in parts. It has no hardening at all.
 *
 * How
 *   Memory comes in regions. A region starts with a table of one byte per
 *   page: order + 1 for the first page of a free run, 0 for all others. Free
 *   runs of an order are on a list that is threaded through their first
 *   pages. A run of order k starts at a page number that is a multiple of
 *   2^k; its buddy's number differs in bit k only.
 *
 * Invariants
 *   B1. A page is in at most one free run, and then only the first page of
 *       that run has a state other than 0.
 *   B2. Of two buddies of one order and region at most one is free: two free
 *       ones are one run of the next order.
 *   B3. free_pages is the sum over the lists.
 *
 * Concurrency
 *   Everything under one spinlock, interrupts disabled.
 *
 * Source
 *   K. Knowlton, A fast storage allocator, CACM 8(10), 1965.
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes an allocator out of a piece of memory and registers it. Its state
 * lies at the start of the memory.
 *
 * Context: one CPU.
 *
 * @param base
 *   Start of the memory
 * @param len
 *   Length in bytes; partial pages at both ends are left alone
 *
 * @return
 *   The allocator, or __NULL if the memory is too small for its own tables
 */
struct uk_alloc *uk_buddy_init(void *base, __sz len);

/**
 * Tests B1 to B3 on all regions. Takes the lock.
 *
 * @return
 *   1 if they hold, 0 otherwise
 */
int uk_buddy_is_valid(struct uk_alloc *a);

#ifdef __cplusplus
}
#endif

#endif /* __BENCH_BUDDY_H__ */
