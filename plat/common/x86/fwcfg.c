/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/essentials.h>

#include "fwcfg.h"

#define ITEM_SIGNATURE 0x0000
#define ITEM_DIRECTORY 0x0019
/* Files have the items from here on */
#define ITEM_FILE_MIN  0x0020
/* Bits that mean something else than a number */
#define ITEM_MASK      0x3fff

/** Entry of the directory; numbers are big endian */
struct entry {
	__u8 size[4];
	__u8 item[2];
	__u8 reserved[2];
	char name[FWCFG_NAME_LEN];
};

UK_CTASSERT(sizeof(struct entry) == 64);

static __u32 be32(const __u8 *bytes)
{
	return (__u32)bytes[0] << 24 | (__u32)bytes[1] << 16 |
	       (__u32)bytes[2] << 8 | bytes[3];
}

static int has_device(void)
{
	char sig[4];

	if (!fwcfg_io_allowed())
		return 0;
	fwcfg_io_select(ITEM_SIGNATURE);
	fwcfg_io_read(sig, sizeof(sig));
	return memcmp(sig, "QEMU", sizeof(sig)) == 0;
}

/* A name that is not terminated is none */
static int name_is(const struct entry *e, const char *name)
{
	__sz i;

	for (i = 0; i < sizeof(e->name); i++) {
		if (e->name[i] != name[i])
			return 0;
		if (!name[i])
			return 1;
	}
	return 0;
}

/* Item of a file and its size; 0 if there is none */
static __u16 file_find(const char *name, __u32 *size)
{
	struct entry e;
	__u8 word[4];
	__u32 cnt;
	__u16 item;

	fwcfg_io_select(ITEM_DIRECTORY);
	fwcfg_io_read(word, sizeof(word));
	for (cnt = MIN(be32(word), FWCFG_FILES_MAX); cnt; cnt--) {
		fwcfg_io_read(&e, sizeof(e));
		if (!name_is(&e, name))
			continue;
		*size = be32(e.size);
		item = (__u16)(e.item[0] << 8 | e.item[1]);
		return item >= ITEM_FILE_MIN && item <= ITEM_MASK ? item : 0;
	}
	return 0;
}

__sz fwcfg_file_read(const char *name, void *buf, __sz len)
{
	__u32 size;
	__u16 item;

	if (!has_device())
		return 0;
	item = file_find(name, &size);
	if (!item)
		return 0;
	len = MIN(len, (__sz)size);
	fwcfg_io_select(item);
	fwcfg_io_read(buf, len);
	return len;
}
