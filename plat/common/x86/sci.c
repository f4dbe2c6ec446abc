/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/arch/lcpu.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>

#include "ioapic.h"
#include "madt.h"
#include "pio.h"
#include "sci.h"

#define PM1_CNT_SCI_EN 0x1U

/* Rounds of waiting for the firmware; it takes microseconds in a machine that
 * is virtual, up to seconds in others
 */
#define ENABLE_TRIES 1000000U

/* (c) Status register of the event, and its bit */
static __u16 event_port;
static __u8 event_bit;

static int acpi_is_on(const struct fadt *fadt)
{
	return (pio_read16(fadt->pm1_cnt) & PM1_CNT_SCI_EN) != 0;
}

static int acpi_enable(const struct fadt *fadt)
{
	unsigned int tries = ENABLE_TRIES;

	if (acpi_is_on(fadt))
		return 0;
	if (!fadt->smi_cmd)
		return -ETIMEDOUT;
	pio_write8(fadt->smi_cmd, fadt->acpi_enable);
	while (!acpi_is_on(fadt) && --tries)
		ukarch_spinwait();
	return tries ? 0 : -ETIMEDOUT;
}

/* Nobody would serve them: the second half of each block enables events */
static void events_off(const struct fadt *fadt)
{
	unsigned int half, i;

	half = fadt->pm1_evt_len / 2;
	for (i = 0; fadt->pm1_evt && i < half; i++)
		pio_write8((__u16)(fadt->pm1_evt + half + i), 0);
	half = fadt->gpe0_len / 2;
	for (i = 0; i < half; i++)
		pio_write8((__u16)(fadt->gpe0 + half + i), 0);
}

void sci_ack(void)
{
	/* Writing a one clears it */
	pio_write8(event_port, event_bit);
}

int sci_enable(const struct fadt *fadt, int gpe, __u8 vector)
{
	unsigned int half = fadt->gpe0_len / 2;
	__u16 flags;
	__u32 gsi;
	int rc;

	if (gpe < 0 || (unsigned int)gpe / 8 >= half)
		return -EINVAL;
	rc = acpi_enable(fadt);
	if (rc)
		return rc;
	events_off(fadt);
	gsi = fadt->sci < 16 ? ioapic_isa_gsi((__u8)fadt->sci, &flags) :
			       fadt->sci;
	/* What it is unless the firmware says otherwise */
	if (fadt->sci >= 16 || !flags)
		flags = MADT_INTI_LEVEL | MADT_INTI_ACTIVE_LOW;
	event_port = (__u16)(fadt->gpe0 + gpe / 8);
	event_bit = (__u8)(1U << gpe % 8);
	sci_ack();
	rc = ioapic_route(gsi, vector, (__u32)ukplat_lcpu_id(), flags);
	if (!rc)
		pio_write8((__u16)(event_port + half), event_bit);
	return rc;
}
