/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/falloc.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "vmem_priv.h"

/* priv points to the arguments, which the caller keeps */
static const struct uk_vma_file_args *file_args(const struct uk_vma *vma)
{
	return (const struct uk_vma_file_args *)vma->priv;
}

static int file_create(struct uk_vma *vma, const void *data)
{
	const struct uk_vma_file_args *args = data;

	if (!args->read || args->off < 0 ||
	    uk_vma_len(vma) > (__sz)__SSZ_MAX - (__sz)args->off)
		return -EINVAL;
	vma->priv = (__u64)args;
	return 0;
}

/* Fills a page from the file; zeros behind its end */
static int file_read(const struct uk_vma *vma, __vaddr_t vbase, __u8 *page)
{
	const struct uk_vma_file_args *args = file_args(vma);
	__off off = args->off + (__off)(vbase - vma->origin);
	__ssz got = args->read(args->arg, off, page, PAGE_SIZE);

	if (got < 0)
		return (int)got;
	UK_ASSERT((__sz)got <= PAGE_SIZE);
	memset(page + got, 0, PAGE_SIZE - (__sz)got);
	return 0;
}

static int file_fault(struct uk_vma *vma, struct uk_vm_fault *fault)
{
	struct uk_falloc *fa = vma->vas->pt->fa;
	__paddr_t paddr = uk_falloc(fa, 1);
	int rc;

	if (paddr == __PADDR_INV)
		return -ENOMEM;
	rc = file_read(vma, fault->vbase, ukplat_paddr_to_ptr(paddr));
	if (rc) {
		uk_ffree(fa, paddr, 1);
		return rc;
	}
	fault->paddr = paddr;
	fault->is_fresh = 1;
	return 0;
}

static int file_populate_page(struct uk_vma *vma, __vaddr_t vaddr)
{
	struct uk_vm_fault fault = {
		.vaddr = vaddr,
		.vbase = vaddr,
		.len = PAGE_SIZE,
		.type = UK_VMA_FAULT_SOFT | UK_VMA_FAULT_NONPRESENT,
	};
	struct uk_pagetable *pt = vma->vas->pt;
	int rc;

	rc = file_fault(vma, &fault);
	if (rc)
		return rc;
	rc = ukplat_page_map(pt, vaddr, fault.paddr, 1, vma->attr, 0);
	if (rc)
		uk_ffree(pt->fa, fault.paddr, 1);
	return rc;
}

static int file_populate(struct uk_vma *vma)
{
	__vaddr_t vaddr;
	int rc, undo_rc;

	for (vaddr = vma->start; vaddr < vma->end; vaddr += PAGE_SIZE) {
		rc = file_populate_page(vma, vaddr);
		if (!rc)
			continue;
		if (vaddr > vma->start) {
			undo_rc = vma_anon_unmap(vma, vma->start,
						 vaddr - vma->start);
			UK_ASSERT(!undo_rc);
		}
		return rc;
	}
	return 0;
}

const struct uk_vma_ops uk_vma_file_ops = {
	.create = file_create,
	.populate = file_populate,
	.fault = file_fault,
	.unmap = vma_anon_unmap,
	.set_attr = vma_pages_set_attr,
	.advise = vma_anon_advise,
};
