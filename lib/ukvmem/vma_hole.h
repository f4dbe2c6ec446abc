/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKVMEM_VMA_HOLE_H__
#define __UKVMEM_VMA_HOLE_H__

/* Random places for new areas
 *
 * How
 *   A *place* is an aligned address in the window where the new area would
 *   overlap nothing, nor would the margins that are wanted on both sides of
 *   it. First a few addresses of the window are tried at
 *   random; the space is huge and nearly empty, so the first one fits almost
 *   always. If none does, all places are counted, hole by hole, and the n-th
 *   is taken for a random n. Both ways choose uniformly among all places.
 *   Subtrees without a hole that is long enough are not entered: counting
 *   costs O(log n) per fitting hole.
 *
 * Concurrency
 *   None of its own; callers hold the lock of the VAS. The random words are
 *   drawn beforehand, without the lock.
 */

#include <uk/arch/types.h>
#include <uk/vmem.h>

/* A try hits the window with probability > 1/2 (see vma_hole_draw()), so
 * that all of them miss an empty window in less than one of 2^7 calls. Then
 * the counting walk decides, which costs time and nothing else.
 */
#define VMA_HOLE_TRIES 7
/* One word a try, one for the choice by counting */
#define VMA_HOLE_WORDS (VMA_HOLE_TRIES + 1)

/** What a place has to fulfil */
struct vma_hole_req {
	__vaddr_t start; /* window [start, end), page aligned */
	__vaddr_t end;
	__sz len;    /* bytes, not 0 */
	__sz align;  /* bytes, power of two */
	__sz before; /* margins in the window, bytes */
	__sz after;
};

/** Counts the places */
__u64 vma_hole_count(const struct uk_vma *root, const struct vma_hole_req *req);

/**
 * Returns a place by number, in ascending order.
 *
 * @param nth
 *   Number, below vma_hole_count()
 */
__vaddr_t vma_hole_get(const struct uk_vma *root,
		       const struct vma_hole_req *req, __u64 nth);

/**
 * Chooses one of all places, each with the same probability.
 *
 * @param words
 *   VMA_HOLE_WORDS random words, used up
 * @param[out] vaddr
 *   Receives the place
 *
 * @return
 *   - (0): Found
 *   - (-ENOMEM): There is no place
 */
int vma_hole_draw(struct uk_vma *root, const struct vma_hole_req *req,
		  const __u64 *words, __vaddr_t *vaddr);

#endif /* __UKVMEM_VMA_HOLE_H__ */
