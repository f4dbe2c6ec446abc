/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <uk/essentials.h>
#include <uk/spinlock.h>

#include "ioapic.h"
#include "mmio.h"

/* Index register and data window */
#define REG_SELECT 0x00
#define REG_WINDOW 0x10
#define REGS_LEN   0x20

#define IDX_VERSION	 0x01
#define IDX_REDIR_LOW(n) (0x10U + 2 * (n))
#define VERSION_MAX(v)	 ((v) >> 16 & 0xffU)

/* Redirection entry */
#define REDIR_ACTIVE_LOW (1U << 13)
#define REDIR_LEVEL	 (1U << 15)
#define REDIR_MASKED	 (1U << 16)
#define REDIR_DEST_SHIFT 24

#define DEST_MAX 0xfeU

struct ioapic {
	/** (c) */
	volatile void *regs;
	/** (c) First GSI */
	__u32 gsi_base;
	/** (c) Number of inputs */
	__u32 inputs;
};

static struct ioapic ioapics[MADT_IOAPIC_MAX];
static __u32 ioapic_cnt;
static const struct madt *wiring;

/* Protects the index registers */
static struct uk_spinlock regs_lock = UK_SPINLOCK_INITIALIZER();

static __u32 reg_read(const struct ioapic *ioapic, __u32 idx)
{
	mmio_write32(ioapic->regs, REG_SELECT, idx);
	return mmio_read32(ioapic->regs, REG_WINDOW);
}

static void reg_write(const struct ioapic *ioapic, __u32 idx, __u32 val)
{
	mmio_write32(ioapic->regs, REG_SELECT, idx);
	mmio_write32(ioapic->regs, REG_WINDOW, val);
}

/* The I/O APIC with this input, or __NULL */
static const struct ioapic *ioapic_find(__u32 gsi)
{
	const struct ioapic *ioapic;

	for (ioapic = ioapics; ioapic < &ioapics[ioapic_cnt]; ioapic++)
		if (gsi >= ioapic->gsi_base &&
		    gsi - ioapic->gsi_base < ioapic->inputs)
			return ioapic;
	return __NULL;
}

int ioapic_init(const struct madt *madt)
{
	__u32 i, n;

	wiring = madt;
	for (i = 0; i < madt->ioapic_cnt; i++) {
		struct ioapic *ioapic = &ioapics[i];

		ioapic->regs =
			mmio_map("ioapic", madt->ioapics[i].paddr, REGS_LEN);
		if (!ioapic->regs)
			return -ENOMEM;
		ioapic->gsi_base = madt->ioapics[i].gsi_base;
		ioapic->inputs = VERSION_MAX(reg_read(ioapic, IDX_VERSION)) + 1;
		for (n = 0; n < ioapic->inputs; n++)
			reg_write(ioapic, IDX_REDIR_LOW(n), REDIR_MASKED);
		ioapic_cnt++;
	}
	return 0;
}

__u32 ioapic_isa_gsi(__u8 irq, __u16 *flags)
{
	__u32 i;

	for (i = 0; wiring && i < wiring->iso_cnt; i++) {
		if (wiring->isos[i].irq == irq) {
			*flags = wiring->isos[i].flags;
			return wiring->isos[i].gsi;
		}
	}
	*flags = 0;
	return irq;
}

int ioapic_route(__u32 gsi, __u8 vector, __u32 apic_id, __u16 flags)
{
	const struct ioapic *ioapic = ioapic_find(gsi);
	unsigned long irqf;
	__u32 low = vector;
	__u32 n;

	if (!ioapic || apic_id > DEST_MAX)
		return -EINVAL;
	if ((flags & MADT_INTI_POLARITY_MASK) == MADT_INTI_ACTIVE_LOW)
		low |= REDIR_ACTIVE_LOW;
	if ((flags & MADT_INTI_TRIGGER_MASK) == MADT_INTI_LEVEL)
		low |= REDIR_LEVEL;
	n = gsi - ioapic->gsi_base;

	/* Masked while the halves do not belong together */
	irqf = uk_spin_lock_irqsave(&regs_lock);
	reg_write(ioapic, IDX_REDIR_LOW(n), REDIR_MASKED);
	reg_write(ioapic, IDX_REDIR_LOW(n) + 1, apic_id << REDIR_DEST_SHIFT);
	reg_write(ioapic, IDX_REDIR_LOW(n), low);
	uk_spin_unlock_irqrestore(&regs_lock, irqf);
	return 0;
}

int ioapic_mask(__u32 gsi)
{
	const struct ioapic *ioapic = ioapic_find(gsi);
	unsigned long irqf;

	if (!ioapic)
		return -EINVAL;
	irqf = uk_spin_lock_irqsave(&regs_lock);
	reg_write(ioapic, IDX_REDIR_LOW(gsi - ioapic->gsi_base), REDIR_MASKED);
	uk_spin_unlock_irqrestore(&regs_lock, irqf);
	return 0;
}
