/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_PAGING_H__
#define __UK_PLAT_PAGING_H__

/* Page tables
 *
 * Names follow upstream Unikraft. Differences: all functions may be called on
 * all CPUs at once, PROT_NONE faults, a page is never writable and executable,
 * and a page counts as unmapped on all CPUs when ukplat_page_unmap() returns,
 * unless the caller can do with less (PAGE_FLAG_LAZY).
 *
 * Two calls at the same time must not overlap in their address ranges.
 */

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/falloc.h>
#include <uk/spinlock.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PAGE_ATTR_PROT_NONE  0x00
#define PAGE_ATTR_PROT_READ  0x01
#define PAGE_ATTR_PROT_WRITE 0x02
#define PAGE_ATTR_PROT_EXEC  0x04
#define PAGE_ATTR_PROT_RW    (PAGE_ATTR_PROT_READ | PAGE_ATTR_PROT_WRITE)
/* Not cached: device registers */
#define PAGE_ATTR_DEVICE     0x10

/* The frames stay with the caller */
#define PAGE_FLAG_KEEP_FRAMES 0x02
/* With KEEP_FRAMES: the caller calls ukplat_tlb_shootdown() itself */
#define PAGE_FLAG_NO_FLUSH    0x08

/* Frees the frames, and makes the addresses free, when the other CPUs have
 * come by, instead of waiting for them. Until then the range is taken, another
 * CPU may read zeros there, and a write is reported when the frame is freed.
 */
#define PAGE_FLAG_LAZY 0x10

/* Others may use the pages until the call returns, as those of an area that is
 * told that its contents are not needed: what they write is lost, and is no
 * mistake.
 */
#define PAGE_FLAG_RACY 0x40

/* ukplat_page_map(): large pages (2 MiB) where the range and memory have them.
 * Unmapping or protecting a part of one makes small ones of it, for which a
 * table is needed: these calls may then fail with -ENOMEM.
 */
#define PAGE_FLAG_LARGE 0x20

/* ukplat_page_set_attr(): pages that are not mapped are skipped */
#define PAGE_FLAG_SKIP_UNMAPPED 0x80

/* ukplat_page_map() with __PADDR_ANY: frames are promised, and come when the
 * pages are touched, zeroed. That cannot fail any more, and may happen in any
 * context but NMI, locks of the platform excepted. Not with LARGE.
 */
#define PAGE_FLAG_DEMAND 0x100

/* With DEMAND: the first page is about to be touched. It gets its frame at
 * once, if there is one, which takes a fraction of a fault.
 */
#define PAGE_FLAG_TOUCH 0x200

struct uk_pagetable {
	/** Top level table in the window of tables */
	__vaddr_t pt_vbase;
	/** Physical address of the top level table: CR3 */
	__paddr_t pt_pbase;
	/** Frames for pages and tables come from here */
	struct uk_falloc *fa;
	/** Protects all entries below pt_vbase */
	struct uk_spinlock lock;
	/** First table of the upper half without entries, a list */
	__paddr_t limbo;
	/** Number of these tables */
	unsigned long limbo_cnt;
	/** First table of the lower half without entries, a list */
	__paddr_t empty;
	/** Number of these tables */
	unsigned long empty_cnt;
	/** There have been large pages; it stays */
	int has_large;
};

/** The page table of the system; there is one. */
struct uk_pagetable *ukplat_pt_get_active(void);

/**
 * Maps pages. All or nothing.
 *
 * **Context:** any CPU, no lock of the frame allocator held
 *
 * @param pt
 *   The page table
 * @param vaddr
 *   First address, page aligned
 * @param paddr
 *   First frame, or __PADDR_ANY to allocate zeroed frames
 * @param pages
 *   Number of pages, at least 1
 * @param attr
 *   PAGE_ATTR_*; PROT_WRITE and PROT_EXEC imply PROT_READ
 * @param flags
 *   0, PAGE_FLAG_LARGE or PAGE_FLAG_DEMAND, the latter also with
 *   PAGE_FLAG_TOUCH
 *
 * @return
 *   - (0): Mapped
 *   - (-EINVAL): Bad range, attributes or flags
 *   - (-EEXIST): A page of the range is mapped
 *   - (-ENOMEM): No memory for pages or tables; nothing has changed
 */
int ukplat_page_map(struct uk_pagetable *pt, __vaddr_t vaddr, __paddr_t paddr,
		    unsigned long pages, unsigned long attr,
		    unsigned long flags);

