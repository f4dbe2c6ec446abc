/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_BOOTSTRAP_H__
#define __UK_PLAT_BOOTSTRAP_H__

/* The beginning and the end of the guest
 *
 *   loader -> x86/boot.S -> boot.c (identity map, picks all random bases)
 *          -> entry.c (random bases): traps, ukplat_heap_init(),
 *             ukplat_smp_init(), main(), ukplat_terminate()
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#ifdef __cplusplus
extern "C" {
#endif

struct __regs;

/* Exit codes for ukplat_terminate(); QEMU exits with 2 * code + 1 */
#define UKPLAT_EXIT_OK	  0
#define UKPLAT_EXIT_CRASH 99

/**
 * Registers the default allocator. The platform has a weak version that does
 * nothing; an allocator library brings its own. Called once on the boot CPU
 * with interrupts disabled, before the other CPUs start.
 *
 * @return
 *   0, or a negative errno, which stops the boot
 */
int ukplat_heap_init(void);

/** The guest program. Arguments are the words of the kernel command line. */
int main(int argc, char *argv[]);

/**
 * Ends the guest. Any context.
 *
 * @param code
 *   0 to 127; the exit status of QEMU is 2 * code + 1
 *   (isa-debug-exit at port 0xf4). Without that device the CPU halts.
 */
void __noreturn ukplat_terminate(int code);

/**
 * Stops all CPUs after an error that cannot be handled; the exit code is
 * UKPLAT_EXIT_CRASH. What happened has been printed before. Any context.
 */
void __noreturn ukplat_crash(void);

/** Command line as the loader passed it, without a program name. */
const char *ukplat_cmdline(void);

/**
 * Looks up a word of the command line: "key" or "key=value".
 *
 * @param key
 *   The key, without '='
 * @param[out] val
 *   Receives the value (to be ended at the next space), "" if there is none
 *
 * @return
 *   1 if the key is there
 */
int ukplat_cmdline_find(const char *key, const char **val);

/** Physical address of the ACPI root pointer, 0 if the loader knows none. */
__paddr_t ukplat_acpi_rsdp(void);

/**
 * Sets a function that explains an address in fault reports, e.g. names the
 * nearest heap object. It must not allocate or take locks.
 */
void ukplat_fault_hook_set(void (*fn)(__vaddr_t addr));

/** Explains an address in a report, as far as somebody can. */
void ukplat_fault_describe(__vaddr_t addr);

/* SDM 3A 4.7: error code of a page fault */
#define UKPLAT_PF_PROTECTION 0x01 /* the page is there, but not for this */
#define UKPLAT_PF_WRITE	     0x02
#define UKPLAT_PF_RESERVED   0x08 /* an entry that the processor refuses */
#define UKPLAT_PF_FETCH	     0x10
/* Not of the processor: who faulted had interrupts enabled, so holds no lock of
 * the platform, and any of them is free sooner or later
 */
#define UKPLAT_PF_PATIENT    0x80000000

/**
 * Sets a function that is asked about every page fault first. There is one;
 * __NULL for none.
 *
 * It runs with interrupts disabled, and must leave them so, on the stack for
 * page faults (TRAP_STACK_PAGES), on all CPUs at once. A page fault in it is
 * reported and stops the system: the stack is in use.
 *
 * @param fn
 *   Gets the address, the error code (UKPLAT_PF_*) and what was interrupted.
 *   0: the instruction is tried again. A negative errno: the fault is what it
 *   is without a hook, failed or reported; -ENOMEM and -EIO are named in the
 *   report
 */
void ukplat_pagefault_hook_set(int (*fn)(__vaddr_t addr,
					 unsigned long error_code,
					 const struct __regs *regs));

/**
 * Reads a byte that may not be accessible. Every CPU, any context but NMI.
 *
 * @param addr
 *   Where to read
 * @param[out] val
 *   Receives the byte on success
 *
 * @return
 *   - (0): Read
 *   - (-EFAULT): The access faulted
 */
int ukplat_probe_read(__vaddr_t addr, __u8 *val);

/** Writes a byte that may not be writable; as ukplat_probe_read(). */
int ukplat_probe_write(__vaddr_t addr, __u8 val);

/**
 * Allocates and maps what a CPU needs for traps: descriptor tables and the
 * stacks of NMI, double fault and page fault, with guard pages.
 *
 * **Context:** CPU in charge of the start of another one, or itself at boot
 *
 * @param idx
 *   Index of the CPU
 *
 * @return
 *   - (0): Ready for ukplat_trap_cpu_init(), also if called before
 *   - (-ENOMEM): No memory
 */
int ukplat_trap_cpu_prepare(unsigned int idx);

/**
 * Loads GDT, TSS and IDT on the calling CPU. %fs and %gs bases stay.
 *
 * @param idx
 *   Index of the calling CPU; ukplat_trap_cpu_prepare(idx) was successful
 */
void ukplat_trap_cpu_init(unsigned int idx);

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_BOOTSTRAP_H__ */
