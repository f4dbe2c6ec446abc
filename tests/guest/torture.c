/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Torture: everything that changes page tables, on all CPUs at once
 *
 * Why
 *   Each case of tlb.c has one mistake in mind. This one has none.
 *
 * How
 *   CPUs make pieces of memory, pass them on through slots, change rights, and
 *   unmap them, at once or lazily, while the others still have the
 *   translations. Each piece is filled with a key that no other piece has, and
 *   verified whenever it changes hands. Addresses of dead pieces go to a
 *   graveyard, where all CPUs look: what they find is nothing, or zeros, never
 *   the key again. Interrupts allocate and free, CPUs sleep for a while, and
 *   those that were not started at boot are started in the middle.
 *
 * Invariants
 *   U1 Contents of a live piece are its key, on every CPU.
 *   U2 Nobody reads the key of a piece after it was unmapped.
 *   U3 As many frames are free at the end as in the beginning.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uk/config.h>
#include <uk/alloc.h>
#include <uk/allocrnd.h>
#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/paging.h>
#include <uk/plat/time.h>
#include <uk/plat/tlb.h>
#include <uk/plat/tlbq.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "arena.h"
#include "test.h"

#define OPS_DEFAULT 2000UL
#define OPS_WARM    2000UL
#define SLOTS	    128U
#define GRAVES	    256U
#define PAGES_MAX   24U

/* Timer interrupt of CPU 0, and how long others sleep: microseconds */
#define TICK_NSEC 200000UL
#define NAP_NSEC  50000UL

/* A piece of memory; the description is in the heap under test */
struct piece {
	__vaddr_t va;
	unsigned long pages;
	__u64 key;
};

struct grave {
	/** (a) First word of a dead piece, 0: empty; and its key */
	__vaddr_t va;
	__u64 key;
};

struct tally {
	unsigned long ops, made, lazy, sync, naps, nomem;
	/** Violations of U1 and of U2, calls that failed, wrong rights */
	unsigned long bad, ghosts, errors, rights;
} __align(128);

static struct {
	struct uk_alloc *a;
	struct piece *slot[SLOTS];
	struct grave grave[GRAVES];
	unsigned long ops_left;
	unsigned int late;
} torture;

static struct tally tallies[CONFIG_UKPLAT_LCPU_MAXCOUNT];

static void fill(const struct piece *p)
{
	unsigned long i;

	for (i = 0; i < p->pages; i++) {
		__u64 *page = (__u64 *)(p->va + i * PAGE_SIZE);

		page[0] = p->key;
		page[7 + i] = p->key + i;
	}
}

static void verify(struct tally *t, const struct piece *p)
{
	unsigned long i;

	for (i = 0; i < p->pages; i++) {
		const __u64 *page = (const __u64 *)(p->va + i * PAGE_SIZE);

		if (page[0] != p->key || page[7 + i] != p->key + i)
			t->bad++;
	}
}

static struct piece *piece_make(struct tally *t, __u64 *seed)
{
	struct piece *p = uk_malloc(torture.a, sizeof(*p));

	if (!p) {
		t->nomem++;
		return __NULL;
	}
	t->made++;
	p->key = (__u64)(ukplat_lcpu_idx() + 1) << 40 | t->made << 8;
	p->pages = 1 + draw(seed) % PAGES_MAX;
	p->va = __VADDR_ANY;
	if (uk_vma_map_anon(uk_vas_get_active(), &p->va, p->pages * PAGE_SIZE,
			    PAGE_ATTR_PROT_RW,
			    draw(seed) % 2 ? UK_VMA_MAP_POPULATE : 0,
			    "torture")) {
		t->nomem++;
		uk_free(torture.a, p);
		return __NULL;
	}
	fill(p);
	return p;
}

static void bury(const struct piece *p, __u64 *seed)
{
	struct grave *g = &torture.grave[draw(seed) % GRAVES];

	/* The key first: who finds the address finds a key of this grave, if
	 * not always of this piece. No two are equal, so a wrong one finds
	 * nothing.
	 */
	__atomic_store_n(&g->key, p->key, __ATOMIC_RELEASE);
	__atomic_store_n(&g->va, p->va, __ATOMIC_RELEASE);
}

static void piece_end(struct tally *t, struct piece *p, __u64 *seed)
{
	__sz len = p->pages * PAGE_SIZE;

	verify(t, p);
	if (draw(seed) % 4) {
		t->lazy++;
		if (ukplat_page_unmap(ukplat_pt_get_active(), p->va, p->pages,
				      PAGE_FLAG_LAZY))
			t->errors++;
	} else {
		t->sync++;
	}
	if (uk_vma_unmap(uk_vas_get_active(), p->va, len, 0))
		t->errors++;
	bury(p, seed);
	uk_free(torture.a, p);
}

