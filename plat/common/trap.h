/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_TRAP_H__
#define __UKPLAT_TRAP_H__

/* Traps: descriptors, dispatch, reports
 *
 * How
 *   All 256 gates lead to stubs of trap_entry.S, which save struct __regs and
 *   call trap_handle(). Interrupt gates: interrupts are disabled. NMI, double
 *   fault, machine check and page fault run on stacks of their own, so that an
 *   overflown stack still gives a report.
 *
 *   The IDT is one for all CPUs, in an area that is read-only once filled.
 *   A page fault goes to the hook of ukplat_pagefault_hook_set() first, then
 *   to the exception table, then to the report. The processor always begins
 *   the stack for page faults at the same place: a second one on the same CPU
 *   would destroy the frames of the first. But what the hook and the report
 *   look at may be a page that gets its frame when it is touched. So they move
 *   that place down; what brings such pages touches none itself. Anything else
 *   that faults in the hook ends in a report: hence a flag a CPU, set while the
 *   hook runs and looked at before the exception table.
 *
 *   GDT with TSS, and each trap stack of a CPU, are areas of their own.
 *
 * Invariants
 *   T1 A trap stack ends at an unmapped page at both ends.
 *   T2 A vector below 32 whose instruction is not in the exception table is
 *      fatal, but for page faults that the hook has handled.
 *   T3 A page fault while the hook runs on that CPU is fatal, unless it is for
 *      a page that is brought.
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/types.h>

#define TRAP_VECTORS 256

#define TRAP_NMI	  2
#define TRAP_DOUBLE_FAULT 8
#define TRAP_STACK_FAULT  12
#define TRAP_GP_FAULT	  13
#define TRAP_PAGE_FAULT	  14
#define TRAP_MCE	  18

/* Entries of the interrupt stack table, counted from 1 */
#define TRAP_IST_NMI   1
#define TRAP_IST_FATAL 2
#define TRAP_IST_PAGE  3
#define TRAP_IST_COUNT 3

#define TRAP_STACK_PAGES 6
/* Of it, what a page fault has for itself before the next one begins */
#define TRAP_LEVEL_LEN	 (2UL << 12)

/**
 * Builds the IDT.
 *
 * @return
 *   - (0): Built
 *   - (-ENOMEM), (-ENOSPC): No memory or no addresses
 */
int trap_init(void);

/** Loads the IDT on the calling CPU. */
void idt_load(void);

/** Called by the stubs. */
void trap_handle(struct __regs *regs);

/**
 * Makes the next page fault of this CPU begin below what the current one needs,
 * or where it began before. Page fault handler.
 */
void trap_page_stack_move(int down);

/** Prints a report and crashes. */
void __noreturn trap_report(const struct __regs *regs);

/** Runs the handler of a vector from 32 on. */
void irq_handle(const struct __regs *regs);

#endif /* __UKPLAT_TRAP_H__ */
