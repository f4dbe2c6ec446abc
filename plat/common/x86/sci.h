/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_SCI_H__
#define __UKPLAT_SCI_H__

/* SCI: the interrupt of ACPI's events. One event is used, all others are off
 *
 * Source
 *   ACPI 6.5, 4.8.3 (registers), 4.8.4 (general purpose events)
 */

#include <uk/arch/types.h>

#include "fadt.h"

/**
 * Enables ACPI, and the interrupt for one event, on the calling CPU.
 *
 * **Context:** boot CPU, I/O APICs are initialized
 *
 * @param fadt
 *   The registers
 * @param gpe
 *   Number of the event
 * @param vector
 *   Vector with a registered handler, which calls sci_ack()
 *
 * @return
 *   - (0): Enabled
 *   - (-EINVAL): No such event, or the interrupt cannot be routed
 *   - (-ETIMEDOUT): The firmware does not give the registers up
 */
int sci_enable(const struct fadt *fadt, int gpe, __u8 vector);

/** Takes the event back, before the end of the interrupt. */
void sci_ack(void);

#endif /* __UKPLAT_SCI_H__ */
