/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Random numbers: a stream for each CPU, reseeded in time, new in each epoch */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>
#include <uk/plat/time.h>
#include <uk/plat/tlb.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "test.h"

#define WORDS 8U

/* A virtual CPU may have to wait for a real one */
#define HOOK_NSEC 5000000000UL

static __u64 stream[CONFIG_UKPLAT_LCPU_MAXCOUNT][WORDS];

static void draw_stream(void *arg __unused)
{
	ukplat_random_bytes(stream[ukplat_lcpu_idx()], sizeof(stream[0]));
}

/* Two equal words of 64 bits would be a miracle */
static enum test_result cpus_draw_different_streams(void)
{
	const __u64 *words = &stream[0][0];
	unsigned int i, k, n = ARRAY_SIZE(stream) * WORDS;

	memset(stream, 0, sizeof(stream));
	EXPECT(on_all_cpus(draw_stream, __NULL));
	for (i = 0; i < n; i++)
		for (k = i + 1; k < n && words[i]; k++)
			EXPECT(words[i] != words[k]);
	for (i = 0; i < ukplat_lcpu_count() * WORDS; i++)
		EXPECT(words[i]);
	return TEST_PASS;
}

static enum test_result generators_are_reseeded_in_time(void)
{
	static __u8 buf[4096];
	__u64 before = ukplat_random_reseeds();
	unsigned int i;

	/* 256 KiB are allowed; a clock that is fast may reseed once more */
	for (i = 0; i < 8; i++)
		ukplat_random_bytes(buf, sizeof(buf));
	EXPECT(ukplat_random_reseeds() - before <= 1);
	for (i = 0; i < 1024; i++)
		ukplat_random_bytes(buf, sizeof(buf));
	EXPECT(ukplat_random_reseeds() - before >= 15);
	return TEST_PASS;
}

/* And not before. Where the clock counts instructions, a sleep takes no time */
static enum test_result generators_are_reseeded_after_a_minute(void)
{
	__nsec until = ukplat_monotonic_clock() + 61000000000UL;
	__u64 before;
	__u8 byte;

	ukplat_random_bytes(&byte, sizeof(byte));
	before = ukplat_random_reseeds();
	ukplat_random_bytes(&byte, sizeof(byte));
	EXPECT(ukplat_random_reseeds() == before);
	if (!arg_number("exact", 0))
		return TEST_PASS;

	ukplat_lcpu_disable_irq();
	while (ukplat_monotonic_clock() < until)
		ukplat_lcpu_halt_irq_until(until);
	ukplat_lcpu_enable_irq();
	ukplat_random_bytes(&byte, sizeof(byte));
	EXPECT(ukplat_random_reseeds() == before + 1);
	return TEST_PASS;
}

/* Calls of the hook, and reseeds, by CPU */
static unsigned int hooked[CONFIG_UKPLAT_LCPU_MAXCOUNT];
static __u64 reseeds[CONFIG_UKPLAT_LCPU_MAXCOUNT];
static ukplat_random_hook hook_before;

static void hook_count(void)
{
	hooked[ukplat_lcpu_idx()]++;
	if (hook_before)
		hook_before();
}

static void note_reseeds(void *arg __unused)
{
	__u8 byte;

	ukplat_random_bytes(&byte, sizeof(byte));
	reseeds[ukplat_lcpu_idx()] =
		ukplat_random_reseeds() - reseeds[ukplat_lcpu_idx()];
}

/* Waits until each CPU has called the hook; 0: one does not */
static int hooks_wait(void)
{
	__nsec until = ukplat_monotonic_clock() + HOOK_NSEC;
	unsigned int i, cnt;

	do {
		for (i = 0, cnt = 0; i < ARRAY_SIZE(hooked); i++)
			cnt += __atomic_load_n(&hooked[i], __ATOMIC_RELAXED);
		__builtin_ia32_pause();
	} while (cnt < ukplat_lcpu_count() && ukplat_monotonic_clock() < until);

	return cnt == ukplat_lcpu_count();
}

static enum test_result a_new_epoch_reaches_every_cpu(void)
{
	__u32 epoch = ukplat_random_epoch();
	unsigned int i, cpus = 0;

	memset(hooked, 0, sizeof(hooked));
	memset(reseeds, 0, sizeof(reseeds));
	hook_before = ukplat_random_hook_set(hook_count);
	EXPECT(hook_before);
	EXPECT(on_all_cpus(note_reseeds, __NULL));
	ukplat_random_resumed("the same for all", 16);
	/* Nobody else wakes them */
	EXPECT(hooks_wait());
	EXPECT(on_all_cpus(note_reseeds, __NULL));
	EXPECT(ukplat_random_hook_set(hook_before) == hook_count);

