/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/plat/irq.h>

#include "lapic.h"
#include "mmio.h"

#define CPUID1_ECX_X2APIC (1U << 21)
#define CPUID1_EDX_APIC	  (1U << 9)

/* SDM 3A 11.4.4: IA32_APIC_BASE */
#define MSR_APIC_BASE	     0x1b
#define APIC_BASE_EXTD	     (1UL << 10)
#define APIC_BASE_EN	     (1UL << 11)
#define APIC_BASE_PADDR_MASK 0x000ffffffffff000UL

/* SDM 3A table 11-1: offset in memory; MSR number is 0x800 + offset / 16 */
#define REG_VERSION	0x030
#define REG_TPR		0x080
#define REG_EOI		0x0b0
#define REG_DFR		0x0e0
#define REG_SVR		0x0f0
#define REG_ISR		0x100 /* eight of them */
#define REG_TMR		0x180 /* the same; a bit: the vector is of a level */
#define REG_ESR		0x280
#define REG_LVT_CMCI	0x2f0
#define REG_ICR_LOW	0x300
#define REG_ICR_HIGH	0x310
#define REG_LVT_TIMER	0x320
#define REG_LVT_THERMAL 0x330
#define REG_LVT_PMC	0x340
#define REG_LVT_LINT0	0x350
#define REG_LVT_LINT1	0x360
#define REG_LVT_ERROR	0x370
#define REG_TIMER_INIT	0x380
#define REG_TIMER_LEFT	0x390
#define REG_TIMER_DIV	0x3e0
#define REGS_LEN	0x1000

#define X2APIC_MSR(reg) (0x800U + (__u32)(reg) / 16)

#define DFR_FLAT   0xffffffffU
#define SVR_ENABLE (1U << 8)

#define LVT_NMI		   (4U << 8)
#define LVT_ACTIVE_LOW	   (1U << 13)
#define LVT_MASKED	   (1U << 16)
#define LVT_TIMER_PERIODIC (1U << 17)

/* SDM 3A 11.6.1: ICR */
#define ICR_NMI	       (4U << 8)
#define ICR_INIT       (5U << 8)
#define ICR_STARTUP    (6U << 8)
#define ICR_PENDING    (1U << 12)
#define ICR_ASSERT     (1U << 14)
#define ICR_ALL_OTHERS (3U << 18)

/* Rounds of waiting for the previous interrupt to leave. Hardware needs some
 * hundred cycles; one that needs more will not do so at all.
 */
#define ICR_SPINS 100000U

/* Timer divisors are 2^0 to 2^7; how they are encoded (SDM 3A 11.5.4) */
static const __u8 timer_div_code[] = { 0xb, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa };

/* (c) Registers in memory in xAPIC mode */
static volatile void *regs;
/* (c) */
static int x2apic, enabled;

static __u32 reg_read(__u32 reg)
{
	if (x2apic)
		return (__u32)ukarch_rdmsr(X2APIC_MSR(reg));
	return mmio_read32(regs, reg);
}

static void reg_write(__u32 reg, __u32 val)
{
	if (x2apic)
		ukarch_wrmsr(X2APIC_MSR(reg), val);
	else
		mmio_write32(regs, reg, val);
}

int lapic_is_enabled(void)
{
	return enabled;
}

int lapic_is_x2apic(void)
{
	return x2apic;
}

__u32 lapic_id_max(void)
{
	/* The highest id of either width is the broadcast */
	return x2apic ? __U32_MAX - 1 : 0xfe;
}

__u32 lapic_cpu_id(void)
{
	/* SDM 2A CPUID: leaf 0xb has the 32 bit id if EBX is not 0 */
	if (ukarch_cpuid(0, 0).eax >= 0xb) {
		struct ukarch_cpuid r = ukarch_cpuid(0xb, 0);

		if (r.ebx & __U16_MAX)
			return r.edx;
	}
	return ukarch_cpuid(1, 0).ebx >> 24;
}

__paddr_t lapic_paddr(void)
{
	return ukarch_rdmsr(MSR_APIC_BASE) & APIC_BASE_PADDR_MASK;
}

/* Switches the calling CPU on, and to x2APIC if told so. The CPU may refuse:
 * then the bit reads as 0.
 */
static int mode_enter(int want_x2apic)
{
	__u64 base = ukarch_rdmsr(MSR_APIC_BASE);

	if (!(base & APIC_BASE_EN)) {
		base |= APIC_BASE_EN;
		ukarch_wrmsr(MSR_APIC_BASE, base);
	}
	if (want_x2apic && !(base & APIC_BASE_EXTD))
		ukarch_wrmsr(MSR_APIC_BASE, base | APIC_BASE_EXTD);
	return (ukarch_rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD) != 0;
}

int lapic_init(void)
{
	struct ukarch_cpuid r = ukarch_cpuid(1, 0);

	if (!(r.edx & CPUID1_EDX_APIC))
		return -ENOTSUP;
	x2apic = mode_enter((r.ecx & CPUID1_ECX_X2APIC) != 0);
	if (!x2apic) {
		regs = mmio_map("lapic", lapic_paddr(), REGS_LEN);
		if (!regs)
			return -ENOMEM;
	}
	lapic_cpu_init();
	enabled = 1;
	return 0;
}

