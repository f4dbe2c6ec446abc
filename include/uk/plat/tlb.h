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
 *   There is one global generation, a number. Who has changed page table
 *   entries and wants to know when nobody remembers the old ones starts a new
 *   generation: ukplat_tlb_close(). Each CPU publishes in its struct lcpu
 *   the newest generation that it has flushed its TLB for. When all CPUs have
 *   passed a generation, what was changed before it is forgotten.
 *
 *      change entries    close = g         passed(g)?      reuse frames and
 *      flush own TLB                                       addresses
 *      --------|------------|-----------------|------------------|------> t
 *                            other CPUs flush, each when it comes by
 *
 *   A CPU flushes where it comes by anyway: in every spin loop, on entry to
 *   and exit from interrupts, when it wakes up, in the slow paths of the
 *   allocator (ukplat_tlb_poll(), three instructions). Nobody is interrupted
 *   for that. Only who cannot wait (memory is short, a protection must hold
 *   at once) asks for it with interrupts: ukplat_tlb_sync().
 *
 *   A CPU that sleeps runs on page tables without the lower half of the
 *   address space. It has nothing to forget there, whatever the generation
 *   is, and is never disturbed.
 *
 *   A CPU that spins with interrupts disabled and does not poll is reached by
 *   an NMI in the end. Where the processor can invalidate the TLBs of others
 *   (INVLPGB) no interrupt is needed at all.
 *
 * Source
 *   The generation is the idea of Linux's tlb_gen and of grace periods (RCU);
 *   helping while waiting is FreeBSD's scoreboard and seL4's lock; freeing
 *   later instead of flushing now is LATR (ASPLOS 2018).
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
	/** Generations that this CPU started */
	__u64 closes;
	/** Those among them that were waited for */
	__u64 syncs;
	/** Pages of shootdowns; those of quarantines are counted there */
	__u64 pages;
	/** Interrupts sent to other CPUs */
	__u64 ipis_sent;
	/** Shootdown interrupts received */
	__u64 ipis_received;
	/** NMIs sent to CPUs that did not answer */
	__u64 nmis_sent;
	/** Acknowledgements from the NMI handler */
	__u64 nmi_acks;
	/** Flushes of the whole TLB of this CPU, own requests included */
	__u64 full_flushes;
	/** Flushes of single pages for other CPUs */
	__u64 page_flushes;
	/** Acknowledgements outside of the interrupt handlers */
	__u64 acks_polled;
	/** CPUs that did not need an interrupt because they slept */
	__u64 idle_skips;
};

/* Newest generation */
extern __u64 ukplat_tlb_gen;

/**
 * Flushes for all generations so far and acknowledges them. The slow path of
 * ukplat_tlb_poll(). Any context except NMI.
 */
void ukplat_tlb_ack(void);

/**
 * Acknowledges new generations, if there are any. Three instructions
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
 * Makes the calling CPU forget the translations of a range.
 *
 * @param vaddr
 *   First address, page aligned
 * @param pages
 *   Number of pages; above UKPLAT_TLB_FULL_PAGES everything is flushed
 */
void ukplat_tlb_flush_local(__vaddr_t vaddr, unsigned long pages);

/**
 * Starts a new generation and returns its number. All changes of page table
 * entries that happened before the call, by this CPU or known to it, belong
 * to it or to an older one. Waits for nobody.
 *
 * **Context:** any except NMI
 *
 * @param own
 *   1 if the calling CPU has already flushed its own TLB for all that the
 *   generation is for; it need not do so again then
 */
__u64 ukplat_tlb_close(int own);

/**
 * Tells whether all CPUs have passed a generation: none of them has, or will
 * ever use, a translation of the lower half that was changed before it.
 *
 * **Context:** any except NMI
 *
 * @return
 *   1 if so, for ever
 */
int ukplat_tlb_passed(__u64 gen);

/**
 * Tells whether all other CPUs sleep. Then none of them has, or will ever use,
 * a translation of the lower half that the caller has changed before.
 *
 * **Context:** any
 *
 * @return
 *   1 if so; for translations that change later it may be outdated at once
 */
int ukplat_tlb_is_alone(void);

/**
 * Interrupts the CPUs that have not passed a generation, and waits until all
 * have.
 *
 * **Context:** any CPU, any number of them at once, interrupts enabled or
 * disabled; not from NMI. Waits for the other CPUs, so no lock may be held
 * that is waited for without ukplat_tlb_poll() (uk_spin_lock() polls).
 */
void ukplat_tlb_sync(__u64 gen);

/**
 * Makes all CPUs forget the translations of a range whose page table entries
 * the caller has changed before. When the function returns no CPU uses the
 * old entries any more, and the frames may be reused.
 *
 * **Context:** as ukplat_tlb_sync()
 *
 * @param vaddr
 *   First address, page aligned
 * @param pages
 *   Number of pages; above UKPLAT_TLB_FULL_PAGES everything is flushed
 */
void ukplat_tlb_shootdown(__vaddr_t vaddr, unsigned long pages);

/**
 * Makes all CPUs forget all translations and all cached page table pages of
 * both halves. Interrupts sleeping CPUs, too: their page tables have the
 * upper half, which is the platform's and hardly ever changes.
 *
 * **Context:** as ukplat_tlb_sync()
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
