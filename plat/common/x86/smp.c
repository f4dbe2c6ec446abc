/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Start of the application processors (AP)
 *
 * How
 *   All of them get INIT together. Then one after the other gets a start-up
 *   interrupt and reads from the low page which CPU it is; with one mailbox
 *   for all, no APIC id is used as an index anywhere. One that does not
 *   report in time gets INIT again, so that it cannot wake up later and take
 *   the place of the next.
 *
 * Source
 *   SDM 3A 9.4.4 (MP initialization), ACPI 6.5, 5.2.12
 */

#include <errno.h>
#include <string.h>
#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>
#include <uk/plat/time.h>
#include <uk/print.h>

#include "../boot.h"
#include "../lcpu.h"
#include "../random.h"
#include "acpi.h"
#include "invlpgb.h"
#include "ioapic.h"
#include "lapic.h"
#include "madt.h"
#include "pic.h"
#include "smp.h"
#include "vmgenid_acpi.h"

#define CPUID1_ECX_HYPERVISOR (1U << 31)
#define EFER_LMA	      (1UL << 10)
#define CR4_PCIDE	      (1UL << 17)

/* Stack of an AP; remote functions run on it. It starts at a random multiple of
 * 16 bytes in its last page.
 */
#define AP_STACK_PAGES 17
#define AP_STACK_SLACK (PAGE_SIZE / 16)

/* Old hardware needs a pause after INIT, a virtual machine does not */
#define INIT_NSEC    10000000UL
/* How long the first start-up interrupt may take until the second one */
#define STARTUP_NSEC 1000000UL
/* A virtual CPU may have to wait for a real one */
#define ONLINE_NSEC  2000000000UL

/* (c) What the firmware says; empty without a MADT */
static struct madt madt;

/* (c) Page table that the APs start with; read by start16.S */
__paddr_t smp_cr3;

static void nsec_wait(__nsec nsec)
{
	__nsec until = ukplat_monotonic_clock() + nsec;

	while (ukplat_monotonic_clock() < until)
		ukarch_spinwait();
}

/* First function of an AP, on its own stack, interrupts disabled */
void __noreturn smp_cpu_entry(struct lcpu *lcpu)
{
	cpu_vectors_init();
	ukplat_trap_cpu_init(lcpu->idx);
	lcpu_gs_init(lcpu);
	random_cpu_init();
	lapic_cpu_init();
	lapic_nmi_wire(&madt, lcpu->acpi_uid);
	lcpu_online(lcpu);
	lcpu_idle_loop();
}

/* Copies the code to the low page and fills in what all APs share */
static void page_fill(char *page, __paddr_t paddr, __paddr_t cr3)
{
	memcpy(page, start16_begin, START16_OFF(start16_end));
	start16_add32(page, START16_OFF(start16_gdt_paddr), paddr);
	start16_add32(page, START16_OFF(start16_jump64), paddr);
	start16_add32(page, START16_OFF(start16_cr0), ukarch_cr0_read());
	start16_add32(page, START16_OFF(start16_cr3), cr3);
	/* PCIDE can only be set in long mode */
	start16_add32(page, START16_OFF(start16_cr4),
		      ukarch_cr4_read() & ~CR4_PCIDE);
	start16_add32(page, START16_OFF(start16_efer),
		      ukarch_rdmsr(X86_MSR_EFER) & ~EFER_LMA);
	start16_set64(page, START16_OFF(start16_entry), (__u64)smp_start64);
}

static int cpu_prepare(struct lcpu *lcpu)
{
	__vaddr_t stack;
	int rc;

	if (lcpu->apic_id > lapic_id_max())
		return -ENOTSUP;
	rc = ukplat_trap_cpu_prepare(lcpu->idx);
	if (!rc)
		rc = ukplat_page_cpu_prepare(lcpu->idx);
	if (rc)
		return rc;
	/* A stack from an earlier try is still good */
	if (!lcpu->stack) {
		rc = ukplat_area_map("stack", __PADDR_ANY, AP_STACK_PAGES,
				     PAGE_ATTR_PROT_RW, &stack);
		if (rc)
			return rc;
		lcpu->stack = stack + AP_STACK_PAGES * PAGE_SIZE -
			      ukplat_random_uniform(AP_STACK_SLACK) * 16;
	}
	__atomic_store_n(&lcpu->state, LCPU_INIT, __ATOMIC_RELAXED);
	lapic_init_send(lcpu->apic_id);
	return 0;
}

