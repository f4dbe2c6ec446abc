/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_LCPU_PRIV_H__
#define __UKPLAT_LCPU_PRIV_H__

/* The CPU table
 *
 * How
 *   %gs of a running CPU points to its struct lcpu. The index is dense and
 *   0 is the bootstrap processor (BSP); APIC ids may be sparse.
 *
 *             lcpu_add        smp.c          AP reports in
 *   (none) ----------> OFFLINE ----> INIT -----------------> ONLINE
 *                         ^            | no answer              | halt
 *                         +------------+                        v
 *                                                             HALTED
 *
 * Invariants
 *   C1 lcpus[i]->idx == i and lcpus[i]->self == lcpus[i] for i < lcpu_cnt
 *   C2 only a CPU itself stores its tlb_seen and idle
 *   C3 tlb_seen never decreases
 *   C4 while idle is LCPU_IDLE_DEEP, and when the state is LCPU_HALTED, CR3
 *      is the idle root, or no page table had been built yet
 */

#include <uk/arch/types.h>
#include <uk/config.h>

#define LCPU_SELF_OFFSET     0
#define LCPU_IDX_OFFSET	     8
#define LCPU_APIC_ID_OFFSET  12
#define LCPU_STACK_OFFSET    16
#define LCPU_TLB_SEEN_OFFSET 128
#define LCPU_IDLE_OFFSET     136
#define LCPU_DEPTH_OFFSET    144

#ifndef __ASSEMBLY__

#include <uk/essentials.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/tlb.h>

#include "bootinfo.h"

enum lcpu_state {
	/** Known from the firmware, not started */
	LCPU_OFFLINE,
	/** Start-up in progress */
	LCPU_INIT,
	/** Runs, takes interrupts and acknowledges shootdowns */
	LCPU_ONLINE,
	/** Stopped for good */
	LCPU_HALTED
};

enum lcpu_idle {
	/** Runs */
	LCPU_IDLE_NOT,
	/** Sleeps on the page table of the system: its stack needs it */
	LCPU_IDLE_LIGHT,
	/** Sleeps without the lower half of the address space */
	LCPU_IDLE_DEEP
};

enum lcpu_slot {
	/** Anybody may claim the slot */
	LCPU_SLOT_FREE,
	/** A caller of ukplat_lcpu_run() fills it */
	LCPU_SLOT_CLAIMED,
	/** The function waits for the CPU */
	LCPU_SLOT_READY
};

/** Function that waits to be run by a CPU; see lcpu_run.c */
struct lcpu_call {
	/** (a) enum lcpu_slot */
	__u32 slot;
	/** (p) Set while the CPU runs a function; no second one then */
	__u32 busy;
	/** Owned by whoever claimed the slot, then by the CPU */
	struct ukplat_lcpu_func func;
	/** (a) Number of functions given to this CPU */
	__u64 posted;
	/** (a) Number of functions that have returned */
	__u64 done;
	/** (a) Index + 1 of a CPU that sleeps until done changes, or 0 */
	__u32 waiter;
};

/** One CPU
 *
 * (c) constant after start-up, (a) atomic, (p) written by the CPU itself
 * only. The padding keeps groups on cache line pairs of their own.
 */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct lcpu {
	/** (c) This structure: %gs:0 */
	struct lcpu *self;
	/** (c) Dense index: %gs:8 */
	__u32 idx;
	/** (c) APIC id, up to 32 bits in x2APIC mode */
	__u32 apic_id;
	/** (c) Initial stack pointer */
	__vaddr_t stack;
	/** (a) enum lcpu_state */
	__u32 state;
	/** (c) ACPI processor UID, for the NMI wiring in the MADT */
	__u32 acpi_uid;

	/** (a)(p) Newest generation that this CPU has flushed for: %gs:128 */
	__u64 tlb_seen __align(128);
	/** (a)(p) enum lcpu_idle: %gs:136 */
	__u32 idle;
	/** (a) A shootdown interrupt is on its way */
	__u32 tlb_ipi;
	/** (p) Interrupt handlers that are on the stack: %gs:144 */
	__u32 irq_depth;

	/** Remote function */
	struct lcpu_call call __align(128);

	/** (p) Counters; read by others without a lock */
	struct ukplat_tlb_stats tlb_stats __align(128);
	/** (p) Counters of the interrupts of ipi.c */
	struct ukplat_lcpu_stats stats;
} __align(128);

UK_CTASSERT(__builtin_offsetof(struct lcpu, self) == LCPU_SELF_OFFSET);
UK_CTASSERT(__builtin_offsetof(struct lcpu, idx) == LCPU_IDX_OFFSET);
UK_CTASSERT(LCPU_IDX_OFFSET == UKPLAT_LCPU_IDX_OFFSET);
UK_CTASSERT(__builtin_offsetof(struct lcpu, apic_id) == LCPU_APIC_ID_OFFSET);
UK_CTASSERT(__builtin_offsetof(struct lcpu, stack) == LCPU_STACK_OFFSET);
UK_CTASSERT(__builtin_offsetof(struct lcpu, tlb_seen) == LCPU_TLB_SEEN_OFFSET);
UK_CTASSERT(LCPU_TLB_SEEN_OFFSET == UKPLAT_LCPU_TLB_SEEN_OFFSET);
UK_CTASSERT(__builtin_offsetof(struct lcpu, idle) == LCPU_IDLE_OFFSET);
UK_CTASSERT(LCPU_IDLE_OFFSET == UKPLAT_LCPU_IDLE_OFFSET);
UK_CTASSERT(__builtin_offsetof(struct lcpu, irq_depth) == LCPU_DEPTH_OFFSET);
UK_CTASSERT(LCPU_DEPTH_OFFSET == UKPLAT_LCPU_DEPTH_OFFSET);
UK_CTASSERT(sizeof(struct lcpu) % 128 == 0);
UK_CTASSERT(sizeof(struct lcpu) <= BOOT_CPU_LEN);

