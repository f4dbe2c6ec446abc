/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* TLB shootdown: the calling CPU's part; tlb_sync.c asks the others
 *
 * Invariants
 *   T1 A CPU whose tlb_seen is g has no translation in its TLB that was
 *      changed before the generation g or an older one was started.
 *   T2 A CPU that is idle (LCPU_IDLE_DEEP) has no translation of the lower
 *      half, and cannot load one before it has read the generation.
 *   T3 An entry of the ring describes the generation of its tag or nothing:
 *      it is one word.
 *
 * Concurrency
 *   Page table store -> locked increment of the generation -> load of idle
 *   and tlb_seen, against: store of idle = 0 -> load of the generation ->
 *   flush -> store of tlb_seen. Either the requester finds the CPU awake and
 *   waits for it, or the CPU finds the new generation when it awakes.
 *
 *   tlb_seen is written by its CPU only, in threads, interrupts and NMIs. It
 *   is raised by compare and swap, so one that was interrupted cannot take
 *   back what the interrupt has published.
 */

#include <uk/arch/lcpu.h>
#include <uk/assert.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/tlb.h>

#include "lcpu.h"

/* A CPU that is further behind flushes everything at once */
#define TLB_BATCH_MAX 8

/* Ring of what the newest generations are for. Who is overtaken finds another
 * tag; only the last TLB_BATCH_MAX are ever looked at.
 */
#define TLB_RING_LEN 64U

/* An entry: bits 12 to 47 of the address, pages, low bits of the generation */
#define REQ_ADDR_BITS  36
#define REQ_PAGES_BITS 5
#define REQ_TAG_BITS   23
#define REQ_TAG_SHIFT  (REQ_ADDR_BITS + REQ_PAGES_BITS)
/* Value of pages: everything */
#define REQ_PAGES_ALL  ((1U << REQ_PAGES_BITS) - 1)

UK_CTASSERT(UKPLAT_TLB_FULL_PAGES < REQ_PAGES_ALL);
UK_CTASSERT(REQ_TAG_SHIFT + REQ_TAG_BITS == 64);

__u64 ukplat_tlb_gen __align(128);

static __u64 ring[TLB_RING_LEN] __align(128);

static void flush_all(struct lcpu *self)
{
	/* Nothing is mapped global: this drops all translations */
	ukarch_tlb_flush();
	self->tlb_stats.full_flushes++;
}

static void flush_pages(__vaddr_t vaddr, unsigned long pages)
{
	for (; pages; pages--, vaddr += 4096)
		ukarch_tlb_flush_entry(vaddr);
}

void ukplat_tlb_flush_local(__vaddr_t vaddr, unsigned long pages)
{
	if (pages > UKPLAT_TLB_FULL_PAGES)
		flush_all(lcpu_current());
	else
		flush_pages(vaddr, pages);
}

