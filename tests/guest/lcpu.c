/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Functions on other CPUs, and shootdowns as the heap needs them */

#include <errno.h>

#include <uk/config.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/paging.h>

#include "arena.h"
#include "test.h"

#define ROUNDS 50U

static unsigned int runs[CONFIG_UKPLAT_LCPU_MAXCOUNT];

static void count_run(void *arg __unused)
{
	runs[ukplat_lcpu_idx()]++;
}

static enum test_result functions_run_once_on_each_cpu(void)
{
	unsigned int cpus = ukplat_lcpu_count();
	unsigned int i, ran = 0;

	for (i = 0; i < ARRAY_SIZE(runs); i++)
		runs[i] = 0;
	for (i = 0; i < ROUNDS; i++)
		EXPECT(on_all_cpus(count_run, __NULL) == cpus);
	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		EXPECT(runs[i] == 0 || runs[i] == ROUNDS);
		ran += runs[i] == ROUNDS;
	}
	EXPECT(ran == cpus);
	return TEST_PASS;
}

static void look_at_nothing(struct __regs *regs __unused, void *user __unused)
{
}

static enum test_result run_refuses_cpus_that_are_not_there(void)
{
	struct ukplat_lcpu_func func = { .fn = look_at_nothing,
					 .user = __NULL };
	unsigned int num = 1;
	__u32 idx = CONFIG_UKPLAT_LCPU_MAXCOUNT;

	EXPECT(ukplat_lcpu_run(&idx, &num, &func, 0) == -EINVAL);
	idx = ukplat_lcpu_idx();
	num = 1;
	EXPECT(ukplat_lcpu_run(&idx, &num, &func, 0) == -EINVAL);
	return TEST_PASS;
}

/* What each CPU sees at one address */
static struct view {
	__vaddr_t addr;
	unsigned int readable;
	unsigned int faults;
} view;

static void look(void *arg __unused)
{
	__u8 byte;

	if (ukplat_probe_read(view.addr, &byte))
		__atomic_add_fetch(&view.faults, 1, __ATOMIC_RELAXED);
	else
		__atomic_add_fetch(&view.readable, 1, __ATOMIC_RELAXED);
}

static enum test_result unmapped_pages_fault_on_every_cpu(void)
{
	unsigned int cpus = ukplat_lcpu_count();
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		void *page = arena_map(1);

		EXPECT(page);
		view = (struct view){ .addr = (__vaddr_t)page };
		EXPECT(on_all_cpus(look, __NULL) == cpus);
		EXPECT(view.readable == cpus);
		EXPECT(!arena_unmap(page, 1));
		EXPECT(on_all_cpus(look, __NULL) == cpus);
		EXPECT(view.faults == cpus);
	}
	return TEST_PASS;
}

const struct test_case lcpu_cases[] = {
	{ "functions_run_once_on_each_cpu", functions_run_once_on_each_cpu },
	{ "run_refuses_cpus_that_are_not_there",
	  run_refuses_cpus_that_are_not_there },
	{ "unmapped_pages_fault_on_every_cpu",
	  unmapped_pages_fault_on_every_cpu },
	{ __NULL, __NULL },
};