/* All CPUs, each in an area of its own; the first lcpu_cnt are known */
extern struct lcpu *lcpus[CONFIG_UKPLAT_LCPU_MAXCOUNT];
extern __u32 lcpu_cnt;

/** The calling CPU. Needs lcpu_bsp_init() or the start-up of an AP. */
static inline struct lcpu *lcpu_current(void)
{
	struct lcpu *self;

	__asm__ __volatile__("movq %%gs:%c1, %0"
			     : "=r"(self)
			     : "i"(LCPU_SELF_OFFSET));
	return self;
}

/**
 * Makes the calling CPU number 0 and points %gs to its structure, which the
 * loader has mapped. Needs no memory and no traps. Loading a
 * selector into %gs afterwards would clear the base again; use
 * lcpu_gs_init() after that.
 */
void lcpu_bsp_init(void);

/** Points %gs of the calling CPU to its structure. */
void lcpu_gs_init(struct lcpu *lcpu);

/**
 * Adds a CPU that the firmware reported.
 *
 * @param apic_id
 *   Its APIC id. That of the BSP is taken note of and not added again.
 * @param acpi_uid
 *   Its ACPI processor UID
 *
 * @return
 *   - (0): Added
 *   - (-EEXIST): Known already
 *   - (-ENOSPC): More CPUs than CONFIG_UKPLAT_LCPU_MAXCOUNT
 *   - (-ENOMEM): No memory for its structure
 */
int lcpu_add(__u32 apic_id, __u32 acpi_uid);

/**
 * Finds a CPU by its APIC id.
 *
 * @return
 *   The CPU, or __NULL if there is none
 */
struct lcpu *lcpu_find(__u32 apic_id);

/**
 * Makes the calling CPU a target of shootdowns and remote functions. Flushes
 * its TLB.
 */
void lcpu_online(struct lcpu *lcpu);

/** Tells whether a CPU is online; may be outdated at once. */
static inline int lcpu_is_online(const struct lcpu *lcpu)
{
	/* Seq_cst: pairs with the store in lcpu_online() */
	return __atomic_load_n(&lcpu->state, __ATOMIC_SEQ_CST) == LCPU_ONLINE;
}

/**
 * Runs the function that waits for the calling CPU, if any.
 *
 * **Context:** thread context; returns with interrupts disabled
 *
 * @return
 *   1 if a function ran
 */
int lcpu_call_run(void);

/** Tells whether a function waits that the calling CPU may run now. */
int lcpu_call_is_pending(const struct lcpu *self);

/** Runs remote functions and sleeps in between, for ever. */
void __noreturn lcpu_idle_loop(void);

/**
 * Prepares shootdowns and remote functions: vectors on this machine.
 *
 * @return
 *   0, or the negative errno of the vector registration
 */
int lcpu_ipi_init(void);

/**
 * Loads a page table, which flushes the TLB of the calling CPU, and starts
 * with the newest generation.
 *
 * @param root
 *   Physical address of the top level table
 */
void lcpu_tlb_reset(struct lcpu *self, __paddr_t root);

/**
 * Publishes that the calling CPU has flushed for a generation, unless it has
 * published a newer one. Any context.
 */
void lcpu_tlb_raise(struct lcpu *self, __u64 gen);

/**
 * Makes all CPUs pass a generation.
 *
 * @param both
 *   1: what was changed is in the upper half, so that sleeping CPUs count
 */
void lcpu_tlb_sync(__u64 gen, int both);

/** Serves the shootdown interrupt, without ending it. */
void lcpu_tlb_ipi_handler(void);

/** Acknowledges new generations in an NMI. */
void lcpu_tlb_nmi_handler(void);

/**
 * Sets the timer of the calling CPU for one interrupt.
 *
 * **Context:** interrupts disabled
 *
 * @param until
 *   Value of ukplat_monotonic_clock()
 *
 * @return
 *   1 if an interrupt will come, not later than then or soon after; 0 if it
 *   is too late, there is no timer, or it is in use for longer periods
 */
int lcpu_timer_wake_at(__nsec until);

/** Takes lcpu_timer_wake_at() back. */
void lcpu_timer_wake_cancel(void);

/** Sends the wake-up interrupt. */
void lcpu_ipi_wake(const struct lcpu *target);

/** Sends the shootdown interrupt. */
void lcpu_ipi_tlb(const struct lcpu *target);

/** Sends an NMI, which makes the target acknowledge. */
void lcpu_ipi_nmi(const struct lcpu *target);

#endif /* !__ASSEMBLY__ */

#endif /* __UKPLAT_LCPU_PRIV_H__ */
