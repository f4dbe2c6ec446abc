/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/arch/lcpu.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/console.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/paging.h>

#include "../area.h"
#include "../extable.h"
#include "../lcpu.h"
#include "../panic.h"
#include "../trap.h"
#include "lapic.h"

static void (*fault_hook)(__vaddr_t addr);

static int (*pagefault_hook)(__vaddr_t addr, unsigned long error_code,
			     const struct __regs *regs);

/* Set while a CPU is in the hook; only the CPU itself looks (T3) */
static __u8 pagefault_busy[CONFIG_UKPLAT_LCPU_MAXCOUNT];

/* Set once the report begins. The CPUs that it stops may hold locks which the
 * hook would wait for.
 */
static int is_reporting;

void ukplat_fault_hook_set(void (*fn)(__vaddr_t addr))
{
	__atomic_store_n(&fault_hook, fn, __ATOMIC_RELAXED);
}

void ukplat_fault_describe(__vaddr_t addr)
{
	void (*fn)(__vaddr_t addr);

	fn = __atomic_load_n(&fault_hook, __ATOMIC_RELAXED);
	if (fn)
		fn(addr);
}

void ukplat_pagefault_hook_set(int (*fn)(__vaddr_t addr,
					 unsigned long error_code,
					 const struct __regs *regs))
{
	/* Release: publishes what the hook looks at. Pairs with the acquire in
	 * pagefault_handle()
	 */
	__atomic_store_n(&pagefault_hook, fn, __ATOMIC_RELEASE);
}

static const char *trap_name(unsigned long vector)
{
	static const char *const names[UKPLAT_IRQ_VECTOR_MIN] = {
		[0] = "divide error",
		[1] = "debug",
		[TRAP_NMI] = "NMI",
		[3] = "breakpoint",
		[4] = "overflow",
		[5] = "bound range",
		[6] = "invalid opcode",
		[7] = "no FPU",
		[TRAP_DOUBLE_FAULT] = "double fault",
		[10] = "invalid TSS",
		[11] = "segment not present",
		[TRAP_STACK_FAULT] = "stack fault",
		[TRAP_GP_FAULT] = "general protection",
		[TRAP_PAGE_FAULT] = "page fault",
		[16] = "x87 error",
		[17] = "alignment check",
		[TRAP_MCE] = "machine check",
		[19] = "SIMD error",
	};

	if (vector >= UKPLAT_IRQ_VECTOR_MIN)
		return "interrupt without a handler";
	return names[vector] ? names[vector] : "reserved";
}

static const char *access_name(unsigned long error_code)
{
	if (error_code & UKPLAT_PF_FETCH)
		return "execute";
	return error_code & UKPLAT_PF_WRITE ? "write" : "read";
}

/* rc: what the hook said, or 0 */
static const char *cause_name(unsigned long error_code, int rc)
{
	if (rc == -ENOMEM)
		return "out of memory at a page fault";
	if (rc == -EIO)
		return "contents cannot be read";
	if (rc == -EDEADLK)
		return "would wait for its own CPU";
	if (error_code & UKPLAT_PF_RESERVED)
		return "bad page table";
	return error_code & UKPLAT_PF_PROTECTION ? "not allowed" : "not mapped";
}

static void regs_print(const struct __regs *r, __vaddr_t cr2)
{
	__u64 off;
	const char *name = area_image_find(r->rip, &off);

	if (name)
		ukplat_printk("  rip 0x%016lx (%s, image + 0x%lx)\n", r->rip,
			      name, off);
	else
		ukplat_printk("  rip 0x%016lx (not in the image)\n", r->rip);
	ukplat_printk("  rsp 0x%016lx rbp 0x%016lx eflags 0x%lx cs 0x%lx\n",
		      r->rsp, r->rbp, r->eflags, r->cs);
	ukplat_printk("  rax 0x%016lx rbx 0x%016lx rcx 0x%016lx\n", r->rax,
		      r->rbx, r->rcx);
	ukplat_printk("  rdx 0x%016lx rsi 0x%016lx rdi 0x%016lx\n", r->rdx,
		      r->rsi, r->rdi);
	ukplat_printk("  r8  0x%016lx r9  0x%016lx r10 0x%016lx\n", r->r8,
		      r->r9, r->r10);
	ukplat_printk("  r11 0x%016lx r12 0x%016lx r13 0x%016lx\n", r->r11,
		      r->r12, r->r13);
	ukplat_printk("  r14 0x%016lx r15 0x%016lx cr2 0x%016lx\n", r->r14,
		      r->r15, cr2);
}

