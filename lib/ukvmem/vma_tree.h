/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKVMEM_VMA_TREE_H__
#define __UKVMEM_VMA_TREE_H__

/* Ordered set of VMAs
 *
 * How
 *   An AVL tree over the start addresses; the nodes are part of the VMAs.
 *   Each node also knows the extent of its subtree and the longest hole
 *   inside it, both computed from its children alone:
 *
 *     first          start     end             last
 *      v               v        v               v
 *      [ left subtree ]  [ VMA ]  [right subtree]
 *                      ^^       ^^
 *     gap = longest of: these two, left's gap, right's gap
 *
 * Invariants (vma_tree_is_valid() tests all)
 *   T1  Areas are not empty, ordered and do not overlap.
 *   T2  The heights of two siblings differ by at most 1.
 *   T3  first, last and gap of each node describe its subtree.
 *
 * Concurrency
 *   None of its own; callers hold the lock of the VAS. Pure: the functions
 *   touch the tree and nothing else. Recursion is as deep as the tree is
 *   high, at most 1.45 * log2(n): 30 levels for a million areas.
 *
 * Source
 *   G. M. Adelson-Velsky, E. M. Landis, "An algorithm for the organization
 *   of information", 1962.
 */

#include <uk/arch/types.h>
#include <uk/vmem.h>

/** Inserts a VMA that overlaps none in the tree. O(log n) */
void vma_tree_insert(struct uk_vma **root, struct uk_vma *vma);

/** Removes a VMA that is in the tree. O(log n) */
void vma_tree_remove(struct uk_vma **root, struct uk_vma *vma);

/**
 * Moves the borders of a VMA in the tree. It must stay between its
 * neighbours and not become empty. O(log n)
 */
void vma_tree_resize(struct uk_vma *root, struct uk_vma *vma, __vaddr_t start,
		     __vaddr_t end);

/**
 * Returns the first VMA that ends above an address: the one that contains it
 * or else its next neighbour above; __NULL if there is none. O(log n)
 */
struct uk_vma *vma_tree_above(struct uk_vma *root, __vaddr_t vaddr);

/** Returns the last VMA that starts below an address, or __NULL. O(log n) */
struct uk_vma *vma_tree_below(struct uk_vma *root, __vaddr_t vaddr);

/** Tests T1 to T3 by walking over the whole tree */
__bool vma_tree_is_valid(const struct uk_vma *root);

#endif /* __UKVMEM_VMA_TREE_H__ */
