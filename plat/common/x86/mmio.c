/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/paging.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>

#include "acpi.h"
#include "mmio.h"

/* Maps bytes of any alignment; the address of the first one, or 0 */
static __vaddr_t bytes_map(const char *name, __paddr_t paddr, __sz len,
			   unsigned long attr)
{
	__paddr_t start = ALIGN_DOWN(paddr, PAGE_SIZE);
	__vaddr_t base;

	if (!len || len > __PADDR_MAX - PAGE_SIZE - paddr)
		return 0;
	if (ukplat_area_map(name, start,
			    DIV_ROUND_UP(paddr - start + len, PAGE_SIZE), attr,
			    &base))
		return 0;
	return base + (paddr - start);
}

volatile void *mmio_map(const char *name, __paddr_t paddr, __sz len)
{
	return (volatile void *)bytes_map(name, paddr, len,
					  PAGE_ATTR_PROT_RW | PAGE_ATTR_DEVICE);
}

const void *acpi_map(__paddr_t paddr, __sz len)
{
	return (const void *)bytes_map("acpi", paddr, len, PAGE_ATTR_PROT_READ);
}

void acpi_unmap(const void *ptr, __sz len)
{
	(void)len;
	ukplat_area_destroy(ALIGN_DOWN((__vaddr_t)ptr, PAGE_SIZE));
}
