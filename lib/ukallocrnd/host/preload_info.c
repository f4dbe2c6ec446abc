/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* What glibc offers to look at and to tune its allocator
 *
 * The figures are those of this heap where the notions exist here, and 0
 * where they do not (fast bins, arenas, the program break). There is nothing
 * to tune: mallopt() says that it changed nothing.
 */

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

#include <uk/allocrnd.h>

#include "heap.h"
#include "preload.h"
#include "report.h"

static void info_stats(struct uk_allocrnd_stats *stats)
{
	uk_allocrnd_stats_get(&rnd_preload_heap()->dyn->a, stats);
}

RND_EXPORT struct mallinfo2 mallinfo2(void)
{
	struct uk_allocrnd_stats stats;
	struct mallinfo2 info = { 0 };

	info_stats(&stats);
	info.arena = stats.committed;
	info.ordblks = stats.quarantine_slots + stats.pool_slots;
	info.hblks = stats.large_live;
	info.uordblks = stats.live_bytes;
	info.fordblks = stats.committed > stats.live_bytes ?
				stats.committed - stats.live_bytes :
				0;
	return info;
}

static int info_clamp(size_t value)
{
	return value > INT_MAX ? INT_MAX : (int)value;
}

RND_EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 wide = mallinfo2();
	struct mallinfo info = { 0 };

	info.arena = info_clamp(wide.arena);
	info.ordblks = info_clamp(wide.ordblks);
	info.hblks = info_clamp(wide.hblks);
	info.uordblks = info_clamp(wide.uordblks);
	info.fordblks = info_clamp(wide.fordblks);
	return info;
}

RND_EXPORT int malloc_trim(size_t pad)
{
	(void)pad;
	return uk_allocrnd_purge(&rnd_preload_heap()->dyn->a) ? 1 : 0;
}

RND_EXPORT int mallopt(int param, int val)
{
	(void)param;
	(void)val;
	return 0;
}

RND_EXPORT void malloc_stats(void)
{
	struct uk_allocrnd_stats stats;

	info_stats(&stats);
	rnd_print("ukallocrnd: %lu bytes live in %lu objects (%lu large), "
		  "%lu committed, %lu metadata\n",
		  stats.live_bytes, stats.live_slots, stats.large_live,
		  stats.committed, stats.metadata);
}

RND_EXPORT int malloc_info(int options, FILE *fp)
{
	struct uk_allocrnd_stats stats;
	int rc;

	if (options) {
		/* The manual says the first, glibc does the second */
		errno = EINVAL;
		return EINVAL;
	}
	info_stats(&stats);
	rc = fprintf(fp,
		     "<malloc version=\"1\">\n"
		     "<total type=\"live\" count=\"%lu\" size=\"%lu\"/>\n"
		     "<total type=\"large\" count=\"%lu\"/>\n"
		     "<system type=\"current\" size=\"%lu\"/>\n"
		     "<system type=\"metadata\" size=\"%lu\"/>\n"
		     "</malloc>\n",
		     stats.live_slots, stats.live_bytes, stats.large_live,
		     stats.committed, stats.metadata);
	return rc < 0 ? -1 : 0;
}
