/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTBENCH_EVENTS_H__
#define __GUESTBENCH_EVENTS_H__

/* What happened to the machine: page faults, forgotten translations */

#include <uk/arch/types.h>

/** Sums over all CPUs */
struct bench_events {
	__u64 faults;
	/** Pages and whole TLBs that a CPU was made to forget */
	__u64 invalidations;
	__u64 ipis;
	/** Generations of the TLB that were begun */
	__u64 shootdowns;
};

/** Reads the counters. */
void bench_events_get(struct bench_events *now);

/** Replaces what was read before by what has happened since. */
void bench_events_since(struct bench_events *before);

#endif /* __GUESTBENCH_EVENTS_H__ */
