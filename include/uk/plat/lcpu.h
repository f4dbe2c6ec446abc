/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_LCPU_H__
#define __UK_PLAT_LCPU_H__

/* Logical CPUs: who am I, how many are there, run this on that one
 *
 * Names and meaning follow upstream Unikraft. Two differences: an index is
 * one instruction away, and the bootstrap processor (index 0) takes remote
 * functions whenever it sleeps in ukplat_lcpu_halt_irq() or waits in
 * ukplat_lcpu_wait(), where upstream never lets it go idle.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/irq.h>
#include <uk/plat/tlb.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Offsets in struct lcpu, which %gs points to */
#define UKPLAT_LCPU_IDX_OFFSET	 8
#define UKPLAT_LCPU_IDLE_OFFSET	 136
#define UKPLAT_LCPU_DEPTH_OFFSET 144

/* ukplat_lcpu_run(): return -EAGAIN instead of waiting for a busy CPU */
#define UKPLAT_LCPU_RFLG_DONOTBLOCK 0x1

struct __regs;

/** A function for another CPU */
struct ukplat_lcpu_func {
	/**
	 * Runs with interrupts enabled in the idle context of the CPU.
	 *
	 * @param regs
	 *   Always __NULL; upstream's signature
	 * @param user
	 *   The pointer below
	 */
	void (*fn)(struct __regs *regs, void *user);
	/** Passed to fn */
	void *user;
};

/** Interrupts that one CPU received, and page faults that were resolved */
struct ukplat_lcpu_stats {
	__u64 wake_ipis;
	__u64 timer_irqs;
	__u64 spurious;
	__u64 apic_errors;
	__u64 page_faults;
};

/**
 * Index of the calling CPU, dense, 0 for the bootstrap processor. One
 * instruction.
 */
static inline __u32 ukplat_lcpu_idx(void)
{
	__u32 idx;

	__asm__ __volatile__("movl %%gs:%c1, %0"
			     : "=r"(idx)
			     : "i"(UKPLAT_LCPU_IDX_OFFSET));
	return idx;
}

/* Set at boot, before there is a second CPU */
extern __u8 ukplat_lcpu_avx;

/**
 * Tells whether all CPUs have AVX2 switched on, and XGETBV with 1. As for the
 * registers of SSE, which always are: no interrupt and no fault saves them, so
 * who uses one puts all of it back, and handlers may do the same.
 */
static inline int ukplat_lcpu_has_avx(void)
{
	return ukplat_lcpu_avx;
}

/**
 * Hardware id (APIC id) of the calling CPU. Ids may be sparse.
 */
__u64 ukplat_lcpu_id(void);

/**
 * Number of CPUs that are online. Their indices are 0 to count - 1 unless a
 * CPU failed to start; ukplat_lcpu_is_online() tells.
 */
__u32 ukplat_lcpu_count(void);

/** Tells whether a CPU with this index exists and is online. */
int ukplat_lcpu_is_online(__u32 lcpuidx);

/**
 * Starts all other CPUs that the firmware reports. Called once by the
 * bootstrap processor, when memory, traps and interrupts work. A CPU that
 * does not start is named on the console and left out.
 */
void ukplat_smp_init(void);

/**
 * Starts CPUs. They run remote functions and sleep in between.
 *
 * @param lcpuidx
 *   Indices, or __NULL for all CPUs that are offline
 * @param num
 *   Number of indices. May be __NULL if lcpuidx is
 *
 * @return
 *   - (0): All are online
 *   - (-ENOTSUP): There is no local APIC, or an id is too long for its mode
 *   - (-EINVAL): No such CPU, or it is online already
 *   - (-ENOMEM): No memory for a stack or for the trampoline
 *   - (-ETIMEDOUT): A CPU did not answer
 */
int ukplat_lcpu_start(const __u32 lcpuidx[], const unsigned int *num);

/**
 * Runs a function on other CPUs and does not wait for its end. The slot of a
 * CPU holds one function that has not begun yet; without DONOTBLOCK the
 * caller waits until it is free, and meanwhile runs what waits for itself.
 * A remote function that gives functions to others uses DONOTBLOCK: two of
 * them could wait for each other.
 *
 * **Context:** thread context, interrupts enabled; with DONOTBLOCK any
 *
 * @param lcpuidx
 *   Indices, or __NULL for all online CPUs but the caller's
 * @param[in,out] num
 *   Number of indices; receives how many CPUs got the function. May be
 *   __NULL if lcpuidx is
 * @param fn
 *   The function; copied
 * @param flags
 *   0 or UKPLAT_LCPU_RFLG_DONOTBLOCK
 *
 * @return
 *   - (0): All will run it
 *   - (-EINVAL): No such CPU, it is not online, or it is the caller's
 *   - (-EAGAIN): A slot is taken and the caller does not want to wait
 */
