/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Race test of the frames that each CPU holds: threads are CPUs, and one more
 * empties their caches all the time
 *
 * Whoever has a frame writes to all of its cache lines without any lock, so
 * two owners of a frame, or an order that is too weak where it changes hands,
 * are data races; frames wander between threads, too.
 *
 * links: only plat/common/frame_cache.c plat/common/falloc.c
 *        plat/common/falloc_core.c plat/common/falloc_block.c
 *        plat/common/falloc_put.c
 *        plat/common/falloc_check.c plat/common/rng.c plat/common/chacha.c
 *        plat/common/vector.c
 *        tests/unit/fake_frames.c tests/unit/fake_assert.c
 */

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/arch/paging.h>
#include <uk/plat/falloc.h>
#include <uk/plat/memory.h>

#include "fake_frames.h"
#include "falloc.h"
#include "frame_cache.h"

#define CPUS   4U
#define MINE   80U
#define MANY   20U
#define PLACES 64U
#define STRIDE 64U

#ifdef __SANITIZE_THREAD__
#define STEPS 3000U
#else
#define STEPS 60000U
#endif

struct cpu {
	__u32 idx;
	__u64 rng;
	/** Frames that this CPU has */
	__paddr_t mine[MINE];
	unsigned int cnt;
	unsigned int failures;
};

static struct cpu cpus[CPUS];

/* Frames on their way to another thread */
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;
static __paddr_t places[PLACES];

/* (a) Threads that have not finished */
static unsigned int running;

static __u32 roll(struct cpu *c, __u32 bound)
{
	c->rng = c->rng * 6364136223846793005UL + 1442695040888963407UL;
	return (__u32)((c->rng >> 32) * bound >> 32);
}

/* Takes possession of a frame that must be zero */
static void frame_use(struct cpu *c, __paddr_t paddr)
{
	char *bytes = ukplat_paddr_to_ptr(paddr);
	__sz i;

	for (i = 0; i < PAGE_SIZE; i += STRIDE) {
		c->failures += bytes[i] != 0;
		bytes[i] = (char)(c->idx + 1);
	}
	c->mine[c->cnt++] = paddr;
}

/* Gives a random frame up */
static __paddr_t frame_leave(struct cpu *c)
{
	unsigned int i = roll(c, c->cnt);
	__paddr_t paddr = c->mine[i];
	char *bytes = ukplat_paddr_to_ptr(paddr);
	__sz j;

	c->mine[i] = c->mine[--c->cnt];
	for (j = 0; j < PAGE_SIZE; j += STRIDE) {
		c->failures += bytes[j] != (char)(c->idx + 1);
		bytes[j] = 0;
	}
	return paddr;
}

static void take_many(struct cpu *c)
{
	__paddr_t some[MANY];
	unsigned int i, n;

	n = frame_take_many(some, MIN(MANY, MINE - c->cnt));
	for (i = 0; i < n; i++)
		frame_use(c, some[i]);
}

static void put_many(struct cpu *c)
{
	__paddr_t some[MANY];
	unsigned int n = 0;

	while (n < MANY && c->cnt)
		some[n++] = frame_leave(c);
	frame_put_many(some, n);
}

static void exchange(struct cpu *c)
{
	unsigned int i = roll(c, PLACES);
	__paddr_t mine = c->cnt ? frame_leave(c) : 0;
	__paddr_t other;

	(void)pthread_mutex_lock(&places_lock);
	other = places[i];
	places[i] = mine;
	(void)pthread_mutex_unlock(&places_lock);
	if (other)
		frame_use(c, other);
}

static void step(struct cpu *c)
{
	__paddr_t paddr;

	switch (roll(c, 8)) {
	case 0:
		take_many(c);
		break;
	case 1:
		put_many(c);
		break;
	case 2:
		exchange(c);
		break;
	case 3:
		paddr = uk_falloc(ukplat_falloc_get(), 1);
		if (paddr != __PADDR_INV)
			uk_ffree(ukplat_falloc_get(), paddr, 1);
		break;
	default:
		if (roll(c, MINE) >= c->cnt) {
			paddr = frame_take();
			if (paddr != __PADDR_INV)
				frame_use(c, paddr);
		} else {
			frame_put(frame_leave(c));
		}
	}
}

