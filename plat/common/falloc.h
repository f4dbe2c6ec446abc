/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_FALLOC_PRIV_H__
#define __UKPLAT_FALLOC_PRIV_H__

/* The frame allocator's inner side; its use is <uk/falloc.h>
 *
 * How
 *   frame_cache.c moves frames in and out by references: the physical address
 *   and, in the bits that are 0 in it, the number of the range and whether
 *   the frame is known to be zero. A reference leads to all metadata of its
 *   frame without a search.
 *
 * Concurrency
 *   The frame lock protects the core; it is the innermost lock but for those
 *   of the console and of the generators, and never held while waiting.
 */

#include <errno.h>

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/falloc.h>

#include "falloc_core.h"

/* But for range and zero bit a reference is the physical address */
UK_CTASSERT(FALLOC_REF_SHIFT == PAGE_SHIFT);

/** Bytes of metadata for a number of frames, a multiple of the page size. */
__sz falloc_meta_len(__u64 frames);

/**
 * Starts the frame allocator without frames.
 *
 * @param meta
 *   Memory of falloc_meta_len(frames) bytes
 * @param frames
 *   Number of frames that may be added
 */
void falloc_init(void *meta, __u64 frames);

/**
 * Takes single frames at random, under one hold of the frame lock. Nobody
 * owns them yet.
 *
 * @param[out] refs
 *   Receives the references
 * @param cnt
 *   Number of frames
 *
 * @return
 *   Number of frames taken, less than cnt only if no other is free
 */
unsigned int falloc_refs_take(__u64 *refs, unsigned int cnt);

/**
 * Gives frames that nobody owns back, under one hold of the frame lock.
 *
 * @param refs
 *   References; those that are known to be zero say so
 * @param cnt
 *   Number of frames
 */
void falloc_refs_put(const __u64 *refs, unsigned int cnt);

/**
 * Promises frames: they stay free, and nobody else gets the last ones.
 *
 * @return
 *   - (0): Promised
 *   - (-ENOMEM): Not that many are free outside of the caches
 */
int falloc_promise(unsigned long frames);

/** Takes a promise back, or a part of it. */
void falloc_promise_end(unsigned long frames);

/** Takes a frame that was promised. Nobody owns it yet. Cannot fail. */
__u64 falloc_ref_take_promised(void);

/** Whether an injected failure hits; the counter is not at rest. */
int falloc_inject_step(void);

/**
 * Reports a bad free and stops.
 *
 * @param rc
 *   -EEXIST: nobody owns the frame; -EINVAL: there is no such frame
 * @param paddr
 *   What was to be freed
 */
void __noreturn falloc_report(int rc, __paddr_t paddr);

/** The state behind the functions; falloc.c */
extern struct falloc_core falloc_core;
extern unsigned long falloc_inject_after;

/** Tells whether this allocation has to fail. Once for each allocation. */
static inline int falloc_inject_hits(void)
{
#ifdef CONFIG_UKPLAT_FALLOC_INJECT
	/* Relaxed: a counter, it orders nothing */
	if (unlikely(__atomic_load_n(&falloc_inject_after, __ATOMIC_RELAXED) !=
		     UKPLAT_FALLOC_INJECT_OFF))
		return falloc_inject_step();
#endif
	return 0;
}

/** Physical address of a reference. */
static inline __paddr_t falloc_ref_paddr(__u64 ref)
{
	return ref & PAGE_MASK;
}

/** The user of a frame that was just taken owns it now. */
static inline void falloc_ref_own(__u64 ref)
{
	falloc_core_own(
		&falloc_core,
		falloc_core_index(&falloc_core,
				  (unsigned int)(ref & FALLOC_REF_RANGE),
				  ref >> PAGE_SHIFT));
}

/**
 * Ends the ownership of a frame. Stops the system if nobody owns it or if
 * there is no such frame. Any context.
 *
 * @return
 *   Its reference, not known to be zero
 */
static inline __u64 falloc_ref_disown(__paddr_t paddr)
{
	__u64 pfn = paddr >> PAGE_SHIFT;
	unsigned int range = falloc_core_range(&falloc_core, pfn);

	if (unlikely(range == FALLOC_CORE_RANGES || paddr & ~PAGE_MASK))
		falloc_report(-EINVAL, paddr);
	if (unlikely(!falloc_core_disown(
		    &falloc_core, falloc_core_index(&falloc_core, range, pfn))))
		falloc_report(-EEXIST, paddr);
	return paddr | range;
}

#endif /* __UKPLAT_FALLOC_PRIV_H__ */
