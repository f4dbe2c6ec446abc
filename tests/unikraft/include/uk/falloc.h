/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_FALLOC_H__
#define __STANDIN_UK_FALLOC_H__

/* Stands for lib/ukfalloc/include/uk/falloc.h of Unikraft. */

#include <uk/arch/paging.h>
#include <uk/arch/types.h>

struct uk_falloc {
	int (*falloc)(struct uk_falloc *fa, __paddr_t *paddr,
		      unsigned long frames, unsigned long flags);
	int (*falloc_from_range)(struct uk_falloc *fa, __paddr_t *paddr,
				 unsigned long frames, unsigned long flags,
				 __paddr_t min, __paddr_t max);
	int (*ffree)(struct uk_falloc *fa, __paddr_t paddr,
		     unsigned long frames);
	int (*addmem)(struct uk_falloc *fa, void *metadata, __paddr_t paddr,
		      unsigned long frames, __vaddr_t dm_off);
	__sz free_memory;
	__sz total_memory;
};

#endif /* __STANDIN_UK_FALLOC_H__ */
