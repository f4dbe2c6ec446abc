/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The machine: boot, CPUs, TLBs, operations */

#include <asm/prctl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include <uk/plat/bootstrap.h>
#include <uk/plat/console.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/random.h>

#include "fixture_pt.h"
#include "../../plat/common/bootinfo.h"
#include "../../plat/common/pt.h"
#include "../../plat/common/pt_pool.h"
#include "../../plat/common/rng.h"
#include "wide_registers.h"

struct pt_machine machine;

/* Runs of words as in the guest, if the processor can */
__u8 ukplat_lcpu_avx;

static void __attribute__((constructor)) registers_find(void)
{
	ukplat_lcpu_avx = (__u8)has_wide_registers();
}

/* What %gs points to: the start of a struct lcpu, as far as it is used */
static __u32 lcpu[UKPLAT_LCPU_DEPTH_OFFSET / sizeof(__u32) + 1] __align(8);

static __u8 queue_memory[PT_CPUS][UKPLAT_TLBQ_DEPTH * PAGE_SIZE] __align(4096);
static unsigned int queues;

void pt_cpu_set(__u32 idx)
{
	machine.cpu = idx;
	lcpu[UKPLAT_LCPU_IDX_OFFSET / sizeof(__u32)] = idx;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, lcpu))
		abort();
}

void pt_irq_set(int depth)
{
	lcpu[UKPLAT_LCPU_DEPTH_OFFSET / sizeof(__u32)] = (__u32)depth;
}

__u32 ukplat_lcpu_count(void)
{
	return PT_CPUS;
}

void ukplat_tlb_ack(void) {}

/* One begins if a test says so */
__u32 random_epoch = 1;

/* The same seed for all is as good as any other here. Nothing of an earlier
 * epoch is left, so that a test sees what does not come from this one
 */
void plat_rng_fork(struct plat_rng *rng)
{
	static const __u32 key = 42;

	memset(rng, 0, sizeof(*rng));
	plat_rng_mix(rng, &key, sizeof(key));
	rng->epoch = random_epoch;
}

int ukplat_area_map(const char *name __unused, __paddr_t paddr,
		    unsigned long pages, unsigned long attr, __vaddr_t *base)
{
	unsigned int i;

	assert_int_equal(paddr, __PADDR_ANY);
	assert_int_equal(pages, UKPLAT_TLBQ_DEPTH);
	assert_int_equal(attr, PAGE_ATTR_PROT_RW);
	assert_true(queues < PT_CPUS);
	for (i = 0; i < UKPLAT_TLBQ_DEPTH; i++)
		machine.batch[queues][i] =
			(void *)&queue_memory[queues][i * PAGE_SIZE];
	*base = (__vaddr_t)queue_memory[queues++];
	return 0;
}

void ukplat_console_panic(void) {}

int ukplat_printk(const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(machine.report, sizeof(machine.report), fmt, ap);
	va_end(ap);
	return len;
}

void ukplat_fault_describe(__vaddr_t addr)
{
	(void)addr;
}

void __noreturn ukplat_crash(void)
{
	if (!machine.catching) {
		(void)fputs(machine.report, stderr);
		abort();
	}
	longjmp(machine.crash, 1);
}

/* From here on, frames of unmapped pages of a range are forgotten after a
 * generation; 0: at once
 */
static void range_forget(__vaddr_t va, unsigned long pages, __u64 need)
{
	__u64 entry;

	for (; pages--; va += PAGE_SIZE) {
		entry = pt_entry(va);
		if (entry & (X86_PTE_ZOMBIE | X86_PTE_LAZY))
			ram_frame(pt_frame(va))->need = need;
	}
}

void ukplat_tlb_flush_local(__vaddr_t va, unsigned long pages)
{
	struct pt_pending *p = &machine.pending[machine.cpu];

	assert_int_equal(machine.pt->lock.locked, 0);
	machine.flushes++;
	machine.cut = (struct ukplat_tlbq_range){ va, pages };
	/* New rights wait for nobody, nor do tables that are cut off */
	if (!(pt_entry(va) & X86_PTE_LAZY))
		return;
	machine.flushed = (struct ukplat_tlbq_range){ va, pages };
	machine.just_flushed = 1;
	assert_true(p->cnt < UKPLAT_TLBQ_RANGES);
	p->range[p->cnt++] = machine.flushed;
	range_forget(va, pages, ukplat_tlb_gen + 1);
}

/* A block changes its place when this CPU knows the old one no more */
static void block_moves(__vaddr_t va)
{
	__paddr_t paddr = va - ram.direct;
	__vaddr_t other = ram.window;

	if (paddr >= RAM_END) {
		paddr = va - ram.window;
		other = ram.direct;
	}
	if (paddr >= RAM_END)
		return;
	assert_int_equal(pt_entry(va), 0);
	ram_protect(va, 0);
	ram_protect(other + paddr, 1);
}

void ukplat_tlb_shootdown(__vaddr_t va, unsigned long pages)
{
	struct pt_pending *p = &machine.pending[machine.cpu];

	assert_int_equal(machine.pt->lock.locked, 0);
	if (machine.on_shootdown)
		machine.on_shootdown();
	machine.shootdowns++;
	machine.shot = (struct ukplat_tlbq_range){ va, pages };
	/* The range did not get into the quarantine */
	if (machine.just_flushed && machine.flushed.vaddr == va &&
	    machine.flushed.pages == pages)
		p->cnt--;
	machine.just_flushed = 0;
	range_forget(va, pages, 0);
	(void)pt_cut_forget(&machine.shot);
	if (pages == UKARCH_PT_ENTRIES)
		block_moves(va);
	ukplat_tlb_gen++;
	fake_tlb_pass(ukplat_tlb_gen);
}

