/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/arch/paging.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>

#include "../falloc_core.h"
#include "loader.h"
#include "plan.h"
#include "tables.h"

/* Memory below is left to firmware and to the start of other CPUs */
#define LOWMEM_END     0x100000UL
#define TRAMPOLINE_END 0xa0000UL

#define STACK_PAGES 17
/* The stack starts at a random multiple of 16 bytes in its last page */
#define STACK_SLACK (PAGE_SIZE / 16)

__vaddr_t plan_stack_top;

static int is_fixed(void)
{
	return (boot_info.flags & BOOT_FIXED) != 0;
}

void plan_memory_add(__paddr_t paddr, __sz len, enum memregion_type type)
{
	if (memregion_add(&boot_info.map, paddr, len, type) ||
	    memregion_normalise(&boot_info.map))
		loader_fail("memory map too long");
}

__paddr_t plan_memory(const char *what, __sz len, enum memregion_type type)
{
	__paddr_t paddr;

	paddr = is_fixed() ? memregion_find(&boot_info.map, len, PAGE_SIZE,
					    LOWMEM_END, LOADER_PADDR_END) :
			     memregion_draw(&boot_info.map, len, PAGE_SIZE,
					    LOWMEM_END, LOADER_PADDR_END,
					    loader_uniform, __NULL);
	if (paddr == __PADDR_INV)
		loader_fail("no memory for %s: %lu KiB", what, len >> 10);
	memset((void *)paddr, 0, len);
	plan_memory_add(paddr, len, type);
	return paddr;
}

int plan_is_free(__vaddr_t base, __sz len)
{
	__vaddr_t last = base + (len - 1);

	if (base & ~PAGE_MASK || last < base)
		return 0;
	/* The first entry of the top level table has the low page for other
	 * CPUs, at its physical address, and an address has to be told from a
	 * number
	 */
	if (base < UKARCH_VADDR_LOWER_END)
		return base >= 1UL << 39 &&
		       last < UKARCH_VADDR_LOWER_END - PAGE_SIZE &&
		       base >> 39 == last >> 39;
	return base >= AREA_FIRST && last < AREA_LIMIT &&
	       !area_table_collides(boot_info.area, boot_info.area_cnt, base,
				    len);
}

void plan_area_at(const char *name, __vaddr_t base, __sz len)
{
	if (boot_info.area_cnt == BOOT_AREAS_MAX)
		loader_fail("too many areas");
	area_set(&boot_info.area[boot_info.area_cnt++], name, base, len);
}

__vaddr_t plan_area(const char *name, __sz len, __sz align)
{
	__vaddr_t base;

	if (area_table_place(boot_info.area, boot_info.area_cnt, len, align,
			     is_fixed() ? __NULL : loader_uniform, __NULL,
			     &base))
		loader_fail("no place for %s", name);
	plan_area_at(name, base, len);
	return base;
}

static void area_map(__vaddr_t va, __paddr_t pa, __sz len)
{
	if (tables_map(va, pa, len >> PAGE_SHIFT, PAGE_ATTR_PROT_RW))
		loader_fail("no memory for page tables");
}

/* What will be in the direct map sooner or later, and its highest address */
static __u64 ram_sum(__paddr_t min, __paddr_t *end)
{
	const struct memregion *r;
	__u64 sum = 0;
	unsigned int i;

	*end = 0;
	for (i = 0; i < boot_info.map.cnt; i++) {
		r = &boot_info.map.r[i];
		if (r->type > MEMREGION_TABLES)
			continue;
		*end = r->end;
		if (r->end > min)
			sum += r->end - MAX(r->start, min);
	}
	return sum;
}

static void lowmem_plan(void)
{
	__paddr_t page = memregion_find(&boot_info.map, PAGE_SIZE, PAGE_SIZE,
					PAGE_SIZE, TRAMPOLINE_END);

	boot_info.lowmem_page = page == __PADDR_INV ? 0 : page;
}

static void meta_plan(void)
{
	__paddr_t paddr, end;
	__sz len;

	boot_info.meta_frames = ram_sum(LOWMEM_END, &end) >> PAGE_SHIFT;
	len = ALIGN_UP(falloc_core_meta_len(boot_info.meta_frames), PAGE_SIZE);
	paddr = plan_memory("the frame allocator", len, MEMREGION_USED);
	boot_info.meta_vaddr = plan_area("frame metadata", len, PAGE_SIZE);
	area_map(boot_info.meta_vaddr, paddr, len);
}

static void cpu_plan(void)
{
	__paddr_t paddr = plan_memory("a CPU", BOOT_CPU_LEN, MEMREGION_USED);

	boot_info.cpu_vaddr = plan_area("CPU", BOOT_CPU_LEN, PAGE_SIZE);
	area_map(boot_info.cpu_vaddr, paddr, BOOT_CPU_LEN);
}

static void stack_plan(void)
{
	const __sz len = STACK_PAGES * PAGE_SIZE;
	__paddr_t paddr = plan_memory("the stack", len, MEMREGION_USED);
	__vaddr_t base = plan_area("boot stack", len, PAGE_SIZE);

	area_map(base, paddr, len);
	plan_stack_top = base + len;
	if (!is_fixed())
		plan_stack_top -= loader_uniform(__NULL, STACK_SLACK) * 16;
}

void plan_platform(void)
{
	__paddr_t end;
	__u64 ram;

	lowmem_plan();
	ram = ram_sum(0, &end);
	if (tables_init(ram))
		loader_fail("no memory for page tables");
	boot_info.map_len = end;
	boot_info.direct_map = plan_area("direct map", end, PAGE_SIZE);
	boot_info.window = plan_area("page tables", end, PAGE_SIZE);
	meta_plan();
	cpu_plan();
	stack_plan();
}

/* Neighbours are one range: all of a block may be free some day, and the frame
 * allocator gives such blocks away as a whole
 */
void plan_direct_map(void)
{
	unsigned int next = 0;
	__paddr_t start, end;
	int rc = tables_window();

	while (!rc && memregion_next(&boot_info.map, &next, MEMREGION_LOADER,
				     &start, &end))
		rc = tables_direct_map(start, end);
	if (rc)
		loader_fail("no memory for page tables");
}
