/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the generations
 *
 * links: tests/unit/unikraft_smp.c tests/unit/fake_glue.c
 *	tests/unit/fake_mmu.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "fake_glue.h"
#include "unikraft_smp.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#define CPUS FAKE_GLUE_CPUS

/* More CPUs than there are */
UK_CTASSERT(RND_GLUE_CPUS > CPUS);

/* All have passed all generations so far */
static int setup(void **state)
{
	__u32 cpu;

	(void)state;
	fake_glue_reset(1);
	fake_glue.on_interrupt = rnd_generation_ack;
	for (cpu = 0; cpu < CPUS; cpu++) {
		(void)fake_glue_cpu_set(cpu);
		rnd_generation_ack();
		fake_glue.flushes[cpu] = 0;
	}
	(void)fake_glue_cpu_set(0);
	return 0;
}

static void poll_on(__u32 cpu)
{
	__u32 old = fake_glue_cpu_set(cpu);

	rnd_generation_poll();
	(void)fake_glue_cpu_set(old);
}

static unsigned long interrupts(void)
{
	unsigned long n = 0;
	__u32 cpu;

	for (cpu = 0; cpu < CPUS; cpu++)
		n += fake_glue.interrupts[cpu] + fake_glue.nmis[cpu];
	return n;
}

static void generation_is_passed_when_all_came_by(void **state)
{
	__u64 gen = rnd_generation_start();
	__u32 cpu;

	(void)state;
	for (cpu = CPUS; cpu--;) {
		assert_false(rnd_generation_passed(gen));
		poll_on(cpu);
	}
	assert_true(rnd_generation_passed(gen));
	assert_false(rnd_generation_passed(gen + 1));
	assert_true(rnd_generation_passed(gen - 1));
	assert_int_equal(rnd_generation_start(), gen + 1);
	assert_false(rnd_generation_passed(gen + 1));
	assert_true(rnd_generation_passed(gen));
	assert_int_equal(interrupts(), 0);
}

static void poll_flushes_once_a_generation(void **state)
{
	(void)state;
	poll_on(1);
	assert_int_equal(fake_glue.flushes[1], 0);
	(void)rnd_generation_start();
	poll_on(1);
	poll_on(1);
	assert_int_equal(fake_glue.flushes[1], 1);

	/* Of several, the newest is enough */
	(void)rnd_generation_start();
	(void)rnd_generation_start();
	poll_on(1);
	poll_on(1);
	assert_int_equal(fake_glue.flushes[1], 2);
	assert_int_equal(rnd_generation_cpus[1].seen, rnd_generation);
	assert_int_equal(fake_glue.flushes[0], 0);
}

/* N1: while a CPU flushes nobody may believe that it has. Whatever starts in
 * the meantime it has not flushed for.
 */
static __u64 seen_before;
static unsigned int flush_events;
static void on_flush(void)
{
	assert_int_equal(rnd_generation_cpus[1].seen, seen_before);
	if (flush_events++)
		(void)rnd_generation_start();
}

static void flush_comes_before_its_publication(void **state)
{
	__u64 gen = rnd_generation_start();

	(void)state;
	seen_before = gen - 1;
	flush_events = 0;
	fake_glue.on_event = on_flush;
	poll_on(1);
	fake_glue.on_event = NULL;
	assert_int_equal(flush_events, 2);
	assert_int_equal(rnd_generation, gen + 1);
	assert_int_equal(rnd_generation_cpus[1].seen, gen);
}

static void wait_interrupts_who_is_late(void **state)
{
	__u64 gen = rnd_generation_start();

	(void)state;
	poll_on(2);
	(void)fake_glue_cpu_set(1);
	rnd_generation_wait(gen);
	assert_true(rnd_generation_passed(gen));
	assert_int_equal(interrupts(), 2);
	assert_int_equal(fake_glue.interrupts[0], 1);
	assert_int_equal(fake_glue.interrupts[3], 1);
	/* It comes by itself */
	assert_int_equal(fake_glue.flushes[1], 1);

	rnd_generation_wait(gen);
	assert_int_equal(interrupts(), 2);
}

