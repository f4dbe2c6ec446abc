/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/plat/lcpu.h>

#include "../boot.h"

#define CPUID_FEATURES_EXT 7
#define CPUID_XSAVE	   13

__u8 ukplat_lcpu_avx;

void cpu_vectors_init(void)
{
	__asm__ __volatile__("fninit");
	if (ukplat_lcpu_avx)
		ukarch_xcr0_write(X86_XCR0_AVX);
}

/* Without XGETBV1 nobody can tell whether the wide halves are in use, and they
 * would be for ever, which slows down code that does without
 */
static void avx_enable(__u32 leaf_max, const struct ukarch_cpuid *ext)
{
	const __u32 need = X86_CPUID1_ECX_XSAVE | X86_CPUID1_ECX_AVX;

	if (leaf_max < CPUID_XSAVE || (ukarch_cpuid(1, 0).ecx & need) != need ||
	    !(ext->ebx & X86_CPUID7_EBX_AVX2) ||
	    !(ukarch_cpuid(CPUID_XSAVE, 1).eax & X86_CPUID13_EAX_XGETBV1))
		return;
	ukarch_cr4_write(ukarch_cr4_read() | X86_CR4_OSXSAVE);
	ukplat_lcpu_avx = 1;
	cpu_vectors_init();
}

/* Vector registers are switched on for those who put them back: every CPU for
 * x86-64 has SSE, whatever started it. The rest is strictly by CPUID: some
 * machines do not fault on unknown bits but hang. The other CPUs get a copy.
 */
void cpu_features_enable(void)
{
	unsigned long cr4 = ukarch_cr4_read();
	struct ukarch_cpuid ext;
	__u32 leaf_max;

	cr4 |= X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	ukarch_cr4_write(cr4);
	leaf_max = ukarch_cpuid(0, 0).eax;
	if (leaf_max < CPUID_FEATURES_EXT)
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
	avx_enable(leaf_max, &ext);
}
