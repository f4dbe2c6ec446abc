/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Addresses of this boot that are no area of the platform
 *
 * How
 *   A stack pointer is that of a function called from main(), or by an idle
 *   CPU: always equally far below the first one of its stack, so that it is
 *   as random as that, below the page, too.
 */

#include <uk/arch/paging.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/paging.h>
#ifdef CONFIG_LIBUKVMEM
#include <uk/vma_types.h>
#include <uk/vmem.h>
#endif

#include "bench.h"

/* Enough to see whether one tells where the next one is */
#define MAPPINGS	3
#define MAPPING_PAGES	16
#define STACK_ALIGNMENT 16

static void mappings_report(bench_place_func fn, void *arg)
{
#ifdef CONFIG_LIBUKVMEM
	unsigned int i;
	__vaddr_t va;

	for (i = 0; i < MAPPINGS; i++) {
		va = __VADDR_ANY;
		if (uk_vma_map_anon(uk_vas_get_active(), &va,
				    MAPPING_PAGES * PAGE_SIZE,
				    PAGE_ATTR_PROT_RW, 0, "mapping"))
			return;
		fn(arg, "mapping", va, MAPPING_PAGES * PAGE_SIZE);
	}
#else
	(void)fn;
	(void)arg;
#endif
}

static void frame_store(struct __regs *regs __unused, void *frame)
{
	*(__uptr *)frame = (__uptr)__builtin_frame_address(0);
}

static void stacks_report(bench_place_func fn, void *arg)
{
	struct ukplat_lcpu_func func = { .fn = frame_store };
	unsigned int one;
	__uptr frame;
	__u32 cpu;

	fn(arg, "boot stack pointer", (__uptr)__builtin_frame_address(0),
	   STACK_ALIGNMENT);
	for (cpu = 0; cpu < CONFIG_UKPLAT_LCPU_MAXCOUNT; cpu++) {
		if (cpu == ukplat_lcpu_idx() || !ukplat_lcpu_is_online(cpu))
			continue;
		func.user = &frame;
		one = 1;
		if (ukplat_lcpu_run(&cpu, &one, &func, 0))
			continue;
		one = 1;
		if (!ukplat_lcpu_wait(&cpu, &one, 0))
			fn(arg, "stack pointer", frame, STACK_ALIGNMENT);
	}
}

void bench_places(bench_place_func fn, void *arg)
{
	fn(arg, "page table root", ukplat_pt_get_active()->pt_vbase, PAGE_SIZE);
	stacks_report(fn, arg);
	mappings_report(fn, arg);
}