static void *cpu_run(void *arg)
{
	struct cpu *c = arg;
	unsigned int i;

	fake_cpu_set(c->idx);
	c->rng = c->idx + 1;
	for (i = 0; i < STEPS; i++)
		step(c);
	while (c->cnt)
		frame_put(frame_leave(c));
	__atomic_sub_fetch(&running, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *drain_run(void *arg)
{
	struct cpu *c = arg;
	unsigned int rounds = 0;

	fake_cpu_set(c->idx);
	while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
		frame_cache_drain();
		c->failures += ukplat_falloc_available() >
			       FAKE_FRAMES * PAGE_SIZE;
		rounds++;
	}
	c->failures += !rounds;
	return NULL;
}

static void places_empty(void)
{
	unsigned int i;

	for (i = 0; i < PLACES; i++)
		if (places[i])
			frame_put(places[i]);
	memset(places, 0, sizeof(places));
}

/* All frames of the machine but these are free, and are again at the end */
static void run(unsigned int drainers, unsigned int missing)
{
	struct cpu drain[2] = { { .idx = CPUS }, { .idx = 1 } };
	pthread_t threads[CPUS + 2];
	unsigned int i;

	memset(cpus, 0, sizeof(cpus));
	running = CPUS;
	for (i = 0; i < CPUS; i++) {
		cpus[i].idx = i;
		assert_int_equal(pthread_create(&threads[i], NULL, cpu_run,
						&cpus[i]),
				 0);
	}
	for (i = 0; i < drainers; i++)
		assert_int_equal(pthread_create(&threads[CPUS + i], NULL,
						drain_run, &drain[i]),
				 0);
	for (i = 0; i < CPUS + drainers; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (i = 0; i < CPUS; i++)
		assert_int_equal(cpus[i].failures, 0);
	assert_int_equal(drain[0].failures + drain[1].failures, 0);

	fake_cpu_set(0);
	places_empty();
	assert_int_equal(ukplat_falloc_available() >> PAGE_SHIFT,
			 FAKE_FRAMES - missing);
	frame_cache_drain();
	assert_int_equal(frame_cache_held(), 0);
	assert_int_equal(falloc_core.nfree, FAKE_FRAMES - missing);
	assert_true(falloc_core_is_valid(&falloc_core));
}

static int setup(void **state)
{
	(void)state;
	fake_frames_init();
	frame_cache_init();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_frames_destroy();
	return 0;
}

static void frames_are_neither_lost_nor_shared(void **state)
{
	(void)state;
	run(0, 0);
}

/* One drains as a CPU of its own, the other one meets the owner of cache 1 in
 * its own cache, as a handler on that CPU does
 */
static void frames_survive_drains(void **state)
{
	(void)state;
	run(2, 0);
}

/* There are fewer frames than all want and caches hold */
#define SCARCE 150U

static void frames_are_found_in_other_caches(void **state)
{
	static __paddr_t some[FAKE_FRAMES];
	unsigned int n = FAKE_FRAMES - SCARCE;

	(void)state;
	fake_cpu_set(0);
	assert_int_equal(frame_take_many(some, n), n);
	run(0, n);
	run(2, n);
	assert_int_equal(frame_take_many(some, FAKE_FRAMES), SCARCE);
}

#define MEETINGS (STEPS / 3)

/* (a) Frame that both put, number of arrivals, reports */
static __paddr_t victim;
static unsigned int arrivals;
static unsigned int reports;

/* Waits until both have arrived n times; looping, so that they go on at the
 * same moment
 */
static void meet(unsigned int n)
{
	unsigned int spins = 0;

	__atomic_add_fetch(&arrivals, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&arrivals, __ATOMIC_ACQUIRE) < 2 * n)
		if (++spins % 1000 == 0)
			(void)sched_yield();
}

static void *put_victim(void *arg)
{
	struct cpu *c = arg;
	unsigned int i;

	fake_cpu_set(c->idx);
	for (i = 0; i < MEETINGS; i++) {
		if (c->idx == 0)
			victim = frame_take();
		meet(3 * i + 1);
		if (FAKE_STOPS(frame_put(victim)))
			__atomic_add_fetch(&reports, 1, __ATOMIC_RELAXED);
		meet(3 * i + 2);
		c->failures += __atomic_load_n(&reports, __ATOMIC_RELAXED) !=
			       i + 1;
		meet(3 * i + 3);
	}
	return NULL;
}

static void frame_put_by_two_at_once_is_reported_once(void **state)
{
	pthread_t threads[2];
	unsigned int i;

	(void)state;
	memset(cpus, 0, sizeof(cpus));
	for (i = 0; i < 2; i++) {
		cpus[i].idx = i;
		assert_int_equal(pthread_create(&threads[i], NULL, put_victim,
						&cpus[i]),
				 0);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(cpus[i].failures, 0);
	}
	fake_cpu_set(0);
	assert_int_equal(ukplat_falloc_available(), FAKE_FRAMES * PAGE_SIZE);
	frame_cache_drain();
	assert_true(falloc_core_is_valid(&falloc_core));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			frames_are_neither_lost_nor_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(frames_survive_drains, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			frames_are_found_in_other_caches, setup, teardown),
		cmocka_unit_test_setup_teardown(
			frame_put_by_two_at_once_is_reported_once, setup,
			teardown),
	};

	return cmocka_run_group_tests_name("frame_cache", tests, NULL, NULL);
}
