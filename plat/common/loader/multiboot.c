/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Source: Multiboot Specification 0.6.96, 3.3 */

#include <errno.h>
#include <string.h>

#include <uk/essentials.h>

#include "loader.h"

#define MULTIBOOT_CMDLINE (1U << 2)
#define MULTIBOOT_MODS	  (1U << 3)
#define MULTIBOOT_MMAP	  (1U << 6)
#define MULTIBOOT_RAM	  1U

struct multiboot_info {
	__u32 flags;
	__u32 mem_lower;
	__u32 mem_upper;
	__u32 boot_device;
	__u32 cmdline;
	__u32 mods_count;
	__u32 mods_addr;
	__u32 syms[4];
	__u32 mmap_length;
	__u32 mmap_addr;
};

struct multiboot_module {
	__u32 start;
	__u32 end;
	__u32 string;
	__u32 reserved;
};

/* `size` does not count itself */
struct multiboot_mmap {
	__u32 size;
	__u64 addr;
	__u64 len;
	__u32 type;
} __packed;

#define MMAP_SIZE_MIN (sizeof(struct multiboot_mmap) - sizeof(__u32))

static int mmap_read(const struct multiboot_info *info)
{
	const char *at = (const char *)(__uptr)info->mmap_addr;
	struct multiboot_mmap entry;
	__sz left = info->mmap_length;
	enum memregion_type type;
	unsigned int cnt = 0;
	int rc = 0;

	if (!loader_can_read(info->mmap_addr, left))
		return -EINVAL;
	while (left >= sizeof(entry) && !rc) {
		if (cnt++ == MEMREGION_MAX)
			return -ENOSPC;
		memcpy(&entry, at, sizeof(entry));
		if (entry.size < MMAP_SIZE_MIN ||
		    entry.size > left - sizeof(__u32))
			return -EINVAL;
		type = entry.type == MULTIBOOT_RAM ? MEMREGION_FREE :
						     MEMREGION_RESERVED;
		rc = memregion_add(&boot_info.map, entry.addr, entry.len, type);
		at += entry.size + sizeof(__u32);
		left -= entry.size + sizeof(__u32);
	}
	return rc;
}

static int mods_read(const struct multiboot_info *info,
		     struct loader_modules *modules)
{
	const struct multiboot_module *mod;
	__u32 i;
	int rc = 0;

	if (info->mods_count > LOADER_MODULES_MAX)
		return -ENOSPC;
	if (!loader_can_read(info->mods_addr, info->mods_count * sizeof(*mod)))
		return -EINVAL;
	mod = (const struct multiboot_module *)(__uptr)info->mods_addr;
	for (i = 0; i < info->mods_count && !rc; i++, mod++)
		rc = mod->end < mod->start ?
			     -EINVAL :
			     loader_module_add(modules, mod->start,
					       mod->end - mod->start);
	return rc;
}

int multiboot_parse(__paddr_t start, struct loader_modules *modules)
{
	const struct multiboot_info *info;
	int rc;

	if (!loader_can_read(start, sizeof(*info)))
		return -EINVAL;
	info = (const struct multiboot_info *)start;
	if (!(info->flags & MULTIBOOT_MMAP))
		return -EINVAL;
	if (info->flags & MULTIBOOT_CMDLINE)
		loader_cmdline_copy(info->cmdline, LOADER_CMDLINE_MAX);
	rc = mmap_read(info);
	if (rc || !(info->flags & MULTIBOOT_MODS))
		return rc;
	return mods_read(info, modules);
}
