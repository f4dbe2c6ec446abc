/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_UNIKRAFT_FRAME_H__
#define __UKALLOCRND_UNIKRAFT_FRAME_H__

/* Frames: the memory behind pages and page tables
 *
 * Where Unikraft has a frame allocator, it is asked. Where it has none, its
 * free memory is given to the first heap in pieces (addmem), and is kept here:
 * a bit for each frame. A search starts at a random place, so that the frames
 * of a heap are not neighbours.
 *
 * Invariants
 *   F1 `free` of a piece is the number of its bits that are set.
 *   F2 The map of a piece lies in its first frames, which are never given out.
 *
 * Concurrency
 *   None of its own: the caller holds the lock of the port.
 */

#include <uk/arch/types.h>

#include "glue.h"

#define RND_FRAME_LEN 4096UL

/**
 * Adds memory that is mapped where it is, for ever.
 *
 * @param addr
 *   Start, aligned
 * @param len
 *   Whole frames
 *
 * @return
 *   - (0): Added
 *   - (-EINVAL): Not enough for anything beside the map
 *   - (-ENOSPC): Too many pieces
 */
int rnd_frame_add(__paddr_t addr, __sz len);

/** Takes a frame with any contents. 0, or -ENOMEM. */
int rnd_frame_get(__paddr_t *frame);

/* Instead of a frame: there is none */
#define RND_FRAME_NONE (~0UL)

/**
 * Takes frames that follow one another. Devices that read a ring, or a buffer,
 * of several pages know only where it starts.
 *
 * @return
 *   0, or -ENOMEM: there may still be single ones
 */
int rnd_frame_get_run(__sz cnt, __paddr_t *first);

/** Gives a frame back. */
void rnd_frame_put(__paddr_t frame);

/** Bytes of all frames, and of the free ones. */
__sz rnd_frame_total(void);
__sz rnd_frame_free(void);

/** Clears a frame. Without vector registers, as interrupts must. */
static inline void rnd_frame_clear(void *mem)
{
	__sz cnt = RND_FRAME_LEN / 8;

	__asm__ __volatile__("rep stosq"
			     : "+D"(mem), "+c"(cnt)
			     : "a"(0UL)
			     : "memory");
}

/** Offset of the first word of a frame that is not 0, or RND_FRAME_LEN. */
static inline __sz rnd_frame_changed(const void *mem)
{
	const __u64 *word = mem;
	__sz i;

	for (i = 0; i < RND_FRAME_LEN / 8; i += 4)
		if (word[i] | word[i + 1] | word[i + 2] | word[i + 3])
			break;
	while (i < RND_FRAME_LEN / 8 && !word[i])
		i++;

	return i * 8;
}

#endif /* __UKALLOCRND_UNIKRAFT_FRAME_H__ */
