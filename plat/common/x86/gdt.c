/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>

#include "../trap.h"

/* SDM 3A 3.4.5 (segment descriptors), 8.7 (64-bit TSS). ACCESSED is set, the
 * processor has nothing to write there.
 */
#define GDT_CODE	0x00af9b000000ffffUL
#define GDT_DATA	0x00cf93000000ffffUL
#define GDT_TSS_TYPE	0x89UL
#define GDT_TSS_ENTRIES 2

struct tss {
	__u32 reserved0;
	__u64 rsp[3];
	__u64 reserved1;
	__u64 ist[7];
	__u64 reserved2;
	__u16 reserved3;
	__u16 iomap_off;
} __packed;

UK_CTASSERT(sizeof(struct tss) == 104);

/** What a CPU has for itself; one page */
struct trap_cpu {
	__u64 gdt[3 + GDT_TSS_ENTRIES];
	struct tss tss;
};

UK_CTASSERT(sizeof(struct trap_cpu) <= PAGE_SIZE);
UK_CTASSERT(X86_SEL_TSS == 3 * sizeof(__u64));

struct table_reg {
	__u16 limit;
	__u64 base;
} __packed;

/* A stack and the hole before it */
#define STACK_STRIDE ((TRAP_STACK_PAGES + 1) * PAGE_SIZE)
#define AREA_LEN     (PAGE_SIZE + TRAP_IST_COUNT * STACK_STRIDE + PAGE_SIZE)

/* By CPU; __NULL until prepared */
static struct trap_cpu *trap_cpus[CONFIG_UKPLAT_LCPU_MAXCOUNT];

/* Top of a trap stack, 1 to TRAP_IST_COUNT */
static __vaddr_t stack_top(__vaddr_t base, unsigned int ist)
{
	return base + PAGE_SIZE + ist * STACK_STRIDE;
}

static void cpu_fill(struct trap_cpu *cpu, __vaddr_t base)
{
	__u64 tss = (__u64)&cpu->tss;
	__u64 limit = sizeof(cpu->tss) - 1;
	unsigned int i;

	for (i = 0; i < TRAP_IST_COUNT; i++)
		cpu->tss.ist[i] = stack_top(base, i + 1);
	cpu->tss.iomap_off = sizeof(cpu->tss);

	cpu->gdt[X86_SEL_CODE / 8] = GDT_CODE;
	cpu->gdt[X86_SEL_DATA / 8] = GDT_DATA;
	cpu->gdt[X86_SEL_TSS / 8] = limit | (tss & 0xffffff) << 16 |
				    GDT_TSS_TYPE << 40 |
				    (tss >> 24 & 0xff) << 56;
	cpu->gdt[X86_SEL_TSS / 8 + 1] = tss >> 32;
}

int ukplat_trap_cpu_prepare(unsigned int idx)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	unsigned int ist;
	__vaddr_t base;
	int rc;

	UK_ASSERT(idx < CONFIG_UKPLAT_LCPU_MAXCOUNT);
	if (trap_cpus[idx])
		return 0;

	rc = ukplat_area_reserve("trap stacks", AREA_LEN, PAGE_SIZE, &base);
	if (rc)
		return -ENOMEM;
	rc = ukplat_page_map(pt, base, __PADDR_ANY, 1, PAGE_ATTR_PROT_RW, 0);
	for (ist = 1; ist <= TRAP_IST_COUNT && !rc; ist++)
		rc = ukplat_page_map(
			pt, stack_top(base, ist) - TRAP_STACK_PAGES * PAGE_SIZE,
			__PADDR_ANY, TRAP_STACK_PAGES, PAGE_ATTR_PROT_RW, 0);
	if (rc) {
		ukplat_area_destroy(base);
		return -ENOMEM;
	}
	trap_cpus[idx] = (struct trap_cpu *)base;
	cpu_fill(trap_cpus[idx], base);
	return 0;
}

void ukplat_trap_cpu_init(unsigned int idx)
{
	struct trap_cpu *cpu = trap_cpus[idx];
	struct table_reg gdtr = {
		.limit = sizeof(cpu->gdt) - 1,
		.base = (__u64)cpu->gdt,
	};

	/* The null selector in %fs and %gs would clear their bases: they have
	 * it since the boot code, and it is not loaded again
	 */
	__asm__ __volatile__("lgdt %0\n\t"
			     "pushq %1\n\t"
			     "leaq 1f(%%rip), %%rax\n\t"
			     "pushq %%rax\n\t"
			     "lretq\n"
			     "1:\tmovl %2, %%eax\n\t"
			     "movl %%eax, %%ds\n\t"
			     "movl %%eax, %%es\n\t"
			     "movl %%eax, %%ss\n\t"
			     "movl %3, %%eax\n\t"
			     "ltr %%ax"
			     :
			     : "m"(gdtr), "i"(X86_SEL_CODE), "i"(X86_SEL_DATA),
			       "i"(X86_SEL_TSS)
			     : "rax", "memory");
	idt_load();
}
