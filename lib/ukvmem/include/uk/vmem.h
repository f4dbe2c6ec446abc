/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_VMEM_H__
#define __UK_VMEM_H__

/* Virtual address spaces and the areas in them
 *
 * Why
 *   Everything that lives in the address space (heap regions, stacks, maps)
 *   must know which addresses are taken, must be placed at random, and must
 *   be able to leave without another CPU still reaching it.
 *
 * How
 *   An address space (VAS) is an ordered set of areas (VMA), half-open
 *   intervals [start, end) that never overlap. A VMA has a kind, described
 *   by a table of operations (<uk/vma_types.h>), and page attributes. Names
 *   and meaning are Unikraft's; the differences are: VMAs come from a pool
 *   of ukvmem instead of a heap, __VADDR_ANY means a random place, and every
 *   function may be called on any CPU.
 *
 *   Only addresses in [UK_VAS_START, UK_VAS_END) are managed. What the
 *   platform itself uses (image, direct map, page tables, devices) lies
 *   outside of it.
 *
 *   Pages come when they are touched first, or at once with
 *   UK_VMA_MAP_POPULATE. A page fault finds the area in O(log n), lets its
 *   kind supply the page and tries the instruction again.
 *
 * Concurrency
 *   One lock a VAS, rank VAS: below it only the frame allocator's, and that
 *   of the page table for a look at it. It guards the set, never the page
 *   tables: an operation marks its VMAs busy under the lock, works on the
 *   page table without it, and completes under the lock; one area without
 *   pages leaves in one step. So nobody waits for a shootdown with the lock
 *   held, and the addresses of a busy VMA are still taken. An operation that
 *   meets a busy VMA changes nothing and returns -EBUSY; an area belongs to
 *   somebody, and two CPUs that change the same pages at once are a mistake of
 *   that owner.
 *   Operations that take memory away (unmap, set_attr, advise) wait for the
 *   other CPUs: call them with interrupts enabled and no lock held.
 *
 *   Faults are counted in their VMA and run side by side, also on one page:
 *   the first maps it, the others find it there. A fault on a busy VMA waits
 *   until the operation has ended and then decides anew; an operation waits
 *   for the faults that are under way before it begins.
 *
 * What must not fault
 *   A fault needs the locks of VAS, page table and frames, so no code that
 *   holds one of them may touch a page for the first time. Whoever runs on
 *   a demand-paged stack premaps what code with interrupts disabled needs.
 *   An interrupt handler must not touch pages of an area that the code it
 *   interrupted is changing. Where the lock of the VAS or such an area is
 *   concerned, the fault ends in a report; otherwise the CPU hangs.
 *
 * Large pages
 *   Pages are 4 KiB, so that every part of an area can be unmapped without
 *   memory. Who asks for UK_VMA_MAP_SIZE_2MB gets large ones wherever a block
 *   of 2 MiB lies inside of the area and memory has one, on populating and on
 *   faults; a part of one can be unmapped, protected or forgotten, which takes
 *   a page table and may fail for lack of it.
 */

#include <uk/config.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/spinlock.h>