/**
 * Tells whether there is nothing to unmap in a range. Much faster than to unmap
 * nothing. It looks at one table at most: the answer for a range in several may
 * be 0 although nothing is mapped.
 *
 * **Context:** any CPU, interrupts enabled or disabled, not from NMI
 *
 * @param vaddr
 *   First address, page aligned
 * @param pages
 *   Number of pages, at least 1
 */
int ukplat_page_is_unused(struct uk_pagetable *pt, __vaddr_t vaddr,
			  unsigned long pages);

/**
 * Unmaps pages on all CPUs, then frees their frames. Pages that are not
 * mapped are skipped.
 *
 * **Context:** as ukplat_tlb_shootdown(): waits for the other CPUs
 *
 * @param pt
 *   The page table
 * @param vaddr
 *   First address, page aligned
 * @param pages
 *   Number of pages, at least 1
 * @param flags
 *   PAGE_FLAG_KEEP_FRAMES, PAGE_FLAG_NO_FLUSH; or PAGE_FLAG_LAZY; or
 *   PAGE_FLAG_RACY
 *
 * @return
 *   - (0): Unmapped
 *   - (-EINVAL): Bad range or flags, or memory of direct map or tables
 *   - (-ENOMEM): No table to split a large page; nothing has changed
 */
int ukplat_page_unmap(struct uk_pagetable *pt, __vaddr_t vaddr,
		      unsigned long pages, unsigned long flags);

/**
 * Changes the protection of pages: on all CPUs where a right is taken away; a
 * CPU that does not know of a new right learns of it when it faults.
 *
 * **Context:** as ukplat_tlb_shootdown(): waits for the other CPUs
 *
 * @param pt
 *   The page table
 * @param vaddr
 *   First address, page aligned
 * @param pages
 *   Number of pages, at least 1
 * @param new_attr
 *   PAGE_ATTR_*
 * @param flags
 *   0 or PAGE_FLAG_SKIP_UNMAPPED
 *
 * @return
 *   - (0): Changed
 *   - (-EINVAL): Bad range, attributes or flags, or memory of direct map
 *     or tables
 *   - (-EFAULT): A page is not mapped, and may not be skipped; nothing has
 *     changed
 *   - (-ENOMEM): No table to split a large page; nothing has changed
 */
int ukplat_page_set_attr(struct uk_pagetable *pt, __vaddr_t vaddr,
			 unsigned long pages, unsigned long new_attr,
			 unsigned long flags);

/**
 * Moves pages to another place: their frames, as they are. When the function
 * returns no CPU reaches them at the old one. Nobody else changes them
 * meanwhile.
 *
 * **Context:** as ukplat_tlb_shootdown(): waits for the other CPUs
 *
 * @param pt
 *   The page table
 * @param from
 *   First address, page aligned; all pages are small ones
 * @param to
 *   First address of the new place, page aligned; nothing is mapped there
 * @param pages
 *   Number of pages, at least 1
 * @param attr
 *   PAGE_ATTR_* at the new place
 *
 * @return
 *   - (0): Moved
 *   - (-EINVAL): Bad range or attributes, ranges that overlap, or memory of
 *     direct map or tables
 *   - (-EEXIST): A page of the new place is mapped
 *   - (-EFAULT): A page is not mapped, or a large one; nothing has changed
 *   - (-ENOMEM): No memory for tables; nothing has changed
 */
int ukplat_page_move(struct uk_pagetable *pt, __vaddr_t from, __vaddr_t to,
		     unsigned long pages, unsigned long attr);

/**
 * Tells whether the page table allows an access now. A CPU may fault on a right
 * that it does not know of yet: then it may try again.
 *
 * **Context:** page fault handler
 *
 * @param error_code
 *   UKPLAT_PF_*, what the processor said of the access
 *
 * @return
 *   1 if it does; 0 if not, or if the table is in use for very long and
 *   UKPLAT_PF_PATIENT is not set
 */
int ukplat_page_permits(struct uk_pagetable *pt, __vaddr_t vaddr,
			unsigned long error_code);

/**
 * Gives a page that waits for it its frame, and perhaps some of those behind
 * it.
 *
 * **Context:** page fault handler; any but NMI, interrupts disabled, no lock of
 * the platform held
 *
 * @param error_code
 *   UKPLAT_PF_*, what the processor said of the access; 0 for none
 *
 * @return
 *   1 if it was one of these pages: the access may try again; 0 if not, or if
 *   the table is in use for very long and UKPLAT_PF_PATIENT is not set
 */
