/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "vma_hole.h"
#include "vma_tree.h"

/* Bytes that have to be free */
static __sz req_len(const struct vma_hole_req *req)
{
	return req->before + req->len + req->after;
}

/* The part of a hole that lies in the window, and the places in it */
struct hole_places {
	__vaddr_t first;
	__u64 count;
};

static struct hole_places places_in(const struct vma_hole_req *req,
				    __vaddr_t low, __vaddr_t high)
{
	struct hole_places places = { 0, 0 };
	__vaddr_t last;

	low = MAX(low, req->start);
	high = MIN(high, req->end);
	if (low >= high || high - low < req_len(req))
		return places;

	/* No overflow: low lies in the window, whose end is far from that of
	 * the address space
	 */
	low = ALIGN_UP(low + req->before, req->align);
	last = ALIGN_DOWN(high - req->after - req->len, req->align);
	if (low > last)
		return places;

	places.first = low;
	places.count = (last - low) / req->align + 1;
	return places;
}

/* True if a subtree may have a place; without it, 0 */
static __bool is_worth_entering(const struct uk_vma *top,
				const struct vma_hole_req *req)
{
	return top && top->node.gap >= req_len(req);
}

/* Places in the hole below an area */
static struct hole_places places_below(const struct uk_vma *vma,
				       const struct vma_hole_req *req)
{
	return places_in(req, vma->start - vma->node.hole, vma->start);
}

/* Places above all areas */
static struct hole_places places_above(const struct uk_vma *root,
				       const struct vma_hole_req *req)
{
	__vaddr_t low = 0;

	for (; root; root = root->node.right)
		low = root->end;
	return places_in(req, low, __VADDR_MAX);
}

/* Of the holes below the areas of a subtree */
static __u64 holes_count(const struct uk_vma *top,
			 const struct vma_hole_req *req)
{
	__u64 cnt;

	if (!is_worth_entering(top, req))
		return 0;
	cnt = places_below(top, req).count;
	if (top->start > req->start)
		cnt += holes_count(top->node.left, req);
	if (top->end < req->end)
		cnt += holes_count(top->node.right, req);
	return cnt;
}

__u64 vma_hole_count(const struct uk_vma *root, const struct vma_hole_req *req)
{
	return holes_count(root, req) + places_above(root, req).count;
}

/* Counts *nth down by the places of a hole; __VADDR_INV: they are not enough */
static __vaddr_t place_get(struct hole_places places,
			   const struct vma_hole_req *req, __u64 *nth)
{
	if (*nth < places.count)
		return places.first + *nth * req->align;
	*nth -= places.count;
	return __VADDR_INV;
}

/* In the order of addresses */
static __vaddr_t holes_get(const struct uk_vma *top,
			   const struct vma_hole_req *req, __u64 *nth)
{
	__vaddr_t vaddr = __VADDR_INV;

	if (!is_worth_entering(top, req))
		return __VADDR_INV;
	if (top->start > req->start)
		vaddr = holes_get(top->node.left, req, nth);
	if (vaddr == __VADDR_INV)
		vaddr = place_get(places_below(top, req), req, nth);
	if (vaddr == __VADDR_INV && top->end < req->end)
		vaddr = holes_get(top->node.right, req, nth);
	return vaddr;
}

__vaddr_t vma_hole_get(const struct uk_vma *root,
		       const struct vma_hole_req *req, __u64 nth)
{
	__vaddr_t vaddr = holes_get(root, req, &nth);

	if (vaddr == __VADDR_INV)
		vaddr = place_get(places_above(root, req), req, &nth);
	UK_ASSERT(vaddr != __VADDR_INV);
	return vaddr;
}

static __bool is_place(struct uk_vma *root, const struct vma_hole_req *req,
		       __vaddr_t vaddr)
{
	const struct uk_vma *vma = vma_tree_above(root, vaddr - req->before);

	return !vma || vma->start >= vaddr + req->len + req->after;
}

int vma_hole_draw(struct uk_vma *root, const struct vma_hole_req *req,
		  const __u64 *words, __vaddr_t *vaddr)
{
	struct hole_places window = places_in(req, req->start, req->end);
	__u64 mask, nth, count;
	__vaddr_t try_addr;
	int i;

	if (!window.count)
		return -ENOMEM;

	/* Smallest 2^n - 1 that covers all numbers: at least half of what the
	 * mask lets through is a number of a place in the empty window. What
	 * is not is thrown away, so the rest stays uniform.
	 */
	mask = window.count > 1 ?
		       __U64_MAX >> __builtin_clzl(window.count - 1) :
		       0;
	for (i = 0; i < VMA_HOLE_TRIES; i++) {
		nth = words[i] & mask;
		if (nth >= window.count)
			continue;
		try_addr = window.first + nth * req->align;
		if (is_place(root, req, try_addr)) {
			*vaddr = try_addr;
			return 0;
		}
	}

	count = vma_hole_count(root, req);
	if (!count)
		return -ENOMEM;

	/* Scaling a word to [0, count) favours some numbers by less than
	 * count / 2^64 < 2^-29: there are fewer than 2^35 pages.
	 */
	nth = (__u64)(((unsigned __int128)words[i] * count) >> 64);
	*vaddr = vma_hole_get(root, req, nth);
	return 0;
}
