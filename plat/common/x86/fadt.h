/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_FADT_H__
#define __UKPLAT_FADT_H__

/* FADT: the fixed registers of ACPI, as far as events need them
 *
 * Pure: reads a table from memory and fills a structure.
 *
 * Source
 *   ACPI 6.5, 5.2.9, 4.8.3
 */

#include <uk/arch/types.h>

/** What the table says; all of it are I/O ports */
struct fadt {
	/** ISA interrupt, or GSI, of all events */
	__u16 sci;
	/** Where to write what to get the registers from the firmware, or 0 */
	__u16 smi_cmd;
	__u8 acpi_enable;
	/** Status and enable, pm1_evt_len bytes together */
	__u16 pm1_evt;
	__u8 pm1_evt_len;
	/** Control */
	__u16 pm1_cnt;
	/** Status and enable of general purpose events, gpe0_len bytes */
	__u16 gpe0;
	__u8 gpe0_len;
};

/**
 * Reads a table.
 *
 * @param table
 *   The table with its header; may have any alignment
 * @param len
 *   Bytes that may be read
 * @param[out] fadt
 *   Receives the contents; undefined on failure
 *
 * @return
 *   - (0): Read
 *   - (-EINVAL): Not a FADT, or it is too short, or a port is none
 *   - (-ENOTSUP): The machine has no such registers
 */
int fadt_parse(const void *table, __sz len, struct fadt *fadt);

#endif /* __UKPLAT_FADT_H__ */
