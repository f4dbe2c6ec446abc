/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_INTCTLR_APIC_H__
#define __STANDIN_UK_INTCTLR_APIC_H__

/* Stands for drivers/ukintctlr/xpic/include/uk/intctlr/apic.h of Unikraft,
 * where these are inlined and write to the x2APIC.
 */

static inline void apic_send_ipi(int irqno, int dest)
{
	__asm__ __volatile__("wrmsr" ::"a"(32 + irqno), "c"(0x830), "d"(dest));
}

static inline void apic_send_nmi(int dest)
{
	__asm__ __volatile__("wrmsr" ::"a"(0x400), "c"(0x830), "d"(dest));
}

#endif /* __STANDIN_UK_INTCTLR_APIC_H__ */
