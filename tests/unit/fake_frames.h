/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_FAKE_FRAMES_H__
#define __TEST_FAKE_FRAMES_H__

/* A machine for the frame allocator: memory, CPUs, the end after a report
 *
 * Every thread of a test may be a CPU: %gs, which Linux leaves to the
 * program, points to what looks like the start of a struct lcpu.
 */

#include <setjmp.h>

#include <uk/arch/types.h>

/* Frames of the machine: two ranges, neither of whole blocks only */
#define FAKE_FRAMES 5000U

/* Byte that all memory is full of in the beginning */
#define FAKE_JUNK 0x5a

/** Text of the last report of this thread; ends with a newline */
extern __thread char fake_report[128];
/** Where the system goes when it stops, while catching */
extern __thread jmp_buf fake_crash;
extern __thread int fake_catching;

/** Runs a statement; 1 if it stopped the system. */
#define FAKE_STOPS(statement)                                                  \
	({                                                                     \
		int __stopped = setjmp(fake_crash);                            \
		fake_catching = 1;                                             \
		if (!__stopped)                                                \
			statement;                                             \
		fake_catching = 0;                                             \
		__stopped != 0;                                                \
	})

/** Called once when a generator is seeded, then forgotten; may be __NULL */
extern void (*fake_seed_hook)(void);

/** Starts the frame allocator again, all frames free and full of junk. */
void fake_frames_init(void);

/** Ends it. */
void fake_frames_destroy(void);

/** Makes the calling thread a CPU. */
void fake_cpu_set(__u32 idx);

/** Number of a frame in [0, FAKE_FRAMES). */
unsigned int fake_number(__paddr_t paddr);

/** Tells whether a frame contains only zeros. */
int fake_is_zero(__paddr_t paddr);

/** Fills a frame with a byte. */
void fake_fill(__paddr_t paddr, int byte);

#endif /* __TEST_FAKE_FRAMES_H__ */
