/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_TLB_H__
#define __UK_PLAT_TLB_H__

/* TLB shootdown: make every CPU forget translations
 *
 * How
 *   Every request gets the next number of one global generation. A CPU that
 *   has flushed for all requests up to g publishes g in its struct lcpu, and
 *   the requester waits until all CPUs have done so. A CPU acknowledges when
 *   it takes the interrupt, and wherever it passes ukplat_tlb_poll(): in
 *   every spin loop, on interrupt entry, and while it waits for others.
 *   Hence two CPUs can shoot at each other with interrupts disabled.
 *
 *   A CPU that sleeps in ukplat_lcpu_halt_irq() is not disturbed: it flushes
 *   before it does anything else (ukplat_lcpu_irq_enter()).
 *
 * Source
 *   The generation is the idea of Linux's tlb_gen; helping while waiting is
 *   FreeBSD's scoreboard and seL4's lock.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Above this many pages a CPU flushes everything instead of single pages.
 * Measured break-even under TCG; hardware is at about 33.
 */
#define UKPLAT_TLB_FULL_PAGES 16

/* Offset of the acknowledged generation in struct lcpu, which %gs points to */
#define UKPLAT_LCPU_TLB_SEEN_OFFSET 128

/** Counters of one CPU or of all. Read without a lock, so only roughly. */
struct ukplat_tlb_stats {
	/** Shootdowns that this CPU asked for */
	__u64 requests;
	/** Pages in these requests; a full flush counts 0 */
	__u64 pages;
	/** Interrupts sent to other CPUs */
	__u64 ipis_sent;
	/** Shootdown interrupts received */
	__u64 ipis_received;
	/** Flushes of the whole TLB of this CPU, own requests included */
	__u64 full_flushes;
	/** Flushes of single pages for other CPUs */
	__u64 page_flushes;
	/** Acknowledgements outside the interrupt handler */
	__u64 acks_polled;
	/** CPUs that did not need an interrupt because they slept */
	__u64 idle_skips;
};

/* Newest generation that was asked for */
extern __u64 ukplat_tlb_gen;

/**
 * Flushes for all outstanding requests and acknowledges them. The slow path
 * of ukplat_tlb_poll(). Any context except NMI.
 */
void ukplat_tlb_ack(void);

/**
 * Acknowledges outstanding shootdowns, if there are any. Three instructions
 * otherwise. Any context except NMI, interrupts enabled or disabled.
 */
static inline void ukplat_tlb_poll(void)
{
	__u64 seen;

	__asm__ __volatile__("movq %%gs:%c1, %0"
			     : "=r"(seen)
			     : "i"(UKPLAT_LCPU_TLB_SEEN_OFFSET)
			     : "memory");
	/* Relaxed: ukplat_tlb_ack() loads it again with acquire */
	if (unlikely(__atomic_load_n(&ukplat_tlb_gen, __ATOMIC_RELAXED) !=
		     seen))
		ukplat_tlb_ack();
}

/**
 * Makes all CPUs forget the translations of a range whose page table entries
 * the caller has changed before. When the function returns no CPU uses the
 * old entries any more, and the frames may be reused.
 *
 * **Context:** any CPU, any number of them at once, interrupts enabled or
 * disabled; not from NMI. Waits for the other CPUs, so no lock may be held
 * that is waited for without ukplat_tlb_poll() (uk_spin_lock() polls).
 *
 * @param vaddr
 *   First address, page aligned
 * @param pages
 *   Number of pages; above UKPLAT_TLB_FULL_PAGES everything is flushed
 */
void ukplat_tlb_shootdown(__vaddr_t vaddr, unsigned long pages);

/**
 * Makes all CPUs forget all translations and all cached page table pages.
 * Interrupts sleeping CPUs, too: needed before page table pages are reused,
 * because a CPU on its way into or out of sleep may still walk them.
 *
 * **Context:** as ukplat_tlb_shootdown()
 */
void ukplat_tlb_shootdown_tables(void);

/**
 * Reads the counters.
 *
 * @param lcpuidx
 *   A CPU, or any value of at least CONFIG_UKPLAT_LCPU_MAXCOUNT for the sum
 *   over all CPUs
 * @param[out] stats
 *   Receives the counters
 */
void ukplat_tlb_stats_get(__u32 lcpuidx, struct ukplat_tlb_stats *stats);

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_TLB_H__ */
