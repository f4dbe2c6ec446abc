/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include "acpi.h"
#include "madt.h"

#define MADT_PCAT_COMPAT 0x1U

/* Flags of a processor entry */
#define CPU_ENABLED	   0x1U
#define CPU_ONLINE_CAPABLE 0x2U

/* Ids that address nobody */
#define APIC_ID_NONE_8	0xffU
#define APIC_ID_NONE_32 0xffffffffU
#define ACPI_UID_ALL_8	0xffU

enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_ISO = 2,
	MADT_LAPIC_NMI = 4,
	MADT_LAPIC_ADDR = 5,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10
};

struct madt_table {
	struct acpi_sdt head;
	__u32 lapic_paddr;
	__u32 flags;
} __packed;

/* The entries, each beginning with its type and its length */

struct entry {
	__u8 type;
	__u8 len;
} __packed;

struct entry_lapic {
	struct entry entry;
	__u8 acpi_uid;
	__u8 apic_id;
	__u32 flags;
} __packed;

struct entry_ioapic {
	struct entry entry;
	__u8 id;
	__u8 reserved;
	__u32 paddr;
	__u32 gsi_base;
} __packed;

struct entry_iso {
	struct entry entry;
	__u8 bus;
	__u8 irq;
	__u32 gsi;
	__u16 flags;
} __packed;

struct entry_lapic_nmi {
	struct entry entry;
	__u8 acpi_uid;
	__u16 flags;
	__u8 lint;
} __packed;

struct entry_lapic_addr {
	struct entry entry;
	__u16 reserved;
	__u64 paddr;
} __packed;

struct entry_x2apic {
	struct entry entry;
	__u16 reserved;
	__u32 apic_id;
	__u32 flags;
	__u32 acpi_uid;
} __packed;

struct entry_x2apic_nmi {
	struct entry entry;
	__u16 flags;
	__u32 acpi_uid;
	__u8 lint;
	__u8 reserved[3];
} __packed;

/* Shortest valid length of each type that is read; 0 for the others */
static const __u8 entry_len_min[] = {
	[MADT_LAPIC] = sizeof(struct entry_lapic),
	[MADT_IOAPIC] = sizeof(struct entry_ioapic),
	[MADT_ISO] = sizeof(struct entry_iso),
	[MADT_LAPIC_NMI] = sizeof(struct entry_lapic_nmi),
	[MADT_LAPIC_ADDR] = sizeof(struct entry_lapic_addr),
	[MADT_X2APIC] = sizeof(struct entry_x2apic),
	[MADT_X2APIC_NMI] = sizeof(struct entry_x2apic_nmi),
};

static void cpu_add(struct madt *madt, __u32 apic_id, __u32 acpi_uid,
		    __u32 flags)
{
	__u32 i;

	if (!(flags & (CPU_ENABLED | CPU_ONLINE_CAPABLE)))
		return;

	/* Some firmware lists a CPU in both formats */
	for (i = 0; i < madt->cpu_cnt; i++)
		if (madt->cpus[i].apic_id == apic_id)
			return;
	if (madt->cpu_cnt == ARRAY_SIZE(madt->cpus)) {
		madt->dropped_cnt++;
		return;
	}
	madt->cpus[madt->cpu_cnt].apic_id = apic_id;
	madt->cpus[madt->cpu_cnt].acpi_uid = acpi_uid;
	madt->cpu_cnt++;
}

static void lapic_add(struct madt *madt, const struct entry_lapic *e)
{
	if (e->apic_id != APIC_ID_NONE_8)
		cpu_add(madt, e->apic_id, e->acpi_uid, e->flags);
}

static void x2apic_add(struct madt *madt, const struct entry_x2apic *e)
{
	if (e->apic_id != APIC_ID_NONE_32)
		cpu_add(madt, e->apic_id, e->acpi_uid, e->flags);
}

static void ioapic_add(struct madt *madt, const struct entry_ioapic *e)
{
	struct madt_ioapic *ioapic;

	if (madt->ioapic_cnt == ARRAY_SIZE(madt->ioapics)) {
		madt->dropped_cnt++;
		return;
	}
	ioapic = &madt->ioapics[madt->ioapic_cnt++];
	ioapic->paddr = e->paddr;
	ioapic->gsi_base = e->gsi_base;
	ioapic->id = e->id;
}

static void iso_add(struct madt *madt, const struct entry_iso *e)
{
	struct madt_iso *iso;

	if (madt->iso_cnt == ARRAY_SIZE(madt->isos)) {
		madt->dropped_cnt++;
		return;
	}
	iso = &madt->isos[madt->iso_cnt++];
	iso->irq = e->irq;
	iso->gsi = e->gsi;
	iso->flags = e->flags;
}

static void nmi_add(struct madt *madt, __u32 acpi_uid, __u16 flags, __u8 lint)
{
	struct madt_nmi *nmi;

	/* There is no third pin */
	if (lint > 1)
		return;
	if (madt->nmi_cnt == ARRAY_SIZE(madt->nmis)) {
		madt->dropped_cnt++;
		return;
	}
	nmi = &madt->nmis[madt->nmi_cnt++];
	nmi->acpi_uid = acpi_uid;
	nmi->flags = flags;
	nmi->lint = lint;
}

static void lapic_nmi_add(struct madt *madt, const struct entry_lapic_nmi *e)
{
	nmi_add(madt,
		e->acpi_uid == ACPI_UID_ALL_8 ? MADT_UID_ALL : e->acpi_uid,
		e->flags, e->lint);
}

static void x2apic_nmi_add(struct madt *madt, const struct entry_x2apic_nmi *e)
{
	nmi_add(madt, e->acpi_uid, e->flags, e->lint);
}

static void entry_read(struct madt *madt, const void *e, __u8 type)
{
	switch (type) {
	case MADT_LAPIC:
		lapic_add(madt, e);
		break;
	case MADT_IOAPIC:
		ioapic_add(madt, e);
		break;
	case MADT_ISO:
		iso_add(madt, e);
		break;
	case MADT_LAPIC_NMI:
		lapic_nmi_add(madt, e);
		break;
	case MADT_LAPIC_ADDR:
		madt->lapic_paddr = ((const struct entry_lapic_addr *)e)->paddr;
		break;
	case MADT_X2APIC:
		x2apic_add(madt, e);
		break;
	case MADT_X2APIC_NMI:
		x2apic_nmi_add(madt, e);
		break;
	default:
		break;
	}
}

int madt_parse(const void *table, __sz len, struct madt *madt)
{
	const struct madt_table *head = table;
	const struct entry *e;
	__sz off;

	if (len < sizeof(*head) || head->head.len < sizeof(*head) ||
	    head->head.len > len ||
	    memcmp(head->head.sig, "APIC", sizeof(head->head.sig)) != 0)
		return -EINVAL;

	memset(madt, 0, sizeof(*madt));
	madt->lapic_paddr = head->lapic_paddr;
	madt->has_8259 = (head->flags & MADT_PCAT_COMPAT) != 0;

	for (off = sizeof(*head); off < head->head.len; off += e->len) {
		e = (const void *)((const char *)table + off);
		if (head->head.len - off < sizeof(*e) || e->len < sizeof(*e) ||
		    e->len > head->head.len - off)
			return -EINVAL;
		if (e->type < ARRAY_SIZE(entry_len_min) &&
		    e->len < entry_len_min[e->type])
			return -EINVAL;
		entry_read(madt, e, e->type);
	}
	return 0;
}