void lcpu_tlb_raise(struct lcpu *self, __u64 gen)
{
	__u64 seen = __atomic_load_n(&self->tlb_seen, __ATOMIC_RELAXED);

	/* Release: behind the flush, which is serializing. Pairs with the
	 * acquire in target_has_passed()
	 */
	while (seen < gen &&
	       !__atomic_compare_exchange_n(&self->tlb_seen, &seen, gen, 0,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static void req_publish(__u64 gen, __vaddr_t vaddr, unsigned long pages)
{
	__u64 req = gen << REQ_TAG_SHIFT;

	if (pages > UKPLAT_TLB_FULL_PAGES)
		req |= (__u64)REQ_PAGES_ALL << REQ_ADDR_BITS;
	else
		req |= (__u64)pages << REQ_ADDR_BITS |
		       (vaddr >> 12 & ((1UL << REQ_ADDR_BITS) - 1));
	/* Relaxed: one word, and who does not find it flushes everything */
	__atomic_store_n(&ring[gen % TLB_RING_LEN], req, __ATOMIC_RELAXED);
}

/* What a generation is for. 0 if that is not known. */
static int req_read(__u64 gen, __vaddr_t *vaddr, unsigned int *pages)
{
	__u64 req =
		__atomic_load_n(&ring[gen % TLB_RING_LEN], __ATOMIC_RELAXED);

	if ((req ^ gen << REQ_TAG_SHIFT) >> REQ_TAG_SHIFT)
		return 0;
	*pages = (unsigned int)(req >> REQ_ADDR_BITS) & REQ_PAGES_ALL;
	/* Canonical: bit 47 fills the bits above it */
	*vaddr = (__vaddr_t)((__s64)(req << (64 - REQ_ADDR_BITS)) >>
			     (64 - REQ_ADDR_BITS))
		 << 12;
	return *pages != REQ_PAGES_ALL;
}

/* Flushes for the generations (seen, gen] */
static void flush_between(struct lcpu *self, __u64 seen, __u64 gen)
{
	__vaddr_t vaddr[TLB_BATCH_MAX];
	unsigned int pages[TLB_BATCH_MAX], sum = 0;
	__u64 i, n = gen - seen;

	for (i = 0; i < n && n <= TLB_BATCH_MAX; i++) {
		if (!req_read(seen + 1 + i, &vaddr[i], &pages[i]))
			break;
		sum += pages[i];
	}
	if (i < n || sum > UKPLAT_TLB_FULL_PAGES) {
		flush_all(self);
		return;
	}
	for (i = 0; i < n; i++)
		flush_pages(vaddr[i], pages[i]);
	self->tlb_stats.page_flushes += sum;
}

/* Flushes and acknowledges. 1 if there was something to do. */
static int ack(struct lcpu *self)
{
	__u64 seen = __atomic_load_n(&self->tlb_seen, __ATOMIC_RELAXED);
	/* Acquire: pairs with the increment in gen_start() */
	__u64 gen = __atomic_load_n(&ukplat_tlb_gen, __ATOMIC_ACQUIRE);

	if (gen == seen)
		return 0;
	flush_between(self, seen, gen);
	lcpu_tlb_raise(self, gen);
	return 1;
}

void ukplat_tlb_ack(void)
{
	struct lcpu *self = lcpu_current();

	if (ack(self))
		self->tlb_stats.acks_polled++;
}

void lcpu_tlb_reset(struct lcpu *self, __paddr_t root)
{
	/* Seq_cst: behind the store that made this CPU a target. Pairs with
	 * the increment in gen_start()
	 */
	__u64 gen = __atomic_load_n(&ukplat_tlb_gen, __ATOMIC_SEQ_CST);

	ukarch_cr3_write(root);
	lcpu_tlb_raise(self, gen);
}

void lcpu_tlb_ipi_handler(void)
{
	struct lcpu *self = lcpu_current();

	self->tlb_stats.ipis_received++;
	/* Seq_cst: a requester that finds the flag set has increased the
	 * generation before the load in ack(). Pairs with target_kick()
	 */
	__atomic_store_n(&self->tlb_ipi, 0, __ATOMIC_SEQ_CST);
	(void)ack(self);
}

void lcpu_tlb_nmi_handler(void)
{
	struct lcpu *self = lcpu_current();
	/* Acquire: pairs with the increment in gen_start() */
	__u64 gen = __atomic_load_n(&ukplat_tlb_gen, __ATOMIC_ACQUIRE);

	if (__atomic_load_n(&self->tlb_seen, __ATOMIC_RELAXED) >= gen)
		return;
	ukarch_tlb_flush();
	lcpu_tlb_raise(self, gen);
	self->tlb_stats.nmi_acks++;
}

/* Starts a generation for a range that this CPU has flushed if `own` */
static __u64 gen_start(__vaddr_t vaddr, unsigned long pages, int own)
{
	struct lcpu *self = lcpu_current();
	__u64 gen, seen;

	/* Seq_cst: behind the caller's page table stores, ahead of the loads
	 * in target_has_passed(). Pairs with the loads in ack(), in
	 * lcpu_tlb_reset() and in lcpu_tlb_nmi_handler()
	 */
	gen = __atomic_add_fetch(&ukplat_tlb_gen, 1, __ATOMIC_SEQ_CST);
	req_publish(gen, vaddr, pages);
	self->tlb_stats.closes++;
	seen = gen - 1;
	if (own)
		(void)__atomic_compare_exchange_n(&self->tlb_seen, &seen, gen,
						  0, __ATOMIC_RELEASE,
						  __ATOMIC_RELAXED);
	return gen;
}

__u64 ukplat_tlb_close(int own)
{
	return gen_start(0, UKPLAT_TLB_FULL_PAGES + 1, own);
}

static __u64 shootdown_start(__vaddr_t vaddr, unsigned long pages)
{
	lcpu_current()->tlb_stats.pages += pages;
	ukplat_tlb_flush_local(vaddr, pages);
	return gen_start(vaddr, pages, 1);
}

void ukplat_tlb_shootdown(__vaddr_t vaddr, unsigned long pages)
{
	UK_ASSERT(vaddr % 4096 == 0);
	if (pages)
		ukplat_tlb_sync(shootdown_start(vaddr, pages));
}

void ukplat_tlb_shootdown_tables(void)
{
	flush_all(lcpu_current());
	lcpu_tlb_sync(ukplat_tlb_close(1), 1);
}
