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
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>

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

/** Descriptors of a CPU; a page of their own */
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

/* A stack starts at a random multiple of 16 bytes in a page above its own */
#define STACK_PAGES (TRAP_STACK_PAGES + 1)
#define STACK_SLACK (PAGE_SIZE / 16)

/* By CPU; __NULL until prepared */
static struct trap_cpu *trap_cpus[CONFIG_UKPLAT_LCPU_MAXCOUNT];

static void cpu_fill(struct trap_cpu *cpu, const __vaddr_t *stacks)
{
	__u64 tss = (__u64)&cpu->tss;
	__u64 limit = sizeof(cpu->tss) - 1;
	unsigned int i;

	for (i = 0; i < TRAP_IST_COUNT; i++)
		cpu->tss.ist[i] = stacks[i] + STACK_PAGES * PAGE_SIZE -
				  ukplat_random_uniform(STACK_SLACK) * 16;
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
	__vaddr_t base[1 + TRAP_IST_COUNT];
	unsigned int i;
	int rc = 0;

	UK_ASSERT(idx < CONFIG_UKPLAT_LCPU_MAXCOUNT);
	if (trap_cpus[idx])
		return 0;

	for (i = 0; i < ARRAY_SIZE(base) && !rc; i++)
		rc = ukplat_area_map(i ? "trap stack" : "descriptors",
				     __PADDR_ANY, i ? STACK_PAGES : 1,
				     PAGE_ATTR_PROT_RW, &base[i]);
	if (rc) {
		/* The last one was not mapped */
		while (--i)
			ukplat_area_destroy(base[i - 1]);
		return -ENOMEM;
	}
	cpu_fill((struct trap_cpu *)base[0], base + 1);
	trap_cpus[idx] = (struct trap_cpu *)base[0];
	return 0;
}

void trap_page_stack_move(int down)
{
	struct tss *tss = &trap_cpus[ukplat_lcpu_idx()]->tss;

	if (down)
		tss->ist[TRAP_IST_PAGE - 1] -= TRAP_LEVEL_LEN;
	else
		tss->ist[TRAP_IST_PAGE - 1] += TRAP_LEVEL_LEN;
	/* The processor reads it at the next fault */
	barrier();
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
