/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* What all who read the machine's words have in common */

#include <errno.h>

#include <uk/essentials.h>

#include "loader.h"

char loader_rsdp[LOADER_RSDP_LEN];

int loader_can_read(__paddr_t paddr, __u64 len)
{
	return paddr < LOADER_PADDR_END && len <= LOADER_PADDR_END - paddr;
}

void loader_cmdline_copy(__paddr_t paddr, __u64 len)
{
	char *src = (char *)paddr;
	__sz i;

	/* There may be a seed in it: no second copy stays */
	for (i = 0; paddr && i < len && loader_can_read(paddr + i, 1) && src[i];
	     i++) {
		if (i < BOOT_CMDLINE_LEN - 1)
			boot_info.cmdline[i] = src[i];
		src[i] = '\0';
	}
	boot_info.cmdline[MIN(i, BOOT_CMDLINE_LEN - 1UL)] = '\0';
}

int loader_module_add(struct loader_modules *modules, __paddr_t paddr,
		      __u64 len)
{
	if (modules->cnt == LOADER_MODULES_MAX)
		return -ENOSPC;
	if (!loader_can_read(paddr, len))
		return -EINVAL;
	modules->m[modules->cnt++] = (struct loader_module){ paddr, len };
	return memregion_add(&boot_info.map, paddr, len, MEMREGION_LOADER);
}
