/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>
#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>

#include "lcpu.h"
#include "x86/lapic.h"

struct lcpu *lcpus[CONFIG_UKPLAT_LCPU_MAXCOUNT];
__u32 lcpu_cnt;

/* (a) Number of CPUs in state LCPU_ONLINE */
static __u32 online_cnt;

/* The structure of a CPU is zero and in an area of its own */
static void lcpu_set(struct lcpu *lcpu, __u32 apic_id, __u32 acpi_uid)
{
	lcpu->self = lcpu;
	lcpu->idx = lcpu_cnt;
	lcpu->apic_id = apic_id;
	lcpu->acpi_uid = acpi_uid;
	lcpus[lcpu_cnt++] = lcpu;
}

int lcpu_add(__u32 apic_id, __u32 acpi_uid)
{
	struct lcpu *lcpu = lcpu_find(apic_id);
	__vaddr_t base;

	if (lcpu) {
		lcpu->acpi_uid = acpi_uid;
		return -EEXIST;
	}
	if (lcpu_cnt == ARRAY_SIZE(lcpus))
		return -ENOSPC;
	if (ukplat_area_map("CPU", __PADDR_ANY, BOOT_CPU_LEN >> PAGE_SHIFT,
			    PAGE_ATTR_PROT_RW, &base))
		return -ENOMEM;
	lcpu_set((struct lcpu *)base, apic_id, acpi_uid);
	return 0;
}

struct lcpu *lcpu_find(__u32 apic_id)
{
	__u32 i;

	for (i = 0; i < lcpu_cnt; i++)
		if (lcpus[i]->apic_id == apic_id)
			return lcpus[i];
	return __NULL;
}

void lcpu_online(struct lcpu *lcpu)
{
	__atomic_store_n(&lcpu->tlb_ipi, 0, __ATOMIC_RELAXED);
	/* Until here nobody waited for this CPU, so that it must not have the
	 * lower half, not even for a walk ahead. Seq_cst: a shootdown that does
	 * not see this CPU counted and online was asked for before the flush
	 * below. Pairs with lcpu_is_online()
	 */
	__atomic_add_fetch(&online_cnt, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&lcpu->state, LCPU_ONLINE, __ATOMIC_SEQ_CST);
	lcpu_tlb_reset(lcpu, ukplat_pt_get_active()->pt_pbase);
}

void lcpu_gs_init(struct lcpu *lcpu)
{
	ukarch_wrmsr(X86_MSR_GS_BASE, (__u64)lcpu);
}

void lcpu_bsp_init(void)
{
	lcpu_set((struct lcpu *)boot_info.cpu_vaddr, lapic_cpu_id(), 0);
	lcpu_gs_init(lcpus[0]);
	lcpu_online(lcpus[0]);
}

__u64 ukplat_lcpu_id(void)
{
	return lcpu_current()->apic_id;
}

__u32 ukplat_lcpu_count(void)
{
	return __atomic_load_n(&online_cnt, __ATOMIC_RELAXED);
}

int ukplat_lcpu_is_online(__u32 lcpuidx)
{
	return lcpuidx < lcpu_cnt && lcpu_is_online(lcpus[lcpuidx]);
}

void __noreturn ukplat_lcpu_halt(void)
{
	struct lcpu *self = lcpu_current();
	__paddr_t root = ukplat_pt_idle_root();
	__u32 state = LCPU_HALTED;

	ukplat_lcpu_disable_irq();
	__atomic_sub_fetch(&online_cnt, 1, __ATOMIC_RELAXED);
	/* The stack may be in the lower half, and from the exchange on nobody
	 * waits for this CPU: neither may be used any more
	 */
	if (!root)
		root = ukarch_cr3_read();
	__asm__ __volatile__("movq %0, %%cr3\n\t"
			     "xchgl %1, %2\n"
			     "1:\thlt\n\t"
			     "jmp 1b"
			     : "+r"(root), "+r"(state), "+m"(self->state)
			     :
			     : "memory");
	__builtin_unreachable();
}

/* Says that this CPU sleeps, and on which page table */
static void idle_enter(struct lcpu *self)
{
	__vaddr_t stack = (__vaddr_t)__builtin_frame_address(0);
	__paddr_t root = ukplat_pt_idle_root();
	__u32 idle = LCPU_IDLE_LIGHT;

	if (root && stack >= UKARCH_VADDR_UPPER_START) {
		ukarch_cr3_write(root);
		idle = LCPU_IDLE_DEEP;
	}
	/* Seq_cst: a function that is posted after the caller's last look finds
	 * this CPU asleep. Pairs with call_post(). And whoever finds it asleep
	 * may take the lower half away. Pairs with target_has_passed() and
	 * ukplat_tlb_is_alone()
	 */
	__atomic_store_n(&self->idle, idle, __ATOMIC_SEQ_CST);
}

void ukplat_lcpu_idle_exit(void)
{
	struct lcpu *self = lcpu_current();
	__u32 idle = self->idle;

	/* Seq_cst: whoever saw this CPU asleep has changed the tables before it
	 * walks them again, and started a generation before the load of it
	 * below. Pairs with target_has_passed() and ukplat_tlb_is_alone()
	 */
	__atomic_store_n(&self->idle, LCPU_IDLE_NOT, __ATOMIC_SEQ_CST);
	if (idle == LCPU_IDLE_DEEP)
		lcpu_tlb_reset(self, ukplat_pt_get_active()->pt_pbase);
	else
		ukplat_tlb_poll();
}

void ukplat_lcpu_halt_irq(void)
{
	struct lcpu *self = lcpu_current();

	UK_ASSERT(ukplat_lcpu_irqs_disabled());
	if (lcpu_call_run())
		return;

	idle_enter(self);
	if (!lcpu_call_is_pending(self)) {
		/* An interrupt between the two instructions is held back
		 * until HLT has begun
		 */
		__asm__ __volatile__("sti\n\thlt\n\tcli" : : : "memory");
	}
	ukplat_lcpu_idle_exit();
	lcpu_call_run();
}

void ukplat_lcpu_halt_irq_until(__nsec until)
{
	if (!lcpu_timer_wake_at(until))
		return;
	ukplat_lcpu_halt_irq();
	lcpu_timer_wake_cancel();
}

void __noreturn lcpu_idle_loop(void)
{
	ukplat_lcpu_disable_irq();
	for (;;)
		ukplat_lcpu_halt_irq();
}

void ukplat_lcpu_stats_get(__u32 lcpuidx, struct ukplat_lcpu_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (lcpuidx < lcpu_cnt)
		*stats = lcpus[lcpuidx]->stats;
}