void lapic_cpu_init(void)
{
	__u32 lvt_max;

	(void)mode_enter(x2apic);
	lvt_max = reg_read(REG_VERSION) >> 16 & 0xff;

	reg_write(REG_TPR, 0);
	/* There is no logical addressing in use; the register does not exist
	 * in x2APIC mode
	 */
	if (!x2apic)
		reg_write(REG_DFR, DFR_FLAT);
	reg_write(REG_LVT_TIMER, LVT_MASKED | LAPIC_VECTOR_TIMER);
	reg_write(REG_LVT_LINT0, LVT_MASKED);
	reg_write(REG_LVT_LINT1, LVT_MASKED);
	if (lvt_max >= 4)
		reg_write(REG_LVT_PMC, LVT_MASKED);
	if (lvt_max >= 5)
		reg_write(REG_LVT_THERMAL, LVT_MASKED);
	if (lvt_max >= 6)
		reg_write(REG_LVT_CMCI, LVT_MASKED);
	reg_write(REG_SVR, SVR_ENABLE | LAPIC_VECTOR_SPURIOUS);
	(void)lapic_error_read();
	reg_write(REG_LVT_ERROR, LAPIC_VECTOR_ERROR);
	reg_write(REG_EOI, 0);
}

void lapic_nmi_wire(const struct madt *madt, __u32 acpi_uid)
{
	const struct madt_nmi *nmi;
	__u32 lvt;

	for (nmi = madt->nmis; nmi < &madt->nmis[madt->nmi_cnt]; nmi++) {
		if (nmi->acpi_uid != MADT_UID_ALL && nmi->acpi_uid != acpi_uid)
			continue;
		/* The trigger of NMI is always edge */
		lvt = LVT_NMI;
		if ((nmi->flags & MADT_INTI_POLARITY_MASK) ==
		    MADT_INTI_ACTIVE_LOW)
			lvt |= LVT_ACTIVE_LOW;
		reg_write(nmi->lint ? REG_LVT_LINT1 : REG_LVT_LINT0, lvt);
	}
}

void lapic_eoi(void)
{
	reg_write(REG_EOI, 0);
}

static void icr_wait(void)
{
	unsigned int spins;

	for (spins = 0; spins < ICR_SPINS; spins++) {
		if (!(reg_read(REG_ICR_LOW) & ICR_PENDING))
			return;
		ukarch_spinwait();
	}
}

static void icr_write(__u32 apic_id, __u32 cmd)
{
	unsigned long flags;

	if (x2apic) {
		/* The write does not serialize: what the other CPU shall find
		 * in memory must have left the store buffer (SDM 3A 11.12.3)
		 */
		__asm__ __volatile__("mfence\n\tlfence" : : : "memory");
		ukarch_wrmsr(X2APIC_MSR(REG_ICR_LOW),
			     (__u64)apic_id << 32 | cmd);
		return;
	}

	/* Nobody on this CPU may come between the two halves */
	flags = ukplat_lcpu_save_irqf();
	icr_wait();
	reg_write(REG_ICR_HIGH, apic_id << 24);
	reg_write(REG_ICR_LOW, cmd);
	ukplat_lcpu_restore_irqf(flags);
}

void lapic_ipi_send(__u32 apic_id, __u8 vector)
{
	icr_write(apic_id, ICR_ASSERT | vector);
}

/* Highest vector in service, 0 if there is none; below 32 are exceptions */
static __u8 in_service(void)
{
	unsigned int i;
	__u32 bits;

	for (i = 7; i; i--) {
		bits = reg_read(REG_ISR + i * 0x10);
		if (bits)
			return (__u8)(32 * i + 31U -
				      (unsigned int)__builtin_clz(bits));
	}
	return 0;
}

void lapic_lost_raise(__u32 apic_id)
{
	__u32 is_level;
	__u8 vector;

	while (enabled && (vector = in_service()) != 0) {
		is_level = reg_read(REG_TMR + vector / 32U * 0x10) >>
				   vector % 32 &
			   1;
		lapic_eoi();
		/* As long as a level is there the I/O APIC sends it again, and
		 * has to be told of its end; one of ours is an edge
		 */
		if (!is_level)
			lapic_ipi_send(apic_id, vector);
	}
}

void lapic_nmi_send_others(void)
{
	icr_write(0, ICR_ALL_OTHERS | ICR_ASSERT | ICR_NMI);
}

void lapic_nmi_send(__u32 apic_id)
{
	icr_write(apic_id, ICR_ASSERT | ICR_NMI);
}

void lapic_init_send(__u32 apic_id)
{
	icr_write(apic_id, ICR_ASSERT | ICR_INIT);
}

void lapic_startup_send(__u32 apic_id, __paddr_t page)
{
	icr_write(apic_id,
		  ICR_ASSERT | ICR_STARTUP | (__u32)(page >> PAGE_SHIFT));
}

__u32 lapic_error_read(void)
{
	/* The register shows the errors up to the last write to it */
	reg_write(REG_ESR, 0);
	return reg_read(REG_ESR);
}

void lapic_timer_start(__u64 ticks, int periodic)
{
	unsigned int shift = 0;

	while (ticks > __U32_MAX && shift < ARRAY_SIZE(timer_div_code) - 1) {
		ticks >>= 1;
		shift++;
	}
	reg_write(REG_TIMER_DIV, timer_div_code[shift]);
	reg_write(REG_LVT_TIMER,
		  LAPIC_VECTOR_TIMER | (periodic ? LVT_TIMER_PERIODIC : 0));
	reg_write(REG_TIMER_INIT, (__u32)MIN(ticks, (__u64)__U32_MAX));
}

void lapic_timer_stop(void)
{
	reg_write(REG_LVT_TIMER, LVT_MASKED | LAPIC_VECTOR_TIMER);
	reg_write(REG_TIMER_INIT, 0);
}

__u32 lapic_timer_left(void)
{
	return reg_read(REG_TIMER_LEFT);
}
