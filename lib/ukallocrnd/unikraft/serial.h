/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_UNIKRAFT_SERIAL_H__
#define __UKALLOCRND_UNIKRAFT_SERIAL_H__

/* Taking turns in code that was written for one CPU
 *
 * Unikraft's address spaces, page tables and frame allocator have no locks.
 * What enters them from elsewhere passes here, one CPU at a time. The CPU that
 * is inside may enter again: a page fault, or an interrupt, comes in between
 * there as it does on a single CPU. Without paging there is none of this, and
 * no serial.c.
 */

#include "glue.h"

#if RND_GLUE_SMP && RND_GLUE_PAGING

/** Waits until no other CPU is inside. Any context. */
void rnd_serial_enter(void);

/** Lets others in, when the outermost entry is left. */
void rnd_serial_leave(void);

struct uk_falloc;

/** Makes a frame allocator safe for several CPUs, once. */
void rnd_serial_frames(struct uk_falloc *fa);

/** Frees a frame that nobody remembers: it is never kept back. */
int rnd_serial_frame_put(struct uk_falloc *fa, __paddr_t frame);

#else

static inline void rnd_serial_enter(void) {}

static inline void rnd_serial_leave(void) {}

#endif

#endif /* __UKALLOCRND_UNIKRAFT_SERIAL_H__ */
