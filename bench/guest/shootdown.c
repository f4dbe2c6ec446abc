/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* What it costs that unmapped pages are forgotten by all CPUs
 *
 * How
 *   An operation gives a page its right, writes to it, and takes the right
 *   away again; then a policy sees to the other CPUs. Each CPU has pages of
 *   its own, whose entries it changes directly: the walk through the tables
 *   and the clearing of frames would hide what is measured, and have their own
 *   rows.
 *
 *   Under -icount all CPUs share one counter, so the figure is what all of
 *   them together execute for an operation. CPUs that take no part sleep.
 *
 * Source
 *   The policies are those of OSv and Hermit (every CPU, every time), Linux
 *   (batches that are waited for), and LATR (ASPLOS 2018).
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/tlb.h>
#include <uk/plat/tlbq.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "bench.h"

#define CPUS_MAX 8U

/* Pages of a CPU: all that a queue can hold, and some to go on with */
#define SLOTS 4096UL

#define OPS	 16384UL
#define OPS_DEAR 1024UL
#define OPS_WARM 256UL

#define SLOT_SHIFT 5

/* A page whose entry is changed */
struct slot {
	__vaddr_t va;
	__u64 *pte;
	/** The entry while the page has its right */
	__u64 present;
	/** The one that is used after it */
	struct slot *next;
};

UK_CTASSERT(sizeof(struct slot) == 1UL << SLOT_SHIFT);

/* What one CPU works with */
struct worker {
	__vaddr_t base;
	struct slot *slots;
	/** Slots in the order in which they are used again */
	struct slot *first, *last;
	/** Slots that wait for all CPUs to forget them */
	unsigned long held;
	struct ukplat_tlbq queue;
	struct uk_alloc *a;
} __align(128);

struct policy {
	const char *name;
	void (*run)(struct worker *w, unsigned long ops);
	unsigned long ops;
	/** Pages that an operation unmaps */
	unsigned long pages;
};

static struct worker workers[CPUS_MAX];
static const struct policy *policy;
static unsigned long ops_each;

static inline struct slot *slot_take(struct worker *w)
{
	struct slot *s = w->first;

	w->first = s->next;
	return s;
}

static inline void slot_give(struct worker *w, struct slot *s)
{
	w->last->next = s;
	w->last = s;
}

static inline struct slot *slot_at(const struct worker *w, __vaddr_t va)
{
	return (void *)((__uptr)w->slots +
			((va - w->base) >> (PAGE_SHIFT - SLOT_SHIFT)));
}

/* The operation itself, without a flush */
static inline struct slot *page_op(struct worker *w, __vaddr_t *va)
{
	struct slot *s = slot_take(w);
	__u64 *pte = s->pte;

	*va = s->va;
	__atomic_store_n(pte, s->present, __ATOMIC_RELAXED);
	*(volatile __u64 *)*va = *va;
	__atomic_store_n(pte, s->present & ~X86_PTE_PRESENT, __ATOMIC_RELAXED);
	return s;
}

static void run_none(struct worker *w, unsigned long ops)
{
	struct slot *s;
	__vaddr_t va;

	while (ops--) {
		s = page_op(w, &va);
		ukarch_tlb_flush_entry(va);
		slot_give(w, s);
	}
}

static void run_naive(struct worker *w, unsigned long ops)
{
	struct slot *s;
	__vaddr_t va;

	while (ops--) {
		s = page_op(w, &va);
		ukplat_tlb_shootdown_tables();
		slot_give(w, s);
	}
}

static void run_sync(struct worker *w, unsigned long ops)
{
	struct slot *s;
	__vaddr_t va;

	while (ops--) {
		s = page_op(w, &va);
		ukplat_tlb_shootdown(va, 1);
		slot_give(w, s);
	}
}

static inline void batch_op(struct worker *w, unsigned long batch)
{
	__vaddr_t va;
	struct slot *s = page_op(w, &va);

	ukarch_tlb_flush_entry(va);
	slot_give(w, s);
	if (++w->held < batch)
		return;
	w->held = 0;
	ukplat_tlb_sync(ukplat_tlb_close(1));
}

static void run_batch32(struct worker *w, unsigned long ops)
{
	while (ops--)
		batch_op(w, 32);
}

static void run_batch256(struct worker *w, unsigned long ops)
{
	while (ops--)
		batch_op(w, 256);
}

static void run_generation(struct worker *w, unsigned long ops)
{
	__vaddr_t va;

	while (ops--) {
		(void)page_op(w, &va);
		ukarch_tlb_flush_entry(va);
		if (unlikely(!ukplat_tlbq_add(&w->queue, va, 1)))
			ukplat_tlb_shootdown(va, 1);
	}
}

static void batch_reap(struct ukplat_tlbq_batch *batch)
{
	const struct ukplat_tlbq_range *r = batch->range, *end = r + batch->cnt;
	struct worker *w = &workers[0];
	struct slot *last;

	/* Whose window is it? */
	while (r->vaddr - w->base >= SLOTS * PAGE_SIZE)
		w++;
	for (last = w->last; r < end; r++, last = last->next)
		last->next = slot_at(w, r->vaddr);
	w->last = last;
}

static const struct ukplat_tlbq_ops queue_ops = { .reap = batch_reap };

/* Through the interface: tables are walked, frames taken, cleared, verified */
static inline void map_op(struct worker *w, unsigned long flags)
{
	struct slot *s = slot_take(w);
	struct uk_pagetable *pt = ukplat_pt_get_active();
	__vaddr_t va = s->va + SLOTS * PAGE_SIZE;

	if (ukplat_page_map(pt, va, __PADDR_ANY, 1, PAGE_ATTR_PROT_RW, 0))
		return;
	*(volatile __u64 *)va = va;
	(void)ukplat_page_unmap(pt, va, 1, flags);
	slot_give(w, s);
}