static void interrupt_may_take_its_time(void **state)
{
	__u64 gen = rnd_generation_start();

	(void)state;
	fake_glue.latency[3] = 1000;
	rnd_generation_wait(gen);
	assert_int_equal(fake_glue.interrupts[3], 1);
	assert_int_equal(fake_glue.flushes[3], 1);
	assert_true(rnd_generation_passed(gen));
	assert_int_equal(fake_glue.nmis[3], 0);
}

/* Its first interrupt is lost: it was too early */
static unsigned int turns;
static void on_turn(void)
{
	if (++turns == 2000)
		fake_glue.latency[2] = 0;
}

static void interrupt_is_sent_again(void **state)
{
	__u64 gen = rnd_generation_start();

	(void)state;
	fake_glue.latency[2] = FAKE_GLUE_NEVER;
	turns = 0;
	fake_glue.on_event = on_turn;
	rnd_generation_wait(gen);
	assert_int_equal(fake_glue.interrupts[2], 2);
	assert_int_equal(fake_glue.flushes[2], 1);
	/* The others were there after the first one */
	assert_int_equal(fake_glue.interrupts[1], 1);
	assert_int_equal(fake_glue.interrupts[3], 1);
	assert_int_equal(interrupts(), 4);
}

static void nmi_is_for_who_ignores_interrupts(void **state)
{
	__u64 gen = rnd_generation_start();

	(void)state;
	fake_glue.latency[1] = FAKE_GLUE_NEVER;
	rnd_generation_wait(gen);
	assert_true(rnd_generation_passed(gen));
	assert_int_equal(fake_glue.nmis[1], 1);
	assert_int_equal(fake_glue.flushes[1], 1);
	assert_true(fake_glue.interrupts[1] > 1);
	assert_int_equal(fake_glue.interrupts[2], 1);
	assert_int_equal(
		fake_glue.nmis[0] + fake_glue.nmis[2] + fake_glue.nmis[3], 0);
}

/* Neither those that were never started nor those that have halted */
static void stopped_cpu_is_not_waited_for(void **state)
{
	__u64 gen;
	__u32 cpu;

	(void)state;
	for (cpu = 1; cpu < CPUS; cpu++)
		fake_glue_cpu_run(cpu, 0);
	gen = rnd_generation_start();
	assert_false(rnd_generation_passed(gen));
	rnd_generation_wait(gen);
	assert_int_equal(interrupts(), 0);
	assert_true(rnd_generation_passed(gen));

	/* One that starts is asked again: better once too often */
	fake_glue_cpu_run(1, 1);
	assert_false(rnd_generation_passed(gen));
	poll_on(1);
	assert_true(rnd_generation_passed(gen));
}

static void cpu_that_stops_ends_the_wait(void **state)
{
	__u64 gen = rnd_generation_start();

	(void)state;
	poll_on(0);
	poll_on(1);
	poll_on(2);
	assert_false(rnd_generation_passed(gen));
	fake_glue_cpu_run(3, 0);
	assert_true(rnd_generation_passed(gen));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(generation_is_passed_when_all_came_by),
		UNIT_TEST(poll_flushes_once_a_generation),
		UNIT_TEST(flush_comes_before_its_publication),
		UNIT_TEST(wait_interrupts_who_is_late),
		UNIT_TEST(interrupt_may_take_its_time),
		UNIT_TEST(interrupt_is_sent_again),
		UNIT_TEST(nmi_is_for_who_ignores_interrupts),
		UNIT_TEST(stopped_cpu_is_not_waited_for),
		UNIT_TEST(cpu_that_stops_ends_the_wait),
	};

	return cmocka_run_group_tests_name("generation", tests, NULL, NULL);
}
