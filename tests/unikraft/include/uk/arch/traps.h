/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_ARCH_TRAPS_H__
#define __STANDIN_UK_ARCH_TRAPS_H__

/* Stands for include/uk/arch/traps.h of Unikraft and the part for x86_64. */

#include <uk/arch/lcpu.h>
#include <uk/event.h>

#define UKARCH_TRAP_NMI	       trap_nmi
#define UKARCH_TRAP_PAGE_FAULT trap_page_fault

struct ukarch_trap_ctx {
	struct __regs *regs;
	int trapnr;
	int error_code;
	unsigned long fault_address;
};

#endif /* __STANDIN_UK_ARCH_TRAPS_H__ */
