/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include "acpi.h"

/* Part of the RSDP that exists since revision 0 */
#define RSDP_V1_LEN 20
/* The RSDP lies on a multiple of this */
#define RSDP_ALIGN  16

#define EBDA_SEGMENT_PADDR 0x40eUL
#define EBDA_SCAN_LEN	   1024UL
/* The EBDA is somewhere in the last half of low memory */
#define EBDA_PADDR_MIN	   0x80000UL
#define EBDA_PADDR_MAX	   0xa0000UL
#define BIOS_SCAN_PADDR	   0xe0000UL
#define BIOS_SCAN_LEN	   0x20000UL

/* 0 if the bytes add up to 0, as those of a sane table do */
static __u8 checksum(const void *ptr, __sz len)
{
	const __u8 *bytes = ptr;
	__u8 sum = 0;
	__sz i;

	for (i = 0; i < len; i++)
		sum = (__u8)(sum + bytes[i]);
	return sum;
}

static int rsdp_is_valid(const struct acpi_rsdp *rsdp)
{
	return memcmp(rsdp->sig, "RSD PTR ", sizeof(rsdp->sig)) == 0 &&
	       checksum(rsdp, RSDP_V1_LEN) == 0;
}

/* Physical address of a root pointer in the area, or 0 */
static __paddr_t area_scan(__paddr_t paddr, __sz len)
{
	const char *area = acpi_map(paddr, len);
	__paddr_t found = 0;
	__sz off;

	if (!area)
		return 0;
	for (off = 0; off + RSDP_V1_LEN <= len; off += RSDP_ALIGN) {
		if (rsdp_is_valid((const void *)(area + off))) {
			found = paddr + off;
			break;
		}
	}
	acpi_unmap(area, len);
	return found;
}

__paddr_t acpi_rsdp_scan(void)
{
	const void *word = acpi_map(EBDA_SEGMENT_PADDR, sizeof(__u16));
	__paddr_t ebda = 0, found = 0;
	__u16 segment;

	if (word) {
		memcpy(&segment, word, sizeof(segment));
		acpi_unmap(word, sizeof(__u16));
		ebda = (__paddr_t)segment << 4;
	}
	if (ebda >= EBDA_PADDR_MIN && ebda <= EBDA_PADDR_MAX - EBDA_SCAN_LEN)
		found = area_scan(ebda, EBDA_SCAN_LEN);
	if (!found)
		found = area_scan(BIOS_SCAN_PADDR, BIOS_SCAN_LEN);
	return found;
}

/* Copies the root pointer; what its revision does not have becomes 0 */
static int rsdp_read(__paddr_t paddr, struct acpi_rsdp *rsdp)
{
	const struct acpi_rsdp *mapped;
	int rc = 0;

	memset(rsdp, 0, sizeof(*rsdp));
	mapped = acpi_map(paddr, RSDP_V1_LEN);
	if (!mapped)
		return -ENOMEM;
	memcpy(rsdp, mapped, RSDP_V1_LEN);
	acpi_unmap(mapped, RSDP_V1_LEN);
	if (!rsdp_is_valid(rsdp))
		return -EINVAL;
	if (rsdp->rev < 2)
		return 0;

	mapped = acpi_map(paddr, sizeof(*rsdp));
	if (!mapped)
		return -ENOMEM;
	memcpy(rsdp, mapped, sizeof(*rsdp));
	if (rsdp->len != sizeof(*rsdp) || checksum(rsdp, sizeof(*rsdp)))
		rc = -EINVAL;
	acpi_unmap(mapped, sizeof(*rsdp));
	return rc;
}

/* Maps a table of any kind after looking at its length */
static int table_map(__paddr_t paddr, const struct acpi_sdt **table)
{
	const struct acpi_sdt *mapped;
	__sz len;

	if (!paddr)
		return -EINVAL;
	mapped = acpi_map(paddr, sizeof(*mapped));
	if (!mapped)
		return -ENOMEM;
	len = mapped->len;
	acpi_unmap(mapped, sizeof(*mapped));
	if (len < sizeof(*mapped) || len > ACPI_TABLE_LEN_MAX ||
	    paddr > __PADDR_MAX - len)
		return -EINVAL;

	mapped = acpi_map(paddr, len);
	if (!mapped)
		return -ENOMEM;
	/* The length again: it bounds everything that follows */
	if (mapped->len != len || checksum(mapped, len)) {
		acpi_unmap(mapped, len);
		return -EINVAL;
	}
	*table = mapped;
	return 0;
}

static int sig_is(const struct acpi_sdt *table, const char *sig)
{
	return memcmp(table->sig, sig, sizeof(table->sig)) == 0;
}

/* Looks at the signature only, without mapping the whole table: there may be
 * tables that are longer than what is accepted here
 */
static int entry_matches(__paddr_t paddr, const char *sig)
{
	const struct acpi_sdt *head;
	int match;

	if (!paddr || paddr > __PADDR_MAX - sizeof(*head))
		return 0;
	head = acpi_map(paddr, sizeof(*head));
	if (!head)
		return 0;
	match = sig_is(head, sig);
	acpi_unmap(head, sizeof(*head));
	return match;
}

/* What is looked for: the nth table, from 0, with a signature */
struct wanted {
	const char *sig;
	unsigned int nth;
};

/* Searches a root table whose entries have entry_len bytes (4 or 8) */
static int root_search(const struct acpi_sdt *root, __sz entry_len,
		       const struct wanted *want, const struct acpi_sdt **table)
{
	const char *entries = (const char *)(root + 1);
	__sz n = (root->len - sizeof(*root)) / entry_len;
	unsigned int left = want->nth;
	__u64 paddr;
	__sz i;

	for (i = 0; i < n; i++) {
		paddr = 0;
		memcpy(&paddr, entries + i * entry_len, entry_len);
		if (entry_matches(paddr, want->sig) && !left--)
			return table_map(paddr, table);
	}
	return -ENOENT;
}

static int root_find(__paddr_t paddr, const char *root_sig, __sz entry_len,
		     const struct wanted *want, const struct acpi_sdt **table)
{
	const struct acpi_sdt *root;
	int rc;

	rc = table_map(paddr, &root);
	if (rc)
		return rc;
	rc = -EINVAL;
	if (sig_is(root, root_sig))
		rc = root_search(root, entry_len, want, table);
	acpi_unmap(root, root->len);
	return rc;
}

int acpi_table_find_nth(__paddr_t rsdp, const char *sig, unsigned int nth,
			const struct acpi_sdt **table)
{
	const struct wanted want = { .sig = sig, .nth = nth };
	struct acpi_rsdp root;
	int rc;

	rc = rsdp_read(rsdp, &root);
	if (rc)
		return rc;
	if (root.rev >= 2 && root.xsdt_paddr) {
		rc = root_find(root.xsdt_paddr, "XSDT", sizeof(__u64), &want,
			       table);
		/* A damaged XSDT leaves the RSDT, as it is for old systems */
		if (rc != -EINVAL)
			return rc;
	}
	return root_find(root.rsdt_paddr, "RSDT", sizeof(__u32), &want, table);
}

int acpi_table_find(__paddr_t rsdp, const char *sig,
		    const struct acpi_sdt **table)
{
	return acpi_table_find_nth(rsdp, sig, 0, table);
}
