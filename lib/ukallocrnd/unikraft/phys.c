/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Physical addresses of heap memory, where Unikraft has no page tables: it
 * takes every address for one. The linker sends the question here (--wrap);
 * drivers ask it for rings and buffers.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "../port.h"
#include "table.h"

__paddr_t __real_ukplat_virt_to_phys(const volatile void *address);
__paddr_t __wrap_ukplat_virt_to_phys(const volatile void *address);

/* No lock: who asks owns the memory */
__paddr_t __wrap_ukplat_virt_to_phys(const volatile void *address)
{
	__uptr addr = (__uptr)address;

	if (addr < RND_WINDOW_START || addr >= RND_WINDOW_END)
		return __real_ukplat_virt_to_phys(address);

	return rnd_table_frame(addr) + addr % RND_PAGE_LEN;
}
