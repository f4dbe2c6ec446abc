/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>
#include <uk/essentials.h>

#include "vma_tree.h"

static int node_height(const struct uk_vma *vma)
{
	return vma ? vma->node.height : 0;
}

/* Recomputes what a node knows about its subtree (T3) */
static void node_update(struct uk_vma *vma)
{
	const struct uk_vma *left = vma->node.left;
	const struct uk_vma *right = vma->node.right;
	struct uk_vma_node *node = &vma->node;

	node->height = 1 + MAX(node_height(left), node_height(right));
	node->first = vma->start;
	node->last = vma->end;
	node->gap = 0;
	if (left) {
		node->first = left->node.first;
		node->gap = MAX(left->node.gap, vma->start - left->node.last);
	}
	if (right) {
		node->last = right->node.last;
		node->gap = MAX(node->gap, right->node.gap);
		node->gap = MAX(node->gap, right->node.first - vma->end);
	}
}

static struct uk_vma *rotate_right(struct uk_vma *vma)
{
	struct uk_vma *top = vma->node.left;

	vma->node.left = top->node.right;
	top->node.right = vma;
	node_update(vma);
	node_update(top);
	return top;
}

static struct uk_vma *rotate_left(struct uk_vma *vma)
{
	struct uk_vma *top = vma->node.right;

	vma->node.right = top->node.left;
	top->node.left = vma;
	node_update(vma);
	node_update(top);
	return top;
}

static int node_lean(const struct uk_vma *vma)
{
	return node_height(vma->node.left) - node_height(vma->node.right);
}

/* Restores T2 and T3 for a node whose subtrees are sound and whose heights
 * differ by at most 2; returns the new top
 */
static struct uk_vma *node_balance(struct uk_vma *vma)
{
	int lean = node_lean(vma);

	if (lean > 1) {
		if (node_lean(vma->node.left) < 0)
			vma->node.left = rotate_left(vma->node.left);
		return rotate_right(vma);
	}
	if (lean < -1) {
		if (node_lean(vma->node.right) > 0)
			vma->node.right = rotate_right(vma->node.right);
		return rotate_left(vma);
	}
	node_update(vma);
	return vma;
}

static struct uk_vma *subtree_insert(struct uk_vma *top, struct uk_vma *vma)
{
	if (!top)
		return vma;

	if (vma->start < top->start) {
		UK_ASSERT(vma->end <= top->start);
		top->node.left = subtree_insert(top->node.left, vma);
	} else {
		UK_ASSERT(vma->start >= top->end);
		top->node.right = subtree_insert(top->node.right, vma);
	}
	return node_balance(top);
}

void vma_tree_insert(struct uk_vma **root, struct uk_vma *vma)
{
	UK_ASSERT(vma->start < vma->end);

	vma->node.left = __NULL;
	vma->node.right = __NULL;
	node_update(vma);
	*root = subtree_insert(*root, vma);
}

/* Takes the lowest VMA out of a subtree; returns what is left of it */
static struct uk_vma *subtree_pop(struct uk_vma *top, struct uk_vma **lowest)
{
	if (!top->node.left) {
		*lowest = top;
		return top->node.right;
	}
	top->node.left = subtree_pop(top->node.left, lowest);
	return node_balance(top);
}

static struct uk_vma *subtree_remove(struct uk_vma *top,
				     const struct uk_vma *vma)
{
	struct uk_vma *next;

	UK_ASSERT(top);

	if (vma->start < top->start) {
		top->node.left = subtree_remove(top->node.left, vma);
		return node_balance(top);
	}
	if (vma->start > top->start) {
		top->node.right = subtree_remove(top->node.right, vma);
		return node_balance(top);
	}

	UK_ASSERT(top == vma);
	if (!top->node.right)
		return top->node.left;

	/* The next VMA above takes the place of the one that leaves */
	top->node.right = subtree_pop(top->node.right, &next);
	next->node.left = top->node.left;
	next->node.right = top->node.right;
	return node_balance(next);
}

void vma_tree_remove(struct uk_vma **root, struct uk_vma *vma)
{
	*root = subtree_remove(*root, vma);
	vma->node.left = __NULL;
	vma->node.right = __NULL;
}

static void path_update(struct uk_vma *top, const struct uk_vma *vma)
{
	UK_ASSERT(top);

	if (top != vma)
		path_update(vma->start < top->start ? top->node.left :
						      top->node.right,
			    vma);
	node_update(top);
}

void vma_tree_resize(struct uk_vma *root, struct uk_vma *vma, __vaddr_t start,
		     __vaddr_t end)
{
	UK_ASSERT(start < end);

	vma->start = start;
	vma->end = end;
	path_update(root, vma);
}

struct uk_vma *vma_tree_above(struct uk_vma *root, __vaddr_t vaddr)
{
	struct uk_vma *best = __NULL;

	while (root) {
		if (root->end > vaddr) {
			best = root;
			root = root->node.left;
		} else {
			root = root->node.right;
		}
	}
	return best;
}

struct uk_vma *vma_tree_below(struct uk_vma *root, __vaddr_t vaddr)
{
	struct uk_vma *best = __NULL;

	while (root) {
		if (root->start < vaddr) {
			best = root;
			root = root->node.right;
		} else {
			root = root->node.left;
		}
	}
	return best;
}

/* T1 with the neighbours: the subtree must lie in [low, high) */
static __bool subtree_is_valid(const struct uk_vma *top, __vaddr_t low,
			       __vaddr_t high)
{
	struct uk_vma copy;

	if (!top)
		return 1;
	if (top->start < low || top->start >= top->end || top->end > high)
		return 0;
	if (!subtree_is_valid(top->node.left, low, top->start) ||
	    !subtree_is_valid(top->node.right, top->end, high))
		return 0;
	if (node_lean(top) < -1 || node_lean(top) > 1)
		return 0;

	copy = *top;
	node_update(&copy);
	return copy.node.height == top->node.height &&
	       copy.node.first == top->node.first &&
	       copy.node.last == top->node.last &&
	       copy.node.gap == top->node.gap;
}

__bool vma_tree_is_valid(const struct uk_vma *root)
{
	return subtree_is_valid(root, 0, __VADDR_MAX);
}