	EXPECT(ukplat_random_epoch() == epoch + 1);
	for (i = 0; i < ARRAY_SIZE(hooked); i++) {
		EXPECT(hooked[i] == 0 || hooked[i] == 1);
		EXPECT((reseeds[i] != 0) == hooked[i]);
		cpus += hooked[i];
	}
	EXPECT(cpus == ukplat_lcpu_count());
	return TEST_PASS;
}

/* A heap goes on, whatever a new epoch interrupts */
static void use_heap(void *arg __unused)
{
	char *ptr[32];
	unsigned int i, k;

	for (k = 0; k < 200; k++) {
		for (i = 0; i < ARRAY_SIZE(ptr); i++) {
			ptr[i] = malloc(16 + i * 8);
			if (ptr[i])
				memset(ptr[i], (int)i, 16);
		}
		if (k % 8 == 0)
			ukplat_random_resumed(&k, sizeof(k));
		for (i = 0; i < ARRAY_SIZE(ptr); i++) {
			if (!ptr[i] || ptr[i][15] != (char)i)
				hooked[0] = 1;
			free(ptr[i]);
		}
	}
}

static enum test_result heaps_survive_new_epochs(void)
{
	hooked[0] = 0;
	EXPECT(on_all_cpus(use_heap, __NULL));
	EXPECT(!hooked[0]);
	return TEST_PASS;
}

/*
 * Clones
 */

#define SMALL 200U
#define LARGE 24U

static void *small[CONFIG_UKPLAT_LCPU_MAXCOUNT][SMALL];

/* One CPU after the other: what they draw from in common is drawn in the same
 * order by every clone
 */
static unsigned int turn;

static void draw_small(void *arg __unused)
{
	void **own = small[ukplat_lcpu_idx()];
	unsigned int i;

	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != ukplat_lcpu_idx())
		ukplat_tlb_poll();
	for (i = 0; i < SMALL; i++)
		own[i] = malloc(40);
	__atomic_add_fetch(&turn, 1, __ATOMIC_RELEASE);
}

static int draw_small_all(void)
{
	turn = 0;
	return on_all_cpus(draw_small, __NULL) != 0;
}

static void free_small(void *arg __unused)
{
	void **own = small[ukplat_lcpu_idx()];
	unsigned int i;

	for (i = 0; i < SMALL; i++)
		free(own[i]);
}

static void print_small(void)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < ARRAY_SIZE(small); cpu++)
		for (i = 0; i < SMALL && small[cpu][0]; i++)
			printf("clone small%u 0x%lx\n", cpu,
			       (unsigned long)small[cpu][i]);
}

static void print_others(void)
{
	void *large[LARGE];
	__vaddr_t addr;
	unsigned int i;

	for (i = 0; i < LARGE; i++) {
		large[i] = malloc(200000);
		printf("clone large 0x%lx\n", (unsigned long)large[i]);
	}
	for (i = 0; i < LARGE; i++) {
		if (ukplat_area_reserve("clone", PAGE_SIZE, PAGE_SIZE, &addr))
			addr = 0;
		printf("clone area 0x%lx\n", addr);
	}
	for (i = 0; i < LARGE; i++) {
		addr = __VADDR_ANY;
		if (uk_vma_map_anon(uk_vas_get_active(), &addr, PAGE_SIZE,
				    PAGE_ATTR_PROT_RW, 0, "clone"))
			addr = 0;
		printf("clone mapping 0x%lx\n", addr);
	}
	for (i = 0; i < LARGE; i++)
		free(large[i]);
}

/* Line status of the serial port */
static __u8 line_status(void)
{
	__u8 status;

	__asm__ __volatile__("inb %1, %0"
			     : "=a"(status)
			     : "d"((__u16)0x3fd)
			     : "memory");
	return status;
}

/* Waits for a key without drawing anything */
static void key_wait(void)
{
	while (!(line_status() & 1))
		__builtin_ia32_pause();
}

int clones_print(void)
{
	unsigned int i;

	/* Pools are filled, random bits are drawn ahead */
	for (i = 0; i < 8; i++) {
		if (!draw_small_all() || !on_all_cpus(free_small, __NULL))
			return 1;
	}
	printf("clones: ready\n");
	key_wait();
	if (!draw_small_all())
		return 1;
	print_small();
	print_others();
	printf("clones: done\n");
	return 0;
}

const struct test_case random_cases[] = {
	{ "cpus_draw_different_streams", cpus_draw_different_streams },
	{ "generators_are_reseeded_in_time", generators_are_reseeded_in_time },
	{ "generators_are_reseeded_after_a_minute",
	  generators_are_reseeded_after_a_minute },
	{ "a_new_epoch_reaches_every_cpu", a_new_epoch_reaches_every_cpu },
	{ "heaps_survive_new_epochs", heaps_survive_new_epochs },
	{ __NULL, __NULL },
};