/* cr2: of this fault; others may have come since */
static void __noreturn report(const struct __regs *regs, __vaddr_t cr2, int rc)
{
	panic_enter();
	/* What the report looks at may be a page that nobody has touched */
	if (regs->vector == TRAP_PAGE_FAULT)
		trap_page_stack_move(1);
	__atomic_store_n(&is_reporting, 1, __ATOMIC_RELAXED);
	if (regs->vector == TRAP_PAGE_FAULT)
		ukplat_printk("FAULT: page fault: cpu=%u %s of 0x%016lx: %s "
			      "(error 0x%lx)\n",
			      ukplat_lcpu_idx(), access_name(regs->error_code),
			      cr2, cause_name(regs->error_code, rc),
			      regs->error_code);
	else
		ukplat_printk("FAULT: %s: cpu=%u vector=%lu error=0x%lx\n",
			      trap_name(regs->vector), ukplat_lcpu_idx(),
			      regs->vector, regs->error_code);
	regs_print(regs, cr2);

	/* Last, because it looks at data that may be damaged */
	if (regs->vector == TRAP_PAGE_FAULT)
		ukplat_fault_describe(cr2);
	ukplat_crash();
}

void __noreturn trap_report(const struct __regs *regs)
{
	report(regs, ukarch_cr2_read(), 0);
}

static unsigned long patient_code(const struct __regs *regs)
{
	return regs->error_code |
	       (regs->eflags & __UKPLAT_RFLAGS_IF ? UKPLAT_PF_PATIENT : 0);
}

/* Tells whether the access may try again */
static int permits(const struct __regs *regs, __vaddr_t addr)
{
	return ukplat_page_permits(ukplat_pt_get_active(), addr,
				   patient_code(regs));
}

/* Brings the page that was touched, or asks the hook about it */
static int pagefault_handle(const struct __regs *regs, __vaddr_t addr)
{
	int (*hook)(__vaddr_t addr, unsigned long error_code,
		    const struct __regs *regs);
	__u8 *busy;
	int rc;

	if (ukplat_page_fill(ukplat_pt_get_active(), addr, patient_code(regs)))
		return 0;

	/* Acquire: pairs with the release in ukplat_pagefault_hook_set() */
	hook = __atomic_load_n(&pagefault_hook, __ATOMIC_ACQUIRE);
	if (!hook || __atomic_load_n(&is_reporting, __ATOMIC_RELAXED))
		return -EFAULT;
	busy = &pagefault_busy[ukplat_lcpu_idx()];
	/* The hook itself (T3). Another CPU may have brought the page */
	if (unlikely(*busy)) {
		if (permits(regs, addr))
			return 0;
		report(regs, addr, 0);
	}

	*busy = 1;
	trap_page_stack_move(1);
	barrier();
	rc = hook(addr, regs->error_code, regs);
	barrier();
	trap_page_stack_move(0);
	*busy = 0;
	return rc;
}

/* The frame of an interrupt may be what touched the page: then the processor
 * has accepted the interrupt, and forgets it now. What else touches a stack
 * there finds nothing in service
 */
static void interrupt_rescue(const struct __regs *regs, __vaddr_t addr)
{
	const __u64 frame = 5 * sizeof(__u64) + 16;

	if (regs->eflags & __UKPLAT_RFLAGS_IF && regs->rsp - addr <= frame &&
	    !ukplat_lcpu_in_irq())
		lapic_lost_raise(lcpu_current()->apic_id);
}

void trap_handle(struct __regs *regs)
{
	__vaddr_t addr;
	__uptr fixup;
	int rc = 0;

	if (likely(regs->vector >= UKPLAT_IRQ_VECTOR_MIN)) {
		irq_handle(regs);
		return;
	}
	if (regs->vector == TRAP_NMI) {
		ukplat_lcpu_nmi();
		return;
	}
	addr = ukarch_cr2_read();
	if (regs->vector == TRAP_PAGE_FAULT) {
		rc = pagefault_handle(regs, addr);
		if (likely(!rc) || permits(regs, addr)) {
			lcpu_current()->stats.page_faults++;
			interrupt_rescue(regs, addr);
			return;
		}
	}
	if (regs->vector == TRAP_PAGE_FAULT || regs->vector == TRAP_GP_FAULT) {
		fixup = extable_find(__extable_start, __extable_end, regs->rip);
		if (fixup) {
			regs->rip = fixup;
			return;
		}
	}
	report(regs, addr, rc);
}
