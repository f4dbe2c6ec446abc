/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTBENCH_PROBE_H__
#define __GUESTBENCH_PROBE_H__

/* An allocator that looks at what another one does
 *
 * It hands each call on and reads the counter before and after. What the same
 * calls cost for an allocator that does nothing is subtracted, so a cost is
 * that of the operation with neither the probe nor the call. Memory is looked
 * at after each operation, outside of what is counted, and after each page of
 * a new object was written to.
 *
 * Context: one CPU, not from interrupt handlers.
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

/* Slow: more than so many times the median of its kind */
#define BENCH_SLOW_TIMES 3U

/** Costs of one kind of operation */
struct bench_costs {
	__u64 p50, p99, p999, max;
};

struct bench_probe {
	/** malloc with calloc, realloc and memalign */
	struct bench_costs malloc, free;
	/** Share of slow operations of both kinds, and their mean cost */
	__u64 slow_permille, slow_mean;
	/** Bytes in the user's hands at most, as they were asked for */
	__sz live_peak;
	/** Objects at that time */
	__sz live_objects;
	/** Least bench_probe_available() meanwhile */
	__sz available_min;
	/** Operations that could not be recorded */
	unsigned long lost;
};

/**
 * Puts the probe in front of an allocator. Only memory is looked at until
 * bench_probe_record().
 *
 * @return
 *   The probe; there is one only
 */
struct uk_alloc *bench_probe_start(struct uk_alloc *a);

/** From now on, or no longer, costs are recorded. */
void bench_probe_record(__bool on);

/** Receives the results. */
void bench_probe_finish(struct bench_probe *result);

/**
 * Bytes that an allocator can still have: frames and page tables that are not
 * in use, or what is left of the memory that it got at its start.
 */
__sz bench_probe_available(struct uk_alloc *a);

#endif /* __GUESTBENCH_PROBE_H__ */
