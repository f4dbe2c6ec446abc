/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_MADT_H__
#define __UKPLAT_MADT_H__

/* MADT: which CPUs and interrupt controllers there are
 *
 * Pure: reads a table from memory and fills a structure.
 *
 * Source
 *   ACPI 6.5, 5.2.12
 */

#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>

#define MADT_IOAPIC_MAX 8
#define MADT_ISO_MAX	16
#define MADT_NMI_MAX	16

/* madt_nmi.acpi_uid: all processors */
#define MADT_UID_ALL __U32_MAX

/* MPS INTI flags of madt_iso and madt_nmi: two bits polarity, two trigger */
#define MADT_INTI_POLARITY_MASK 0x3U
#define MADT_INTI_ACTIVE_LOW	0x3U
#define MADT_INTI_TRIGGER_MASK	0xcU
#define MADT_INTI_LEVEL		0xcU

/** A CPU that can be used */
struct madt_cpu {
	__u32 apic_id;
	__u32 acpi_uid;
};

/** An I/O APIC */
struct madt_ioapic {
	__paddr_t paddr;
	/** First global system interrupt (GSI) */
	__u32 gsi_base;
	__u32 id;
};

/** An ISA interrupt that is not wired to the GSI of its own number */
struct madt_iso {
	__u32 gsi;
	__u8 irq;
	/** MADT_INTI_* */
	__u16 flags;
};

/** NMI wiring of local APICs */
struct madt_nmi {
	/** Processor UID or MADT_UID_ALL */
	__u32 acpi_uid;
	/** MADT_INTI_* */
	__u16 flags;
	/** LINT0 or LINT1 */
	__u8 lint;
};

/** What the table says */
struct madt {
	/** Address of the local APIC registers */
	__paddr_t lapic_paddr;
	/** There is a pair of 8259s */
	int has_8259;
	__u32 cpu_cnt;
	__u32 ioapic_cnt;
	__u32 iso_cnt;
	__u32 nmi_cnt;
	/** Entries for which there was no room in the arrays */
	__u32 dropped_cnt;
	struct madt_cpu cpus[CONFIG_UKPLAT_LCPU_MAXCOUNT];
	struct madt_ioapic ioapics[MADT_IOAPIC_MAX];
	struct madt_iso isos[MADT_ISO_MAX];
	struct madt_nmi nmis[MADT_NMI_MAX];
};

/**
 * Reads a table. Each APIC id appears once in the result, in the order of
 * the table.
 *
 * @param table
 *   The table with its header; may have any alignment
 * @param len
 *   Bytes that may be read
 * @param[out] madt
 *   Receives the contents; undefined on failure
 *
 * @return
 *   - (0): Read
 *   - (-EINVAL): Not a MADT, or the length of the table or of an entry is
 *     wrong
 */
int madt_parse(const void *table, __sz len, struct madt *madt);

#endif /* __UKPLAT_MADT_H__ */