int ukplat_page_fill(struct uk_pagetable *pt, __vaddr_t vaddr,
		     unsigned long error_code);

/**
 * Tells which pages have frames. They are the caller's, who keeps them mapped
 * meanwhile; somebody may touch them. Takes no lock.
 *
 * **Context:** any
 *
 * @param pages
 *   Number of pages, 1 to 64
 *
 * @return
 *   A bit for each page, the lowest for the first
 */
__u64 ukplat_page_backed(const struct uk_pagetable *pt, __vaddr_t vaddr,
			 unsigned long pages);

/**
 * Finds the lowest level entry of a page, for measurements of what a change
 * of it costs.
 *
 * @return
 *   The entry; it stays where it is while the page has a frame. __NULL if the
 *   page has none.
 */
__u64 *ukplat_pt_entry(struct uk_pagetable *pt, __vaddr_t vaddr);

/**
 * Translates an address. Does not wait for other CPUs that change it. A page
 * that waits for its frame gets it.
 *
 * @return
 *   The physical address, or __PADDR_INV if an access would fault
 */
__paddr_t ukplat_page_translate(struct uk_pagetable *pt, __vaddr_t vaddr);

/**
 * Gives all memory that waits in quarantines and in caches of the CPUs back to
 * the frame allocator. Afterwards all free memory is visible in
 * fa->free_memory. For who is short of memory; the functions above do this by
 * themselves before they fail.
 *
 * **Context:** as ukplat_tlb_sync(), interrupts enabled; with interrupts
 * disabled, and a lock held that a handler takes, it may pass over what another
 * CPU works on at this moment. Does nothing in an interrupt handler.
 *
 * @return
 *   1 if anything came back
 */
int ukplat_page_reclaim(struct uk_pagetable *pt);

/**
 * Bytes that can be had if nobody else takes them: frames that are free, or
 * wait in caches and quarantines, and blocks of page tables of which none is in
 * use. May be outdated at once.
 */
__sz ukplat_page_available(void);

/**
 * Bytes of page tables that are free, but in a block with others in use: they
 * serve further mappings, and nothing else. For who counts what is in use to
 * the page.
 */
__sz ukplat_page_tables_free(void);

/**
 * Prepares the unmap quarantine of a CPU. Without it the CPU does everything
 * at once.
 *
 * @return
 *   - (0): Ready
 *   - (-ENOMEM): No memory
 */
int ukplat_page_cpu_prepare(__u32 lcpuidx);

struct ukplat_tlbq_stats;

/**
 * Reads the counters of the unmap quarantine, as ukplat_tlb_stats_get().
 * Maxima are those of the CPU with the highest ones.
 */
void ukplat_page_lazy_stats_get(__u32 lcpuidx, struct ukplat_tlbq_stats *stats);

/**
 * The table that CPUs sleep on: the upper half only.
 *
 * @return
 *   Value for CR3, or 0 if there is none yet
 */
__paddr_t ukplat_pt_idle_root(void);

/**
 * Visits everything that is mapped, in ascending order. No other CPU may
 * change mappings meanwhile.
 *
 * @param fn
 *   Gets address, physical address and length of each page (4 KiB or 2 MiB)
 *   and its PAGE_ATTR_*. A result other than 0 ends the scan.
 * @param arg
 *   Passed to fn
 *
 * @return
 *   Number of bytes visited
 */
__sz ukplat_pt_scan(int (*fn)(void *arg, __vaddr_t va, __paddr_t pa, __sz len,
			      unsigned long attr),
		    void *arg);

/**
 * Builds a temporary top level table for the start of other CPUs: the upper
 * half of the system's table as it is now, and one low page at its physical
 * address, readable and executable. All its tables are below 4 GiB. A CPU
 * leaves it for ukplat_pt_idle_root() before it uses anything that was mapped
 * later.
 *
 * @param page
 *   Physical address of the low page
 *
 * @return
 *   Value for CR3, or __PADDR_INV without memory
 */
__paddr_t ukplat_pt_trampoline(__paddr_t page);

/** Frees the tables of ukplat_pt_trampoline(). No CPU uses them any more. */
void ukplat_pt_trampoline_free(void);

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_PAGING_H__ */
