/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* fork() in a signal handler, which comes in the middle of a call of the heap
 *
 * The operation that was interrupted is never waited for, neither in the
 * parent nor in the child: it goes on when the handler returns. Each case is a
 * process of its own, because what is looked for is one that hangs.
 *
 * links: tests/model/object.c
 */

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sys/time.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <uk/alloc.h>
#include <uk/allocrnd.h>

#include "config.h"
#include "host.h"
#include "object.h"

#define LARGE	    200000UL
#define FORKS_LARGE 3000U
#define FORKS_CROWD 200U
#define DELAY_USEC  400

/* Who has not ended by then hangs */
#define CHILD_MSEC 10000U
#define CASE_MSEC  60000U

#define CROWD (RND_CPU_COUNT - 2U)

static struct uk_alloc *heap;
static unsigned int forks;
static int in_handler;

/* Waits for a process; 1: it did not end well, or not at all */
static int ends_badly(pid_t pid, unsigned int msec)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int status = -1;

	for (; msec && waitpid(pid, &status, WNOHANG) != pid; msec--)
		nanosleep(&pause, NULL);
	if (msec)
		return status != 0;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 1;
}

/* Once, so that calls go on between two signals; each time a bit later */
static void signal_later(void)
{
	const struct itimerval timer = {
		.it_value.tv_usec = 100 + forks % DELAY_USEC,
	};

	if (setitimer(ITIMER_REAL, &timer, NULL))
		_exit(1);
}

static void fork_now(int signo)
{
	pid_t pid;

	__atomic_store_n(&in_handler, 1, __ATOMIC_RELEASE);
	pid = fork();
	if (!pid)
		_exit(0);
	if (pid < 0 || ends_badly(pid, CHILD_MSEC))
		_exit(1);
	__atomic_add_fetch(&forks, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&in_handler, 0, __ATOMIC_RELEASE);
	if (signo == SIGALRM)
		signal_later();
}

static unsigned int forked(void)
{
	return __atomic_load_n(&forks, __ATOMIC_ACQUIRE);
}

static void case_begin(int signo)
{
	struct sigaction action = { .sa_handler = fork_now };

	heap = uk_allocrnd_init(NULL, 0);
	if (!heap || rnd_host_fork_init() || sigaction(signo, &action, NULL))
		_exit(1);
}

/* Under the lock of large objects, and while pages are parked */
static void large_calls(void)
{
	unsigned char *ptr;

	case_begin(SIGALRM);
	signal_later();
	while (forked() < FORKS_LARGE) {
		ptr = uk_malloc(heap, LARGE);
		if (ptr)
			*ptr = 1;
		uk_free(heap, ptr);
	}
}

static void *lease_and_stay(void *arg)
{
	uk_free(heap, uk_malloc(heap, 40));
	pthread_barrier_wait(arg);
	while (pause() < 0)
		;
	return arg;
}

static void *work_in_shared(void *arg)
{
	while (forked() < FORKS_CROWD)
		uk_free(heap, uk_malloc(heap, 40));
	return arg;
}

/* In the state that threads share for which there is none left */
static void shared_calls(void)
{
	const struct timespec pause = { .tv_nsec = 200000 };
	pthread_barrier_t all;
	pthread_t thread;
	unsigned int i;

	case_begin(SIGUSR1);
	uk_free(heap, uk_malloc(heap, 40));
	if (pthread_barrier_init(&all, NULL, CROWD + 1))
		_exit(1);
	for (i = 0; i < CROWD; i++)
		if (pthread_create(&thread, NULL, lease_and_stay, &all))
			_exit(1);
	pthread_barrier_wait(&all);
	if (pthread_create(&thread, NULL, work_in_shared, NULL))
		_exit(1);
	while (forked() < FORKS_CROWD) {
		if (!__atomic_load_n(&in_handler, __ATOMIC_ACQUIRE))
			pthread_kill(thread, SIGUSR1);
		nanosleep(&pause, NULL);
	}
}

static void run_case(void (*fn)(void))
{
	pid_t pid;

	if (TEST_TSAN)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		fn();
		_exit(0);
	}
	assert_false(ends_badly(pid, CASE_MSEC));
}

static void a_handler_forks_in_large_calls(void **state)
{
	(void)state;
	run_case(large_calls);
}

static void a_handler_forks_in_the_shared_state(void **state)
{
	(void)state;
	run_case(shared_calls);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handler_forks_in_large_calls),
		cmocka_unit_test(a_handler_forks_in_the_shared_state),
	};

	test_seed_init(argc, argv);
	return cmocka_run_group_tests_name("race_fork_handler", tests, NULL,
					   NULL);
}