/* Swaps a piece, or none, with what is in a slot */
static struct piece *slot_swap(struct piece *p, __u64 *seed)
{
	/* Acq_rel: the contents travel with the pointer. Pairs with itself on
	 * the CPU that gets the piece.
	 */
	return __atomic_exchange_n(&torture.slot[draw(seed) % SLOTS], p,
				   __ATOMIC_ACQ_REL);
}

static void put(struct tally *t, struct piece *p, __u64 *seed)
{
	p = slot_swap(p, seed);
	if (p)
		piece_end(t, p, seed);
}

static int set_attr(const struct piece *p, unsigned long attr)
{
	return uk_vma_set_attr(uk_vas_get_active(), p->va, p->pages * PAGE_SIZE,
			       attr, 0);
}

/* Takes rights of a piece away and gives them back */
static void protect(struct tally *t, __u64 *seed)
{
	struct piece *p = slot_swap(__NULL, seed);
	__vaddr_t at;
	__u8 byte;

	if (!p)
		return;
	at = p->va + draw(seed) % p->pages * PAGE_SIZE + 8;
	if (draw(seed) % 2) {
		if (set_attr(p, PAGE_ATTR_PROT_READ))
			t->errors++;
		t->rights += ukplat_probe_write(at, 1) != -EFAULT;
		verify(t, p);
	} else {
		if (set_attr(p, PAGE_ATTR_PROT_NONE))
			t->errors++;
		t->rights += ukplat_probe_read(at, &byte) != -EFAULT;
	}
	if (set_attr(p, PAGE_ATTR_PROT_RW))
		t->errors++;
	t->rights += ukplat_probe_write(at, 0) != 0;
	verify(t, p);
	put(t, p, seed);
}

/* Looks at dead pieces: bytes 1 to 6 of a key are enough to know it */
static void look(struct tally *t, __u64 *seed)
{
	const struct grave *g = &torture.grave[draw(seed) % GRAVES];
	__vaddr_t va = __atomic_load_n(&g->va, __ATOMIC_ACQUIRE);
	__u64 key = __atomic_load_n(&g->key, __ATOMIC_ACQUIRE), got = 0;
	unsigned int i;
	__u8 byte;

	for (i = 1; va && i < 7; i++) {
		if (ukplat_probe_read(va + i, &byte))
			return;
		got |= (__u64)byte << (8 * i);
	}
	if (va && got == key)
		t->ghosts++;
}

static void use_heap(struct tally *t, __u64 *seed)
{
	__u64 r = draw(seed);
	__sz size = r % 16 ? 1 + (r >> 8) % 4000 : 1 + (r >> 8) % 300000;
	char *p = uk_malloc(torture.a, size);

	if (!p) {
		t->nomem++;
		return;
	}
	p[0] = p[size - 1] = (char)r;
	t->bad += p[size - 1] != (char)r;
	uk_free(torture.a, p);
}

/* Sleeps; CPU 0 is woken up by its ticks */
static void nap(struct tally *t)
{
	t->naps++;
	ukplat_lcpu_disable_irq();
	if (ukplat_lcpu_idx())
		ukplat_lcpu_halt_irq_until(ukplat_monotonic_clock() + NAP_NSEC);
	else
		ukplat_lcpu_halt_irq();
	ukplat_lcpu_enable_irq();
}

static void operate(struct tally *t, __u64 *seed)
{
	__u64 r = draw(seed) % 64;
	struct piece *p;

	if (r < 24) {
		p = piece_make(t, seed);
		if (p)
			put(t, p, seed);
	} else if (r < 36) {
		protect(t, seed);
	} else if (r < 50) {
		use_heap(t, seed);
	} else if (r < 62) {
		look(t, seed);
	} else if (r < 63) {
		nap(t);
	} else {
		p = slot_swap(__NULL, seed);
		if (p)
			piece_end(t, p, seed);
	}
}

