/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTTEST_ARENA_H__
#define __GUESTTEST_ARENA_H__

/* Memory for heaps of the tests: an area at an address drawn at random */

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

/**
 * Maps zeroed pages.
 *
 * @param pages
 *   Number of pages
 *
 * @return
 *   First page, or __NULL without memory
 */
static inline void *arena_map(unsigned long pages)
{
	__vaddr_t base = __VADDR_ANY;

	if (uk_vma_map_anon(uk_vas_get_active(), &base, pages * PAGE_SIZE,
			    PAGE_ATTR_PROT_RW, UK_VMA_MAP_POPULATE, "test"))
		return __NULL;
	return (void *)base;
}

/**
 * Gives pages of arena_map() and their addresses back, also if a heap has
 * taken the frames meanwhile.
 */
static inline int arena_unmap(void *base, unsigned long pages)
{
	return uk_vma_unmap(uk_vas_get_active(), (__vaddr_t)base,
			    pages * PAGE_SIZE, 0);
}

/** Bytes that are free when nothing waits in quarantines or caches any more. */
static inline __sz frames_free(void)
{
	while (ukplat_page_reclaim(ukplat_pt_get_active()))
		;
	return ukplat_page_available() + ukplat_page_tables_free();
}

#endif /* __GUESTTEST_ARENA_H__ */
