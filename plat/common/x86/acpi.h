/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_ACPI_H__
#define __UKPLAT_ACPI_H__

/* ACPI tables: find them, trust nothing in them
 *
 * How
 *   The tables are read once at boot. Firmware is not an attacker, but a
 *   wrong length must not make the boot read outside of a table: a length is
 *   checked before it is used, and a table with a bad checksum is not used.
 *   acpi.c reaches memory through acpi_map() only, so that a host test can
 *   stand in for it.
 *
 * Source
 *   ACPI 6.5, 5.2.5 (RSDP), 5.2.6 (header), 5.2.7 and 5.2.8 (RSDT, XSDT)
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

/* Longest table that is accepted. Real ones have some KiB; DSDTs, which are
 * the longest, are not read here.
 */
#define ACPI_TABLE_LEN_MAX (256UL * 1024)

/** Header of every table but the RSDP */
struct acpi_sdt {
	char sig[4];
	__u32 len;
	__u8 rev;
	__u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	__u32 oem_rev;
	__u32 creator_id;
	__u32 creator_rev;
} __packed;

UK_CTASSERT(sizeof(struct acpi_sdt) == 36);

/** Root pointer; the part after rsdt_paddr from revision 2 on */
struct acpi_rsdp {
	char sig[8];
	__u8 checksum;
	char oem_id[6];
	__u8 rev;
	__u32 rsdt_paddr;
	__u32 len;
	__u64 xsdt_paddr;
	__u8 ext_checksum;
	__u8 reserved[3];
} __packed;

UK_CTASSERT(sizeof(struct acpi_rsdp) == 36);

/**
 * Maps physical memory for reading. Implemented by mmio.c.
 *
 * @param paddr
 *   First byte, any alignment
 * @param len
 *   Number of bytes, not 0
 *
 * @return
 *   The bytes, or __NULL if they cannot be mapped
 */
const void *acpi_map(__paddr_t paddr, __sz len);

/** Undoes acpi_map(); same pointer and length. */
void acpi_unmap(const void *ptr, __sz len);

/**
 * Finds the root pointer in the BIOS areas: first KiB of the EBDA, then
 * 0xe0000 to 0xfffff.
 *
 * @return
 *   Physical address, or 0 if there is none
 */
__paddr_t acpi_rsdp_scan(void);

/**
 * Finds a table and maps it. Checks signature, length and checksum of
 * everything on the way.
 *
 * @param rsdp
 *   Physical address of the root pointer
 * @param sig
 *   Signature of the table, four characters
 * @param[out] table
 *   Receives the table; table->len bytes are mapped. The caller ends with
 *   acpi_unmap(table, table->len).
 *
 * @return
 *   - (0): Found
 *   - (-ENOENT): There is no such table
 *   - (-EINVAL): A table on the way, or the table itself, is damaged
 *   - (-ENOMEM): Memory cannot be mapped
 */
int acpi_table_find(__paddr_t rsdp, const char *sig,
		    const struct acpi_sdt **table);

/**
 * As acpi_table_find(), for signatures that several tables have.
 *
 * @param nth
 *   0 for the first one
 */
int acpi_table_find_nth(__paddr_t rsdp, const char *sig, unsigned int nth,
			const struct acpi_sdt **table);

#endif /* __UKPLAT_ACPI_H__ */
