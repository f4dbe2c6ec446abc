/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PT_H__
#define __UKPLAT_PT_H__

/* Page tables, shared by the pt*.c files
 *
 * Why
 *   Other CPUs walk the tables while they change, and remember what they saw
 *   in TLBs and in caches of table entries. Nothing may be reused before all
 *   of them have forgotten it.
 *
 * How
 *   An entry of the lowest level goes through these states. Only `present`
 *   can be seen by a CPU.
 *
 *              map                    set_attr(NONE)
 *     empty ---------> present <---------------------> owned
 *       ^                 |      set_attr(others)        |
 *       | collect         | unmap                        | unmap
 *       | (frees)         v                              v
 *       +--------- zombie, lazy <------------------------+
 *
 *   With PAGE_FLAG_DEMAND there is a state between the first two: no frame, but
 *   the promise of one, and the rights that the page will have. A touch makes
 *   it present (pt_demand.c). No CPU can remember such a page, so unmap makes
 *   it empty at once, and nobody has to be told.
 *
 *   unmap makes zombies under the lock, and clears their frames. A zombie
 *   keeps the address of its frame, so no memory is needed to remember what
 *   to free, and keeps others from mapping there. When all CPUs have
 *   forgotten the pages zombies are collected: right away after a shootdown,
 *   or later, when the batch of the unmap quarantine that they are in has been
 *   passed (<uk/plat/tlbq.h>, pt_lazy.c); these are called lazy. Frames that
 *   are not clear any more then were written to by a CPU that still remembered
 *   the page: a write after unmap, which is reported.
 *
 *   Large pages of ours go through the same states one level above. What
 *   direct map and window consist of does not: it is not OWNED. These are
 *   small pages, because a large one would put both at addresses that are
 *   512 times easier to guess.
 *
 *   The entry that points to a table counts the entries there that are not
 *   empty. A table that has become empty is unlinked and waits in a list
 *   until nobody can walk it any more. Tables of the lower half join the next
 *   batch of the quarantine that is closed. Those of the upper half, which
 *   CPUs have also while they sleep, wait for a shootdown of tables;
 *   its tables of the second highest level stay. Tables that are full of pages
 *   with frames may go as they are (pt_laden.h).
 *
 * Invariants
 *   P1 No page is writable and executable.
 *   P2 The count in an entry is the number of entries in use in its table.
 *      One without a count has gone, unless it is one of direct map or
 *      window: a block may come back to it. No area shares it (AREA_GAP).
 *   P3 ACCESSED (and DIRTY, if writable) are set from the beginning: the
 *      processor never writes to an entry, a plain store loses nothing.
 *   P4 A failed call leaves entries, tables and frames as they were.
 *   P5 The idle root has the upper half of the top level table and nothing
 *      else.
 *   P6 A zombie is collected once: by the call that made it, or, if it is
 *      lazy, with the one batch that has a range with it.
 *   P7 A table with a zombie or a page in it stays, unless one call unmaps all
 *      of it: whoever owns one of the two may read the table without the lock.
 *   P8 As many frames are promised as there are demand entries.
 *
 * Concurrency
 *   pt->lock protects all entries; below it only the frame lock. Nobody waits
 *   for a shootdown under it, and nobody clears or verifies frames,
 *   but for one that was the last of all.
 */

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>

/* Entries that lead to tables restrict nothing; the last one decides */
#define PT_ENTRY_TABLE (X86_PTE_PRESENT | X86_PTE_RW | X86_PTE_ACCESSED)

/* A page of direct map or window */
#define PT_ENTRY_RAM                                                           \
	(X86_PTE_PRESENT | X86_PTE_RW | X86_PTE_NX | X86_PTE_ACCESSED |        \
	 X86_PTE_DIRTY)

/** Address of paddr 0 in the direct map */
extern __vaddr_t pt_direct_map;
/** The same in the window that has the page tables; see pt_pool.h */
extern __vaddr_t pt_window;
/** Length of either */
extern __sz pt_map_len;

/** The entries that lie in one lowest level table */
struct pt_chunk {
	/** Entry of the highest level that leads there */
	__u64 *pml4e;
	/** Entry of the second highest level that leads there, or __NULL */
	__u64 *pdpte;
	/** Entry of the second lowest level that leads there, or __NULL */
	__u64 *pde;
	/** First entry, or __NULL if there is no table */
	__u64 *pte;
	/** Instead of a table: a large page of ours, or its zombie; else 0 */
	__u64 large;
	/** Number of pages until the end of the range or of the table */
	unsigned long n;
	/** As n; where a table is missing, until the end of what it is for */
	unsigned long span;
};

