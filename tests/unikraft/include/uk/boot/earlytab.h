/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_BOOT_EARLYTAB_H__
#define __STANDIN_UK_BOOT_EARLYTAB_H__

/* Stands for lib/ukboot/include/uk/boot/earlytab.h of Unikraft, and for the
 * part of the platform that comes with it: among others a function that names
 * an address of which no header knows.
 */

#include <errno.h>

#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/memory.h>

struct ukplat_bootinfo;

struct uk_boot_earlytab_entry {
	int (*init)(struct ukplat_bootinfo *bi);
};

/* Arguments are macros themselves */
#define STANDIN_EARLYTAB(fn, prio)                                             \
	static const struct uk_boot_earlytab_entry __used __section(           \
		".uk_boot_earlytab" #prio) __align(8)                          \
		__uk_boot_earlytab##prio##_##fn = { .init = fn }

#define UK_BOOT_EARLYTAB_ENTRY(fn, prio) STANDIN_EARLYTAB(fn, prio)

#if CONFIG_HAVE_SMP
extern void *x86_start16_begin[];
extern void *x86_start16_end[];
extern __uptr x86_start16_addr;

static inline int ukplat_memregion_alloc_sipi_vect(void)
{
	return x86_start16_addr < X86_VIDEO_MEM_START ? 0 : -ENOMEM;
}
#endif

#endif /* __STANDIN_UK_BOOT_EARLYTAB_H__ */
