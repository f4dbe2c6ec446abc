/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/arch/paging.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/falloc.h>
#include <uk/print.h>

#include "area.h"
#include "boot.h"
#include "falloc.h"
#include "pt.h"
#include "pt_pool.h"
#include "random.h"

/* Memory below is left to firmware and to the start of other CPUs */
#define BOOT_LOWMEM_END 0x100000UL

static void __noreturn boot_fail(const char *what)
{
	uk_pr_crit("boot: %s\n", what);
	ukplat_terminate(UKPLAT_EXIT_CRASH);
}

/* Memory of the loader may be used once nothing is left in it */
static void loader_wipe(void)
{
	const struct memregion *r;
	unsigned int i;

	for (i = 0; i < boot_info.map.cnt; i++) {
		r = &boot_info.map.r[i];
		if (r->type == MEMREGION_LOADER)
			memset((void *)(boot_info.direct_map + r->start), 0,
			       r->end - r->start);
	}
}

/* The next range for the frame allocator. What is to become free later counts,
 * too; neighbours are one range, of which there may be few.
 */
static int range_next(unsigned int *next, __paddr_t *start, __paddr_t *end)
{
	while (memregion_next(&boot_info.map, next, MEMREGION_TABLES, start,
			      end)) {
		*start = MAX(*start, BOOT_LOWMEM_END);
		if (*start < *end)
			return 1;
	}
	return 0;
}

static void range_add(__paddr_t start, __paddr_t end)
{
	struct uk_falloc *fa = ukplat_falloc_get();

	if (fa->addmem(fa, start, (end - start) >> PAGE_SHIFT))
		boot_fail("memory map with too many pieces");
}

/* Gives memory to the frame allocator, the longest range first: that is where
 * it looks first for the range of a frame
 */
static void frames_add(void)
{
	__paddr_t start, end, longest = 0;
	__sz len = 0;
	unsigned int next = 0;

	while (range_next(&next, &start, &end)) {
		if (end - start <= len)
			continue;
		longest = start;
		len = end - start;
	}
	if (len)
		range_add(longest, longest + len);
	next = 0;
	while (range_next(&next, &start, &end))
		if (start != longest)
			range_add(start, end);
}

void boot_take_over(const struct boot_info *info)
{
	if (info->magic != BOOT_INFO_MAGIC ||
	    info->version != BOOT_INFO_VERSION ||
	    info->len != sizeof(boot_info))
		boot_fail("this is not the loader of this image");
	boot_info = *info;
	pt_take_over(&boot_info);
	loader_wipe();
	random_init(boot_info.seed, boot_info.seed_bits, boot_info.seed_flags);
	memset(boot_info.seed, 0, sizeof(boot_info.seed));
	area_take_over(boot_info.area, boot_info.area_cnt);
	falloc_init((void *)boot_info.meta_vaddr, boot_info.meta_frames);
	frames_add();
	if (pt_pool_take_over(&boot_info, ukplat_falloc_get()))
		boot_fail("page tables that cannot be used");
}
