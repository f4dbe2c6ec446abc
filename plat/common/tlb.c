/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* TLB shootdown
 *
 * Invariants
 *   T1 a CPU whose tlb_seen is g has no translation in its TLB that was
 *      changed before the request g or an older one
 *   T2 a slot of the ring is written by one CPU at a time: the next writer of
 *      the slot of g comes when all CPUs but a few contexts have acknowledged
 *      requests newer than g, and the writer of g acknowledges nothing
 *      between drawing g and filling the slot (interrupts are disabled)
 *
 * Concurrency
 *   Page table store -> locked increment of the generation -> load of idle
 *   and tlb_seen, against: store of idle = 0 -> load of the generation ->
 *   flush -> store of tlb_seen. Either the requester finds the CPU awake and
 *   waits for it, or the CPU finds the new generation when it awakes.
 */

#include <string.h>
#include <uk/assert.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/tlb.h>

#include "lcpu.h"

/* A CPU has one request on its way in a thread, and one in each interrupt
 * that nests on it
 */
#define TLB_RING_LEN (4UL * CONFIG_UKPLAT_LCPU_MAXCOUNT)

/* A CPU that is further behind flushes everything at once */
#define TLB_BATCH_MAX 8

/* Rounds of waiting after which the interrupt is sent once more. Only a
 * safety net: the flag in the target may say that one is on its way, when
 * the target was reset meanwhile.
 */
#define TLB_RESEND_SPINS (1U << 22)

/* tlb_req.pages: everything, cached page table pages included */
#define TLB_PAGES_ALL __U64_MAX

/** A request; valid for generation g if gen was g before and after reading */
struct tlb_req {
	/** (a) Generation, 0 while the slot changes */
	__u64 gen;
	/** (a) */
	__vaddr_t vaddr;
	/** (a) */
	unsigned long pages;
};

__u64 ukplat_tlb_gen __align(128);

static struct tlb_req ring[TLB_RING_LEN] __align(128);

static void flush_all(struct lcpu *self)
{
	unsigned long cr3;

	/* Nothing is mapped global: reloading CR3 drops all translations */
	__asm__ __volatile__("movq %%cr3, %0\n\t"
			     "movq %0, %%cr3"
			     : "=r"(cr3)
			     :
			     : "memory");
	self->tlb_stats.full_flushes++;
}

static void flush_pages(__vaddr_t vaddr, unsigned long pages)
{
	for (; pages; pages--, vaddr += 4096)
		__asm__ __volatile__("invlpg (%0)" : : "r"(vaddr) : "memory");
}

static struct tlb_req *req_slot(__u64 gen)
{
	return &ring[gen % TLB_RING_LEN];
}

/* Interrupts are disabled, see T2 */
static __u64 req_publish(__vaddr_t vaddr, unsigned long pages)
{
	/* Seq_cst: behind the caller's page table stores, ahead of the loads
	 * in target_is_done(). Pairs with the load in ack()
	 */
	__u64 gen = __atomic_add_fetch(&ukplat_tlb_gen, 1, __ATOMIC_SEQ_CST);
	struct tlb_req *req = req_slot(gen);

	/* Seq_cst: the slot is invalid before it changes */
	__atomic_store_n(&req->gen, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&req->vaddr, vaddr, __ATOMIC_RELAXED);
	__atomic_store_n(&req->pages, pages, __ATOMIC_RELAXED);
	/* Release: publishes the range. Pairs with the acquire in req_read() */
	__atomic_store_n(&req->gen, gen, __ATOMIC_RELEASE);
	return gen;
}

/* Copies the range of a request. 0 if the slot holds another one. */
static int req_read(__u64 gen, struct tlb_req *copy)
{
	struct tlb_req *req = req_slot(gen);

	/* Acquire: pairs with the release in req_publish() */
	if (__atomic_load_n(&req->gen, __ATOMIC_ACQUIRE) != gen)
		return 0;
	/* Acquire: the second look comes after these loads */
	copy->vaddr = __atomic_load_n(&req->vaddr, __ATOMIC_ACQUIRE);
	copy->pages = __atomic_load_n(&req->pages, __ATOMIC_ACQUIRE);
	return __atomic_load_n(&req->gen, __ATOMIC_RELAXED) == gen;
}

/* Flushes for the requests (seen, gen] */
static void flush_between(struct lcpu *self, __u64 seen, __u64 gen)
{
	struct tlb_req reqs[TLB_BATCH_MAX];
	unsigned long pages = 0;
	__u64 i, n = gen - seen;

	if (n > TLB_BATCH_MAX) {
		flush_all(self);
		return;
	}
	for (i = 0; i < n; i++) {
		if (!req_read(seen + 1 + i, &reqs[i]) ||
		    reqs[i].pages > UKPLAT_TLB_FULL_PAGES - pages) {
			flush_all(self);
			return;
		}
		pages += reqs[i].pages;
	}
	for (i = 0; i < n; i++)
		flush_pages(reqs[i].vaddr, reqs[i].pages);
	self->tlb_stats.page_flushes += pages;
}

/* Flushes and acknowledges. 1 if there was something to do. */
static int ack(void)
{
	unsigned long flags = ukplat_lcpu_save_irqf();
	struct lcpu *self = lcpu_current();
	__u64 seen = self->tlb_seen;
	/* Acquire: pairs with the increment in req_publish() */
	__u64 gen = __atomic_load_n(&ukplat_tlb_gen, __ATOMIC_ACQUIRE);

	if (gen != seen) {
		flush_between(self, seen, gen);
		/* Release: behind the flush, which is serializing. Pairs with
		 * the acquire in target_is_done()
		 */
		__atomic_store_n(&self->tlb_seen, gen, __ATOMIC_RELEASE);
	}
	ukplat_lcpu_restore_irqf(flags);
	return gen != seen;
}

