/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Source: Xen, public/arch-x86/hvm/start_info.h */

#include <errno.h>

#include <uk/essentials.h>

#include "loader.h"

#define HVM_START_MAGIC	    0x336ec578
#define HVM_START_VERSION   1
#define HVM_MEMMAP_TYPE_RAM 1

struct hvm_start_info {
	__u32 magic;
	__u32 version;
	__u32 flags;
	__u32 nr_modules;
	__u64 modlist_paddr;
	__u64 cmdline_paddr;
	__u64 rsdp_paddr;
	/* Since version 1 */
	__u64 memmap_paddr;
	__u32 memmap_entries;
	__u32 reserved;
};

UK_CTASSERT(sizeof(struct hvm_start_info) == 56);

struct hvm_module {
	__u64 paddr;
	__u64 size;
	__u64 cmdline_paddr;
	__u64 reserved;
};

struct hvm_memmap_entry {
	__u64 addr;
	__u64 size;
	__u32 type;
	__u32 reserved;
};

UK_CTASSERT(sizeof(struct hvm_memmap_entry) == 24);

static int memmap_read(const struct hvm_start_info *info)
{
	const struct hvm_memmap_entry *entry;
	enum memregion_type type;
	__u32 i;
	int rc = 0;

	if (info->memmap_entries > MEMREGION_MAX)
		return -ENOSPC;
	if (!loader_can_read(info->memmap_paddr,
			     info->memmap_entries * sizeof(*entry)))
		return -EINVAL;
	entry = (const struct hvm_memmap_entry *)info->memmap_paddr;
	for (i = 0; i < info->memmap_entries && !rc; i++, entry++) {
		type = entry->type == HVM_MEMMAP_TYPE_RAM ? MEMREGION_FREE :
							    MEMREGION_RESERVED;
		rc = memregion_add(&boot_info.map, entry->addr, entry->size,
				   type);
	}
	return rc;
}

static int modules_read(const struct hvm_start_info *info,
			struct loader_modules *modules)
{
	const struct hvm_module *mod;
	__u32 i;
	int rc = 0;

	if (info->nr_modules > LOADER_MODULES_MAX)
		return -ENOSPC;
	if (!loader_can_read(info->modlist_paddr,
			     info->nr_modules * sizeof(*mod)))
		return -EINVAL;
	mod = (const struct hvm_module *)info->modlist_paddr;
	for (i = 0; i < info->nr_modules && !rc; i++, mod++)
		rc = loader_module_add(modules, mod->paddr, mod->size);
	return rc;
}

int pvh_parse(__paddr_t start, struct loader_modules *modules)
{
	const struct hvm_start_info *info;
	int rc;

	if (!loader_can_read(start, sizeof(*info)))
		return -EINVAL;
	info = (const struct hvm_start_info *)start;
	if (info->magic != HVM_START_MAGIC ||
	    info->version < HVM_START_VERSION || !info->memmap_paddr)
		return -EINVAL;

	loader_cmdline_copy(info->cmdline_paddr, LOADER_CMDLINE_MAX);
	boot_info.rsdp = info->rsdp_paddr;
	rc = memmap_read(info);
	return rc ? rc : modules_read(info, modules);
}
