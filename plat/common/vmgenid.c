/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/arch/paging.h>
#include <uk/essentials.h>

#include "vmgenid.h"
#include "x86/acpi.h"

/* NameOp, the name, DWordPrefix; then four bytes, the lowest one first */
static const __u8 vgia_def[] = { 0x08, 'V', 'G', 'I', 'A', 0x0c };

#define VALUE_LEN    sizeof(__u32)
#define GPE_NAME_LEN 4U

static int is_ours(const struct acpi_sdt *table)
{
	const char *id = table->oem_table_id;

	return memcmp(table->sig, "SSDT", sizeof(table->sig)) == 0 &&
	       memcmp(id, "VMGENID", 7) == 0 && (!id[7] || id[7] == ' ');
}

/* Value of a digit of AML's names, or -1 */
static int digit(__u8 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Number of the first event that has a method, edge triggered; -1: none */
static int gpe_find(const __u8 *bytes, __sz len)
{
	__sz pos;

	for (pos = 0; len - pos >= GPE_NAME_LEN; pos++)
		if (bytes[pos] == '_' && bytes[pos + 1] == 'E' &&
		    digit(bytes[pos + 2]) >= 0 && digit(bytes[pos + 3]) >= 0)
			return digit(bytes[pos + 2]) * 16 +
			       digit(bytes[pos + 3]);
	return -1;
}

int vmgenid_parse(const void *table, __sz len, struct vmgenid *id)
{
	const __u8 *body = (const __u8 *)table + sizeof(struct acpi_sdt);
	struct acpi_sdt head;
	unsigned int found = 0;
	__u32 page = 0;
	__sz pos;

	if (len < sizeof(head))
		return -ENOENT;
	memcpy(&head, table, sizeof(head));
	if (!is_ours(&head))
		return -ENOENT;
	if (head.len > len || head.len < sizeof(head))
		return -EINVAL;

	len = head.len - sizeof(head);
	for (pos = 0; len - pos >= sizeof(vgia_def) + VALUE_LEN; pos++) {
		if (memcmp(body + pos, vgia_def, sizeof(vgia_def)) != 0)
			continue;
		memcpy(&page, body + pos + sizeof(vgia_def), VALUE_LEN);
		found++;
	}
	/* Zero: the firmware has not filled it in */
	if (found != 1 || !page || page % PAGE_SIZE)
		return -EINVAL;
	id->paddr = (__paddr_t)page + VMGENID_OFF;
	id->gpe = gpe_find(body, len);
	return 0;
}
