/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Race test of large objects: one thread frees what another one resizes
 *
 * Either the resize comes first and the free is of what was moved away, or
 * the free does: a report of a double free. Where the object stays in place
 * both may succeed. What must not happen is an access of the library to
 * memory that the other thread has just taken away.
 *
 * Each attempt is a process of its own. TSan is right to complain about such
 * a program, so there is nothing to test with it.
 *
 * links: tests/model/object.c
 */

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <uk/allocrnd.h>

#include "heap.h"
#include "object.h"
#include "resize.h"

#define ATTEMPTS   40U
#define VICTIM_LEN 100000U
#define FIRST_LINE "ukallocrnd: BUG: double free: ptr="

static struct uk_alloc *heap;
static void *victim;
static pthread_barrier_t start;

static void *free_it(void *arg)
{
	pthread_barrier_wait(&start);
	uk_free(heap, victim);
	return arg;
}

static void ask_size(void)
{
	struct rnd_heap *h = rnd_heap_dyn_of(heap)->heap;
	unsigned int i;

	for (i = 0; i < 100; i++)
		(void)rnd_requested(h, victim, "test", 0);
}

static void resize_in_place(void)
{
	(void)uk_realloc(heap, victim, VICTIM_LEN + 1);
}

static void move_away(void)
{
	(void)uk_realloc(heap, victim, 2UL * VICTIM_LEN);
}

static void copy_out(void)
{
	(void)uk_realloc(heap, victim, 1000);
}

static void __attribute__((noreturn)) child_run(void (*fn)(void), int fd)
{
	pthread_t thread;

	if (dup2(fd, STDERR_FILENO) < 0)
		_exit(1);
	alarm(60);
	heap = uk_allocrnd_init(NULL, 0);
	EXPECT(heap);
	victim = uk_malloc(heap, VICTIM_LEN);
	EXPECT(victim);
	memset(victim, 1, VICTIM_LEN);
	EXPECT(!pthread_barrier_init(&start, NULL, 2));
	EXPECT(!pthread_create(&thread, NULL, free_it, NULL));
	pthread_barrier_wait(&start);
	fn();
	EXPECT(!pthread_join(thread, NULL));
	_exit(0);
}

/* Runs an attempt; 1: it ended in a report, 0: in peace */
static int attempt(void (*fn)(void))
{
	char output[1024];
	size_t len = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(0, pipe(fds));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		child_run(fn, fds[1]);
	close(fds[1]);
	while ((n = read(fds[0], output + len, sizeof(output) - 1 - len)) > 0)
		len += (size_t)n;
	output[len] = 0;
	close(fds[0]);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT ||
	    strncmp(output, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		fail_msg("status %#x, output: %s", status, output);
	return 1;
}

static void free_against_what_stays(void **state)
{
	unsigned int i;

	(void)state;
	if (TEST_TSAN)
		skip();
	for (i = 0; i < ATTEMPTS; i++) {
		(void)attempt(ask_size);
		(void)attempt(resize_in_place);
	}
}

/* One of the two is always too late */
static void free_against_what_moves(void **state)
{
	unsigned int i;

	(void)state;
	if (TEST_TSAN)
		skip();
	for (i = 0; i < ATTEMPTS; i++) {
		assert_int_equal(1, attempt(move_away));
		assert_int_equal(1, attempt(copy_out));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(free_against_what_stays),
		cmocka_unit_test(free_against_what_moves),
	};

	test_seed_init(argc, argv);
	return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
