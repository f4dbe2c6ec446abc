/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_FAKE_GLUE_H__
#define __TEST_FAKE_GLUE_H__

/* glue.h for unit tests: frames with exact books, CPUs that a test moves
 *
 * Physical memory is an array; every frame in it is free or in use, and full
 * of junk whenever it changes hands. Whoever frees one that is free, or that a
 * CPU still remembers (fake_mmu.h), fails the test in that call.
 *
 * There is one thread: it is each of the CPUs in turn. What the others do in
 * the meantime happens in on_event, which every function of the glue calls.
 *
 * Link it together with tests/unit/fake_mmu.c.
 */

#include <setjmp.h>

#include <uk/arch/types.h>

#define FAKE_GLUE_FRAMES 2048U
#define FAKE_GLUE_CPUS	 4U

/* Latency of a CPU that has interrupts disabled */
#define FAKE_GLUE_NEVER __U32_MAX

/** What tests may read at any time and, where marked (w), write */
struct fake_glue {
	/** Frames in use now */
	unsigned long used;
	/** (w) The n-th next get (from 1) fails, once; 0: none */
	unsigned long fail_at;
	/** (w) Per CPU: it runs */
	__bool is_started[FAKE_GLUE_CPUS];
	/** (w) How often others ask for it until an interrupt arrives there */
	__u32 latency[FAKE_GLUE_CPUS];
	/** Interrupts and NMIs that were sent to a CPU */
	unsigned long interrupts[FAKE_GLUE_CPUS];
	unsigned long nmis[FAKE_GLUE_CPUS];
	/** Flushes of everything by a CPU */
	unsigned long flushes[FAKE_GLUE_CPUS];
	/** (w) What an interrupt does there; may be __NULL */
	void (*on_interrupt)(void);
	/** (w) Called wherever the other CPUs may go on; may be __NULL */
	void (*on_event)(void);
	/** Printed since the last reset */
	char text[256];
};

extern struct fake_glue fake_glue;

/** Where the system goes when it stops, while catching */
extern jmp_buf fake_glue_crash;
extern int fake_glue_catching;

/** Runs a statement; 1 if it stopped the system. */
#define FAKE_GLUE_STOPS(statement)                                             \
	({                                                                     \
		int __stopped = setjmp(fake_glue_crash);                       \
		fake_glue_catching = 1;                                        \
		if (!__stopped)                                                \
			statement;                                             \
		fake_glue_catching = 0;                                        \
		__stopped != 0;                                                \
	})

/** All frames are free, the CPUs run and remember nothing; this one is 0. */
void fake_glue_reset(__u64 seed);

/** The caller is this CPU from now on; returns which one it was. */
__u32 fake_glue_cpu_set(__u32 cpu);

/** Starts or stops a CPU: in either case it remembers nothing. */
void fake_glue_cpu_run(__u32 cpu, __bool is_started);

/** Number of a frame in [0, FAKE_GLUE_FRAMES), which must be in use. */
unsigned int fake_glue_number(__paddr_t frame);

/** Contents of a frame; nobody else gets a turn. */
__u64 *fake_glue_words(__paddr_t frame);

/** Contents of the top level page table. */
__u64 *fake_glue_root(void);

/** A random number below bound. */
__u32 fake_glue_roll(__u32 bound);

#endif /* __TEST_FAKE_GLUE_H__ */