static int online_wait(const struct lcpu *lcpu, __nsec nsec)
{
	__nsec until = ukplat_monotonic_clock() + nsec;

	while (!lcpu_is_online(lcpu)) {
		if (ukplat_monotonic_clock() >= until)
			return -ETIMEDOUT;
		/* CPUs that are online already may unmap something */
		ukplat_tlb_poll();
		ukarch_spinwait();
	}
	return 0;
}

static int cpu_start(struct lcpu *lcpu, char *page, __paddr_t paddr)
{
	start16_set64(page, START16_OFF(start16_lcpu), (__u64)lcpu);
	lapic_startup_send(lcpu->apic_id, paddr);
	if (!online_wait(lcpu, STARTUP_NSEC))
		return 0;
	lapic_startup_send(lcpu->apic_id, paddr);
	if (!online_wait(lcpu, ONLINE_NSEC))
		return 0;

	lapic_init_send(lcpu->apic_id);
	nsec_wait(INIT_NSEC);
	__atomic_store_n(&lcpu->state, LCPU_OFFLINE, __ATOMIC_RELAXED);
	return -ETIMEDOUT;
}

static int has_hypervisor(void)
{
	return (ukarch_cpuid(1, 0).ecx & CPUID1_ECX_HYPERVISOR) != 0;
}

/* Starts the CPUs in state LCPU_INIT. The first error is returned, the other
 * CPUs are started all the same.
 */
static int cpus_start(char *page, __paddr_t paddr)
{
	struct lcpu *lcpu;
	int rc, ret = 0;
	__u32 i;

	if (!has_hypervisor())
		nsec_wait(INIT_NSEC);
	for (i = 0; i < lcpu_cnt; i++) {
		lcpu = lcpus[i];
		if (lcpu->state != LCPU_INIT)
			continue;
		rc = cpu_start(lcpu, page, paddr);
		if (!rc)
			continue;
		uk_pr_err("smp: CPU with APIC id %u does not start\n",
			  lcpu->apic_id);
		if (!ret)
			ret = rc;
	}
	return ret;
}

/* Prepares CPUs and sends INIT. The first error is returned. */
static int cpus_prepare(const __u32 lcpuidx[], unsigned int n)
{
	unsigned int i;
	int rc, ret = 0;

	for (i = 0; i < n; i++) {
		__u32 idx = lcpuidx ? lcpuidx[i] : i;

		if (idx < lcpu_cnt && lcpus[idx]->state == LCPU_OFFLINE) {
			rc = cpu_prepare(lcpus[idx]);
			if (rc)
				uk_pr_err("smp: CPU with APIC id %u: %d\n",
					  lcpus[idx]->apic_id, rc);
		} else {
			rc = lcpuidx ? -EINVAL : 0;
		}
		if (!ret)
			ret = rc;
	}
	return ret;
}

int ukplat_lcpu_start(const __u32 lcpuidx[], const unsigned int *num)
{
	__paddr_t paddr, cr3;
	char *page;
	int rc, ret;

	if (!lapic_is_enabled())
		return -ENOTSUP;
	paddr = ukplat_lowmem_page();
	if (!paddr)
		return -ENOMEM;
	ret = cpus_prepare(lcpuidx, lcpuidx ? *num : lcpu_cnt);

	/* After the stacks were mapped */
	cr3 = ukplat_pt_trampoline(paddr);
	if (cr3 == __PADDR_INV)
		return -ENOMEM;
	UK_ASSERT(cr3 <= __U32_MAX);
	/* What is in the lower half may go while a CPU starts */
	smp_cr3 = ukplat_pt_idle_root();
	page = ukplat_paddr_to_ptr(paddr);
	page_fill(page, paddr, cr3);
	rc = cpus_start(page, paddr);
	memset(page, 0, START16_OFF(start16_end));
	ukplat_pt_trampoline_free();
	return ret ? ret : rc;
}