/* Who sleeps now has forgotten what was changed before, but not what will be */
int ukplat_tlb_is_alone(void)
{
	struct pt_pending *p = &machine.pending[machine.cpu];

	assert_int_equal(machine.pt->lock.locked, 0);
	if (!machine.alone)
		return 0;
	if (machine.alone != RAM_NEVER)
		machine.alone--;
	/* What is short waits all the same */
	if (machine.just_flushed && machine.unmapping > PT_SHORT) {
		p->cnt--;
		range_forget(machine.flushed.vaddr, machine.flushed.pages, 0);
		machine.just_flushed = 0;
	}
	machine.cuts += pt_cut_forget(&machine.cut) != 0;
	machine.cut.pages = 0;
	return 1;
}

void ukplat_tlb_shootdown_tables(void)
{
	assert_int_equal(machine.pt->lock.locked, 0);
	machine.table_shootdowns++;
	ukplat_tlb_gen++;
	fake_tlb_pass(ukplat_tlb_gen);
}

/* Ranges that have been flushed join a batch; the last one may still be on its
 * way, and joins the next
 */
static void batch_closes(const struct ukplat_tlbq_batch *b,
			 struct pt_pending *p)
{
	int late = machine.just_flushed && b->cnt + 1 == p->cnt;

	assert_int_equal(b->cnt + (unsigned int)late, p->cnt);
	assert_memory_equal(b->range, p->range, b->cnt * sizeof(p->range[0]));
	if (late)
		p->range[0] = p->range[b->cnt];
	p->cnt = (unsigned int)late;
	machine.just_flushed = late;
}

/* The one batch that has been filled and has no generation yet is closing */
static void generation_started(void)
{
	const struct ukplat_tlbq_batch *b;
	unsigned int i, closing = 0;
	__u32 cpu;

	for (cpu = 0; cpu < queues; cpu++) {
		for (i = 0; i < UKPLAT_TLBQ_DEPTH; i++) {
			b = machine.batch[cpu][i];
			if (b->gen || (!b->cnt && !b->frames_cnt))
				continue;
			batch_closes(b, &machine.pending[cpu]);
			/* Who has not flushed all that must not say so */
			assert_true(!fake_tlb.own ||
				    (cpu == machine.cpu && !b->frames_cnt));
			closing++;
		}
	}
	assert_int_equal(closing, 1);
}

static void generation_passed(__u64 gen)
{
	unsigned int i;
	__u32 cpu;

	for (cpu = 0; cpu < queues; cpu++)
		for (i = 0; i < UKPLAT_TLBQ_DEPTH; i++)
			if (machine.batch[cpu][i]->gen == gen)
				machine.reaped[cpu][i] = gen;
}

int pt_batch_waits(__u32 cpu, unsigned int i)
{
	__u64 gen = machine.batch[cpu][i]->gen;

	return gen && machine.reaped[cpu][i] != gen;
}

void pt_pending_foreach(void (*fn)(const struct ukplat_tlbq_range *range))
{
	const struct ukplat_tlbq_batch *b;
	unsigned int i, j;
	__u32 cpu;

	for (cpu = 0; cpu < queues; cpu++) {
		for (i = 0; i < machine.pending[cpu].cnt; i++)
			fn(&machine.pending[cpu].range[i]);
		for (i = 0; i < UKPLAT_TLBQ_DEPTH; i++) {
			b = machine.batch[cpu][i];
			for (j = 0; pt_batch_waits(cpu, i) && j < b->cnt; j++)
				fn(&b->range[j]);
		}
	}
}

/* The loader builds the tables, the guest takes them over */
int pt_boot(void **state)
{
	unsigned long i;
	__paddr_t paddr;

	(void)state;
	ram_init();
	fake_tlb_reset();
	fake_tlb.on_close = generation_started;
	fake_tlb.on_passed = generation_passed;
	pt_cpu_set(0);
	machine.pt = ukplat_pt_get_active();
	pt_boot_tables();
	pt_take_over(&boot_info);
	assert_int_equal(pt_pool_take_over(&boot_info, &ram_falloc), 0);
	for (i = 0; i <= RAM_BLOCKS; i++) {
		paddr = i * PAGE_LARGE_SIZE;
		ram_protect((pt_pool_has(paddr) ? ram.direct : ram.window) +
				    paddr,
			    0);
	}
	for (i = 0; i < PT_CPUS; i++)
		assert_int_equal(ukplat_page_cpu_prepare((__u32)i), 0);
	machine.free = ram_free();
	return 0;
}

int pt_teardown(void **state)
{
	(void)state;
	ram.frames_left = RAM_NEVER;
	ram.runs_left = RAM_NEVER;
	ram.only_promises = 0;
	machine.alone = 0;
	pt_irq_set(0);
	pt_cpu_set(0);
	(void)ukplat_page_reclaim(machine.pt);
	pt_check();
	assert_int_equal(ram_free(), machine.free);
	assert_int_equal(ram_falloc.free_memory, machine.free * PAGE_SIZE);
	assert_int_equal(pt_lazy_pages(), 0);
	return 0;
}
