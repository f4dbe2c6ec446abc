/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Interrupt handlers that allocate while the code they interrupt does, too, or
 * has borrowed the vector registers
 */

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

static unsigned long ticks_now(void)
{
	return __atomic_load_n(&irq_state.ticks, __ATOMIC_RELAXED);
}

/* Frees what is in the slots; returns how many are not as they were made */
static unsigned long slots_drain(void)
{
	unsigned long i, failures = 0;

	for (i = 0; i < SLOTS; i++)
		if (irq_state.slot[i])
			failures += !object_free(irq_state.slot[i]);
	return failures;
}

static enum test_result interrupts_may_allocate(void)
{
	unsigned long failures = 0;
	__u64 seed = 7;
	int rc;

	memset(&irq_state, 0, sizeof(irq_state));
	irq_state.seed = 11;
	rc = ukplat_timer_start(PERIOD, tick, &irq_state);
	if (rc)
		SKIP("no timer");
	while (ticks_now() < TICKS)
		failures += !object_swap(&seed);
	ukplat_timer_stop();

	failures += slots_drain();
	EXPECT(failures == 0);
	EXPECT(irq_state.failures == 0);
#ifdef CONFIG_LIBUKALLOCRND
	EXPECT(uk_allocrnd_check(uk_alloc_get_default()) == 0);
#endif
	return TEST_PASS;
}

/* The allocator borrows vector registers, from a handler in the middle of
 * another loan. Here all of them are on loan whenever the handler comes.
 */
#define REGS_LEN   (16 * 16UL)
#define LOANS	   100UL
#define LOAN_TICKS 10UL

/* Holds a pattern in the registers until there were so many ticks; assembly
 * writes what is left of it through found
 */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static void registers_hold(const unsigned char *pattern, unsigned char *found,
			   const unsigned long *ticks, unsigned long until)
{
	unsigned char saved[REGS_LEN];

	__asm__ __volatile__(
		".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		"movups %%xmm\\i, \\i*16(%[saved])\n"
		"movups \\i*16(%[pattern]), %%xmm\\i\n"
		".endr\n"
		"1:\n"
		"pause\n"
		"cmpq %[until], (%[ticks])\n"
		"jb 1b\n"
		".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		"movups %%xmm\\i, \\i*16(%[found])\n"
		"movups \\i*16(%[saved]), %%xmm\\i\n"
		".endr\n"
		:
		: [saved] "r"(saved), [pattern] "r"(pattern),
		  [found] "r"(found), [ticks] "r"(ticks), [until] "r"(until)
		: "cc", "memory");
}

static enum test_result interrupts_put_registers_back(void)
{
	unsigned char pattern[REGS_LEN], found[REGS_LEN];
	unsigned long i, j, lost = 0, failures;
	__u64 seed = 13;

	memset(&irq_state, 0, sizeof(irq_state));
	irq_state.seed = 17;
	if (ukplat_timer_start(PERIOD, tick, &irq_state))
		SKIP("no timer");
	for (i = 0; i < LOANS; i++) {
		for (j = 0; j < REGS_LEN; j++)
			pattern[j] = (unsigned char)(draw(&seed) >> 32);
		registers_hold(pattern, found, &irq_state.ticks,
			       ticks_now() + LOAN_TICKS);
		lost += memcmp(pattern, found, REGS_LEN) != 0;
	}
	ukplat_timer_stop();

	failures = slots_drain();
	EXPECT(lost == 0);
	EXPECT(failures == 0);
	EXPECT(irq_state.failures == 0);
	return TEST_PASS;
}

const struct test_case irq_cases[] = {
	{ "interrupts_may_allocate", interrupts_may_allocate },
	{ "interrupts_put_registers_back", interrupts_put_registers_back },
	{ __NULL, __NULL },
};
