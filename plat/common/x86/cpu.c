/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>

#include "../boot.h"

#define CPUID_FEATURES_EXT 7

/* Vector registers are switched on for those who put them back: every CPU for
 * x86-64 has them, whatever started it. The rest is strictly by CPUID: some
 * machines do not fault on unknown bits but hang. The other CPUs get a copy.
 */
void cpu_features_enable(void)
{
	unsigned long cr4 = ukarch_cr4_read();
	struct ukarch_cpuid ext;

	cr4 |= X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	ukarch_cr4_write(cr4);
	if (ukarch_cpuid(0, 0).eax < CPUID_FEATURES_EXT)
		return;
	ext = ukarch_cpuid(CPUID_FEATURES_EXT, 0);
	if (ext.ebx & X86_CPUID7_EBX_SMEP)
		cr4 |= X86_CR4_SMEP;
	if (ext.ebx & X86_CPUID7_EBX_SMAP)
		cr4 |= X86_CR4_SMAP;
	if (ext.ebx & X86_CPUID7_EBX_FSGSBASE)
		cr4 |= X86_CR4_FSGSBASE;
	if (ext.ecx & X86_CPUID7_ECX_UMIP)
		cr4 |= X86_CR4_UMIP;
	ukarch_cr4_write(cr4);
}
