/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __BENCH_FLOOR_H__
#define __BENCH_FLOOR_H__

/* Free lists per CPU and nothing else: the floor
 *
 * Why
 *   What is left of the price when every protection is gone? Whatever an
 *   allocator with caches per CPU costs more than this one it pays for
 *   something else.
 *
 * How
 *   Requests of up to 64 KiB are rounded to a size class: steps of 16 up to
 *   128 bytes, above them four for each power of two. Each CPU has a list of
 *   free objects for each class, threaded through the objects, of up to a
 *   batch, and a full batch to spare. When both are empty it takes a batch
 *   from those that all CPUs share, or the objects of a fresh run of pages.
 *   An object goes to the list of the CPU that frees it; when there is no
 *   room, the spare batch goes to the shared ones, so that a CPU which only
 *   frees feeds one which only allocates. Pages stay with their class until
 *   all is reset.
 *
 *   A byte for each page says the class of its objects: free() needs no
 *   header. Larger and aligned requests, and the runs, are the page
 *   allocator's (buddy/), for which the byte is 0.
 *
 * Invariants
 *   F1. An object is on one list at most, and that is of its class.
 *   F2. cnt is the length of a list, at most a batch; whatever else is
 *       chained is exactly a batch.
 *   F3. The byte of a page changes before its objects exist, and when all is
 *       reset.
 *
 * Concurrency
 *   Lists of CPUs have no lock and are used with interrupts enabled: an
 *   interrupt handler must not allocate or free. What is shared of a class
 *   has a lock.
 *
 * Source
 *   J. Bonwick and J. Adams, Magazines and Vmem, USENIX 2001: two magazines
 *   a CPU, here chained through the objects.
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes an allocator out of a piece of memory and registers it, after a
 * buddy allocator of its own that has its pages.
 *
 * Context: one CPU.
 *
 * @param base
 *   Start of the memory, page aligned
 * @param len
 *   Length in bytes
 *
 * @return
 *   The allocator, or __NULL if the memory is too small for its own tables
 */
struct uk_alloc *uk_floor_init(void *base, __sz len);

/**
 * Gives all pages that were cut up back, free objects of all CPUs included:
 * the allocator is as it was made. Nothing may be live.
 *
 * Context: one CPU, the others must not use the allocator.
 */
void uk_floor_reset(struct uk_alloc *a);

#ifdef __cplusplus
}
#endif

#endif /* __BENCH_FLOOR_H__ */
