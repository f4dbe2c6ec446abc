/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Race test of waits: a thread with a real-time priority, and one without, on
 * one processor and one lock
 *
 * The kernel lets the second one run only while the first one sleeps. So who
 * waits for a lock must sleep sooner or later: yielding alone waits until the
 * kernel takes the processor away, a second or more each time.
 *
 * links: tests/model/object.c
 */

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <sys/wait.h>

#include <cmocka.h>

#include <uk/alloc.h>
#include <uk/allocrnd.h>

#include "object.h"

#define LARGE	   200000UL
#define PAIRS	   2000U
#define PAUSE_NSEC 137000L
#define LIMIT_SEC  4 /* 2,000 pairs and pauses take 0.6 seconds */

#define CANNOT 2 /* exit status: no permission */

static struct uk_alloc *heap;
static int stop;

static void pair(void)
{
	void *ptr = uk_malloc(heap, LARGE);

	if (!ptr)
		_exit(1);
	uk_free(heap, ptr);
}

static void *without(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		pair();
	return arg;
}

/* Both on the processor that this thread is on */
static int stay_here(void)
{
	cpu_set_t here;
	int cpu = sched_getcpu();

	CPU_ZERO(&here);
	CPU_SET((unsigned int)cpu, &here);
	return cpu < 0 || sched_setaffinity(0, sizeof(here), &here);
}

static int pairs_with_priority(void)
{
	const struct sched_param fifo = { .sched_priority = 50 };
	struct timespec pause = { .tv_nsec = PAUSE_NSEC }, from, to;
	pthread_t low;
	unsigned int i;

	heap = uk_allocrnd_init(NULL, 0);
	if (!heap || stay_here() || pthread_create(&low, NULL, without, NULL))
		return 1;
	if (sched_setscheduler(0, SCHED_FIFO, &fifo))
		return CANNOT;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < PAIRS; i++) {
		nanosleep(&pause, NULL);
		pair();
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	return to.tv_sec - from.tv_sec > LIMIT_SEC;
}

static void who_waits_lets_others_run(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (TEST_TSAN)
		skip();
	/* Priority and place are those of a process of its own */
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(pairs_with_priority());
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT)
		skip();
	assert_int_equal(0, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_lets_others_run),
	};

	test_seed_init(argc, argv);
	return cmocka_run_group_tests_name("priority", tests, NULL, NULL);
}