static void run_map_sync(struct worker *w, unsigned long ops)
{
	while (ops--)
		map_op(w, 0);
}

static void run_map_lazy(struct worker *w, unsigned long ops)
{
	while (ops--)
		map_op(w, PAGE_FLAG_LAZY);
}

static inline void malloc_op(struct worker *w, __sz size)
{
	void *p = uk_malloc(w->a, size);

	if (p)
		bench_touch(p);
	uk_free(w->a, p);
}

static void run_malloc64(struct worker *w, unsigned long ops)
{
	while (ops--)
		malloc_op(w, 64);
}

static void run_malloc128k(struct worker *w, unsigned long ops)
{
	while (ops--)
		malloc_op(w, 131072);
}

static const struct policy policies[] = {
	{ "none, unsafe", run_none, OPS, 1 },
	{ "each page, every CPU", run_naive, OPS_DEAR, 1 },
	{ "each page, sleepers skipped", run_sync, OPS_DEAR, 1 },
	{ "batches of 32, waited for", run_batch32, OPS, 1 },
	{ "batches of 256, waited for", run_batch256, OPS, 1 },
	{ "generations", run_generation, OPS, 1 },
	{ "page_map, page_unmap", run_map_sync, OPS_DEAR, 1 },
	{ "page_map, lazy page_unmap", run_map_lazy, 4 * OPS_DEAR, 1 },
	{ "malloc, free of 128 KiB", run_malloc128k, OPS_DEAR, 32 },
	{ "malloc, free of 64 bytes", run_malloc64, OPS, 0 },
};

static void work(struct __regs *regs __unused, void *user __unused)
{
	policy->run(&workers[ukplat_lcpu_idx()], ops_each);
}

/* Runs the policy on the first CPUs; returns what the counter says */
static __u64 run_on(unsigned int cpus, unsigned long ops)
{
	struct ukplat_lcpu_func func = { .fn = work, .user = __NULL };
	const __u32 idx[CPUS_MAX] = { 1, 2, 3, 4, 5, 6, 7 };
	unsigned int num = cpus - 1;
	__u64 start;

	ops_each = ops;
	start = ukarch_rdtsc();
	if (num)
		(void)ukplat_lcpu_run(idx, &num, &func, 0);
	work(__NULL, __NULL);
	if (num)
		(void)ukplat_lcpu_wait(idx, &num, 0);
	return ukarch_rdtsc() - start;
}

static void measure(const struct policy *p, unsigned int cpus)
{
	struct ukplat_tlb_stats before, after;
	unsigned long ops = p->ops * cpus, pages = ops * p->pages;
	__u64 insn, ipis;

	policy = p;
	(void)run_on(cpus, OPS_WARM);
	ukplat_tlb_stats_get(~0U, &before);
	insn = run_on(cpus, p->ops);
	ukplat_tlb_stats_get(~0U, &after);
	ipis = after.ipis_sent - before.ipis_sent;
	printf("{\"type\":\"shootdown\",\"policy\":\"%s\",\"cpus\":%u,"
	       "\"active\":%u,\"ops\":%lu,\"pages\":%lu,"
	       "\"insn\":%lu.%02lu,\"ipis\":%lu,\"flushes\":%lu,"
	       "\"acks_polled\":%lu,\"nmis\":%lu}\n",
	       p->name, ukplat_lcpu_count(), cpus, ops, pages, insn / ops,
	       insn * 100 / ops % 100, ipis,
	       after.full_flushes - before.full_flushes,
	       after.acks_polled - before.acks_polled,
	       after.nmis_sent - before.nmis_sent);
}

static int slots_make(struct worker *w)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	unsigned long i;
	struct slot *s;

	w->first = w->last = w->slots;
	for (i = 0; i < SLOTS; i++) {
		s = &w->slots[i];
		s->va = w->base + i * PAGE_SIZE;
		s->pte = ukplat_pt_entry(pt, s->va);
		if (!s->pte)
			return -ENOMEM;
		s->present = *s->pte;
		slot_give(w, s);
	}
	return ukplat_page_set_attr(pt, w->base, SLOTS, PAGE_ATTR_PROT_NONE, 0);
}

/* A window twice as long: the upper half is for pages that come and go */
static int worker_make(struct worker *w)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	void *mem;
	int rc;

	w->a = uk_alloc_get_default();
	w->slots = uk_calloc(w->a, SLOTS, sizeof(*w->slots));
	mem = uk_palloc(w->a, UKPLAT_TLBQ_DEPTH);
	w->base = __VADDR_ANY;
	if (!w->slots || !mem)
		return -ENOMEM;
	ukplat_tlbq_init(&w->queue, mem, SLOTS / 2, &queue_ops);
	rc = uk_vma_reserve(uk_vas_get_active(), &w->base,
			    2 * SLOTS * PAGE_SIZE);
	if (!rc)
		rc = ukplat_page_map(pt, w->base, __PADDR_ANY, SLOTS,
				     PAGE_ATTR_PROT_RW, 0);
	return rc ? rc : slots_make(w);
}

int bench_shootdown(void)
{
	unsigned int all = MIN(ukplat_lcpu_count(), CPUS_MAX), i, cpus;
	int rc = 0;

	for (i = 0; i < all && !rc; i++)
		rc = worker_make(&workers[i]);
	if (rc) {
		printf("bench: no memory for the windows (%d)\n", rc);
		return rc;
	}
	for (i = 0; i < ARRAY_SIZE(policies); i++)
		for (cpus = 1; cpus <= all; cpus += all > 1 ? all - 1 : 1)
			measure(&policies[i], cpus);
	return 0;
}
