/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uk/config.h>
#include <uk/essentials.h>
#if CONFIG_LIBUKVMEM
#include <uk/vma_types.h>
#include <uk/vmem.h>
#endif

#include "app.h"
#include "cpus.h"

#if CONFIG_LIBUKVMEM

#define PAGE_LEN   4096UL
#define OTHER_LEN  (64 * PAGE_LEN)
#define SHARED_LEN (4UL << 20)

static __vaddr_t shared;
static volatile int seen[CPUS];
static volatile int go;

static int map_at(__vaddr_t *addr, __sz len, unsigned long flags)
{
	return uk_vma_map_anon(uk_vas_get_active(), addr, len,
			       PAGE_ATTR_PROT_RW, flags, "app");
}

/* A page is unmapped, and another one mapped at its address. What is mapped in
 * between gets the frame: it is among the first ones that are free.
 */
static int replace(int value)
{
	struct uk_vas *vas = uk_vas_get_active();
	__vaddr_t other = __VADDR_ANY;

	if (uk_vma_unmap(vas, shared, PAGE_LEN, 0) ||
	    map_at(&other, OTHER_LEN, UK_VMA_MAP_POPULATE) ||
	    map_at(&shared, PAGE_LEN, UK_VMA_MAP_POPULATE))
		return 1;
	*(volatile int *)shared = value;

	return uk_vma_unmap(vas, other, OTHER_LEN, 0);
}

static void look(unsigned int cpu)
{
	seen[cpu] = *(volatile int *)shared;
}

/* With interrupts disabled, and without a word to the allocator */
static void look_twice(unsigned int cpu)
{
	look(cpu);
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&go, __ATOMIC_ACQUIRE) != 2)
		__builtin_ia32_pause();
	look(cpu);
}

static int stale_on(unsigned int cpus, int value)
{
	unsigned int i;
	int stale = 0;

	for (i = 1; i < cpus && i < CPUS; i++)
		stale += seen[i] != value;

	return stale;
}

/* All look, the page changes, all look again */
static int shoot_sleeping(unsigned int cpus, int rounds)
{
	int i, stale = 0;

	for (i = 1; i <= rounds; i++) {
		if (replace(i))
			return -1;
		cpus_call_all(look);
		stale += stale_on(cpus, i);
	}
	return stale;
}

/* The page changes while one CPU spins */
static int shoot_spinning(unsigned int cpus)
{
	unsigned int cpu;
	int stale = 0;

	for (cpu = 1; cpu < cpus && cpu < CPUS; cpu++) {
		go = 0;
		cpus_call(cpu, look_twice);
		while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
			__builtin_ia32_pause();
		if (replace(1000 + (int)cpu))
			return -1;
		__atomic_store_n(&go, 2, __ATOMIC_RELEASE);
		cpus_wait(cpu);
		stale += seen[cpu] != 1000 + (int)cpu;
	}
	return stale;
}

int app_shootdown(const char *arg)
{
	unsigned int cpus = cpus_start();
	int sleeping, spinning;

	shared = __VADDR_ANY;
	if (map_at(&shared, PAGE_LEN, UK_VMA_MAP_POPULATE))
		return 1;
	sleeping = shoot_sleeping(cpus, atoi(arg));
	spinning = shoot_spinning(cpus);
	printf("shootdown: %u CPUs, stale: %d of CPUs that slept, %d of those "
	       "that spun\n",
	       cpus, sleeping, spinning);

	return sleeping || spinning;
}

/* Every CPU writes to every page, in an order of its own: pages come with the
 * first one
 */
static void touch(unsigned int cpu)
{
	unsigned long pages = SHARED_LEN / PAGE_LEN, i;
	volatile unsigned char *at;

	for (i = 0; i < pages; i++) {
		at = (unsigned char *)shared +
		     (i * (2 * cpu + 1) + cpu * 7) % pages * PAGE_LEN;
		at[cpu] = (unsigned char)(cpu + 1);
	}
}

static int touched_by_all(unsigned int cpus)
{
	unsigned long i;
	unsigned int cpu;

	for (i = 0; i < SHARED_LEN; i += PAGE_LEN)
		for (cpu = 0; cpu < cpus; cpu++)
			if (((unsigned char *)shared)[i + cpu] != cpu + 1)
				return 0;
	return 1;
}

int app_faults(const char *arg)
{
	unsigned int cpus = cpus_start();
	int rounds = atoi(arg), i, bad = 0;

	for (i = 0; i < rounds; i++) {
		shared = __VADDR_ANY;
		if (map_at(&shared, SHARED_LEN, 0))
			return 1;
		cpus_call_all(touch);
		bad += !touched_by_all(cpus);
		bad += !!uk_vma_unmap(uk_vas_get_active(), shared, SHARED_LEN,
				      0);
	}
	printf("faults: %u CPUs, %d rounds of %lu pages, %d bad\n", cpus,
	       rounds, SHARED_LEN / PAGE_LEN, bad);

	return bad;
}

/* A page that is mapped, touched and unmapped, among n others */
int app_maps(const char *arg)
{
	unsigned long n = strtoul(arg, NULL, 10), i, start;
	__vaddr_t addr;

	cpus_start();
	for (i = 0; i < n; i++) {
		addr = __VADDR_ANY;
		if (map_at(&addr, PAGE_LEN, UK_VMA_MAP_POPULATE))
			return 1;
	}
	start = __builtin_ia32_rdtsc();
	for (i = 0; i < 100; i++) {
		addr = __VADDR_ANY;
		if (map_at(&addr, PAGE_LEN, 0))
			return 1;
		*(volatile int *)addr = 1;
		if (uk_vma_unmap(uk_vas_get_active(), addr, PAGE_LEN, 0))
			return 1;
	}
	start = __builtin_ia32_rdtsc() - start;
	printf("maps: %lu ticks for map, touch and unmap among %lu\n",
	       start / 100, n);

	return 0;
}

#else

static int needs_ukvmem(void)
{
	printf("this needs CONFIG_LIBUKVMEM\n");
	return 1;
}

int app_shootdown(const char *arg)
{
	(void)arg;
	return needs_ukvmem();
}

int app_faults(const char *arg)
{
	(void)arg;
	return needs_ukvmem();
}

int app_maps(const char *arg)
{
	(void)arg;
	return needs_ukvmem();
}

#endif
