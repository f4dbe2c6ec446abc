/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "vmem_priv.h"

UK_CTASSERT(UK_VMA_STACK_TOP_GUARD_SIZE >= PAGE_SIZE);
UK_CTASSERT(UK_VMA_STACK_BOTTOM_GUARD_SIZE >= PAGE_SIZE);

/* What the ABI of x86_64 wants of a stack pointer */
#define STACK_ALIGN 16UL

/* priv is the distance of the initial stack pointer to the upper guard */
static int stack_create(struct uk_vma *vma, const void *data)
{
	const __u64 *rest = data;

	vma->priv = *rest;
	return 0;
}

static int stack_populate(struct uk_vma *vma)
{
	return vma_anon_map(vma, vma->start + UK_VMA_STACK_BOTTOM_GUARD_SIZE,
			    uk_vma_len(vma) - UK_VMA_STACK_GUARDS_SIZE);
}

/* A stack is never split or joined, so its borders are constant */
static int stack_fault(struct uk_vma *vma, struct uk_vm_fault *fault)
{
	__vaddr_t low = vma->start + UK_VMA_STACK_BOTTOM_GUARD_SIZE;
	__vaddr_t high = vma->end - UK_VMA_STACK_TOP_GUARD_SIZE;
	__vaddr_t page = fault->vbase;
	int rc;

	if (page < low || page >= high)
		return -EFAULT;
	rc = vma_anon_fault(vma, fault);
	/* Not a block with a guard in it */
	if (fault->vbase < low || fault->vbase + fault->len > high) {
		fault->vbase = page;
		fault->len = PAGE_SIZE;
	}
	return rc;
}

/* A part of a stack without its guards would be no stack any more */
static int stack_split(const struct uk_vma *vma __unused,
		       __vaddr_t vaddr __unused)
{
	return -EPERM;
}

const struct uk_vma_ops uk_vma_stack_ops = {
	.create = stack_create,
	.populate = stack_populate,
	.fault = stack_fault,
	.unmap = vma_anon_unmap,
	.advise = vma_anon_advise,
	.split = stack_split,
};

/* Where the area of a stack begins that was asked for at an address */
static int stack_start(__vaddr_t vaddr, unsigned long flags, __vaddr_t *start)
{
	*start = vaddr;
	if (vaddr == __VADDR_ANY)
		return 0;
	if (vaddr >= UK_VMA_STACK_BOTTOM_GUARD_SIZE)
		*start = vaddr - UK_VMA_STACK_BOTTOM_GUARD_SIZE;
	else if (flags & UK_VMA_MAP_HINT)
		*start = __VADDR_ANY;
	else
		return -EINVAL;
	return 0;
}

/* Maps what must not fault, below the initial stack pointer */
static int stack_premap(struct uk_vas *vas, __vaddr_t end, __sz len)
{
	int rc;

	if (!len)
		return 0;
	rc = uk_vma_advise(vas, end - len, len, UK_VMA_ADV_WILLNEED, 0);
	if (rc) {
		int undo_rc = uk_vma_unmap_stack(vas, end - 1);

		UK_ASSERT(!undo_rc);
	}
	return rc;
}

int uk_vma_map_stack(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
		     unsigned long flags, const char *name, __sz premapped_len)
{
	__vaddr_t start, base;
	__u64 rest;
	int rc;

	UK_ASSERT(vaddr);

	if (!len || len > UK_VAS_END || premapped_len > len)
		return -EINVAL;
	rc = stack_start(*vaddr, flags, &start);
	if (rc)
		return rc;

	ukplat_random_bytes(&rest, sizeof(rest));
	rest &= PAGE_SIZE - STACK_ALIGN;
	if (premapped_len)
		premapped_len =
			MIN(len, ALIGN_UP(premapped_len + rest, PAGE_SIZE));
	if (premapped_len == len)
		flags |= UK_VMA_MAP_POPULATE;
	rc = uk_vma_map(vas, &start, len + UK_VMA_STACK_GUARDS_SIZE,
			PAGE_ATTR_PROT_RW, flags, name, &uk_vma_stack_ops,
			&rest);
	if (rc)
		return rc;
	base = start + UK_VMA_STACK_BOTTOM_GUARD_SIZE;
	if (!(flags & UK_VMA_MAP_POPULATE))
		rc = stack_premap(vas, base + len, premapped_len);
	if (!rc)
		*vaddr = base;
	return rc;
}

/* Describes the stack at an address; 0 or -EINVAL */
static int stack_query(struct uk_vas *vas, __vaddr_t vaddr,
		       struct uk_vma_info *info)
{
	if (uk_vma_query(vas, vaddr, info) || info->start > vaddr ||
	    info->ops != &uk_vma_stack_ops)
		return -EINVAL;
	return 0;
}

__vaddr_t uk_vma_stack_top(struct uk_vas *vas, __vaddr_t vaddr)
{
	struct uk_vma_info info;

	if (stack_query(vas, vaddr, &info))
		return __VADDR_INV;
	return info.end - UK_VMA_STACK_TOP_GUARD_SIZE - info.priv;
}

int uk_vma_unmap_stack(struct uk_vas *vas, __vaddr_t vaddr)
{
	struct uk_vma_info info;

	if (stack_query(vas, vaddr, &info))
		return -EINVAL;
	return uk_vma_unmap(vas, info.start, info.end - info.start, 0);
}
