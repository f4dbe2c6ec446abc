/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/arch/lcpu.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/falloc.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>
#include <uk/print.h>

#include "area.h"
#include "boot.h"
#include "bootinfo.h"
#include "falloc.h"
#include "frame_cache.h"
#include "image.h"
#include "lcpu.h"
#include "pt.h"
#include "trap.h"

#define ARGS_MAX 32

/* Frames above what the identity map had */
#define HIGH_PADDR_START (1UL << 32)

/* A program without an allocator library has no heap */
int __weak ukplat_heap_init(void)
{
	return 0;
}

__paddr_t ukplat_lowmem_page(void)
{
	return boot_info.lowmem_page;
}

/* Everything that remembers an address from before the jump */
static void state_rebase(void)
{
	area_rebase(boot_info.image_vaddr - boot_info.image_paddr);
	falloc_rebase((void *)boot_info.meta_vaddr);
	pt_rebase(ukplat_falloc_get(), boot_info.direct_map, boot_info.window);
}

/* Memory that the boot could not reach, or needed itself until now */
static void frames_add_late(void)
{
	struct uk_falloc *fa = ukplat_falloc_get();
	const struct memregion *r;
	__paddr_t start;
	unsigned int i;
	int rc;

	rc = fa->addmem(fa,
			boot_info.image_paddr +
				(__paddr_t)(__data_end - __image_start),
			(__sz)(__image_end - __data_end) >> PAGE_SHIFT);
	for (i = 0; i < boot_info.map.cnt && !rc; i++) {
		r = &boot_info.map.r[i];
		start = MAX(r->start, HIGH_PADDR_START);
		if (r->type == MEMREGION_FREE && start < r->end)
			rc = fa->addmem(fa, start,
					(r->end - start) >> PAGE_SHIFT);
	}
	if (rc)
		uk_pr_warn("boot: some memory is not used (%d)\n", rc);
}

/* Splits the command line in place; the words stay in boot_info */
static int args_split(char *line, char *argv[])
{
	int argc = 1;

	argv[0] = line + strlen(line); /* no program name: "" */
	while (argc < ARGS_MAX) {
		while (*line == ' ')
			*line++ = '\0';
		if (!*line)
			break;
		argv[argc++] = line;
		while (*line && *line != ' ')
			line++;
	}
	argv[argc] = __NULL;
	return argc;
}

void __noreturn ukplat_entry(void)
{
	static char args[BOOT_CMDLINE_LEN];
	static char *argv[ARGS_MAX + 1];
	int rc;

	lcpu_bsp_init();
	state_rebase();
	if (trap_init() || ukplat_trap_cpu_prepare(0) ||
	    ukplat_page_cpu_prepare(0)) {
		uk_pr_crit("boot: no memory for CPU 0\n");
		ukplat_terminate(UKPLAT_EXIT_CRASH);
	}
	ukplat_trap_cpu_init(0);
	frame_cache_init();
	frames_add_late();

	uk_pr_info("ukallocrnd guest: %lu MiB, %s seed, image at 0x%lx\n",
		   ukplat_falloc_get()->total_memory >> 20,
		   ukplat_random_is_strong() ? "strong" : "weak",
		   (unsigned long)__image_start);
	rc = ukplat_heap_init();
	/* cppcheck-suppress knownConditionTrueFalse; that version is weak */
	if (rc) {
		uk_pr_crit("boot: no heap (%d)\n", rc);
		ukplat_terminate(UKPLAT_EXIT_CRASH);
	}
	ukplat_smp_init();
	ukplat_lcpu_enable_irq();

	memcpy(args, boot_info.cmdline, sizeof(args));
	rc = args_split(args, argv);
	ukplat_terminate(main(rc, argv));
}
