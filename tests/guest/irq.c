/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Interrupt handlers that allocate while the code they interrupt does, too */

#include <stdlib.h>
#include <string.h>

#include <uk/config.h>
#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#ifdef CONFIG_LIBUKALLOCRND
#include <uk/allocrnd.h>
#endif
#include <uk/plat/time.h>

#include "test.h"

/* 10 kHz */
#define PERIOD 100000UL
#define TICKS  2000UL

/* Objects that change hands between the handler and the thread */
#define SLOTS 64U

static struct irq_state {
	unsigned char *slot[SLOTS];
	unsigned long ticks;
	unsigned long failures;
	__u64 seed;
} irq_state;

/* An object starts with its length and a byte that the rest repeats */
static unsigned char *object_make(__sz len, unsigned char tag)
{
	unsigned char *p = malloc(len);

	if (p) {
		memset(p, tag, len);
		p[0] = (unsigned char)(len & 0xff);
		p[1] = (unsigned char)(len >> 8);
	}
	return p;
}

static int object_free(unsigned char *p)
{
	__sz len = (__sz)p[0] | (__sz)p[1] << 8;
	int ok = len >= 4 && !memcmp(p + 2, p + 3, len - 3);

	free(p);
	return ok;
}

/* Puts a new object into a slot and frees what was there */
static int object_swap(__u64 *seed)
{
	__u64 r = draw(seed);
	unsigned char *p = object_make(4 + (r >> 8) % 1500, (unsigned char)r);

	if (!p)
		return 0;
	p = __atomic_exchange_n(&irq_state.slot[(r >> 32) % SLOTS], p,
				__ATOMIC_ACQ_REL);
	return !p || object_free(p);
}

static void tick(void *arg)
{
	struct irq_state *st = arg;

	/* Both a pair of its own and an exchange with the thread */
	free(malloc(64 + st->ticks % 1400));
	if (!object_swap(&st->seed))
		st->failures++;
	__atomic_add_fetch(&st->ticks, 1, __ATOMIC_RELAXED);
}

static enum test_result interrupts_may_allocate(void)
{
	unsigned long i, failures = 0;
	__u64 seed = 7;
	int rc;

	memset(&irq_state, 0, sizeof(irq_state));
	irq_state.seed = 11;
	rc = ukplat_timer_start(PERIOD, tick, &irq_state);
	if (rc)
		SKIP("no timer");
	while (__atomic_load_n(&irq_state.ticks, __ATOMIC_RELAXED) < TICKS)
		failures += !object_swap(&seed);
	ukplat_timer_stop();

	for (i = 0; i < SLOTS; i++)
		if (irq_state.slot[i])
			failures += !object_free(irq_state.slot[i]);
	EXPECT(failures == 0);
	EXPECT(irq_state.failures == 0);
#ifdef CONFIG_LIBUKALLOCRND
	EXPECT(uk_allocrnd_check(uk_alloc_get_default()) == 0);
#endif
	return TEST_PASS;
}

const struct test_case irq_cases[] = {
	{ "interrupts_may_allocate", interrupts_may_allocate },
	{ __NULL, __NULL },
};
