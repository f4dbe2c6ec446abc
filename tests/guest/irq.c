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
#include <uk/arch/lcpu.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#ifdef CONFIG_LIBUKALLOCRND
#include <uk/allocrnd.h>
#endif
#include <uk/plat/lcpu.h>
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
#define REGS_LEN   (16 * 32UL)
#define LOANS	   100UL
#define LOAN_TICKS 10UL

/* clang-format off */
#define REGISTERS(assembly)                                                    \
	".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n" assembly ".endr\n"
/* clang-format on */

/* Exchanges the registers and what is in memory; without AVX the upper half of
 * each place gets 0
 */
static __noinline void registers_swap(unsigned char *regs)
{
	unsigned char old[REGS_LEN] = { 0 };

	if (ukplat_lcpu_has_avx())
		__asm__ __volatile__(
			REGISTERS("vmovups %%ymm\\i, \\i*32(%[old])\n"
				  "vmovups \\i*32(%[regs]), %%ymm\\i\n")
			:
			: [old] "r"(old), [regs] "r"(regs)
			: "memory");
	else
		__asm__ __volatile__(
			REGISTERS("movups %%xmm\\i, \\i*32(%[old])\n"
				  "movups \\i*32(%[regs]), %%xmm\\i\n")
			:
			: [old] "r"(old), [regs] "r"(regs)
			: "memory");
	memcpy(regs, old, REGS_LEN);
}

static void registers_draw(unsigned char *regs, __u64 *seed)
{
	unsigned long i;

	memset(regs, 0, REGS_LEN);
	for (i = 0; i < REGS_LEN; i++)
		if (ukplat_lcpu_has_avx() || i % 32 < 16)
			regs[i] = (unsigned char)(draw(seed) >> 32);
}

/* Tells whether fn leaves all registers as they were */
static int registers_stay(void (*fn)(void *arg), void *arg, __u64 *seed)
{
	unsigned char pattern[REGS_LEN], regs[REGS_LEN];

	registers_draw(pattern, seed);
	memcpy(regs, pattern, REGS_LEN);
	registers_swap(regs);
	fn(arg);
	registers_swap(regs);
	return !memcmp(pattern, regs, REGS_LEN);
}

static void ticks_wait(void *until)
{
	while (ticks_now() < *(unsigned long *)until)
		ukarch_spinwait();
}

static enum test_result interrupts_put_registers_back(void)
{
	unsigned long i, until, lost = 0, failures;
	__u64 seed = 13;

	memset(&irq_state, 0, sizeof(irq_state));
	irq_state.seed = 17;
	if (ukplat_timer_start(PERIOD, tick, &irq_state))
		SKIP("no timer");
	for (i = 0; i < LOANS; i++) {
		until = ticks_now() + LOAN_TICKS;
		lost += !registers_stay(ticks_wait, &until, &seed);
	}
	ukplat_timer_stop();

	failures = slots_drain();
	EXPECT(lost == 0);
	EXPECT(failures == 0);
	EXPECT(irq_state.failures == 0);
	return TEST_PASS;
}

/* Objects are longer than canaries are short, so both are written, read and
 * cleared with registers on loan
 */
static void malloc_and_free(void *size)
{
	static void *volatile obj;

	obj = malloc(*(__sz *)size);
	free(obj);
}

static enum test_result the_allocator_puts_registers_back(void)
{
	__u64 seed = 19;
	__sz size;

	for (size = 16; size <= 65536; size += size / 8)
		EXPECT(registers_stay(malloc_and_free, &size, &seed));
	return TEST_PASS;
}

const struct test_case irq_cases[] = {
	{ "interrupts_may_allocate", interrupts_may_allocate },
	{ "interrupts_put_registers_back", interrupts_put_registers_back },
	{ "the_allocator_puts_registers_back",
	  the_allocator_puts_registers_back },
	{ __NULL, __NULL },
};
