/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdlib.h>
#include <string.h>

#include <uk/essentials.h>
#include <uk/plat/lcpu.h>

#include "cpus.h"

#define STACK_LEN 65536

static void (*volatile called[CPUS])(unsigned int cpu);

static void call_here(unsigned int cpu)
{
	called[cpu](cpu);
	/* Release: pairs with the acquire in cpus_wait() */
	__atomic_store_n(&called[cpu], NULL, __ATOMIC_RELEASE);
}

void cpus_wait(unsigned int cpu)
{
	/* Acquire: pairs with the release in call_here() */
	while (__atomic_load_n(&called[cpu], __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

#if CONFIG_HAVE_SMP

static void call_there(struct __regs *regs, void *arg)
{
	(void)regs;
	(void)arg;
	call_here(ukplat_lcpu_idx());
}

unsigned int cpus_start(void)
{
	unsigned int cpus = ukplat_lcpu_count(), i;
	static int is_started;
	void *stacks[CPUS];
	char *stack;

	if (is_started++ || cpus < 2)
		return cpus;
	for (i = 1; i < cpus; i++) {
		stack = memalign(16, STACK_LEN);
		if (!stack)
			return 0;
		/* A CPU cannot handle a fault before it has a stack */
		memset(stack, 0, STACK_LEN);
		stacks[i - 1] = stack + STACK_LEN;
	}
	if (ukplat_lcpu_start(NULL, NULL, stacks, NULL, 0) ||
	    ukplat_lcpu_wait(NULL, NULL, 0))
		return 0;

	return cpus;
}

void cpus_call(unsigned int cpu, void (*fn)(unsigned int cpu))
{
	const struct ukplat_lcpu_func func = { call_there, NULL };
	unsigned int one = 1;
	__lcpuidx idx = cpu;

	called[cpu] = fn;
	if (cpu == ukplat_lcpu_idx())
		call_here(cpu);
	else
		(void)ukplat_lcpu_run(&idx, &one, &func, 0);
}

#else

unsigned int cpus_start(void)
{
	return 1;
}

void cpus_call(unsigned int cpu, void (*fn)(unsigned int cpu))
{
	called[cpu] = fn;
	call_here(cpu);
}

#endif

void cpus_call_all(void (*fn)(unsigned int cpu))
{
	unsigned int cpus = cpus_start(), i;

	for (i = 1; i < cpus; i++)
		cpus_call(i, fn);
	cpus_call(0, fn);
	for (i = 1; i < cpus; i++)
		cpus_wait(i);
}
