/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_COUNT_H__
#define __UKALLOCRND_COUNT_H__

/* Statistics of ukalloc, which every allocator counts for it
 *
 * Where ukalloc counts without regard for other CPUs and for interrupts, calls
 * take turns.
 */

#include <uk/alloc_impl.h>

#include "lock.h"

/* One for all heaps: there are global counters, too */
static struct rnd_lock rnd_count_lock = RND_LOCK_INIT(RND_RANK_COUNT);

static inline unsigned long rnd_count_enter(void)
	RND_ACQUIRES(rnd_count_lock) RND_UNANALYZED
{
	return RND_PORT_COUNTS_RACE ? rnd_lock_acquire(&rnd_count_lock) : 0;
}

static inline void rnd_count_leave(unsigned long flags)
	RND_RELEASES(rnd_count_lock) RND_UNANALYZED
{
	if (RND_PORT_COUNTS_RACE)
		rnd_lock_release(&rnd_count_lock, flags);
}

/** Counts an allocation, or a failed one if ptr is __NULL. */
static inline void rnd_count_alloc(struct uk_alloc *a __maybe_unused,
				   void *ptr __maybe_unused,
				   __sz size __maybe_unused)
{
	unsigned long flags;

	if (!RND_OPT_STATS)
		return;
	flags = rnd_count_enter();
	uk_alloc_stats_count_alloc(a, ptr, size);
	rnd_count_leave(flags);
}

/** Counts that an object of size bytes is freed. */
static inline void rnd_count_free(struct uk_alloc *a __maybe_unused,
				  void *ptr __maybe_unused,
				  __sz size __maybe_unused)
{
	unsigned long flags;

	if (!RND_OPT_STATS)
		return;
	flags = rnd_count_enter();
	uk_alloc_stats_count_free(a, ptr, size);
	rnd_count_leave(flags);
}

#endif /* __UKALLOCRND_COUNT_H__ */
