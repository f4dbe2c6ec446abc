/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/falloc.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>
#include <uk/print.h>

#include "boot.h"
#include "bootinfo.h"
#include "falloc.h"
#include "image.h"
#include "pt.h"
#include "random.h"
#include "x86/uart.h"

/* What boot.S maps, and what CR3 of a starting CPU can hold */
#define BOOT_PADDR_END	    (1UL << 32)
/* Memory below is left to firmware and to the start of other CPUs */
#define BOOT_LOWMEM_END	    0x100000UL
#define BOOT_TRAMPOLINE_END 0xa0000UL

#define BOOT_STACK_PAGES 16
/* The stack starts at a random multiple of 16 bytes in its last KiB */
#define BOOT_STACK_SLACK 64

#define ELF_R_RELATIVE 8

static void __noreturn boot_fail(const char *what)
{
	uk_pr_crit("boot: %s\n", what);
	ukplat_terminate(UKPLAT_EXIT_CRASH);
}

/* Makes all pointers in the image fit for an image at `base`. The addends
 * are in the table, so this may be done any number of times.
 */
static void image_relocate(__uptr base)
{
	const struct image_rela *r;
	__u64 *where;

	for (r = __rela_start; r < __rela_end; r++) {
		if ((__u32)r->info != ELF_R_RELATIVE)
			boot_fail("relocation of an unknown type");
		where = (__u64 *)(__image_start +
				  (r->offset - IMAGE_LINK_BASE));
		*where = (__u64)r->addend - IMAGE_LINK_BASE + base;
	}
}

/* Number of frames of free memory that the allocator will own */
static __u64 frames_count(__paddr_t min, __paddr_t max)
{
	const struct memregion *r;
	__u64 frames = 0;
	unsigned int i;

	for (i = 0; i < boot_info.map.cnt; i++) {
		r = &boot_info.map.r[i];
		if (r->type == MEMREGION_FREE &&
		    MAX(r->start, min) < MIN(r->end, max))
			frames += (MIN(r->end, max) - MAX(r->start, min)) >>
				  PAGE_SHIFT;
	}
	return frames;
}

/* The memory map without what is in use already; places the metadata */
static void memory_plan(void)
{
	struct memregion_list *map = &boot_info.map;
	__u64 frames;

	boot_info.image_paddr = (__paddr_t)__image_start;
	if (memregion_add(map, boot_info.image_paddr,
			  (__sz)(__image_end - __image_start),
			  MEMREGION_USED) ||
	    memregion_normalise(map))
		boot_fail("memory map too long");

	boot_info.lowmem_page = memregion_find(map, PAGE_SIZE, PAGE_SIZE,
					       PAGE_SIZE, BOOT_TRAMPOLINE_END);
	if (boot_info.lowmem_page == __PADDR_INV)
		boot_info.lowmem_page = 0;

	/* The frames used for boot only are added at the end. The metadata
	 * itself counts, too: its own size need not be known for this.
	 */
	frames = frames_count(BOOT_LOWMEM_END, __PADDR_MAX) +
		 ((__u64)(__image_end - __data_end) >> PAGE_SHIFT);
	boot_info.meta_len = falloc_meta_len(frames);
	boot_info.meta_paddr = memregion_find(map, boot_info.meta_len,
					      PAGE_SIZE, BOOT_LOWMEM_END,
					      BOOT_PADDR_END);
	if (boot_info.meta_paddr == __PADDR_INV)
		boot_fail("no memory for the frame allocator");
	if (memregion_add(map, boot_info.meta_paddr, boot_info.meta_len,
			  MEMREGION_USED) ||
	    memregion_normalise(map))
		boot_fail("memory map too long");
	falloc_init((void *)boot_info.meta_paddr, frames);
}

/* Gives free memory within [min, max) to the frame allocator */
static void frames_add(__paddr_t min, __paddr_t max)
{
	struct uk_falloc *fa = ukplat_falloc_get();
	const struct memregion *r;
	unsigned int i;
	__paddr_t start, end;

	for (i = 0; i < boot_info.map.cnt; i++) {
		r = &boot_info.map.r[i];
		start = MAX(r->start, min);
		end = MIN(r->end, max);
		if (r->type != MEMREGION_FREE || start >= end)
			continue;
		if (fa->addmem(fa, start, (end - start) >> PAGE_SHIFT))
			boot_fail("memory map with too many pieces");
	}
}

