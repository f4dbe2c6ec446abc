/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_VMGENID_ACPI_H__
#define __UKPLAT_VMGENID_ACPI_H__

/**
 * Finds the VM generation id and maps its page, read-only, at a random
 * address. From then on every draw looks at it; and an interrupt tells of a
 * new one, if the machine has ACPI's fixed registers. Without an id nothing
 * happens; a damaged one is named.
 *
 * **Context:** boot CPU, before the others start; after the interrupt
 * controllers were initialized
 */
void vmgenid_init(void);

#endif /* __UKPLAT_VMGENID_ACPI_H__ */