void ukplat_tlb_ack(void)
{
	if (ack())
		lcpu_current()->tlb_stats.acks_polled++;
}

void lcpu_tlb_reset(void)
{
	struct lcpu *self = lcpu_current();
	__u64 gen = __atomic_load_n(&ukplat_tlb_gen, __ATOMIC_SEQ_CST);

	flush_all(self);
	__atomic_store_n(&self->tlb_seen, gen, __ATOMIC_RELEASE);
}

void lcpu_tlb_ipi_handler(void)
{
	struct lcpu *self = lcpu_current();

	self->tlb_stats.ipis_received++;
	/* Seq_cst: a requester that finds the flag set has increased the
	 * generation before the load in ack(). Pairs with target_kick()
	 */
	__atomic_store_n(&self->tlb_ipi, 0, __ATOMIC_SEQ_CST);
	(void)ack();
}

static int target_is_done(const struct lcpu *target, __u64 gen, int tables)
{
	if (!lcpu_is_online(target))
		return 1;
	/* Acquire: pairs with the release in ack() */
	if (__atomic_load_n(&target->tlb_seen, __ATOMIC_ACQUIRE) >= gen)
		return 1;
	/* Seq_cst: pairs with ukplat_lcpu_idle_exit() */
	return !tables && __atomic_load_n(&target->idle, __ATOMIC_SEQ_CST);
}

static void target_kick(struct lcpu *self, struct lcpu *target)
{
	/* One interrupt serves all requests that come before its handler.
	 * Seq_cst: pairs with lcpu_tlb_ipi_handler()
	 */
	if (__atomic_exchange_n(&target->tlb_ipi, 1, __ATOMIC_SEQ_CST))
		return;
	self->tlb_stats.ipis_sent++;
	lcpu_ipi_tlb(target);
}

static void targets_kick(struct lcpu *self, __u64 gen, int tables)
{
	struct lcpu *target;

	for (target = lcpus; target < &lcpus[lcpu_cnt]; target++) {
		if (target == self)
			continue;
		if (!target_is_done(target, gen, tables))
			target_kick(self, target);
		else if (__atomic_load_n(&target->idle, __ATOMIC_RELAXED))
			self->tlb_stats.idle_skips++;
	}
}

static void target_wait(struct lcpu *self, struct lcpu *target, __u64 gen,
			int tables)
{
	unsigned int spins = 0;

	while (!target_is_done(target, gen, tables)) {
		/* The target may be waiting for this CPU */
		ukplat_tlb_poll();
		__builtin_ia32_pause();
		if (++spins % TLB_RESEND_SPINS == 0) {
			self->tlb_stats.ipis_sent++;
			lcpu_ipi_tlb(target);
		}
	}
}

static void shootdown(__vaddr_t vaddr, unsigned long pages, int tables)
{
	struct lcpu *self = lcpu_current();
	struct lcpu *target;
	unsigned long flags;
	__u64 gen;

	flags = ukplat_lcpu_save_irqf();
	self->tlb_stats.requests++;
	if (pages > UKPLAT_TLB_FULL_PAGES) {
		flush_all(self);
	} else {
		flush_pages(vaddr, pages);
		self->tlb_stats.pages += pages;
	}
	/* A CPU that comes online after this flushes everything itself */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ukplat_lcpu_count() == 1) {
		ukplat_lcpu_restore_irqf(flags);
		return;
	}

	gen = req_publish(vaddr, pages);
	/* Flushed already; do not do it again for the own request */
	if (self->tlb_seen == gen - 1)
		__atomic_store_n(&self->tlb_seen, gen, __ATOMIC_RELEASE);
	targets_kick(self, gen, tables);
	ukplat_lcpu_restore_irqf(flags);

	for (target = lcpus; target < &lcpus[lcpu_cnt]; target++)
		if (target != self)
			target_wait(self, target, gen, tables);
}

void ukplat_tlb_shootdown(__vaddr_t vaddr, unsigned long pages)
{
	UK_ASSERT(vaddr % 4096 == 0);
	if (pages)
		shootdown(vaddr, pages, 0);
}

void ukplat_tlb_shootdown_tables(void)
{
	shootdown(0, TLB_PAGES_ALL, 1);
}

static void stats_add(struct ukplat_tlb_stats *sum,
		      const struct ukplat_tlb_stats *s)
{
	sum->requests += s->requests;
	sum->pages += s->pages;
	sum->ipis_sent += s->ipis_sent;
	sum->ipis_received += s->ipis_received;
	sum->full_flushes += s->full_flushes;
	sum->page_flushes += s->page_flushes;
	sum->acks_polled += s->acks_polled;
	sum->idle_skips += s->idle_skips;
}

void ukplat_tlb_stats_get(__u32 lcpuidx, struct ukplat_tlb_stats *stats)
{
	__u32 i;

	memset(stats, 0, sizeof(*stats));
	for (i = 0; i < lcpu_cnt; i++)
		if (i == lcpuidx || lcpuidx >= CONFIG_UKPLAT_LCPU_MAXCOUNT)
			stats_add(stats, &lcpus[i].tlb_stats);
}
