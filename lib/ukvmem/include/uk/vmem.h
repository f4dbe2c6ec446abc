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
 * Concurrency
 *   One lock a VAS, rank VAS: below it only the frame allocator's. It guards
 *   the set, never the page tables: an operation marks its VMAs busy under
 *   the lock, works on the page table without it, and completes under the
 *   lock. So nobody waits for a shootdown with the lock held, and the
 *   addresses of a busy VMA are still taken. An operation that meets a busy
 *   VMA changes nothing and returns -EBUSY; an area belongs to somebody, and
 *   two CPUs that change the same pages at once are a mistake of that owner.
 *   Operations that take memory away (unmap, set_attr) wait for the other
 *   CPUs: call them with interrupts enabled and no lock held.
 *
 * Not yet
 *   Demand paging: all kinds are populated when they are mapped. Pages are
 *   4 KiB, so that every part of an area can be unmapped without memory.
 */

#include <uk/config.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/spinlock.h>

#ifdef __cplusplus
extern "C" {
#endif

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
	__vaddr_t first;      /** (V) lowest start in this subtree */
	__vaddr_t last;	      /** (V) highest end in this subtree */
	__sz gap;	      /** (V) longest hole inside [first, last) */
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
	__u64 id; /** (b) number of the uk_vma_map() call it is from */

	__bool busy;		/** (V) an operation works on its pages */
	struct uk_vma *op_next; /** (b) chain of the VMAs of an operation */
	struct uk_vma_node node;
};

/** Returns the length of an area in bytes */
static inline __sz uk_vma_len(const struct uk_vma *vma)
{
	return vma->end - vma->start;
}

/**
 * Operations of a kind of VMA. Unless it says otherwise an operation runs
 * without the lock, on a VMA that is busy.
 */
struct uk_vma_ops {
	/**
	 * Takes over the data that was handed to uk_vma_map(). Runs with the
	 * lock held, as the last step before the VMA is inserted.
	 * __NULL: the kind takes no data.
	 *
	 * @return
	 *   0, or a negative errno that uk_vma_map() returns
	 */
	int (*create)(struct uk_vma *vma, const void *data);

	/**
	 * Maps the pages of a new VMA, all or nothing. __NULL: none.
	 *
	 * @return
	 *   0, or -ENOMEM
	 */
	int (*populate)(struct uk_vma *vma);

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
	 * Applies new attributes to all pages of the VMA.
	 * __NULL: the attributes of this kind cannot be changed (-EPERM).
	 *
	 * @return
	 *   0, or a negative errno; nothing is changed then
	 */
	int (*set_attr)(struct uk_vma *vma, unsigned long attr);

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
 * Field markings: (c) constant after init, (V) lock
 */
struct uk_vas {
	struct uk_pagetable *pt; /** (c) page table it describes */
	struct uk_spinlock lock; /** rank VAS: root, counts, pool, all VMAs */
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
 * Makes an address space the active one. Its page table must be the one that
 * all CPUs run on.
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

/* For uk_vma_unmap() and uk_vma_set_attr(): no holes in the range */
#define UK_VMA_FLAG_STRICT_VMA_CHECK 0x1000UL

/* For uk_vma_map() */
#define UK_VMA_MAP_POPULATE	 0x01UL /* Map now: always done so far */
#define UK_VMA_MAP_UNINITIALIZED 0x02UL /* Contents may be left undefined */

/**
 * Creates an area. The changes become visible completely or not at all.
 *
 * @param vas
 *   Address space
 * @param[in,out] vaddr
 *   Exact start address, or __VADDR_ANY for one drawn uniformly at random
 *   from all places where len bytes fit. Receives the start address
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
 *     [UK_VAS_START, UK_VAS_END), unknown flag
 *   - (-EPERM): Writable and executable
 *   - (-EEXIST): The range overlaps an area
 *   - (-ENOMEM): No hole that is long enough, no memory for the pages, the
 *     tables or the VMA object
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
 * unless UK_VMA_FLAG_STRICT_VMA_CHECK is given. PAGE_ATTR_PROT_NONE makes
 * every access fault and keeps the contents.
 *
 * @return
 *   As for uk_vma_unmap(), with -EPERM also for attributes that are writable
 *   and executable, and for areas whose attributes are fixed
 */
int uk_vma_set_attr(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		    unsigned long attr, unsigned long flags);

#ifdef __cplusplus
}
#endif

#endif /* __UK_VMEM_H__ */
