/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>

#include "fwcfg.h"
#include "pio.h"

#define PORT_SELECT 0x510
#define PORT_DATA   0x511

#define CPUID1_ECX_HYPERVISOR (1U << 31)

int fwcfg_io_allowed(void)
{
	return (ukarch_cpuid(1, 0).ecx & CPUID1_ECX_HYPERVISOR) != 0;
}

void fwcfg_io_select(__u16 item)
{
	pio_write16(PORT_SELECT, item);
}

void fwcfg_io_read(void *buf, __sz len)
{
	pio_read8_string(PORT_DATA, buf, len);
}