int ukplat_lcpu_run(const __u32 lcpuidx[], unsigned int *num,
		    const struct ukplat_lcpu_func *fn, int flags);

/**
 * Waits until CPUs have finished all functions given to them before the
 * call. What the functions wrote is visible then.
 *
 * **Context:** thread context, interrupts enabled
 *
 * @param lcpuidx
 *   Indices, or __NULL for all online CPUs but the caller's
 * @param[in,out] num
 *   Number of indices; receives how many of them are finished. May be
 *   __NULL if lcpuidx is
 * @param timeout
 *   Nanoseconds to wait at most, 0 for no limit
 *
 * @return
 *   - (0): All finished
 *   - (-EINVAL): No such CPU, or it is the caller's
 *   - (-ETIMEDOUT): Time is up
 */
int ukplat_lcpu_wait(const __u32 lcpuidx[], unsigned int *num, __nsec timeout);

/** Stops the calling CPU for good. */
void __noreturn ukplat_lcpu_halt(void);

/**
 * Sleeps until the next interrupt, unless a remote function waits already,
 * and runs that function. No wake-up between a test by the caller with
 * interrupts disabled and the sleep is lost.
 *
 * **Context:** thread context, interrupts disabled; returns with interrupts
 * disabled
 */
void ukplat_lcpu_halt_irq(void);

/** As ukplat_lcpu_halt_irq(), but not longer than until a point in time.
 *
 * @param until
 *   Value of ukplat_monotonic_clock(); uses the timer of this CPU
 */
void ukplat_lcpu_halt_irq_until(__nsec until);

/**
 * Stops all other CPUs with an NMI, for the last words of a crash. Does not
 * wait for long and takes no lock. Any context.
 */
void ukplat_lcpu_stop_others(void);

/**
 * Serves an NMI: stops the CPU for good if another one wants that, otherwise
 * acknowledges shootdowns.
 */
void ukplat_lcpu_nmi(void);

/**
 * Makes every other CPU that does not sleep execute a full memory fence.
 *
 * **Context:** as ukplat_tlb_sync()
 */
void ukplat_lcpu_fence_all(void);

/** Ends the sleep of this CPU: flushes what it missed. */
void ukplat_lcpu_idle_exit(void);

/**
 * The first thing on every interrupt entry, before the handler looks at
 * memory that may have been unmapped. A few instructions.
 *
 * **Context:** interrupt dispatcher, interrupts disabled; not from NMI
 */
static inline void ukplat_lcpu_irq_enter(void)
{
	__u32 idle;

	__asm__ __volatile__("movl %%gs:%c1, %0"
			     : "=r"(idle)
			     : "i"(UKPLAT_LCPU_IDLE_OFFSET)
			     : "memory");
	if (unlikely(idle))
		ukplat_lcpu_idle_exit();
	else
		ukplat_tlb_poll();
	__asm__ __volatile__("incl %%gs:%c0"
			     :
			     : "i"(UKPLAT_LCPU_DEPTH_OFFSET)
			     : "memory", "cc");
}

/** The last thing on every exit from an interrupt. */
static inline void ukplat_lcpu_irq_exit(void)
{
	__asm__ __volatile__("decl %%gs:%c0"
			     :
			     : "i"(UKPLAT_LCPU_DEPTH_OFFSET)
			     : "memory", "cc");
	ukplat_tlb_poll();
}

/**
 * Tells whether an interrupt handler is on the stack of the calling CPU. What
 * it interrupted may hold a lock that is taken with interrupts enabled.
 */
static inline int ukplat_lcpu_in_irq(void)
{
	__u32 depth;

	__asm__ __volatile__("movl %%gs:%c1, %0"
			     : "=r"(depth)
			     : "i"(UKPLAT_LCPU_DEPTH_OFFSET)
			     : "memory");
	return depth != 0;
}

/**
 * Reads the counters of a CPU.
 *
 * @param lcpuidx
 *   A CPU; all counters are 0 if there is no such one
 * @param[out] stats
 *   Receives the counters
 */
void ukplat_lcpu_stats_get(__u32 lcpuidx, struct ukplat_lcpu_stats *stats);

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_LCPU_H__ */
