/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTTEST_TLB_H__
#define __GUESTTEST_TLB_H__

/* A watcher: another CPU that reads, or writes, one byte in a tight loop
 *
 * The loop neither polls nor touches other pages than its own few, so that the
 * translation stays in its TLB until somebody makes the CPU flush.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

enum watch_mode {
	WATCH_READ,
	WATCH_WRITE
};

struct watch {
	__vaddr_t va;
	enum watch_mode mode;
	/** 1: no interrupts while watching */
	int irqs_off;
	/** (a) The watcher ends */
	int stop;
	/** (a) Set by the observer; the watcher looks before each access */
	int phase;
	/** (a) Accesses, and those that did not fault, begun in each phase */
	unsigned long all[2], good[2];
	/** (a) Bytes read in each phase, as a set: bit n for the value n */
	unsigned long seen[2];
};

/**
 * Starts a watcher on CPU 1 and waits until it has read many times.
 *
 * @return
 *   0, or -1 if there is no such CPU
 */
int watch_start(struct watch *w);

/** Waits until the watcher has tried that many more accesses. */
void watch_wait(const struct watch *w, unsigned long accesses);

/** From now on accesses count for phase 1; waits until one has. */
void watch_turn(struct watch *w);

/** Ends the watcher. */
void watch_stop(struct watch *w);

/** A crime: another CPU writes to a page that was unmapped lazily. */
void tlb_stale_write(void);

#endif /* __GUESTTEST_TLB_H__ */