/* Reads the MADT; without a good one there is one CPU */
static void madt_read(void)
{
	__paddr_t rsdp = ukplat_acpi_rsdp();
	const struct acpi_sdt *table;
	int rc;

	if (!rsdp)
		rsdp = acpi_rsdp_scan();
	if (!rsdp) {
		uk_pr_warn("smp: no ACPI tables, using one CPU\n");
		return;
	}
	rc = acpi_table_find(rsdp, "APIC", &table);
	if (!rc) {
		rc = madt_parse(table, table->len, &madt);
		acpi_unmap(table, table->len);
	}
	if (rc) {
		memset(&madt, 0, sizeof(madt));
		uk_pr_warn("smp: no usable MADT (%d), using one CPU\n", rc);
	}
	if (madt.dropped_cnt)
		uk_pr_warn("smp: %u entries of the MADT are too many\n",
			   madt.dropped_cnt);
}

static void cpus_add(void)
{
	__u32 i;
	int rc;

	for (i = 0; i < madt.cpu_cnt; i++) {
		rc = lcpu_add(madt.cpus[i].apic_id, madt.cpus[i].acpi_uid);
		if (rc && rc != -EEXIST)
			uk_pr_warn("smp: no room for APIC id %u (%d)\n",
				   madt.cpus[i].apic_id, rc);
	}
}

/* Interrupt controllers of the machine and of this CPU */
static int intctlr_init(void)
{
	int rc;

	rc = pic_disable();
	if (rc)
		return rc;
	rc = lapic_init();
	if (rc)
		return rc;
	lapic_nmi_wire(&madt, lcpus[0]->acpi_uid);
	rc = lcpu_ipi_init();
	if (rc)
		return rc;
	return ioapic_init(&madt);
}

/* CPUs to start at boot, the first one included: lcpus= on the command line */
static unsigned int lcpus_wanted(void)
{
	unsigned int cnt = 0;
	const char *val;

	if (!ukplat_cmdline_find("lcpus", &val))
		return lcpu_cnt;
	for (; *val >= '0' && *val <= '9' && cnt < lcpu_cnt; val++)
		cnt = cnt * 10 + (unsigned int)(*val - '0');
	if (!cnt || (*val && *val != ' ')) {
		uk_pr_warn("smp: lcpus= takes a number from 1 to %u\n",
			   lcpu_cnt);
		return lcpu_cnt;
	}
	return MIN(cnt, lcpu_cnt);
}

static void others_start(unsigned int cnt)
{
	static __u32 idx[CONFIG_UKPLAT_LCPU_MAXCOUNT];
	unsigned int i, num = cnt - 1;

	for (i = 0; i < num; i++)
		idx[i] = i + 1;
	if (num)
		(void)ukplat_lcpu_start(idx, &num);
}

void ukplat_smp_init(void)
{
	int rc;

	invlpgb_init();
	madt_read();
	cpus_add();
	rc = intctlr_init();
	vmgenid_init();
	ukplat_time_init();
	if (rc) {
		uk_pr_warn("smp: no interrupt controller (%d), one CPU\n", rc);
		return;
	}
	if (madt.cpu_cnt && madt.lapic_paddr != lapic_paddr())
		uk_pr_warn("smp: MADT has the local APIC at 0x%lx, CPU 0x%lx\n",
			   madt.lapic_paddr, lapic_paddr());
	others_start(lcpus_wanted());
	uk_pr_info("smp: %u of %u CPUs online, %s\n", ukplat_lcpu_count(),
		   lcpu_cnt, lapic_is_x2apic() ? "x2APIC" : "xAPIC");
}