static void segment_map(const char *start, const char *end, unsigned long attr)
{
	__sz off = (__sz)(start - __image_start);

	if (start == end)
		return;
	if (ukplat_page_map(ukplat_pt_get_active(), boot_info.image_vaddr + off,
			    boot_info.image_paddr + off,
			    (__sz)(end - start) >> PAGE_SHIFT, attr, 0))
		boot_fail("no memory for page tables");
}

/* Draws where the image goes, and maps it: W^X from the first moment */
static void image_map(void)
{
	if (ukplat_area_reserve("image", (__sz)(__data_end - __image_start),
				PAGE_SIZE, &boot_info.image_vaddr))
		boot_fail("no place for the image");
	segment_map(__image_start, __text_end, PAGE_ATTR_PROT_EXEC);
	segment_map(__text_end, __rodata_end, PAGE_ATTR_PROT_READ);
	segment_map(__rodata_end, __data_end, PAGE_ATTR_PROT_RW);
}

/* Draws where the direct map goes, and fills it. Image and metadata of the
 * frame allocator are left out: they need no second address. Page tables have
 * a window of their own (pt_pool.h).
 */
static void direct_map_build(void)
{
	const struct memregion *r;
	__paddr_t end = (__paddr_t)__image_end;
	unsigned int i;
	int rc;

	for (i = 0; i < boot_info.map.cnt; i++)
		if (boot_info.map.r[i].type == MEMREGION_FREE)
			end = MAX(end, boot_info.map.r[i].end);
	end = ALIGN_UP(end, PAGE_LARGE_SIZE);
	rc = ukplat_area_reserve("direct map", end, PAGE_LARGE_SIZE,
				 &boot_info.direct_map);
	if (!rc)
		rc = ukplat_area_reserve("page tables", end, PAGE_LARGE_SIZE,
					 &boot_info.window);
	for (i = 0; i < boot_info.map.cnt && !rc; i++) {
		r = &boot_info.map.r[i];
		if (r->type == MEMREGION_FREE)
			rc = pt_direct_map_add(boot_info.direct_map,
					       boot_info.window, r->start,
					       r->end);
	}
	if (!rc)
		rc = pt_direct_map_add(boot_info.direct_map, boot_info.window,
				       (__paddr_t)__data_end,
				       (__paddr_t)__image_end);
	if (rc)
		boot_fail("no memory for the direct map");
}

static void areas_map(void)
{
	__vaddr_t stack;

	if (ukplat_area_map("frame metadata", boot_info.meta_paddr,
			    boot_info.meta_len >> PAGE_SHIFT, PAGE_ATTR_PROT_RW,
			    &boot_info.meta_vaddr) ||
	    ukplat_area_map("boot stack", __PADDR_ANY, BOOT_STACK_PAGES,
			    PAGE_ATTR_PROT_RW, &stack))
		boot_fail("no memory for the boot stack");
	boot_info.stack_top = stack + BOOT_STACK_PAGES * PAGE_SIZE -
			      ukplat_random_uniform(BOOT_STACK_SLACK) * 16;
}

void __noreturn boot_main(__paddr_t start)
{
	struct uk_pagetable *pt;
	__vaddr_t high;

	image_relocate((__uptr)__image_start);
	uart_init();
	cpu_features_enable();
	if (bootinfo_parse(start))
		boot_fail("no usable start information");
	random_init(&boot_info, sizeof(boot_info));

	memory_plan();
	frames_add(BOOT_LOWMEM_END, BOOT_PADDR_END);
	if (pt_init(ukplat_falloc_get()))
		boot_fail("no memory");
	image_map();
	direct_map_build();
	areas_map();

	pt = ukplat_pt_get_active();
	high = boot_info.image_vaddr + (__uptr)boot_high -
	       (__uptr)__image_start;
	memcpy(boot_pml4 + UKARCH_PT_UPPER_HALF,
	       pt_table(pt->pt_pbase) + UKARCH_PT_UPPER_HALF, PAGE_SIZE / 2);
	image_relocate(boot_info.image_vaddr);
	boot_jump(pt->pt_pbase, boot_info.stack_top, high);
}