static int take_op(void)
{
	unsigned long left =
		__atomic_load_n(&torture.ops_left, __ATOMIC_RELAXED);

	while (left)
		if (__atomic_compare_exchange_n(&torture.ops_left, &left,
						left - 1, 0, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return 1;
	return 0;
}

static void torture_cpu(struct __regs *regs __unused, void *user __unused)
{
	__u32 cpu = ukplat_lcpu_idx();
	struct tally *t = &tallies[cpu];
	__u64 seed = 0x7654321UL * (cpu + 1);

	while (take_op()) {
		operate(t, &seed);
		t->ops++;
	}
}

/* In an interrupt: pairs of all sizes */
static void tick(void *arg)
{
	struct tally *t = arg;
	__sz size = 1 + t->ops * 7919 % 100000;
	char *p = uk_malloc(torture.a, size);

	if (p)
		p[size - 1] = 1;
	else
		t->nomem++;
	uk_free(torture.a, p);
}

/* Starts the CPUs that were left out at boot; returns how many run */
static unsigned int start_late(void)
{
	unsigned int cpus = ukplat_lcpu_count();
	__u32 idx;

	for (idx = 1; idx < CONFIG_UKPLAT_LCPU_MAXCOUNT; idx++) {
		unsigned int num = 1;

		if (!ukplat_lcpu_is_online(idx) &&
		    ukplat_lcpu_start(&idx, &num))
			break;
	}
	return ukplat_lcpu_count() - cpus;
}

/* Runs on CPU 0, in the middle of everything */
static void join_late(void)
{
	struct ukplat_lcpu_func func = { .fn = torture_cpu };
	__u32 first = ukplat_lcpu_count(), cnt = start_late(), idx;

	torture.late += cnt;
	for (idx = first; idx < first + cnt; idx++) {
		unsigned int num = 1;

		if (ukplat_lcpu_run(&idx, &num, &func, 0))
			tallies[0].errors++;
	}
}

static void run(unsigned long ops)
{
	struct ukplat_lcpu_func func = { .fn = torture_cpu };
	__u64 seed = 99;
	unsigned long i;

	torture.ops_left = ops;
	(void)ukplat_lcpu_run(__NULL, __NULL, &func, 0);
	for (i = 0; i < ops / 8 && take_op(); i++)
		operate(&tallies[0], &seed);
	join_late();
	torture_cpu(__NULL, __NULL);
	(void)ukplat_lcpu_wait(__NULL, __NULL, 0);
}

static void end_all(void)
{
	__u64 seed = 5;
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		struct piece *p = torture.slot[i];

		torture.slot[i] = __NULL;
		if (p)
			piece_end(&tallies[0], p, &seed);
	}
	memset(torture.grave, 0, sizeof(torture.grave));
}

/* Frames that are free, those of the pool of areas included */
static __sz frames_all(void)
{
	__sz per_page = (PAGE_SIZE - 64) / sizeof(struct uk_vma);

	return frames_free() / PAGE_SIZE +
	       uk_vas_get_active()->pool.total / per_page;
}

/* One run with a heap of its own, so that nothing may be left */
static int round_run(unsigned long ops)
{
	int rc;

	torture.a = uk_allocrnd_init(__NULL, 0);
	if (!torture.a)
		return -1;
	rc = ukplat_timer_start(TICK_NSEC, tick, &tallies[0]);
	if (!rc)
		run(ops);
	ukplat_timer_stop();
	end_all();
	if (uk_allocrnd_check(torture.a))
		rc = -1;
	if (uk_allocrnd_destroy(torture.a))
		rc = -1;
	return rc;
}

static void sum_up(struct tally *sum)
{
	const unsigned long *from;
	unsigned long *to = (unsigned long *)sum;
	__sz i, cpu;

	memset(sum, 0, sizeof(*sum));
	for (cpu = 0; cpu < ARRAY_SIZE(tallies); cpu++) {
		from = (const unsigned long *)&tallies[cpu];
		for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
			to[i] += from[i];
	}
}

static void print_sum(const struct tally *sum)
{
	struct ukplat_tlbq_stats q;
	struct ukplat_tlb_stats t;

	ukplat_tlb_stats_get(~0U, &t);
	ukplat_page_lazy_stats_get(~0U, &q);
	printf("torture: %u CPUs (%u late), %lu operations, %lu pieces, %lu "
	       "lazy, %lu at once, %lu naps, %lu out of memory\n",
	       ukplat_lcpu_count(), torture.late, sum->ops, sum->made,
	       sum->lazy, sum->sync, sum->naps, sum->nomem);
	printf("torture: %lu batches, %lu waited for, age %lu, peak %lu pages; "
	       "%lu IPIs, %lu NMIs, %lu sleepers skipped\n",
	       q.batches, q.syncs, q.age_max, q.pages_peak, t.ipis_sent,
	       t.nmis_sent, t.idle_skips);
}

static enum test_result torture_loses_nothing(void)
{
	unsigned long ops = arg_number("ops", OPS_DEFAULT);
	__sz before, after;
	struct tally sum;

	/* Once to fill what is kept: pools, tables of the upper half, CPUs */
	EXPECT(!round_run(OPS_WARM));
	before = frames_all();
	memset(tallies, 0, sizeof(tallies));
	EXPECT(!round_run(ops));
	after = frames_all();
	sum_up(&sum);
	print_sum(&sum);
	printf("torture: %lu frames before, %lu after\n", before, after);
	EXPECT(sum.ops >= ops / 8 * 7);
	EXPECT(sum.bad == 0);
	EXPECT(sum.ghosts == 0);
	EXPECT(sum.errors == 0);
	EXPECT(sum.rights == 0);
	EXPECT(sum.nomem == 0);
	EXPECT(before == after);
	return TEST_PASS;
}

const struct test_case torture_cases[] = {
	{ "torture_loses_nothing", torture_loses_nothing },
	{ __NULL, __NULL },
};
