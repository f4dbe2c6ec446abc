/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/config.h>
#include <uk/plat/io.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#include <uk/thread.h>
#endif
#if CONFIG_LIBUKVMEM
#include <uk/vma_types.h>
#include <uk/vmem.h>
#endif

#include "app.h"

static int bad;

static void check(int ok, const char *what)
{
	if (!ok) {
		printf("tour: %s: wrong\n", what);
		bad = 1;
	}
}

static void show(const char *name, const void *ptr)
{
	printf("base %-10s 0x%lx\n", name, (unsigned long)ptr);
}

static void small_and_large(void)
{
	static const size_t sizes[] = { 1,    16,    64,      256,    1024,
					4096, 65536, 1 << 20, 3 << 20 };
	unsigned int i;
	char name[24];
	char *p, *q;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = malloc(sizes[i]);
		check(p && !((uintptr_t)p & 15), "malloc");
		if (!p)
			continue;
		snprintf(name, sizeof(name), "malloc%lu", sizes[i]);
		show(name, p);
		memset(p, 0x5a, sizes[i]);
		q = realloc(p, 2 * sizes[i]);
		check(q && q[0] == 0x5a && q[sizes[i] - 1] == 0x5a, "realloc");
		free(q ? q : p);
	}
}

/* Frames of what is freed go back; what waits for other CPUs counts as free */
static void frames_come_back(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	const size_t len = (size_t)16 << 20;
	long before = (long)uk_alloc_availmem(a);
	char *volatile p = malloc(len);

	check(p && (long)uk_alloc_availmem(a) <= before - (long)len, "frames");
	free(p);
	check((long)uk_alloc_availmem(a) > before - (1 << 20), "frames back");
}

/* Devices know only where a buffer starts */
static void buffers_of_devices(void)
{
	char *p = memalign(4096, 3 * 4096);
	__paddr_t first = ukplat_virt_to_phys(p);
	int i;

	for (i = 0; i < 3 * 4096; i += 64)
		check(ukplat_virt_to_phys(p + i) == first + (__paddr_t)i,
		      "physical address");
#if CONFIG_LIBUKVMEM
	/* As scatter and gather lists do before */
	check(!uk_vma_advise(uk_vas_get_active(), (__vaddr_t)p, 3UL * 4096,
			     UK_VMA_ADV_WILLNEED, UK_VMA_FLAG_UNINITIALIZED),
	      "advice");
#endif
	free(p);
}

static void other_functions(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	char *p = calloc(100, 10);
	void *aligned = NULL;
	int i;

	for (i = 0; p && i < 1000; i++)
		check(!p[i], "calloc");
	free(p);

	check(!posix_memalign(&aligned, 4096, 100), "posix_memalign");
	check(!((uintptr_t)aligned & 4095), "its alignment");
	free(aligned);

	aligned = uk_palloc(a, 5);
	check(aligned && !((uintptr_t)aligned & 4095), "palloc");
	show("palloc", aligned);
	memset(aligned, 1, 5 * 4096);
	uk_pfree(a, aligned, 5);

	check(!malloc((size_t)1 << 45), "malloc of too much");
}

#if CONFIG_LIBUKSCHED
static volatile int thread_runs;

static void __noreturn thread_body(void *arg)
{
	int on_stack;
	void *p = malloc(100);

	show("stack", &on_stack);
	free(p);
	thread_runs += *(int *)arg;
	uk_sched_thread_exit();
}
#endif

static void threads(void)
{
#if CONFIG_LIBUKSCHED
	int one = 1, i;

	for (i = 0; i < 3; i++)
		if (!uk_sched_thread_create(uk_sched_current(), thread_body,
					    &one, "thread"))
			check(0, "thread");
	for (i = 0; i < 100 && thread_runs < 3; i++)
		uk_sched_yield();
	check(thread_runs == 3, "threads");
#endif
}

static void mappings(void)
{
#if CONFIG_LIBUKVMEM
	__vaddr_t addr;
	int i;

	for (i = 0; i < 3; i++) {
		addr = __VADDR_ANY;
		if (uk_vma_map_anon(uk_vas_get_active(), &addr, 0x10000,
				    PAGE_ATTR_PROT_RW, 0, "tour")) {
			check(0, "map");
			continue;
		}
		show("mapping", (void *)addr);
		*(volatile char *)addr = 1;
		if (i)
			check(!uk_vma_unmap(uk_vas_get_active(), addr, 0x10000,
					    0),
			      "unmap");
	}
#endif
}

int app_tour(void)
{
	int on_stack;

	show("main", &on_stack);
	small_and_large();
	other_functions();
	buffers_of_devices();
	frames_come_back();
	threads();
	mappings();

	return bad;
}
