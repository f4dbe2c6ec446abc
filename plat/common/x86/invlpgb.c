/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/types.h>

#include "invlpgb.h"

/* APM 3, CPUID: extended leaf 8 */
#define CPUID_EXT_MAX	       0x80000000U
#define CPUID_EXT8	       0x80000008U
#define CPUID_EXT8_EBX_INVLPGB (1U << 3)

/* APM 3, INVLPGB: no address, no PCID, no ASID is selected, global entries are
 * included: everything goes
 */
#define INVLPGB_ALL 0x08UL

/* (c) */
static int is_there;

void invlpgb_init(void)
{
	if (ukarch_cpuid(CPUID_EXT_MAX, 0).eax >= CPUID_EXT8)
		is_there = !!(ukarch_cpuid(CPUID_EXT8, 0).ebx &
			      CPUID_EXT8_EBX_INVLPGB);
}

int invlpgb_is_there(void)
{
	return is_there;
}

void invlpgb_flush_all(void)
{
	/* An interrupt in between does no harm: TLBSYNC waits for what this
	 * CPU has sent, and the handler returns to this CPU
	 */
	__asm__ __volatile__("invlpgb\n\ttlbsync"
			     :
			     : "a"(INVLPGB_ALL), "c"(0), "d"(0)
			     : "memory");
}
