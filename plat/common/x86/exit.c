/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>

#include "pio.h"

/* QEMU's isa-debug-exit device, where the Makefile puts it */
#define DEBUG_EXIT_PORT 0xf4

void __noreturn ukplat_terminate(int code)
{
	pio_write8(DEBUG_EXIT_PORT, (__u8)code);
	for (;;)
		__asm__ __volatile__("cli; hlt" : : : "memory");
}