#ifdef __cplusplus
extern "C" {
#endif

struct __regs;
struct uk_alloc;
struct uk_pagetable;
struct uk_vas;
struct uk_vma_ops;

/** First address that areas may use */
#define UK_VAS_START ((__vaddr_t)CONFIG_LIBUKVMEM_START)
/** First address that areas may not use any more */
#define UK_VAS_END   ((__vaddr_t)CONFIG_LIBUKVMEM_END)

/**
 * Place of a VMA in the ordered set
 *
 * Field markings: (V) address space lock
 */
struct uk_vma_node {
	struct uk_vma *left;  /** (V) areas below */
	struct uk_vma *right; /** (V) areas above */
	__sz hole;	      /** (V) bytes down to the next area, or to 0 */
	__sz gap;	      /** (V) longest hole of this subtree */
	int height;	      /** (V) 1: no children */
};

/**
 * Virtual memory area
 *
 * Field markings: (V) address space lock; (b) written by the operation that
 * made the VMA busy, otherwise constant
 */
struct uk_vma {
	__vaddr_t start; /** (V) first address, page aligned */
	__vaddr_t end;	 /** (V) behind the last address, page aligned */

	struct uk_vas *vas;	      /** (b) the space it belongs to */
	const struct uk_vma_ops *ops; /** (b) its kind */
	unsigned long attr;	      /** (b) PAGE_ATTR_* of its pages */
	unsigned long flags;	      /** (b) UK_VMA_MAP_* it was made with */
	const char *name;	      /** (b) for humans, may be __NULL */
	__u64 priv;		      /** (b) belongs to the kind */
	__u64 id;	  /** (b) number of the uk_vma_map() call it is from */
	__vaddr_t origin; /** (b) where the area of that call began */

	/** (V) All its pages are in [used_start, used_end); empty if not < */
	__vaddr_t used_start;
	__vaddr_t used_end;

	__u32 busy;	   /** (V) 1 + CPU of an operation on it, or 0 */
	__u32 faults;	   /** (V) faults on it that are under way */
	__bool join_later; /** (V) the last of these faults has to join it */
	struct uk_vma *op_next; /** (b) chain of the VMAs of an operation */
	struct uk_vma_node node;
};

/** Returns the length of an area in bytes */
static inline __sz uk_vma_len(const struct uk_vma *vma)
{
	return vma->end - vma->start;
}

/* struct uk_vm_fault.type */
#define UK_VMA_FAULT_ACCESSTYPE 0x03
#define UK_VMA_FAULT_READ	0x00
#define UK_VMA_FAULT_WRITE	0x01
#define UK_VMA_FAULT_EXEC	0x02
#define UK_VMA_FAULT_NONPRESENT 0x04 /* Page not present */
#define UK_VMA_FAULT_MISCONFIG	0x08 /* Entry that the processor refuses */
#define UK_VMA_FAULT_SOFT	0x10 /* Nobody has touched it, see advise */

/** A page fault, as the kind of the area sees it */
struct uk_vm_fault {
	__vaddr_t vaddr;   /** faulting address */
	__vaddr_t vbase;   /** page to supply */
	__sz len;	   /** its length in bytes */
	unsigned int type; /** UK_VMA_FAULT_* */
	/**
	 * Frame to map. __PADDR_ANY at first, which stands for a new one,
	 * zeroed.
	 */
	__paddr_t paddr;
	/**
	 * Set with paddr if the frame was taken from vas->pt->fa for this
	 * fault. It goes back there if it cannot be mapped.
	 */
	__bool is_fresh;
	const struct __regs *regs; /** what was interrupted, or __NULL */
};

/**
 * Operations of a kind of VMA. Unless it says otherwise an operation runs
 * without the lock, on a VMA that is busy.
 */
struct uk_vma_ops {
	/**
	 * Takes over the data that was handed to uk_vma_map(). Runs before
	 * the VMA has a place: it begins at 0. __NULL: the kind takes no data.
	 *
	 * @return
	 *   0, or a negative errno that uk_vma_map() returns
	 */
	int (*create)(struct uk_vma *vma, const void *data);

	/**
	 * Maps the pages of a new VMA, all or nothing. __NULL: none.
	 *
	 * @return
	 *   0, or a negative errno that uk_vma_map() returns
	 */
	int (*populate)(struct uk_vma *vma);

	/**
	 * Supplies a page that was touched, by a frame in fault->paddr. Runs
	 * on a VMA that is not busy, on several CPUs at once, with interrupts
	 * disabled on a stack of TRAP_STACK_PAGES, and must neither fault nor
	 * call functions of ukvmem. It may look at ops, attr, flags, priv and
	 * origin. __NULL: the kind has no pages of its own.
	 *
	 * @return
	 *   - (0): Supplied
	 *   - (-ENOMEM): No frame; tried again if some can be reclaimed
	 *   - Another negative errno: The access is an error
	 */
	int (*fault)(struct uk_vma *vma, struct uk_vm_fault *fault);

	/**
	 * Unmaps a page aligned range that begins in the VMA, pages that are
	 * not mapped included, and makes all CPUs forget it. The range may
	 * go on over areas of the same kind that adjoin. Cannot be __NULL.
	 *
	 * @return
	 *   0, or a negative errno; nothing is unmapped then
	 */
	int (*unmap)(struct uk_vma *vma, __vaddr_t vaddr, __sz len);

	/**
	 * Asked with the lock held, of a VMA at rest that is to leave as a
	 * whole: tells whether no page in it is mapped, so that unmap() would
	 * have nothing to do. __NULL: unmap() does it.
	 */
	__bool (*is_clear)(const struct uk_vma *vma);

	/**
	 * Applies new attributes to all pages that the VMA has so far.
	 * __NULL: the attributes of this kind cannot be changed (-EPERM).
	 *
	 * @return
	 *   0, or a negative errno; nothing is changed then
	 */
	int (*set_attr)(struct uk_vma *vma, unsigned long attr);

	/**
	 * Follows an advice for a range inside of the VMA. Faults do what
	 * UK_VMA_ADV_WILLNEED asks for, so it does not come here.
	 * __NULL: the advice is ignored.
	 *
	 * @return
	 *   0, or a negative errno; nothing is changed then
	 */
	int (*advise)(struct uk_vma *vma, __vaddr_t vaddr, __sz len,
		      unsigned long advice);

	/**
	 * Asked with the lock held before the VMA is split at an address.
	 * __NULL: always possible.
	 *
	 * @return
	 *   0, or -EPERM to deny
	 */
	int (*split)(const struct uk_vma *vma, __vaddr_t vaddr);
};

/** VMA objects of one address space; vma_pool.h tells how it works */
struct uk_vma_pool {
	struct vma_pool_page *first; /** (V) pages with free objects */
	struct vma_pool_page *last;  /** (V) end of that list */
	__sz free;		     /** (V) free objects in all pages */
	__sz total;		     /** (V) objects in all pages */
};

/**
 * Virtual address space
 *
 * Field markings: (c) constant after init, (V) lock, (a) atomic
 */
struct uk_vas {
	struct uk_pagetable *pt; /** (c) page table it describes */
	struct uk_spinlock lock; /** rank VAS: root, counts, pool, all VMAs */
	__u32 holder;		 /** (a) 1 + CPU that holds it, or 0 */
	__u32 closing;		 /** (V) operations that wait for faults */
	struct uk_vma *root;	 /** (V) ordered set of VMAs */
	__sz vma_count;		 /** (V) VMAs in the set */
	__sz mapped_len;	 /** (V) sum of their lengths in bytes */
	__u64 next_id;		 /** (V) id of the next area */
	struct uk_vma_pool pool; /** (V) */
};

/** What uk_vma_query() tells about an area */
struct uk_vma_info {
	__vaddr_t start;
	__vaddr_t end;
	unsigned long attr;
	const char *name; /* may be __NULL */
	const struct uk_vma_ops *ops;
	__u64 priv;
	__bool busy;
};

/** Returns the active address space, __NULL before uk_vas_set_active() */
struct uk_vas *uk_vas_get_active(void);

/**
 * Makes an address space the active one: page faults are served from it. Its
 * page table must be the one that all CPUs run on.
 *
 * @return
 *   - (0): Active
 */
int uk_vas_set_active(struct uk_vas *vas);

/**
 * Initializes an empty address space and fills its pool of VMA objects.
 *
 * @param vas
 *   Uninitialized object
 * @param pt
 *   Page table, with a frame allocator
 * @param a
 *   Accepted for compatibility and not used: VMA objects never come from a
 *   heap, so that a heap can be built on this library. May be __NULL
 *
 * @return
 *   - (0): Ready
 *   - (-ENOMEM): No frame for the pool
 */
int uk_vas_init(struct uk_vas *vas, struct uk_pagetable *pt,
		struct uk_alloc *a);

/**
 * Unmaps all areas and gives the pool back. Nobody may use the address space
 * any more; the page table itself stays.
 */
void uk_vas_destroy(struct uk_vas *vas);

/**
 * Finds the area that contains an address. Cost: O(log n).
 *
 * @return
 *   The VMA, or __NULL. It may vanish as soon as somebody unmaps it: only
 *   the owner of the area may look inside; others use uk_vma_query().
 */
const struct uk_vma *uk_vma_find(struct uk_vas *vas, __vaddr_t vaddr);

/**
 * Copies the description of the first area that ends above an address. To
 * walk the space, start at 0 and go on at info->end.
 *
 * @return
 *   - (0): Found
 *   - (-ENOENT): No area ends above vaddr
 */
int uk_vma_query(struct uk_vas *vas, __vaddr_t vaddr, struct uk_vma_info *info);

/* For functions that take a range: no holes in it */
#define UK_VMA_FLAG_STRICT_VMA_CHECK 0x1000UL

/* For uk_vma_map() */
#define UK_VMA_MAP_POPULATE	 0x01UL /* Map all pages now */
#define UK_VMA_MAP_UNINITIALIZED 0x02UL /* Contents may be left undefined */
#define UK_VMA_MAP_REPLACE	 0x04UL /* Remove what is there */
#define UK_VMA_MAP_HINT		 0x08UL /* The address is only a wish */

/* For uk_vma_map(): start and length are multiples of 2^order, so that pages
 * of that length fit; 12 (or none), 21 or 30. It costs order - 12 bits of
 * randomness, so it never happens unasked.
 */
#define UK_VMA_MAP_SIZE_SHIFT 5
#define UK_VMA_MAP_SIZE_BITS  6
#define UK_VMA_MAP_SIZE_MASK  ((1UL << UK_VMA_MAP_SIZE_BITS) - 1)
#define UK_VMA_MAP_SIZE(order)                                                 \
	(((order)&UK_VMA_MAP_SIZE_MASK) << UK_VMA_MAP_SIZE_SHIFT)
#define UK_VMA_MAP_SIZE_TO_ORDER(flag)                                         \
	(((flag) >> UK_VMA_MAP_SIZE_SHIFT) & UK_VMA_MAP_SIZE_MASK)
#define UK_VMA_MAP_SIZE_4KB UK_VMA_MAP_SIZE(12UL)
#define UK_VMA_MAP_SIZE_2MB UK_VMA_MAP_SIZE(21UL)
#define UK_VMA_MAP_SIZE_1GB UK_VMA_MAP_SIZE(30UL)

/**
 * Creates an area. The changes become visible completely or not at all.
 *
 * An area at a random place has 1 to CONFIG_LIBUKVMEM_GAP_PAGES_MAX pages on
 * each side that no other area uses at that moment, their number drawn anew
 * for each side. Gaps are not kept: an area at a fixed address may go there
 * later. If no place is large enough for them, the area gets one without.
 *
 * UK_VMA_MAP_REPLACE puts the area in the place of all areas and parts of
 * areas in its range. At each moment others find the old areas or the new
 * one. All that can fail comes before the first page is unmapped, with two
 * exceptions: a kind whose unmap() fails (none of ours), where the areas from
 * there on stay; and UK_VMA_MAP_POPULATE without enough memory, which leaves
 * a hole.
 *
 * **Context:** any CPU. With UK_VMA_MAP_REPLACE as uk_vma_unmap()
 *
 * @param vas
 *   Address space
 * @param[in,out] vaddr
 *   Exact start address, or __VADDR_ANY for one drawn uniformly at random
 *   from all places where the area fits. With UK_VMA_MAP_HINT an address that
 *   is misaligned, out of range or taken is the same as __VADDR_ANY. Receives
 *   the start address; untouched after an error
 * @param len
 *   Length in bytes, multiple of the page length
 * @param attr
 *   PAGE_ATTR_*; writable and executable at once is refused
 * @param flags
 *   UK_VMA_MAP_*
 * @param name
 *   For humans; must outlive the area. May be __NULL
 * @param ops
 *   Kind of the area
 * @param args
 *   Data for ops->create(). May be __NULL
 *
 * @return
 *   - (0): Created
 *   - (-EINVAL): Zero or misaligned length, misaligned address, range not in
 *     [UK_VAS_START, UK_VAS_END), unknown flag, order or attribute, hint and
 *     replacement at once
 *   - (-EPERM): Writable and executable; or a part of an area would have to
 *     be replaced that may only be removed as a whole
 *   - (-EEXIST): The range overlaps an area, without UK_VMA_MAP_REPLACE
 *   - (-EBUSY): Another operation works on an area to be replaced
 *   - (-ENOMEM): No hole that is long enough, no memory for the pages, the
 *     tables or the VMA object, even after reclaiming some
 */
int uk_vma_map(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
	       unsigned long attr, unsigned long flags, const char *name,
	       const struct uk_vma_ops *ops, const void *args);

/**
 * Removes all areas and parts of areas in a range. Holes are skipped. When
 * the function returns no CPU reaches the memory any more and the addresses
 * are free. Never fails for lack of memory when it need not split an area.
 *
 * @param vas
 *   Address space
 * @param vaddr
 *   Start, page aligned
 * @param len
 *   Length in bytes, multiple of the page length
 * @param flags
 *   0 or UK_VMA_FLAG_STRICT_VMA_CHECK
 *
 * @return
 *   - (0): Removed
 *   - (-EINVAL): Zero or misaligned length, misaligned address, overflow
 *   - (-ENOENT): A hole, with UK_VMA_FLAG_STRICT_VMA_CHECK
 *   - (-EPERM): An area in the range may only be removed as a whole
 *   - (-EBUSY): Another operation works on an area in the range
 *   - (-ENOMEM): No VMA object for a split
 */
int uk_vma_unmap(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		 unsigned long flags);

/**
 * Changes the page attributes of all areas in a range. Holes are skipped
 * unless UK_VMA_FLAG_STRICT_VMA_CHECK is given. Pages that come later have
 * the new attributes, too. PAGE_ATTR_PROT_NONE makes every access fault and
 * keeps the contents.
 *
 * @return
 *   As for uk_vma_unmap(), with -EINVAL also for unknown attributes, -EPERM
 *   for attributes that are writable and executable, and for areas whose
 *   attributes are fixed
 */
int uk_vma_set_attr(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		    unsigned long attr, unsigned long flags);

#define UK_VMA_ADV_DONTNEED 0x01UL /* Contents may be forgotten */
#define UK_VMA_ADV_WILLNEED 0x02UL /* Pages should be there */

/**
 * Advises what to do with the pages in a range. Areas stay as they are. Given
 * both advices, the range has fresh pages afterwards.
 *
 * UK_VMA_ADV_DONTNEED frees the pages; the next touch is like the first one.
 * When the function returns no CPU sees the old contents any more. Kinds
 * without pages of their own ignore it. It needs no memory, but for a table
 * to split a large page. Of the stack that the caller runs on only what lies
 * below the next few pages can go.
 *
 * UK_VMA_ADV_WILLNEED supplies the pages that are not there. After an error
 * those that came stay, as do all that were there before.
 *
 * @param vas
 *   Address space
 * @param vaddr
 *   Start, page aligned
 * @param len
 *   Length in bytes, multiple of the page length
 * @param advice
 *   UK_VMA_ADV_*, one or both
 * @param flags
 *   0 or UK_VMA_FLAG_STRICT_VMA_CHECK
 *
 * @return
 *   - (0): Followed or ignored
 *   - (-EINVAL): Zero or misaligned length, misaligned address, overflow,
 *     no or unknown advice
 *   - (-ENOENT): A hole, with UK_VMA_FLAG_STRICT_VMA_CHECK
 *   - (-EBUSY): Another operation works on an area in the range
 *   - (-EFAULT): WILLNEED: a guard of a stack is in the range
 *   - (-ENOMEM): WILLNEED: no memory, even after reclaiming some
 */
int uk_vma_advise(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		  unsigned long advice, unsigned long flags);

#ifdef __cplusplus
}
#endif

#endif /* __UK_VMEM_H__ */
