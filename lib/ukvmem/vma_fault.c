/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/falloc.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/paging.h>

#include "vma_tree.h"
#include "vmem_priv.h"

static __bool is_allowed(unsigned long attr, unsigned int type)
{
	switch (type & UK_VMA_FAULT_ACCESSTYPE) {
	case UK_VMA_FAULT_WRITE:
		return !!(attr & PAGE_ATTR_PROT_WRITE);
	case UK_VMA_FAULT_EXEC:
		return !!(attr & PAGE_ATTR_PROT_EXEC);
	default:
		return !!(attr & (PAGE_ATTR_PROT_RW | PAGE_ATTR_PROT_EXEC));
	}
}

/* Finds the area of a fault and counts the fault there (V1, V2). Attributes
 * are looked at when no operation works on the area, never before or while.
 */
static int fault_begin(struct uk_vas *vas, const struct uk_vm_fault *fault,
		       struct uk_vma **found)
{
	unsigned long irqf = vas_lock(vas);
	struct uk_vma *vma = vma_tree_above(vas->root, fault->vaddr);
	int rc = 0;

	if (!vma || vma->start > fault->vaddr || !vma->ops->fault)
		rc = -EFAULT;
	else if (vma->busy == vmem_cpu())
		rc = -EDEADLK;
	else if (vma->busy)
		rc = -EBUSY;
	else if (vas->closing)
		rc = -EAGAIN;
	else if (!(fault->type & UK_VMA_FAULT_SOFT) &&
		 !is_allowed(vma->attr, fault->type))
		rc = -EACCES;
	else
		vma->faults++;
	vas_unlock(vas, irqf);
	*found = vma;
	return rc;
}

static void fault_end(struct uk_vma *vma, const struct uk_vm_fault *fault,
		      int rc)
{
	struct uk_vas *vas = vma->vas;
	unsigned long irqf = vas_lock(vas);

	if (!rc)
		vma_note_used(vma, fault->vbase, fault->vbase + fault->len);
	UK_ASSERT(vma->faults);
	vma->faults--;
	if (!vma->faults && vma->join_later) {
		vma->join_later = 0;
		vma_join(vma);
	}
	vas_unlock(vas, irqf);
}

static unsigned long error_code(unsigned int type)
{
	switch (type & UK_VMA_FAULT_ACCESSTYPE) {
	case UK_VMA_FAULT_WRITE:
		return UKPLAT_PF_WRITE;
	case UK_VMA_FAULT_EXEC:
		return UKPLAT_PF_FETCH;
	default:
		return 0;
	}
}

/* Maps what the kind has supplied. Where a block is not empty any more, or
 * memory has none, it is one page after all.
 */
static int fault_map(const struct uk_vma *vma, struct uk_vm_fault *fault)
{
	struct uk_pagetable *pt = vma->vas->pt;
	int rc;

	if (fault->len > PAGE_SIZE) {
		rc = ukplat_page_map(pt, fault->vbase, fault->paddr,
				     fault->len >> PAGE_SHIFT, vma->attr,
				     PAGE_FLAG_LARGE);
		if (rc != -EEXIST && rc != -ENOMEM)
			return rc;
		if (fault->paddr != __PADDR_ANY)
			fault->paddr += ALIGN_DOWN(fault->vaddr, PAGE_SIZE) -
					fault->vbase;
		fault->vbase = ALIGN_DOWN(fault->vaddr, PAGE_SIZE);
		fault->len = PAGE_SIZE;
	}
	return ukplat_page_map(pt, fault->vbase, fault->paddr, 1, vma->attr, 0);
}

/* The page is there already: another CPU was faster, or the fault happened
 * before its attributes changed. Makes sure that the access is possible now,
 * or the instruction would fault for ever. A page that has vanished between
 * is touched once more, and comes like any other.
 */
static int fault_settle(const struct uk_vma *vma,
			const struct uk_vm_fault *fault)
{
	struct uk_pagetable *pt = vma->vas->pt;
	int rc;

	if (ukplat_page_permits(pt, fault->vaddr, error_code(fault->type)))
		return 0;
	rc = ukplat_page_set_attr(pt, ALIGN_DOWN(fault->vaddr, PAGE_SIZE), 1,
				  vma->attr, 0);
	return rc == -EFAULT ? 0 : rc;
}

/* What a kind says is final, also if the word means "try again" here */
static int fault_of_kind(struct uk_vma *vma, struct uk_vm_fault *fault)
{
	int rc = vma->ops->fault(vma, fault);

	return rc == -EAGAIN || rc == -EBUSY || rc == -EDEADLK ? -EIO : rc;
}

static int fault_supply(struct uk_vma *vma, struct uk_vm_fault *fault)
{
	struct uk_pagetable *pt = vma->vas->pt;
	int rc;

	if (fault->type & UK_VMA_FAULT_SOFT) {
		if (ukplat_page_translate(pt, fault->vbase) != __PADDR_INV)
			return 0;
	} else if (!(fault->type & UK_VMA_FAULT_NONPRESENT)) {
		return fault_settle(vma, fault);
	}

	fault->paddr = __PADDR_ANY;
	fault->is_fresh = 0;
	rc = fault_of_kind(vma, fault);
	if (rc)
		return rc;
	rc = fault_map(vma, fault);
	if (rc && fault->is_fresh)
		uk_ffree(pt->fa, fault->paddr, 1);
	return rc == -EEXIST ? fault_settle(vma, fault) : rc;
}

int vas_fault(struct uk_vas *vas, __vaddr_t vaddr, unsigned int type,
	      const struct __regs *regs)
{
	unsigned int tries = VMEM_RECLAIM_TRIES;
	struct uk_vm_fault fault = {
		.vaddr = vaddr,
		.vbase = ALIGN_DOWN(vaddr, PAGE_SIZE),
		.len = PAGE_SIZE,
		.type = type,
		.regs = regs,
	};
	struct uk_vma *vma;
	int rc;

	/* Relaxed: see vas_lock() */
	if (__atomic_load_n(&vas->holder, __ATOMIC_RELAXED) == vmem_cpu())
		return -EDEADLK;
	rc = fault_begin(vas, &fault, &vma);
	if (rc)
		return rc;
	do {
		rc = fault_supply(vma, &fault);
	} while (vas_reclaim(vas, rc, &tries));
	fault_end(vma, &fault, rc);
	return rc;
}

int vmem_pagefault(__vaddr_t vaddr, unsigned int type,
		   const struct __regs *regs)
{
	struct uk_vas *vas = uk_vas_get_active();
	int rc;

	/* What lies outside belongs to the platform, whose bugs should be
	 * reported whatever locks are held
	 */
	if (!vas || vaddr < UK_VAS_START || vaddr >= UK_VAS_END ||
	    (type & UK_VMA_FAULT_MISCONFIG))
		return -EFAULT;

	rc = vas_fault(vas, vaddr, type, regs);
	if (rc != -EBUSY && rc != -EAGAIN)
		return rc;
	/* The operation may wait for this CPU, which may have interrupts
	 * disabled where it faulted
	 */
	uk_spin_poll();
	__builtin_ia32_pause();
	return 0;
}
