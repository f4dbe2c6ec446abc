/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* fork() while other threads are inside a heap
 *
 * Threads allocate, hand objects to each other and free; each of them forks
 * now and then. A child finds the heap in one piece: the walk over all
 * invariants says so, and it can use everything that the process had.
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <uk/alloc.h>
#include <uk/allocrnd.h>

#include "host.h"
#include "port.h"

#define THREADS		4
#define FORKS		6
#define ROUNDS		2000
#define EXCHANGE	64
#define SIZE_MAX_TESTED 3000

/* One object of so many has pages of its own */
#define LARGE_SHARE 16
#define LARGE_MIN   40000

static struct uk_alloc *heap;
static void *exchange[EXCHANGE];

struct worker {
	pthread_t thread;
	unsigned int seed;
	int failed_children;
};

static unsigned int draw(unsigned int *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return *seed >> 8;
}

/* Puts a new object into a place that any thread may take it from */
static void churn(unsigned int *seed, int rounds)
{
	unsigned int *object;
	size_t len;
	int i;

	for (i = 0; i < rounds; i++) {
		len = sizeof(*object) + draw(seed) % SIZE_MAX_TESTED;
		if (draw(seed) % LARGE_SHARE == 0)
			len += LARGE_MIN;
		object = uk_malloc(heap, len);
		if (!object)
			continue;
		if (draw(seed) % LARGE_SHARE == 0) {
			len += LARGE_MIN;
			object = uk_realloc(heap, object, len);
			if (!object)
				abort();
		}
		*object = (unsigned int)len;
		object = __atomic_exchange_n(&exchange[draw(seed) % EXCHANGE],
					     object, __ATOMIC_ACQ_REL);
		uk_free(heap, object);
	}
}

/* What the child does; its exit status is 0 if all is well */
static void __attribute__((noreturn)) child(unsigned int seed)
{
	unsigned int i;

	if (uk_allocrnd_check(heap))
		_exit(1);
	churn(&seed, ROUNDS);
	for (i = 0; i < EXCHANGE; i++)
		uk_free(heap, exchange[i]);
	if (uk_allocrnd_check(heap))
		_exit(2);
	_exit(0);
}

static int fork_fails(unsigned int seed)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		child(seed);
	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int i;

	for (i = 0; i < FORKS; i++) {
		churn(&w->seed, ROUNDS);
		w->failed_children += fork_fails(w->seed);
	}
	churn(&w->seed, ROUNDS);
	return NULL;
}

static void children_find_the_heap_in_one_piece(void **state)
{
	struct worker workers[THREADS];
	unsigned int i;

	(void)state;
	for (i = 0; i < THREADS; i++) {
		workers[i].seed = i + 1;
		workers[i].failed_children = 0;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
						&workers[i]),
				 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].failed_children, 0);
	}
	for (i = 0; i < EXCHANGE; i++) {
		uk_free(heap, exchange[i]);
		exchange[i] = NULL;
	}
	assert_int_equal(uk_allocrnd_check(heap), 0);
}

/* The leases of threads that a child does not have serve its own threads */
static void *lease_one(void *arg)
{
	uk_free(heap, uk_malloc(heap, 100));
	return arg;
}

static void vanished_threads_leave_no_lease(void **state)
{
	pthread_t thread;
	unsigned int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		assert_int_equal(pthread_create(&thread, NULL, lease_one, NULL),
				 0);
		pthread_join(thread, NULL);
	}
	rnd_host_lease_child();
	assert_true(rnd_port_cpu() != 0);
	assert_int_equal(uk_allocrnd_check(heap), 0);
}

/* Parent and children go on with different choices */
static void no_two_processes_choose_alike(void **state)
{
	enum {
		PROCESSES = 12,
		DRAWS = 8
	};
	uintptr_t seen[PROCESSES][DRAWS];
	int fds[2], i, k, alike = 0;
	ssize_t len;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	uk_free(heap, uk_malloc(heap, 64));
	for (i = 0; i < PROCESSES; i++) {
		pid = fork();
		if (!pid) {
			for (k = 0; k < DRAWS; k++)
				seen[i][k] = (uintptr_t)uk_malloc(heap, 64);
			len = write(fds[1], seen[i], sizeof(seen[i]));
			_exit(len != sizeof(seen[i]));
		}
		waitpid(pid, NULL, 0);
		len = read(fds[0], seen[i], sizeof(seen[i]));
		assert_int_equal(len, sizeof(seen[i]));
	}
	/* Two equal sequences of 8 from hundreds of slots: below 2^-50 */
	for (i = 0; i < PROCESSES; i++)
		for (k = 0; k < i; k++)
			alike += !memcmp(seen[i], seen[k], sizeof(seen[i]));
	assert_int_equal(alike, 0);
}

static int setup(void **state)
{
	(void)state;
	heap = uk_allocrnd_init(NULL, 0);
	return !heap || rnd_host_fork_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_find_the_heap_in_one_piece),
		cmocka_unit_test(vanished_threads_leave_no_lease),
		cmocka_unit_test(no_two_processes_choose_alike),
	};

	return cmocka_run_group_tests_name("race_fork", tests, setup, NULL);
}
