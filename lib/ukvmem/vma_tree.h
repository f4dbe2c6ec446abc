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
 *   Each node also knows the hole below its area, and the longest one of its
 *   subtree:
 *
 *            hole          hole             hole
 *     0 <------------>[ VMA ]<->[ VMA ]<------------>[ VMA ]   (no hole)
 *
 *     gap = longest of: hole, left's gap, right's gap
 *
 *   A change goes up the way that was taken down, no farther than to the first
 *   node for which it makes no difference. That is mostly near: few holes are
 *   the longest one of a large subtree.
 *
 * Invariants (vma_tree_is_valid() tests all)
 *   T1  Areas are not empty, ordered and do not overlap.
 *   T2  The heights of two siblings differ by at most 1.
 *   T3  hole is the distance to the area below, or to address 0.
 *   T4  height and gap of each node describe its subtree.
 *
 * Concurrency
 *   None of its own; callers hold the lock of the VAS. Pure: the functions
 *   touch the tree and nothing else. A tree is at most 1.45 * log2(n) high:
 *   30 levels for a million areas.
 *
 * Source
 *   G. M. Adelson-Velsky, E. M. Landis, "An algorithm for the organization
 *   of information", 1962.
 */

#include <uk/arch/types.h>
#include <uk/vmem.h>

/* A higher tree has 2^34 areas, whose VMAs take more than 2 TiB */
#define VMA_TREE_HEIGHT_MAX 48

/**
 * Inserts a VMA unless it overlaps one in the tree. O(log n)
 *
 * @return
 *   1 if it is in the tree; 0: nothing changed
 */
__bool vma_tree_try_insert(struct uk_vma **root, struct uk_vma *vma);

/** Inserts a VMA that overlaps none in the tree. O(log n) */
void vma_tree_insert(struct uk_vma **root, struct uk_vma *vma);

/** The links that lead from the root to a place in the tree */
struct vma_tree_path {
	unsigned int len;
	/** Nodes up to the last one that is above the place; 0: none is */
	unsigned int next;
	struct uk_vma **link[VMA_TREE_HEIGHT_MAX];
	/** What leads to the VMA that was found there */
	struct uk_vma **found;
};

/**
 * Finds the VMA that starts at an address, and the way to it. O(log n)
 *
 * @param[out] path
 *   For vma_tree_remove_found(), as long as the tree does not change
 *
 * @return
 *   The VMA, or __NULL
 */
struct uk_vma *vma_tree_find(struct uk_vma **root, __vaddr_t start,
			     struct vma_tree_path *path);

/** Removes a VMA that vma_tree_find() has found. O(log n) */
void vma_tree_remove_found(struct vma_tree_path *path, struct uk_vma *vma);

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

/** Tests T1 to T4 by walking over the whole tree */
__bool vma_tree_is_valid(const struct uk_vma *root);

#endif /* __UKVMEM_VMA_TREE_H__ */
