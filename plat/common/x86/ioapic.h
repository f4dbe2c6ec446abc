/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_IOAPIC_H__
#define __UKPLAT_IOAPIC_H__

/* I/O APICs: interrupts of devices
 *
 * Source
 *   Intel 82093AA data sheet; ACPI 6.5, 5.2.12.5 (overrides)
 */

#include <uk/arch/types.h>

#include "madt.h"

/**
 * Maps all I/O APICs and masks all their inputs.
 *
 * @param madt
 *   What the firmware says; must stay valid
 *
 * @return
 *   - (0): Done, also if there are none
 *   - (-ENOMEM): The registers of one cannot be mapped
 */
int ioapic_init(const struct madt *madt);

/**
 * Finds the global system interrupt (GSI) of an ISA interrupt.
 *
 * @param irq
 *   0 to 15
 * @param[out] flags
 *   Receives MADT_INTI_*, for ioapic_route()
 *
 * @return
 *   The GSI
 */
__u32 ioapic_isa_gsi(__u8 irq, __u16 *flags);

/**
 * Sends an interrupt to a CPU and unmasks it.
 *
 * **Context:** any CPU, any context but NMI
 *
 * @param gsi
 *   Global system interrupt
 * @param vector
 *   Vector with a registered handler
 * @param apic_id
 *   Id of the CPU, below 255: more needs interrupt remapping
 * @param flags
 *   MADT_INTI_*; 0 is edge triggered, active high, as ISA interrupts are
 *
 * @return
 *   - (0): Routed
 *   - (-EINVAL): No such GSI, or the CPU cannot be addressed
 */
int ioapic_route(__u32 gsi, __u8 vector, __u32 apic_id, __u16 flags);

/**
 * Masks an interrupt.
 *
 * @return
 *   - (0): Masked
 *   - (-EINVAL): No such GSI
 */
int ioapic_mask(__u32 gsi);

#endif /* __UKPLAT_IOAPIC_H__ */
