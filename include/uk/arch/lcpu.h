/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_ARCH_LCPU_H__
#define __UK_ARCH_LCPU_H__

/* Instructions of x86_64 as functions, and what a trap saves
 *
 * Source
 *   SDM 2 (instructions), SDM 3A 2.5 (control registers), SDM 4 (MSRs)
 */

#define X86_CR0_PE (1UL << 0)
#define X86_CR0_MP (1UL << 1)
#define X86_CR0_EM (1UL << 2)
#define X86_CR0_TS (1UL << 3)
#define X86_CR0_NE (1UL << 5)
#define X86_CR0_WP (1UL << 16)
#define X86_CR0_PG (1UL << 31)

#define X86_CR4_PAE	   (1UL << 5)
#define X86_CR4_OSFXSR	   (1UL << 9)
#define X86_CR4_OSXMMEXCPT (1UL << 10)
#define X86_CR4_UMIP	   (1UL << 11)
#define X86_CR4_FSGSBASE   (1UL << 16)
#define X86_CR4_OSXSAVE	   (1UL << 18)
#define X86_CR4_SMEP	   (1UL << 20)
#define X86_CR4_SMAP	   (1UL << 21)

/* x87, SSE and AVX */
#define X86_XCR0_AVX 7UL

#define X86_MSR_EFER	0xc0000080
#define X86_MSR_FS_BASE 0xc0000100
#define X86_MSR_GS_BASE 0xc0000101
#define X86_EFER_LME	(1UL << 8)
#define X86_EFER_NXE	(1UL << 11)

#define X86_RFLAGS_IF (1UL << 9)

#define X86_CPUID1_ECX_XSAVE	(1U << 26)
#define X86_CPUID1_ECX_AVX	(1U << 28)
#define X86_CPUID1_ECX_RDRAND	(1U << 30)
#define X86_CPUID7_EBX_FSGSBASE (1U << 0)
#define X86_CPUID7_EBX_AVX2	(1U << 5)
#define X86_CPUID7_EBX_SMEP	(1U << 7)
#define X86_CPUID7_EBX_RDSEED	(1U << 18)
#define X86_CPUID7_EBX_SMAP	(1U << 20)
#define X86_CPUID7_ECX_UMIP	(1U << 2)
/* Leaf 13, subleaf 1 */
#define X86_CPUID13_EAX_XGETBV1 (1U << 2)

/* Selectors of the table that gdt.c builds */
#define X86_SEL_CODE 0x08
#define X86_SEL_DATA 0x10
#define X86_SEL_TSS  0x18

#ifndef __ASSEMBLY__

#include <uk/arch/types.h>
#include <uk/essentials.h>

/** What a trap saves, lowest address first; trap_entry.S builds it */
struct __regs {
	unsigned long r15, r14, r13, r12, r11, r10, r9, r8;
	unsigned long rbp, rdi, rsi, rdx, rcx, rbx, rax;
	unsigned long vector;
	unsigned long error_code;
	unsigned long rip, cs, eflags, rsp, ss;
};

UK_CTASSERT(__builtin_offsetof(struct __regs, vector) == 15UL * 8);
UK_CTASSERT(sizeof(struct __regs) == 22UL * 8);

struct ukarch_cpuid {
	__u32 eax, ebx, ecx, edx;
};

/** Executes CPUID. The caller has tested that the leaf exists. */
static inline struct ukarch_cpuid ukarch_cpuid(__u32 leaf, __u32 subleaf)
{
	struct ukarch_cpuid r;

	__asm__ __volatile__("cpuid"
			     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx),
			       "=d"(r.edx)
			     : "a"(leaf), "c"(subleaf));
	return r;
}

static inline __u64 ukarch_rdmsr(__u32 msr)
{
	__u32 lo, hi;

	__asm__ __volatile__("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (__u64)hi << 32 | lo;
}

static inline void ukarch_wrmsr(__u32 msr, __u64 val)
{
	__asm__ __volatile__("wrmsr"
			     :
			     : "c"(msr), "a"((__u32)val),
			       "d"((__u32)(val >> 32))
			     : "memory");
}

static inline unsigned long ukarch_cr0_read(void)
{
	unsigned long v;

	__asm__ __volatile__("movq %%cr0, %0" : "=r"(v));
	return v;
}

static inline void ukarch_cr0_write(unsigned long v)
{
	__asm__ __volatile__("movq %0, %%cr0" : : "r"(v) : "memory");
}

static inline unsigned long ukarch_cr2_read(void)
{
	unsigned long v;

	__asm__ __volatile__("movq %%cr2, %0" : "=r"(v));
	return v;
}

static inline unsigned long ukarch_cr3_read(void)
{
	unsigned long v;

	__asm__ __volatile__("movq %%cr3, %0" : "=r"(v) : : "memory");
	return v;
}

static inline void ukarch_cr3_write(unsigned long v)
{
	__asm__ __volatile__("movq %0, %%cr3" : : "r"(v) : "memory");
}

static inline unsigned long ukarch_cr4_read(void)
{
	unsigned long v;

	__asm__ __volatile__("movq %%cr4, %0" : "=r"(v));
	return v;
}

static inline void ukarch_cr4_write(unsigned long v)
{
	__asm__ __volatile__("movq %0, %%cr4" : : "r"(v) : "memory");
}

/** Sets which register states are switched on. CR4 has OSXSAVE. */
static inline void ukarch_xcr0_write(unsigned long v)
{
	__asm__ __volatile__("xsetbv"
			     :
			     : "c"(0), "a"((__u32)v), "d"((__u32)(v >> 32)));
}

/** Forgets one translation on this CPU. */
static inline void ukarch_tlb_flush_entry(__vaddr_t vaddr)
{
	__asm__ __volatile__("invlpg (%0)" : : "r"(vaddr) : "memory");
}

/** Forgets all translations on this CPU; there are no global pages. */
static inline void ukarch_tlb_flush(void)
{
	ukarch_cr3_write(ukarch_cr3_read());
}

static inline __u64 ukarch_rdtsc(void)
{
	__u32 lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (__u64)hi << 32 | lo;
}

/** Tells the CPU that it waits in a loop. */
static inline void ukarch_spinwait(void)
{
	__builtin_ia32_pause();
}

#endif /* !__ASSEMBLY__ */

#endif /* __UK_ARCH_LCPU_H__ */
