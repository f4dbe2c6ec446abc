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

/* What a node should know about its subtree (T4) */
struct known {
	__sz gap;
	int height;
	int lean;
};

static inline struct known node_know(const struct uk_vma *vma)
{
	const struct uk_vma *left = vma->node.left;
	const struct uk_vma *right = vma->node.right;
	struct known k = { .gap = vma->node.hole };
	int low = 0, high = 0;

	if (left) {
		low = left->node.height;
		k.gap = MAX(k.gap, left->node.gap);
	}
	if (right) {
		high = right->node.height;
		k.gap = MAX(k.gap, right->node.gap);
	}
	k.height = 1 + MAX(low, high);
	k.lean = low - high;
	return k;
}

/* Receives it; 1 if that is new */
static inline __bool node_learn(struct uk_vma *vma, const struct known *k)
{
	if (k->gap == vma->node.gap && k->height == vma->node.height)
		return 0;
	vma->node.gap = k->gap;
	vma->node.height = k->height;
	return 1;
}

static void node_update(struct uk_vma *vma)
{
	struct known k = node_know(vma);

	(void)node_learn(vma, &k);
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

/* Restores T2 and T4 for a node whose subtrees are sound and whose heights
 * differ by 2; returns the new top
 */
static struct uk_vma *__noinline node_rotate(struct uk_vma *vma, int lean)
{
	if (lean > 0) {
		if (node_lean(vma->node.left) < 0)
			vma->node.left = rotate_left(vma->node.left);
		return rotate_right(vma);
	}
	if (node_lean(vma->node.right) > 0)
		vma->node.right = rotate_right(vma->node.right);
	return rotate_left(vma);
}

/* Restores T2 and T4 for a node whose subtrees are sound. Returns 1 if the node
 * above has to be looked at, too, because this one has another height or gap.
 */
static inline __bool node_balance(struct uk_vma **link)
{
	struct uk_vma *vma = *link;
	struct known k = node_know(vma);
	int height;
	__sz gap;

	if (likely(k.lean >= -1 && k.lean <= 1))
		return node_learn(vma, &k);

	height = vma->node.height;
	gap = vma->node.gap;
	vma = node_rotate(vma, k.lean);
	*link = vma;
	return vma->node.height != height || vma->node.gap != gap;
}

static void path_add(struct vma_tree_path *path, struct uk_vma **link)
{
	UK_ASSERT(path->len < ARRAY_SIZE(path->link));
	path->link[path->len++] = link;
}

/* From a link to the lowest node there, which is the next one above */
static struct uk_vma **path_to_next(struct vma_tree_path *path,
				    struct uk_vma **link)
{
	for (; *link; link = &(*link)->node.left)
		path_add(path, link);
	path->next = path->len;
	return path->link[path->len - 1];
}

static struct uk_vma *path_next(const struct vma_tree_path *path)
{
	return path->next ? *path->link[path->next - 1] : __NULL;
}

/* Looks at the nodes of a path from its end up to number `least` in any case,
 * and farther up as long as something changes
 */
static void path_balance(const struct vma_tree_path *path, unsigned int least)
{
	unsigned int n = path->len;

	while (n && (node_balance(path->link[n - 1]) || n > least))
		n--;
}

/* Follows the links to where an area is that starts at an address, or would be
 */
static struct uk_vma **path_find(struct vma_tree_path *path,
				 struct uk_vma **link, __vaddr_t start)
{
	unsigned long len = 0, next = 0;
	struct uk_vma *top;

	while ((top = *link)) {
		UK_ASSERT(len < ARRAY_SIZE(path->link));
		path->link[len] = link;
		if (start > top->start) {
			link = &top->node.right;
			len++;
		} else if (start < top->start) {
			link = &top->node.left;
			next = ++len;
		} else {
			break;
		}
	}
	path->len = (unsigned int)len;
	path->next = (unsigned int)next;
	return link;
}

__bool vma_tree_try_insert(struct uk_vma **root, struct uk_vma *vma)
{
	struct uk_vma **link, *next;
	__vaddr_t below = 0;
	struct vma_tree_path path;

	UK_ASSERT(vma->start < vma->end);

	link = path_find(&path, root, vma->start);
	next = path_next(&path);
	/* The last node on the way is one of the two neighbours */
	if (next) {
		below = next->start - next->node.hole;
	} else if (path.len) {
		below = (*path.link[path.len - 1])->end;
	}
	if (unlikely(*link || vma->start < below ||
		     (next && vma->end > next->start)))
		return 0;

	if (next)
		next->node.hole = next->start - vma->end;
	vma->node = (struct uk_vma_node){ .hole = vma->start - below,
					  .gap = vma->start - below,
					  .height = 1 };
	*link = vma;
	path_balance(&path, path.next);
	return 1;
}

void vma_tree_insert(struct uk_vma **root, struct uk_vma *vma)
{
	__bool fits = vma_tree_try_insert(root, vma);

	UK_ASSERT(fits);
}

/* The next area above takes the place of one that has a right subtree */
static void node_replace(struct vma_tree_path *path, struct uk_vma **link,
			 struct uk_vma *vma)
{
	unsigned int right = path->len + 1;
	struct uk_vma **at, *next;

	path_add(path, link);
	at = path_to_next(path, &vma->node.right);
	next = *at;
	next->node.hole += vma->node.hole + uk_vma_len(vma);
	*at = next->node.right;
	/* It has what the one that leaves has had: node_balance() compares */
	next->node.left = vma->node.left;
	next->node.right = vma->node.right;
	next->node.gap = vma->node.gap;
	next->node.height = vma->node.height;
	*link = next;
	path->link[right] = &next->node.right;
	/* The place where it was has no node, or one that did not change */
	path->len--;
	path->next = right;
}

struct uk_vma *vma_tree_find(struct uk_vma **root, __vaddr_t start,
			     struct vma_tree_path *path)
{
	struct uk_vma **link = path_find(path, root, start);

	if (*link)
		path->found = link;
	return *link;
}

void vma_tree_remove_found(struct vma_tree_path *path, struct uk_vma *vma)
{
	struct uk_vma **link = path->found, *next = path_next(path);

	UK_ASSERT(*link == vma);

	if (vma->node.right) {
		node_replace(path, link, vma);
	} else {
		if (next)
			next->node.hole += vma->node.hole + uk_vma_len(vma);
		*link = vma->node.left;
	}
	path_balance(path, path->next);
	vma->node.left = __NULL;
	vma->node.right = __NULL;
}

void vma_tree_remove(struct uk_vma **root, struct uk_vma *vma)
{
	struct vma_tree_path path;
	struct uk_vma *found = vma_tree_find(root, vma->start, &path);

	UK_ASSERT(found == vma);
	vma_tree_remove_found(&path, vma);
}

void vma_tree_resize(struct uk_vma *root, struct uk_vma *vma, __vaddr_t start,
		     __vaddr_t end)
{
	struct vma_tree_path path;
	struct uk_vma **link = path_find(&path, &root, vma->start);
	struct uk_vma *next;
	unsigned int least;

	UK_ASSERT(*link == vma);
	UK_ASSERT(start < end);

	path_add(&path, link);
	least = path.len;
	if (vma->node.right)
		(void)path_to_next(&path, &vma->node.right);
	else
		least = path.next;
	next = path_next(&path);
	if (next)
		next->node.hole += vma->end - end;
	vma->node.hole += start - vma->start;
	vma->start = start;
	vma->end = end;
	path_balance(&path, least);
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

/* T1 and T3 with the neighbours: the subtree begins above `low`, and an area in
 * it is not above `high`. Receives the end of its highest area.
 */
static __bool subtree_is_valid(const struct uk_vma *top, __vaddr_t low,
			       __vaddr_t high, __vaddr_t *end)
{
	struct known k;

	*end = low;
	if (!top)
		return 1;
	if (top->start < low || top->start >= top->end || top->end > high)
		return 0;
	if (!subtree_is_valid(top->node.left, low, top->start, end) ||
	    top->node.hole != top->start - *end ||
	    !subtree_is_valid(top->node.right, top->end, high, end))
		return 0;
	k = node_know(top);
	return k.lean >= -1 && k.lean <= 1 && k.gap == top->node.gap &&
	       k.height == top->node.height;
}

__bool vma_tree_is_valid(const struct uk_vma *root)
{
	__vaddr_t end;

	return subtree_is_valid(root, 0, __VADDR_MAX, &end);
}
