/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Source: Multiboot2 Specification 2.0, 3.6 */

#include <errno.h>
#include <string.h>

#include <uk/essentials.h>

#include "loader.h"

#define TAG_END	     0U
#define TAG_CMDLINE  1U
#define TAG_MODULE   3U
#define TAG_MMAP     6U
#define TAG_ACPI_OLD 14U
#define TAG_ACPI_NEW 15U
#define TAG_ALIGN    8U
#define MMAP_RAM     1U
/* Longer than any list of tags that is meant */
#define TAGS_LEN_MAX 0x100000U

struct tag {
	__u32 type;
	__u32 size;
};

struct tag_module {
	struct tag tag;
	__u32 start;
	__u32 end;
};

struct tag_mmap {
	struct tag tag;
	__u32 entry_size;
	__u32 entry_version;
};

struct mmap_entry {
	__u64 addr;
	__u64 len;
	__u32 type;
	__u32 reserved;
};

static int mmap_read(const struct tag_mmap *tag)
{
	struct mmap_entry entry;
	__u64 at = sizeof(*tag);
	enum memregion_type type;
	int rc = 0;

	if (tag->tag.size < sizeof(*tag) || tag->entry_size < sizeof(entry))
		return -EINVAL;
	for (; at + tag->entry_size <= tag->tag.size && !rc;
	     at += tag->entry_size) {
		memcpy(&entry, (const char *)tag + at, sizeof(entry));
		type = entry.type == MMAP_RAM ? MEMREGION_FREE :
						MEMREGION_RESERVED;
		rc = memregion_add(&boot_info.map, entry.addr, entry.len, type);
	}
	return rc;
}

static int module_read(const struct tag_module *tag,
		       struct loader_modules *modules)
{
	if (tag->tag.size < sizeof(*tag) || tag->end < tag->start)
		return -EINVAL;
	return loader_module_add(modules, tag->start, tag->end - tag->start);
}

/* The structure itself is in the tag, which lies in memory of nobody: it
 * moves to memory of ours
 */
static void acpi_read(const struct tag *tag)
{
	__sz len = MIN((__sz)tag->size - sizeof(*tag), (__sz)LOADER_RSDP_LEN);

	memset(loader_rsdp, 0, sizeof(loader_rsdp));
	memcpy(loader_rsdp, tag + 1, len);
}

static int tag_read(const struct tag *tag, struct loader_modules *modules)
{
	switch (tag->type) {
	case TAG_CMDLINE:
		loader_cmdline_copy((__paddr_t)(tag + 1),
				    tag->size - sizeof(*tag));
		return 0;
	case TAG_MODULE:
		return module_read((const struct tag_module *)tag, modules);
	case TAG_MMAP:
		return mmap_read((const struct tag_mmap *)tag);
	case TAG_ACPI_OLD:
		if (!loader_rsdp[0])
			acpi_read(tag);
		return 0;
	case TAG_ACPI_NEW:
		acpi_read(tag);
		return 0;
	default:
		return 0;
	}
}

int multiboot2_parse(__paddr_t start, struct loader_modules *modules)
{
	__u64 at = start + sizeof(struct tag);
	const struct tag *tag;
	__u64 end;
	int rc = 0;

	if (!loader_can_read(start, sizeof(*tag)))
		return -EINVAL;
	end = start + MIN(*(const __u32 *)start, TAGS_LEN_MAX);
	if (!loader_can_read(start, end - start))
		return -EINVAL;
	while (!rc && at + sizeof(*tag) <= end) {
		tag = (const struct tag *)at;
		if (tag->type == TAG_END)
			return 0;
		if (tag->size < sizeof(*tag) || tag->size > end - at)
			return -EINVAL;
		rc = tag_read(tag, modules);
		at += ALIGN_UP((__u64)tag->size, TAG_ALIGN);
	}
	return rc ? rc : -EINVAL;
}
