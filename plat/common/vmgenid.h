/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_VMGENID_H__
#define __UKPLAT_VMGENID_H__

/* VM generation id: has this machine become two?
 *
 * How
 *   An SSDT with the table id "VMGENID" holds the name VGIA, a number, which
 *   is the address of a page. The id lies in it, 16 random bytes. Whoever
 *   runs the machine writes new ones before a snapshot or a copy goes on, and
 *   raises the event whose method the table has, _Exx.
 *   There is no interpreter of AML here: the bytes that define the names are
 *   looked for.
 *
 * Context
 *   Pure: reads a table from memory.
 *
 * Source
 *   QEMU, docs/specs/vmgenid; ACPI 6.5, 5.2.11.2 (SSDT), 20.2 (AML)
 */

#include <uk/arch/types.h>

/** What the table says */
struct vmgenid {
	/** Physical address of the VMGENID_LEN bytes */
	__paddr_t paddr;
	/** General purpose event that tells of a new id; -1 if none is named */
	int gpe;
};

/* Bytes of an id, and where it begins in its page */
#define VMGENID_LEN 16U
#define VMGENID_OFF 40U

/**
 * Finds the id.
 *
 * @param table
 *   A table with its header; may have any alignment
 * @param len
 *   Bytes that may be read
 * @param[out] id
 *   Receives where it is
 *
 * @return
 *   - (0): Found
 *   - (-ENOENT): This is some other table
 *   - (-EINVAL): The name is missing, is defined twice, or is no address of
 *     a page
 */
int vmgenid_parse(const void *table, __sz len, struct vmgenid *id);

#endif /* __UKPLAT_VMGENID_H__ */
