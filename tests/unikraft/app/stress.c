/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/config.h>
#include <uk/plat/lcpu.h>
#if CONFIG_LIBUKALLOCRND
#include <uk/allocrnd.h>
#endif

#include "app.h"
#include "cpus.h"

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
}

static int run_on_all(const char *name, const char *cnt, int checks)
{
	unsigned int cpus = cpus_start();

	if (!cpus)
		return 1;
	ops_max = strtoul(cnt, NULL, 10) / cpus;
	with_checks = checks;
	cpus_call_all(work);
	printf("%s: %u CPUs, %lu operations each, %s\n", name, cpus, ops_max,
	       wrong ? "contents WRONG" : "sound");

	return wrong;
}

#if CONFIG_HAVE_SMP
/* Interrupts that allocate, in the middle of whatever the first CPU does */
static unsigned long irqs_max;
static unsigned long irqs;

static void in_interrupt(struct __regs *regs, void *arg)
{
	static unsigned long state = 6364136223846793005UL;
	struct object *o;
	int i;

	(void)regs;
	(void)arg;
	for (i = 0; i < 8; i++) {
		o = object_make(&state);
		if (o && !object_is_sound(o))
			wrong = 1;
		free(o);
	}
	/* Fails, also where there is no errno */
	if (malloc((size_t)1 << 45))
		wrong = 1;
	irqs++;
}

static void interrupt_first(unsigned int cpu)
{
	const struct ukplat_lcpu_func fn = { in_interrupt, NULL };
	unsigned long i;
	unsigned int one;
	__lcpuidx first;

	in_interrupt(NULL, NULL);
	for (i = 0; i < irqs_max; i++) {
		first = 0;
		one = 1;
		/* Waits until the one before was taken */
		if (ukplat_lcpu_run(&first, &one, &fn, 0))
			wrong = 1;
	}
	(void)cpu;
}

int app_irq(const char *cnt)
{
	unsigned long rounds = 0;

	if (cpus_start() < 2)
		return 1;
	irqs_max = strtoul(cnt, NULL, 10);
	cpus_call(1, interrupt_first);
	while (irqs <= irqs_max && !wrong) {
		stress_cpu(1, 1000);
		rounds++;
	}
	cpus_wait(1);
	printf("irq: %lu interrupts during %lu operations, %s\n", irqs,
	       rounds * 1000, wrong ? "WRONG" : "sound");

	return wrong;
}
#else
int app_irq(const char *cnt)
{
	(void)cnt;
	printf("this needs more than one CPU\n");

	return 1;
}
#endif

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
