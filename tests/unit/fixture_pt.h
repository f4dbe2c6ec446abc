/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_FIXTURE_PT_H__
#define __TEST_FIXTURE_PT_H__

/* A machine with page tables, as a process
 *
 * How
 *   fake_ram.h is the memory, fake_tlb.h has the generations. Two CPUs unmap
 *   lazily. The machine boots once for all tests of a program; each test
 *   leaves it as it was, which is tested.
 *
 *   What the page tables tell the TLBs is the source for a second account:
 *   which ranges wait in which quarantine for which generation, and which
 *   frames a CPU may remember. pt_check() compares it with the tables.
 */

#include <setjmp.h>

#include <uk/arch/types.h>
#include <uk/plat/paging.h>
#include <uk/plat/tlbq.h>

#include "fake_ram.h"
#include "fake_tlb.h"

/* One more than these has no quarantine */
#define PT_CPUS 2U

/* As many pages wait whoever sleeps */
#define PT_SHORT 32UL

/* An address of the lower half with room around it, and one of the upper */
#define PT_LOWER 0x0000234540000000UL
#define PT_UPPER 0xffffa34540000000UL

/** Ranges that a CPU has unmapped and whose batch is open */
struct pt_pending {
	struct ukplat_tlbq_range range[UKPLAT_TLBQ_RANGES];
	unsigned int cnt;
};

struct pt_machine {
	struct uk_pagetable *pt;
	/** What the TLBs were told; counters, and the last ranges */
	unsigned long flushes, shootdowns, table_shootdowns;
	struct ukplat_tlbq_range flushed, shot;
	/** What this CPU has flushed last, whatever was there */
	struct ukplat_tlbq_range cut;
	/** Flushes that were for pages in tables that were cut off */
	unsigned long cuts;
	/** Called when a shootdown begins; may be __NULL */
	void (*on_shootdown)(void);
	/** The last call was a flush of this CPU */
	int just_flushed;
	/** Pages of the unmapping under way */
	unsigned long unmapping;
	/** How often the others still turn out to sleep; RAM_NEVER: always */
	unsigned long alone;
	__u32 cpu;
	struct pt_pending pending[PT_CPUS + 1];
	/** The pages of the queues; generations that were reaped in each */
	struct ukplat_tlbq_batch *batch[PT_CPUS][UKPLAT_TLBQ_DEPTH];
	__u64 reaped[PT_CPUS][UKPLAT_TLBQ_DEPTH];
	/** Frames that were free after the boot */
	unsigned long free;
	/** Text of the last report; where the system goes when it stops */
	char report[128];
	jmp_buf crash;
	int catching;
};

extern struct pt_machine machine;

/** Runs a statement; 1 if it stopped the system. */
#define PT_STOPS(statement)                                                    \
	({                                                                     \
		int __stopped = setjmp(machine.crash);                         \
		machine.catching = 1;                                          \
		if (!__stopped)                                                \
			statement;                                             \
		machine.catching = 0;                                          \
		__stopped != 0;                                                \
	})

/** Builds the first page tables, as the loader does; fills boot_info. */
void pt_boot_tables(void);

/** Boots; group setup. */
int pt_boot(void **state);

/** Empties quarantines and caches; everything must be back. Test teardown. */
int pt_teardown(void **state);

/** The calling thread is this CPU from now on. */
void pt_cpu_set(__u32 idx);

/** In an interrupt handler, or not. */
void pt_irq_set(int depth);

/**
 * ukplat_page_map() with frames of the machine; if it succeeds all pages must
 * be there, zero, with these rights.
 */
int pt_map(__vaddr_t va, unsigned long pages, unsigned long attr,
	   unsigned long flags);

/* Pages that one touch can bring, and one more */
#define PT_TOUCH_MAX 17UL

/**
 * ukplat_page_fill(): what came must have the rights that it was mapped with,
 * and be zero.
 *
 * @return
 *   Number of pages that came; 0: it was not for such a page
 */
unsigned long pt_touch(__vaddr_t va, unsigned long error_code);

/** ukplat_page_unmap(); tests what it told the TLBs. */
int pt_unmap(__vaddr_t va, unsigned long pages, unsigned long flags);

/**
 * All CPUs have forgotten a range: pages that are being unmapped and have no
 * entry any more, because their tables were cut off.
 *
 * @return
 *   Number of these
 */
unsigned long pt_cut_forget(const struct ukplat_tlbq_range *range);

/** Entry of a page, without help of the code under test; 0: there is none */
__u64 pt_entry(__vaddr_t va);

/** Frame of a page that has an entry, large or not. */
__paddr_t pt_frame(__vaddr_t va);

/** Tells whether the page has a large entry. */
int pt_is_large(__vaddr_t va);

/** Tests all tables, lists and bitmaps: P1 to P8, L1 to L3, B1 to B3. */
void pt_check(void);

/** A number that depends on all entries, and on what is free. */
__u64 pt_digest(void);

/**
 * Takes tables away until the pool has only so many, and no more memory for
 * others.
 */
void pt_pool_limit(unsigned long left);

/** Gives them back. */
void pt_pool_unlimit(void);

/** Calls a function for each range in the quarantines. */
void pt_pending_foreach(void (*fn)(const struct ukplat_tlbq_range *range));

/** Tells whether a batch is closed and has not been reaped. */
int pt_batch_waits(__u32 cpu, unsigned int i);

#endif /* __TEST_FIXTURE_PT_H__ */
