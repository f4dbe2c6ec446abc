/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/arch/paging.h>

#include "pt.h"

int pt_attr_encode(unsigned long attr, __u64 *bits)
{
	const unsigned long known = PAGE_ATTR_PROT_RW | PAGE_ATTR_PROT_EXEC |
				    PAGE_ATTR_DEVICE;
	const unsigned long wx = PAGE_ATTR_PROT_WRITE | PAGE_ATTR_PROT_EXEC;

	if (attr & ~known || (attr & wx) == wx)
		return -EINVAL;

	*bits = X86_PTE_OWNED | X86_PTE_ACCESSED;
	if (attr & (PAGE_ATTR_PROT_RW | PAGE_ATTR_PROT_EXEC))
		*bits |= X86_PTE_PRESENT;
	if (attr & PAGE_ATTR_PROT_WRITE)
		*bits |= X86_PTE_RW | X86_PTE_DIRTY;
	if (!(attr & PAGE_ATTR_PROT_EXEC))
		*bits |= X86_PTE_NX;
	if (attr & PAGE_ATTR_DEVICE)
		*bits |= X86_PTE_PCD | X86_PTE_PWT;
	return 0;
}

unsigned long pt_attr_decode(__u64 entry)
{
	unsigned long attr = PAGE_ATTR_PROT_READ;

	if (entry & X86_PTE_RW)
		attr |= PAGE_ATTR_PROT_WRITE;
	if (!(entry & X86_PTE_NX))
		attr |= PAGE_ATTR_PROT_EXEC;
	if (entry & X86_PTE_PCD)
		attr |= PAGE_ATTR_DEVICE;
	return attr;
}
