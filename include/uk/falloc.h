/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_FALLOC_H__
#define __UK_FALLOC_H__

/* Physical frames, with upstream's interface
 *
 * All functions may be called on all CPUs, with interrupts enabled or
 * disabled, but not from NMI. A single frame is drawn at random from at least
 * 2048 that are free, if there are so many; groups of 512 that are entirely
 * free are left alone until then. 512 aligned frames are such a group, drawn
 * at random. Frames come with arbitrary contents.
 */

#include <errno.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The first frame is a multiple of the (power of two) number of frames */
#define FALLOC_FLAG_ALIGNED 0x01

struct uk_falloc {
	/**
	 * Allocates consecutive frames.
	 *
	 * @param fa
	 *   The allocator
	 * @param[in,out] paddr
	 *   __PADDR_ANY, or the first frame wanted; receives the first frame
	 * @param frames
	 *   Number of frames
	 * @param flags
	 *   FALLOC_FLAG_*
	 *
	 * @return
	 *   - (0): Allocated
	 *   - (-EINVAL): No frames, unknown flags or a bad address
	 *   - (-ENOMEM): Not that many consecutive frames are free
	 */
	int (*falloc)(struct uk_falloc *fa, __paddr_t *paddr,
		      unsigned long frames, unsigned long flags);

	/** As falloc with __PADDR_ANY, all frames within [min, max). */
	int (*falloc_from_range)(struct uk_falloc *fa, __paddr_t *paddr,
				 unsigned long frames, unsigned long flags,
				 __paddr_t min, __paddr_t max);

	/**
	 * Frees frames, not necessarily as they were allocated. Frames that
	 * are free already or belong to nobody stop the system.
	 */
	int (*ffree)(struct uk_falloc *fa, __paddr_t paddr,
		     unsigned long frames);

	/**
	 * Adds free frames.
	 *
	 * @return
	 *   - (0): Added
	 *   - (-EINVAL): Bad range or overlap
	 *   - (-ENOMEM): No room for their metadata
	 */
	int (*addmem)(struct uk_falloc *fa, __paddr_t paddr,
		      unsigned long frames);

	/** Bytes that are free and in no CPU's cache; may be outdated */
	__sz free_memory;
	/** Bytes of all frames added so far */
	__sz total_memory;
};

/**
 * Allocates consecutive frames.
 *
 * @return
 *   Physical address of the first, or __PADDR_INV if there are none
 */
static inline __paddr_t uk_falloc(struct uk_falloc *fa, unsigned long frames)
{
	__paddr_t paddr = __PADDR_ANY;

	if (fa->falloc(fa, &paddr, frames, 0))
		return __PADDR_INV;
	return paddr;
}

/** Frees frames. */
static inline void uk_ffree(struct uk_falloc *fa, __paddr_t paddr,
			    unsigned long frames)
{
	fa->ffree(fa, paddr, frames);
}

#ifdef __cplusplus
}
#endif

#endif /* __UK_FALLOC_H__ */
