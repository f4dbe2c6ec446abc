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

#include "boot.h"
#include "bootinfo.h"
#include "frame_cache.h"
#include "lcpu.h"
#include "random.h"
#include "trap.h"

#define ARGS_MAX 32

__paddr_t ukplat_lowmem_page(void)
{
	return boot_info.lowmem_page;
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

/* Address of the first segment, for whoever reads a report later */
static __vaddr_t image_first(void)
{
	return boot_info.seg[0].vaddr;
}

void __noreturn ukplat_entry(const struct boot_info *info)
{
	static char args[BOOT_CMDLINE_LEN];
	static char *argv[ARGS_MAX + 1];
	int rc;

	cpu_features_enable();
	boot_take_over(info);
	lcpu_bsp_init();
	if (trap_init() || ukplat_trap_cpu_prepare(0) ||
	    ukplat_page_cpu_prepare(0)) {
		uk_pr_crit("boot: no memory for CPU 0\n");
		ukplat_terminate(UKPLAT_EXIT_CRASH);
	}
	ukplat_trap_cpu_init(0);
	random_cpu_init();
	frame_cache_init();

	uk_pr_info("ukallocrnd guest: %lu MiB, %s seed, image at 0x%lx\n",
		   ukplat_falloc_get()->total_memory >> 20,
		   ukplat_random_is_strong() ? "strong" : "weak",
		   image_first());
	if (ukplat_build_seed[0])
		uk_pr_info("build: seed %s\n", ukplat_build_seed);
	rc = ukplat_heap_init();
	if (rc) {
		uk_pr_crit("boot: no heap (%d)\n", rc);
		ukplat_terminate(UKPLAT_EXIT_CRASH);
	}
	ukplat_smp_init();
	ukplat_lcpu_enable_irq();

	memcpy(args, boot_info.cmdline, sizeof(args));
	rc = args_split(args, argv);
	time_boot_ends();
	ukplat_terminate(main(rc, argv));
}
