/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The benchmark program of the guest
 *
 * Words of the command line:
 *   mode=exact|parallel|map  what to do; both measurements without it
 *   mode=shootdown           policies of TLB shootdown
 *   mode=check               all CPUs exchange objects of each allocator
 *   mode=api                 tests that the references bring
 *   debugseed                fixes all random numbers (mode=exact)
 *   only=pair,lifo           these workloads alone (mode=exact)
 *   alloc=ukallocrnd,buddy   these allocators alone
 *   quick                    fewer operations (mode=exact)
 *
 * Lines for programs are JSON objects:
 *   {"type":"map",...}    one range of this boot's address space; not in the
 *                         exact mode, whose seed is fixed
 *   {"type":"boot",...}   how long the boot took (mode=map)
 *   {"type":"missing",...} an allocator that the image lacks
 *   {"type":"left-out",...} one that cannot take part in a workload, and why
 *   {"type":"known",...}  events that QEMU's plug-in must count (mode=exact)
 *   {"type":"bench",...}  one result; tests/support/report.py has the fields
 */

#include <stdio.h>
#include <string.h>

#include <uk/config.h>
#include <uk/alloc.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#ifdef CONFIG_LIBUKALLOCRND
#include <uk/allocrnd.h>
#endif
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/time.h>

#include "bench.h"

/* Of the list: ours, and one that has an area of its own */
#define PLATFORM_ALLOCS 2U

const struct bench_workload *const bench_workloads[] = {
	&bench_pair,
	&bench_lifo,
	&bench_fifo,
	&bench_random,
	&bench_mixed,
	&bench_uniform_1k,
	&bench_uniform_10k,
	&bench_uniform_100k,
	&bench_lognormal_1k,
	&bench_lognormal_10k,
	&bench_lognormal_100k,
	&bench_larson,
	&bench_mstress,
	&bench_rptest,
	&bench_threadtest,
	&bench_linux_scalability,
	&bench_cache_thrash,
	&bench_cache_scratch,
	&bench_phong,
	&bench_grow,
	&bench_calloc,
	&bench_prodcons,
	&bench_xmalloc_1,
	&bench_xmalloc_32,
	&bench_xmalloc_256,
	&bench_fragment,
	&bench_irq,
	&bench_mmap_churn,
	&bench_exhaust,
	&bench_replay_redis,
	&bench_replay_sqlite,
	__NULL,
};

static void print_range(void *arg, const char *name, __uptr base, __sz len)
{
	printf("{\"type\":\"map\",\"name\":\"%s%s\",\"base\":\"0x%lx\","
	       "\"len\":%lu}\n",
	       (const char *)arg, name, base, len);
}

/* A string for the callback, which takes no constants */
static char prefix_none[] = "", prefix_heap[] = "heap:";

/* Every address where one page of the heap is mapped */
static int print_alias(void *arg, __vaddr_t va, __paddr_t pa, __sz len,
		       unsigned long attr __unused)
{
	__paddr_t frame = *(__paddr_t *)arg;

	if (frame - pa < len)
		print_range(prefix_none,
			    va < UKARCH_VADDR_UPPER_START ?
				    "page of the heap" :
				    "page of the heap in the direct map",
			    va + (frame - pa), PAGE_SIZE);
	return 0;
}

static void print_aliases(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	void *page = uk_palloc(a, 1);
	__paddr_t frame;

	if (!page)
		return;
	frame = ukplat_page_translate(ukplat_pt_get_active(), (__vaddr_t)page);
	ukplat_pt_scan(print_alias, &frame);
	uk_pfree(a, page, 1);
}

static void print_map(void)
{
	print_aliases();
	bench_places(print_range, prefix_none);
	ukplat_map_foreach(print_range, prefix_none);
#ifdef CONFIG_LIBUKALLOCRND
	uk_allocrnd_map(uk_alloc_get_default(), print_range, prefix_heap);
#endif
}

/* How long the boot took, with the profile of the platform */
static void print_boot(void)
{
#if defined(CONFIG_UKPLAT_PROFILE_NONE)
	const char *profile = "NONE";
#elif defined(CONFIG_UKPLAT_PROFILE_POORMAN)
	const char *profile = "POORMAN";
#elif defined(CONFIG_UKPLAT_PROFILE_BALANCED)
	const char *profile = "BALANCED";
#else
	const char *profile = "STRONG";
#endif

	printf("{\"type\":\"boot\",\"us\":%lu,\"profile\":\"%s\"}\n",
	       (unsigned long)(ukplat_boot_time() / 1000), profile);
}

static int is_mode(const char *want)
{
	const char *mode;
	__sz len = strlen(want);

	return ukplat_cmdline_find("mode", &mode) &&
	       !strncmp(mode, want, len) &&
	       (mode[len] == ' ' || mode[len] == 0);
}

static int has_mode(const char *want)
{
	const char *mode;

	return !ukplat_cmdline_find("mode", &mode) || is_mode(want);
}

int main(int argc __unused, char *argv[] __unused)
{
	/* Maps and policies are about the platform; with one area of a
	 * program to look at
	 */
	int is_platform = is_mode("map") || is_mode("shootdown");
	int rc = 0;

	if (bench_names_check() ||
	    bench_references_start(is_platform ? PLATFORM_ALLOCS :
						 BENCH_ALLOCS_MAX))
		return 1;
	printf("bench: %u CPUs\n", ukplat_lcpu_count());
	if (is_mode("check"))
		return bench_check();
	if (is_mode("api"))
		return bench_check_own();
	if (is_mode("shootdown"))
		return bench_shootdown() ? 1 : 0;
	if (has_mode("parallel") || has_mode("map"))
		print_map();
	if (is_mode("map"))
		print_boot();
	if (has_mode("exact"))
		rc |= bench_exact();
	if (has_mode("parallel"))
		rc |= bench_parallel();
	puts(rc ? "bench: failed" : "bench: done");
	return rc ? 1 : 0;
}
