/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_FAKE_TLB_H__
#define __TEST_FAKE_TLB_H__

/* Generations of the TLB shootdown that pass when a test wants them to
 *
 * The other CPUs never come by on their own. Who waits for them gets what it
 * waits for.
 */

#include <uk/arch/types.h>

struct fake_tlb {
	/** All CPUs have passed this generation and all before it */
	__u64 passed;
	/** Generations that were started; what the last call said */
	unsigned long closes;
	int own;
	/** Waits; for which generation the last one was */
	unsigned long syncs;
	__u64 synced;
	/** Called when a generation has started; may be __NULL */
	void (*on_close)(void);
	/** Called when somebody learns that one was passed; may be __NULL */
	void (*on_passed)(__u64 gen);
};

extern struct fake_tlb fake_tlb;

/** Starts again with generation 0. */
void fake_tlb_reset(void);

/** All CPUs come by: this generation has been passed. */
void fake_tlb_pass(__u64 gen);

#endif /* __TEST_FAKE_TLB_H__ */
