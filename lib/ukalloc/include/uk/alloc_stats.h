/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_ALLOC_STATS_H__
#define __UK_ALLOC_STATS_H__

/* Allocation statistics; included by <uk/alloc.h>
 *
 * Counters lie in stripes, one per CPU where there are enough of them, so
 * that counting moves no cache line between CPUs. Reading folds the stripes.
 * Totals are exact once the allocator is at rest. Peaks (max_nb_allocs,
 * max_mem_use) are sampled whenever a stripe has drifted by UK_ALLOC_STATS_
 * DRIFT_* from the shared sum and at every read: while several CPUs allocate
 * they may be low by at most that much per stripe.
 */

#include <uk/arch/types.h>
#include <uk/config.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uk_alloc;

/** What uk_alloc_stats_get() tells; names and types are upstream's */
struct uk_alloc_stats {
	__sz last_alloc_size; /* last allocation of the reading CPU */
	__sz max_alloc_size;  /* largest satisfied request */
	__sz min_alloc_size;  /* smallest satisfied request */

	__u64 tot_nb_allocs; /* satisfied requests */
	__u64 tot_nb_frees;  /* frees */
	__s64 cur_nb_allocs; /* live allocations */
	__s64 max_nb_allocs; /* most live allocations */

	__ssz cur_mem_use; /* bytes in live allocations */
	__ssz max_mem_use; /* most bytes in live allocations */

	__u64 nb_enomem; /* requests that failed */
};

/** Drift of one stripe from the shared sums, in allocations and bytes */
#define UK_ALLOC_STATS_DRIFT_NB	 16
#define UK_ALLOC_STATS_DRIFT_MEM 65536

/** Counters of one CPU, or of several that share a stripe: all are atomic */
struct uk_alloc_stats_stripe {
	__u64 nb_allocs;
	__u64 nb_frees;
	__u64 nb_enomem;
	__s64 nb_drift;	 /* live allocations not in nb yet */
	__ssz mem_drift; /* bytes not in mem yet */
	__sz last_size;
	__sz max_size;
	__sz min_size; /* smallest size plus one; 0: none yet */
	__u8 pad[64];  /* the next stripe is on another cache line */
};

/** A sum and its peak */
struct uk_alloc_stats_level {
	__s64 cur;
	__s64 max;
};

/** Statistics of one allocator; zero is the empty state. All atomic. */
struct uk_alloc_stats_store {
	struct uk_alloc_stats_level nb;
	struct uk_alloc_stats_level mem;
	__u8 pad[64];
	struct uk_alloc_stats_stripe stripe[CONFIG_LIBUKALLOC_IFSTATS_STRIPES];
};

/**
 * Folds the statistics of an allocator. Takes no lock; may run on any CPU
 * and while others allocate.
 *
 * @param a
 *   Allocator
 * @param[out] dst
 *   Receives the statistics
 */
void uk_alloc_stats_get(struct uk_alloc *a, struct uk_alloc_stats *dst);

#ifdef CONFIG_LIBUKALLOC_IFSTATS_GLOBAL
/** Like uk_alloc_stats_get(), over all allocators. */
void uk_alloc_stats_get_global(struct uk_alloc_stats *dst);
#endif /* CONFIG_LIBUKALLOC_IFSTATS_GLOBAL */

#ifdef __cplusplus
}
#endif

#endif /* __UK_ALLOC_STATS_H__ */