/** Reads an entry that others may change. */
static inline __u64 pt_load(const __u64 *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

/** Changes an entry in one store. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the builtin writes to it */
static inline void pt_store(__u64 *entry, __u64 val)
{
	__atomic_store_n(entry, val, __ATOMIC_RELAXED);
}

/** Index into the table of a level, 4 to 1. */
static inline unsigned int pt_index(__vaddr_t va, unsigned int level)
{
	return (unsigned int)(va >> (PAGE_SHIFT + 9 * (level - 1))) %
	       UKARCH_PT_ENTRIES;
}

/** A frame as table. */
static inline __u64 *pt_table(__paddr_t paddr)
{
	return (__u64 *)(pt_window + paddr);
}

/** A frame as data. */
static inline __u64 *pt_data(__paddr_t paddr)
{
	return (__u64 *)(pt_direct_map + paddr);
}

/** The table that an entry points to. */
static inline __u64 *pt_next(__u64 entry)
{
	return pt_table(entry & X86_PTE_PADDR_MASK);
}

/** Tests a range for alignment, wrap-around and the hole in the middle. */
static inline int pt_range_is_valid(__vaddr_t vaddr, unsigned long pages)
{
	__vaddr_t last;

	if (vaddr & ~PAGE_MASK || !pages || pages > __U64_MAX >> PAGE_SHIFT)
		return 0;
	last = vaddr + ((pages << PAGE_SHIFT) - 1);
	if (last < vaddr)
		return 0;
	return last < UKARCH_VADDR_LOWER_END ||
	       vaddr >= UKARCH_VADDR_UPPER_START;
}

/** Tells whether a valid range has a part of direct map or window. */
static inline int pt_range_is_ram(__vaddr_t vaddr, unsigned long pages)
{
	__vaddr_t last = vaddr + ((pages << PAGE_SHIFT) - 1);

	return (vaddr < pt_direct_map + pt_map_len && pt_direct_map <= last) ||
	       (vaddr < pt_window + pt_map_len && pt_window <= last);
}

/** Finds the entries for the beginning of a range, or what there is of them. */
void pt_chunk_find(const struct uk_pagetable *pt, __vaddr_t vaddr,
		   unsigned long pages, struct pt_chunk *chunk);

/**
 * Encodes attributes.
 *
 * @return
 *   - (0): Encoded
 *   - (-EINVAL): Unknown attributes, or writable and executable
 */
int pt_attr_encode(unsigned long attr, __u64 *bits);

/** Attributes of an entry that is present. */
unsigned long pt_attr_decode(__u64 entry);

/** The entry of a page with these bits that waits for its frame. */
static inline __u64 pt_demand_make(__u64 bits)
{
	/* Whether it will be present is in ACCESSED */
	if (!(bits & X86_PTE_PRESENT))
		bits &= ~X86_PTE_ACCESSED;
	return (bits & ~(X86_PTE_PRESENT | X86_PTE_OWNED)) | X86_PTE_DEMAND;
}

/** The bits of the page once it has its frame. */
static inline __u64 pt_demand_bits(__u64 entry)
{
	if (entry & X86_PTE_ACCESSED)
		entry |= X86_PTE_PRESENT;
	return (entry & ~X86_PTE_DEMAND) | X86_PTE_OWNED | X86_PTE_ACCESSED;
}

/** Tells whether an entry allows an access; error_code: UKPLAT_PF_* */
int pt_entry_permits(__u64 entry, unsigned long error_code);

/**
 * Takes pt->lock in a page fault, where the faulting code may be what holds it.
 * Interrupts are disabled.
 *
 * @param error_code UKPLAT_PF_*; with UKPLAT_PF_PATIENT it waits for ever
 * @return
 *   1 if it is taken; 0: it is in use for very long and UKPLAT_PF_PATIENT is
 *   not set, or there is no table yet
 */
int pt_lock_in_fault(struct uk_pagetable *pt, unsigned long error_code);

/** Tells whether the part of a range in one table may be a large page. */
static inline int pt_is_large_part(__vaddr_t va, unsigned long left)
{
	return !(va & (PAGE_LARGE_SIZE - 1)) && left >= UKARCH_PT_ENTRIES;
}

/* The long half of the function below */
int pt_range_split_slow(struct uk_pagetable *pt, __vaddr_t va,
			unsigned long pages);

/**
 * Makes small pages of the large ones that a range has a part of.
 *
 * @return
 *   - (0): There are none any more
 *   - (-ENOMEM): No table
 */
static inline int pt_range_split(struct uk_pagetable *pt, __vaddr_t va,
				 unsigned long pages)
{
	/* Relaxed: see mapping_install() */
	if (likely(!__atomic_load_n(&pt->has_large, __ATOMIC_RELAXED)))
		return 0;
	return pt_range_split_slow(pt, va, pages);
}

/**
 * Empties the entry of a large page, or that leads to the table of a chunk,
 * which then belongs to the caller, as pt_entry_clear().
 */
void pt_table_unlink(struct uk_pagetable *pt, const struct pt_chunk *chunk);

/**
 * Empties an entry; an empty table is unlinked. pt->lock is held.
 */
void pt_entry_clear(struct uk_pagetable *pt, const struct pt_chunk *chunk,
		    __u64 *entry);

/** So many entries of the table of a chunk have been emptied, at least one. */
void pt_table_release(struct uk_pagetable *pt, const struct pt_chunk *chunk,
		      unsigned long n);

/** Empties the first n entries of a chunk, all of them in use. */
void pt_entries_clear(struct uk_pagetable *pt, const struct pt_chunk *chunk,
		      unsigned long n);

/** A list of frames, linked through their first words */
struct pt_frames {
	__paddr_t head;
	unsigned long cnt;
	/** They are tables; else data */
	int tables;
};

/**
 * The table that an entry points to. If there is none a frame of the list
 * becomes one, and the entry counts in `parent`, the one above it, if any.
 * pt->lock is held, or the boot runs.
 */
__u64 *pt_table_get(const struct uk_pagetable *pt, __u64 *entry, __u64 *parent,
		    struct pt_frames *frames);

/**
 * Adds zeroed frames to a list: from the caches of frames, or, if it is one of
 * tables, from the pool of tables.
 *
 * @return
 *   - (0): Added
 *   - (-ENOMEM): The list is empty, all its frames are free
 */
int pt_frames_alloc(struct pt_frames *list, unsigned long cnt);

/**
 * Takes all tables that have become empty off their list.
 *
 * @param upper
 *   1: those of the upper half, 0: those of the lower one
 */
struct pt_frames pt_tables_take(struct uk_pagetable *pt, int upper);

/** The first word of a frame of a list */
static inline __u64 *pt_frames_link(const struct pt_frames *list,
				    __paddr_t paddr)
{
	return list->tables ? pt_table(paddr) : pt_data(paddr);
}

/** Adds a frame; its first word is overwritten. */
static inline void pt_frames_push(struct pt_frames *list, __paddr_t paddr)
{
	*pt_frames_link(list, paddr) = list->head;
	list->head = paddr;
	list->cnt++;
}

/** Removes a frame and zeroes its first word. The list is not empty. */
static inline __paddr_t pt_frames_pop(struct pt_frames *list)
{
	__paddr_t paddr = list->head;
	__u64 *link = pt_frames_link(list, paddr);

	UK_ASSERT(list->cnt);
	list->head = *link;
	list->cnt--;
	*link = 0;
	return paddr;
}

/**
 * As pt_table_get() for an entry that is empty, and not of the highest level.
 */
static inline __u64 *pt_table_add(__u64 *entry, __u64 *parent,
				  struct pt_frames *frames)
{
	__paddr_t paddr = pt_frames_pop(frames);

	pt_store(entry, paddr | PT_ENTRY_TABLE);
	pt_store(parent, pt_load(parent) + X86_PTE_USED_ONE);
	return pt_table(paddr);
}

/** Frees all frames of a list; but for their first words they are zero. */
void pt_frames_free(struct pt_frames *list);

/**
 * Frees what the zombies of a range hold, and empties them. All CPUs have
 * forgotten the pages.
 *
 * @param kind
 *   X86_PTE_ZOMBIE or X86_PTE_LAZY; the others are left alone
 * @param racy
 *   1: others were allowed to write to the pages until now
 */
void pt_range_collect(struct uk_pagetable *pt, __vaddr_t va,
		      unsigned long pages, __u64 kind, int racy);

/**
 * Puts a range of nothing but lazy zombies of the lower half, which the
 * calling CPU has flushed, into its unmap quarantine.
 *
 * **Context:** as ukplat_tlb_sync()
 *
 * @return
 *   1 if they will be collected; 0: the caller must do so
 */
int pt_lazy_add(__vaddr_t va, unsigned long pages);

/** Puts the empty tables of the lower half into the unmap quarantine. */
void pt_lazy_tables(void);

/**
 * Closes the batches of all CPUs, waits for all CPUs, and frees what is in
 * them, twice: empty tables appear when pages are collected.
 *
 * **Context:** thread; no lock is held
 */
void pt_lazy_drain(struct uk_pagetable *pt);

/** Pages in closed batches of all CPUs; may be outdated at once. */
unsigned long pt_lazy_pages(void);

/** Sees to tables that have become empty, if there are many. */
void pt_tables_trim(struct uk_pagetable *pt);

/** Frees the empty tables of a half; all CPUs forget them, sleepers wake up. */
void pt_tables_forget(struct uk_pagetable *pt, int upper);

struct boot_info;

/** Takes over the page tables that the loader has built. Boot only. */
void pt_take_over(const struct boot_info *info);

/**
 * Maps, or unmaps, a block in direct map or window, where its tables are.
 * pt->lock is held; no flush.
 */
void pt_block_map(const struct uk_pagetable *pt, __vaddr_t va, __paddr_t pa);
void pt_block_unmap(const struct uk_pagetable *pt, __vaddr_t va);

#endif /* __UKPLAT_PT_H__ */
