/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The way from the trap to vma_fault.c: what the processor says, in the words
 * of this library
 */

#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>

#include "vmem_priv.h"

static int pagefault_hook(__vaddr_t addr, unsigned long error_code,
			  const struct __regs *regs)
{
	unsigned int type = UK_VMA_FAULT_READ;

	if (error_code & UKPLAT_PF_FETCH)
		type = UK_VMA_FAULT_EXEC;
	else if (error_code & UKPLAT_PF_WRITE)
		type = UK_VMA_FAULT_WRITE;
	if (error_code & UKPLAT_PF_RESERVED)
		type |= UK_VMA_FAULT_MISCONFIG;
	if (!(error_code & UKPLAT_PF_PROTECTION))
		type |= UK_VMA_FAULT_NONPRESENT;
	return vmem_pagefault(addr, type, regs);
}

void vmem_pagefault_install(void)
{
	ukplat_pagefault_hook_set(pagefault_hook);
}
