/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_ALLOC_IMPL_H__
#define __STANDIN_UK_ALLOC_IMPL_H__

/* Stands for lib/ukalloc/include/uk/alloc_impl.h of Unikraft: counters take no
 * turns, and those of all allocators have a place of their own. Without
 * statistics arguments are not evaluated.
 */

#include <uk/alloc.h>

int uk_alloc_register(struct uk_alloc *a);

#if CONFIG_LIBUKALLOC_IFSTATS

#include <string.h>

#if CONFIG_LIBUKALLOC_IFSTATS_GLOBAL
extern struct uk_alloc_stats _uk_alloc_stats_global;
#define STANDIN_STATS_ALL(count, ptr, size)                                    \
	count(&_uk_alloc_stats_global, ptr, size)
#else
#define STANDIN_STATS_ALL(count, ptr, size) ((void)0)
#endif

static inline void _uk_alloc_stats_count_alloc(struct uk_alloc_stats *stats,
					       void *ptr, __sz size)
{
	stats->tot_nb_allocs += !!ptr;
	stats->nb_enomem += !ptr;
	stats->cur_mem_use += ptr ? (__ssz)size : 0;
}

static inline void _uk_alloc_stats_count_free(struct uk_alloc_stats *stats,
					      void *ptr, __sz size)
{
	stats->tot_nb_frees += !!ptr;
	stats->cur_mem_use -= ptr ? (__ssz)size : 0;
}

#define uk_alloc_stats_count_alloc(a, ptr, size)                               \
	do {                                                                   \
		_uk_alloc_stats_count_alloc(&(a)->_stats, ptr, size);          \
		STANDIN_STATS_ALL(_uk_alloc_stats_count_alloc, ptr, size);     \
	} while (0)
#define uk_alloc_stats_count_free(a, ptr, size)                                \
	do {                                                                   \
		_uk_alloc_stats_count_free(&(a)->_stats, ptr, size);           \
		STANDIN_STATS_ALL(_uk_alloc_stats_count_free, ptr, size);      \
	} while (0)
#define uk_alloc_stats_reset(a) memset(&(a)->_stats, 0, sizeof((a)->_stats))

#else

#define uk_alloc_stats_count_alloc(a, ptr, size)                               \
	do {                                                                   \
	} while (0)
#define uk_alloc_stats_count_free(a, ptr, size)                                \
	do {                                                                   \
	} while (0)
#define uk_alloc_stats_reset(a)                                                \
	do {                                                                   \
	} while (0)

#endif

#endif /* __STANDIN_UK_ALLOC_IMPL_H__ */
