/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>
#if CONFIG_LIBUKALLOCRND
#include <uk/allocrnd.h>
#endif
#if CONFIG_LIBUKVMEM
#include <uk/vma_types.h>
#include <uk/vmem.h>
#endif

#include "app.h"

#if CONFIG_HAVE_SMP
#define CPUS CONFIG_UKPLAT_LCPU_MAXCOUNT
#else
#define CPUS 1
#endif

#define STACK_LEN 65536

/* Objects that CPUs hand to each other */
#define PLACES 4096

struct object {
	unsigned int len;
	unsigned char fill;
	unsigned char data[];
};

static struct object *places[PLACES];
static unsigned long ops_max;
static int with_checks;
static volatile int done[CPUS];
static volatile int wrong;

static unsigned int next_random(unsigned long *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;

	return (unsigned int)(*state >> 20);
}

static int object_is_sound(const struct object *o)
{
	unsigned int i;

	for (i = 0; i < o->len; i++)
		if (o->data[i] != o->fill)
			return 0;
	return 1;
}

/* Most are small, one in 64 is up to 256 KiB */
static struct object *object_make(unsigned long *state)
{
	unsigned int r = next_random(state);
	unsigned int len = r % 64 ? (r >> 6) % 512 : (r >> 6) % (1 << 18);
	struct object *o = malloc(sizeof(*o) + len);

	if (!o)
		return NULL;
	o->len = len;
	o->fill = (unsigned char)r;
	memset(o->data, o->fill, len);

	return o;
}

static void stress_cpu(unsigned int cpu, unsigned long ops)
{
	unsigned long state = 88172645463325252UL + cpu * 7919, i;
	struct object *o;

	for (i = 0; i < ops; i++) {
		o = __atomic_exchange_n(&places[next_random(&state) % PLACES],
					object_make(&state), __ATOMIC_ACQ_REL);
		if (o && !object_is_sound(o)) {
			wrong = 1;
			break;
		}
		free(o);
		if (cpu == 0 && i % (ops / 10 + 1) == 0)
			printf("stress: %lu of %lu\n", i, ops);
	}
}

static void burn_cpu(unsigned long ops)
{
	void *volatile p;
	unsigned long i;

	for (i = 0; i < ops; i++) {
		p = malloc(64);
		free(p);
	}
}

static void work(unsigned int cpu)
{
	if (with_checks)
		stress_cpu(cpu, ops_max);
	else
		burn_cpu(ops_max);
	__atomic_store_n(&done[cpu], 1, __ATOMIC_RELEASE);
}

#if CONFIG_HAVE_SMP
static void work_there(struct __regs *regs, void *arg)
{
	(void)regs;
	(void)arg;
	work(ukplat_lcpu_idx());
}

static int cpus_start(unsigned int cpus)
{
	void *stacks[CPUS];
	unsigned int i;

	if (cpus < 2)
		return 0;
	for (i = 1; i < cpus; i++) {
		stacks[i - 1] = (char *)memalign(16, STACK_LEN) + STACK_LEN;
		memset((char *)stacks[i - 1] - STACK_LEN, 0, STACK_LEN);
	}
	if (ukplat_lcpu_start(NULL, NULL, stacks, NULL, 0))
		return -1;

	return ukplat_lcpu_wait(NULL, NULL, 0);
}

static int cpus_run(unsigned int cpus)
{
	const struct ukplat_lcpu_func fn = { work_there, NULL };
	unsigned int i, one;
	__lcpuidx idx;

	for (i = 1; i < cpus; i++) {
		idx = i;
		one = 1;
		if (ukplat_lcpu_run(&idx, &one, &fn, 0))
			return -1;
	}
	return 0;
}
#else
static int cpus_start(unsigned int cpus)
{
	(void)cpus;
	return 0;
}

static int cpus_run(unsigned int cpus)
{
	(void)cpus;
	return 0;
}
#endif

static int run_on_all(const char *name, const char *cnt, int checks)
{
	unsigned int cpus = ukplat_lcpu_count(), i;

	ops_max = strtoul(cnt, NULL, 10) / cpus;
	with_checks = checks;
	if (cpus_start(cpus) || cpus_run(cpus))
		return 1;
	work(0);
	for (i = 0; i < cpus; i++)
		while (!__atomic_load_n(&done[i], __ATOMIC_ACQUIRE))
			__builtin_ia32_pause();
	printf("%s: %u CPUs, %lu operations each, %s\n", name, cpus, ops_max,
	       wrong ? "contents WRONG" : "sound");

	return wrong;
}

int app_stress(const char *cnt)
{
	int rc = run_on_all("stress", cnt, 1), i;

	for (i = 0; i < PLACES; i++)
		free(places[i]);
#if CONFIG_LIBUKALLOCRND
	if (uk_allocrnd_check(uk_alloc_get_default())) {
		printf("stress: heap is not sound\n");
		rc = 1;
	}
#endif
	return rc;
}

int app_burn(const char *cnt)
{
	return run_on_all("burn", cnt, 0);
}
