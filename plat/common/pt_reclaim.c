/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/essentials.h>
#include <uk/plat/falloc.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/paging.h>

#include "frame_cache.h"
#include "pt.h"
#include "pt_laden.h"
#include "pt_pool.h"

int ukplat_page_reclaim(struct uk_pagetable *pt)
{
	__sz before = __atomic_load_n(&pt->fa->free_memory, __ATOMIC_RELAXED);

	/* See <uk/plat/tlbq.h>: what was interrupted may hold a queue */
	if (ukplat_lcpu_in_irq())
		return 0;
	pt_lazy_drain(pt);
	pt_tables_forget(pt, 1);
	(void)pt_laden_drain(pt_laden_frames());
	pt_pool_shrink(pt);
	/* See pt_lazy.c: who waits must not hold what a handler waits for */
	if (ukplat_lcpu_irqs_disabled())
		frame_cache_reclaim();
	else
		frame_cache_drain();
	return __atomic_load_n(&pt->fa->free_memory, __ATOMIC_RELAXED) > before;
}

__sz ukplat_page_available(void)
{
	return ukplat_falloc_available() + (pt_pool_spare() << PAGE_SHIFT) +
	       (pt_lazy_pages() << PAGE_SHIFT) +
	       (pt_laden_frames() << PAGE_SHIFT);
}

__sz ukplat_page_tables_free(void)
{
	unsigned long free = pt_pool_free(), spare = pt_pool_spare();

	return (free - MIN(free, spare)) << PAGE_SHIFT;
}
