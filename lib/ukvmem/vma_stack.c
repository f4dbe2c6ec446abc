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

/* priv is the initial stack pointer; the data is its distance to the end */
static int stack_create(struct uk_vma *vma, const void *data)
{
	const __u64 *rest = data;

	vma->priv = vma->end - UK_VMA_STACK_TOP_GUARD_SIZE - *rest;
	return 0;
}

static int stack_populate(struct uk_vma *vma)
{
	return vma_anon_map(vma, vma->start + UK_VMA_STACK_BOTTOM_GUARD_SIZE,
			    uk_vma_len(vma) - UK_VMA_STACK_GUARDS_SIZE);
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
	.unmap = vma_anon_unmap,
	.split = stack_split,
};

int uk_vma_map_stack(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
		     unsigned long flags, const char *name, __sz premapped_len)
{
	__vaddr_t start;
	__u64 rest;
	int rc;

	UK_ASSERT(vaddr);
	UK_ASSERT(premapped_len <= len);

	if (!len || len > UK_VAS_END)
		return -EINVAL;
	start = *vaddr;
	if (start != __VADDR_ANY) {
		if (start < UK_VMA_STACK_BOTTOM_GUARD_SIZE)
			return -EINVAL;
		start -= UK_VMA_STACK_BOTTOM_GUARD_SIZE;
	}

	ukplat_random_bytes(&rest, sizeof(rest));
	rest &= PAGE_SIZE - STACK_ALIGN;
	rc = uk_vma_map(vas, &start, len + UK_VMA_STACK_GUARDS_SIZE,
			PAGE_ATTR_PROT_READ | PAGE_ATTR_PROT_WRITE, flags, name,
			&uk_vma_stack_ops, &rest);
	if (!rc)
		*vaddr = start + UK_VMA_STACK_BOTTOM_GUARD_SIZE;
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
	return info.priv;
}

int uk_vma_unmap_stack(struct uk_vas *vas, __vaddr_t vaddr)
{
	struct uk_vma_info info;

	if (stack_query(vas, vaddr, &info))
		return -EINVAL;
	return uk_vma_unmap(vas, info.start, info.end - info.start, 0);
}
