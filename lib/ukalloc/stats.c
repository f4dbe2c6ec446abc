/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Statistics, counted per CPU and folded on read
 *
 * Every counter is atomic, although each CPU has a stripe of its own: an
 * interrupt may count on the same CPU, and with more CPUs than stripes some
 * share one. All orders are relaxed: each counter is a number of its own, and
 * nobody concludes from one to the other.
 */

#include <string.h>

#include <uk/alloc.h>
#include <uk/alloc_impl.h>
#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/config.h>
#include <uk/essentials.h>

/* The build leaves this file out without statistics, but a test that links it
 * must not depend on the configuration.
 */
#ifdef CONFIG_LIBUKALLOC_IFSTATS

#include "cpu.h"

#define STRIPES CONFIG_LIBUKALLOC_IFSTATS_STRIPES

#define stat_read(ptr)	   __atomic_load_n((ptr), __ATOMIC_RELAXED)
#define stat_write(ptr, v) __atomic_store_n((ptr), (v), __ATOMIC_RELAXED)
#define stat_add(ptr, v)   __atomic_add_fetch((ptr), (v), __ATOMIC_RELAXED)
#define stat_take(ptr)	   __atomic_exchange_n((ptr), 0, __ATOMIC_RELAXED)

#if __STDC_HOSTED__
__u32 uk_alloc_host_threads;
#endif

#ifdef CONFIG_LIBUKALLOC_IFSTATS_GLOBAL
static struct uk_alloc_stats_store stats_global;
#endif

/* Changes a level and raises its peak */
static void level_add(struct uk_alloc_stats_level *level, __s64 delta)
{
	__s64 cur = stat_add(&level->cur, delta);
	__s64 old = stat_read(&level->max);

	while (cur > old &&
	       !__atomic_compare_exchange_n(&level->max, &old, cur, 1,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* Raises the largest size */
static void stripe_raise(struct uk_alloc_stats_stripe *st, __sz size)
{
	__sz old = stat_read(&st->max_size);

	while (size > old &&
	       !__atomic_compare_exchange_n(&st->max_size, &old, size, 1,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* Lowers the smallest size. It is kept plus one, so that zero is "none" */
static void stripe_lower(struct uk_alloc_stats_stripe *st, __sz size)
{
	__sz old = stat_read(&st->min_size);

	while ((!old || size + 1 < old) &&
	       !__atomic_compare_exchange_n(&st->min_size, &old, size + 1, 1,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static struct uk_alloc_stats_stripe *
stats_stripe(struct uk_alloc_stats_store *store)
{
	return &store->stripe[alloc_cpu_idx() % STRIPES];
}

/* Moves the drift of a stripe to the shared sums and updates the peaks */
static void stats_settle(struct uk_alloc_stats_store *store,
			 struct uk_alloc_stats_stripe *st)
{
	level_add(&store->nb, stat_take(&st->nb_drift));
	level_add(&store->mem, stat_take(&st->mem_drift));
}

static void stats_drift(struct uk_alloc_stats_store *store,
			struct uk_alloc_stats_stripe *st, __s64 nb, __ssz mem)
{
	nb = stat_add(&st->nb_drift, nb);
	mem = stat_add(&st->mem_drift, mem);
	if (unlikely(nb >= UK_ALLOC_STATS_DRIFT_NB ||
		     nb <= -UK_ALLOC_STATS_DRIFT_NB ||
		     mem >= UK_ALLOC_STATS_DRIFT_MEM ||
		     mem <= -UK_ALLOC_STATS_DRIFT_MEM))
		stats_settle(store, st);
}

static void stats_alloc(struct uk_alloc_stats_store *store, const void *ptr,
			__sz size)
{
	struct uk_alloc_stats_stripe *st = stats_stripe(store);

	if (unlikely(!ptr)) {
		stat_add(&st->nb_enomem, 1);
		return;
	}

	stat_write(&st->last_size, size);
	stripe_raise(st, size);
	stripe_lower(st, size);
	stat_add(&st->nb_allocs, 1);
	stats_drift(store, st, 1, (__ssz)size);
}

static void stats_free(struct uk_alloc_stats_store *store, __sz size)
{
	struct uk_alloc_stats_stripe *st = stats_stripe(store);

	stat_add(&st->nb_frees, 1);
	stats_drift(store, st, -1, -(__ssz)size);
}

static void stats_fold_min(const struct uk_alloc_stats_stripe *st,
			   struct uk_alloc_stats *dst)
{
	__sz size = stat_read(&st->min_size);

	if (size && (!dst->min_alloc_size || size < dst->min_alloc_size))
		dst->min_alloc_size = size;
}

static void stats_fold(struct uk_alloc_stats_store *store,
		       struct uk_alloc_stats *dst)
{
	struct uk_alloc_stats_stripe *st;
	__u32 i;

	memset(dst, 0, sizeof(*dst));
	for (i = 0; i < STRIPES; i++) {
		st = &store->stripe[i];
		dst->tot_nb_allocs += stat_read(&st->nb_allocs);
		dst->tot_nb_frees += stat_read(&st->nb_frees);
		dst->nb_enomem += stat_read(&st->nb_enomem);
		dst->max_alloc_size =
			MAX(dst->max_alloc_size, stat_read(&st->max_size));
		stats_fold_min(st, dst);
		stats_settle(store, st);
	}

	if (dst->min_alloc_size)
		dst->min_alloc_size--;
	dst->last_alloc_size = stat_read(&stats_stripe(store)->last_size);
	dst->cur_nb_allocs = stat_read(&store->nb.cur);
	dst->max_nb_allocs = stat_read(&store->nb.max);
	dst->cur_mem_use = stat_read(&store->mem.cur);
	dst->max_mem_use = stat_read(&store->mem.max);
}

void uk_alloc_stats_count_alloc(struct uk_alloc *a, const void *ptr, __sz size)
{
	UK_ASSERT(a);

	stats_alloc(&a->_stats, ptr, size);
#ifdef CONFIG_LIBUKALLOC_IFSTATS_GLOBAL
	stats_alloc(&stats_global, ptr, size);
#endif
}

void uk_alloc_stats_count_free(struct uk_alloc *a, const void *ptr, __sz size)
{
	UK_ASSERT(a);

	if (unlikely(!ptr))
		return;

	stats_free(&a->_stats, size);
#ifdef CONFIG_LIBUKALLOC_IFSTATS_GLOBAL
	stats_free(&stats_global, size);
#endif
}

void uk_alloc_stats_reset(struct uk_alloc *a)
{
	UK_ASSERT(a);

	memset(&a->_stats, 0, sizeof(a->_stats));
}

void uk_alloc_stats_get(struct uk_alloc *a, struct uk_alloc_stats *dst)
{
	UK_ASSERT(a);
	UK_ASSERT(dst);

	stats_fold(&a->_stats, dst);
}

#ifdef CONFIG_LIBUKALLOC_IFSTATS_GLOBAL
void uk_alloc_stats_get_global(struct uk_alloc_stats *dst)
{
	UK_ASSERT(dst);

	stats_fold(&stats_global, dst);
}
#endif /* CONFIG_LIBUKALLOC_IFSTATS_GLOBAL */

#endif /* CONFIG_LIBUKALLOC_IFSTATS */
