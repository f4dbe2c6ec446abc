/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>

#include "bootinfo.h"

/* Source: Xen, public/arch-x86/hvm/start_info.h */
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

struct hvm_memmap_entry {
	__u64 addr;
	__u64 size;
	__u32 type;
	__u32 reserved;
};

UK_CTASSERT(sizeof(struct hvm_memmap_entry) == 24);

struct boot_info boot_info;

static void cmdline_copy(__paddr_t paddr)
{
	const char *src = (const char *)paddr;
	__sz i = 0;

	if (paddr)
		for (; i < BOOT_CMDLINE_LEN - 1 && src[i]; i++)
			boot_info.cmdline[i] = src[i];
	boot_info.cmdline[i] = '\0';
}

int bootinfo_parse(__paddr_t start)
{
	const struct hvm_start_info *info;
	const struct hvm_memmap_entry *entry;
	__u32 i;
	int rc;

	info = (const struct hvm_start_info *)start;
	if (info->magic != HVM_START_MAGIC ||
	    info->version < HVM_START_VERSION || !info->memmap_paddr)
		return -EINVAL;

	cmdline_copy(info->cmdline_paddr);
	boot_info.rsdp = info->rsdp_paddr;
	entry = (const struct hvm_memmap_entry *)info->memmap_paddr;
	for (i = 0; i < info->memmap_entries; i++, entry++) {
		rc = memregion_add(&boot_info.map, entry->addr, entry->size,
				   entry->type == HVM_MEMMAP_TYPE_RAM ?
					   MEMREGION_FREE :
					   MEMREGION_RESERVED);
		if (rc)
			return rc;
	}
	return 0;
}

const char *ukplat_cmdline(void)
{
	return boot_info.cmdline;
}

__paddr_t ukplat_acpi_rsdp(void)
{
	return boot_info.rsdp;
}

int ukplat_cmdline_find(const char *key, const char **val)
{
	const char *word = boot_info.cmdline;
	__sz len = strlen(key);

	for (;;) {
		while (*word == ' ')
			word++;
		if (!*word)
			return 0;
		if (!strncmp(word, key, len) &&
		    (word[len] == '=' || word[len] == ' ' || !word[len])) {
			*val = word + len + (word[len] == '=');
			if (**val == ' ')
				*val = "";
			return 1;
		}
		while (*word && *word != ' ')
			word++;
	}
}
