/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Threads and processes: beginning, end, and everything at once */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api.h"

#define THREADS_MANY 300
#define KEYS	     64
#define CHILDREN     16

static void churn(unsigned int seed, int rounds)
{
	void *live[64] = { NULL };
	int i, at;

	for (i = 0; i < rounds; i++) {
		at = (int)(seed >> 16) % 64;
		free(live[at]);
		live[at] = malloc(seed % 2000);
		seed = seed * 1103515245 + 12345;
	}
	for (i = 0; i < 64; i++)
		free(live[i]);
}

static void *churn_thread(void *arg)
{
	churn((unsigned int)(uintptr_t)arg, 20000);
	return NULL;
}

/* Threads come and go; what they leave behind serves the next ones */
static void short_lived_threads(void)
{
	pthread_t thread;
	uintptr_t i;

	for (i = 0; i < 2000; i++) {
		API_CHECK(!pthread_create(&thread, NULL, churn_thread,
					  (void *)(i % 4 ? 0 : i)));
		pthread_join(thread, NULL);
		if (i > 100)
			i += 19;
	}
}

static pthread_barrier_t many_alive;

static void *many_thread(void *arg)
{
	void *ptr = malloc((size_t)(uintptr_t)arg + 1);

	pthread_barrier_wait(&many_alive);
	churn((unsigned int)(uintptr_t)arg, 300);
	return ptr;
}

/* More threads at once than the library has states for */
static void more_threads_than_states(void)
{
	pthread_t threads[THREADS_MANY];
	uintptr_t i;
	void *ptr;

	pthread_barrier_init(&many_alive, NULL, THREADS_MANY);
	for (i = 0; i < THREADS_MANY; i++)
		API_CHECK(!pthread_create(&threads[i], NULL, many_thread,
					  (void *)i));
	for (i = 0; i < THREADS_MANY; i++) {
		pthread_join(threads[i], &ptr);
		free(ptr);
	}
}

static pthread_key_t keys[KEYS];

static void key_destructor(void *value)
{
	size_t rounds = *(size_t *)value;
	size_t *next;

	free(value);
	if (!rounds)
		return;
	next = malloc(sizeof(*next));
	*next = rounds - 1;
	pthread_setspecific(keys[rounds % KEYS], next);
}

static void *key_thread(void *arg)
{
	size_t *value;
	int i;

	(void)arg;
	for (i = 0; i < KEYS; i++) {
		value = malloc(sizeof(*value));
		*value = (size_t)i % 5;
		pthread_setspecific(keys[i], value);
	}
	return NULL;
}

/* Destructors of thread-specific data allocate and free, in all rounds and
 * whether they run before or after the library's own
 */
static void destructors_may_allocate(void)
{
	pthread_t thread;
	int i;

	for (i = 0; i < KEYS; i++)
		API_CHECK(!pthread_key_create(&keys[i], key_destructor));
	for (i = 0; i < 20; i++) {
		API_CHECK(!pthread_create(&thread, NULL, key_thread, NULL));
		pthread_join(thread, NULL);
	}
	for (i = 0; i < KEYS; i++)
		pthread_key_delete(keys[i]);
}

static void *producer(void *arg)
{
	void **slots = arg;
	int i;

	for (i = 0; i < 2000; i++) {
		slots[i] = malloc((size_t)i);
		memset(slots[i], i, (size_t)i);
	}
	return NULL;
}

/* Objects outlive the thread that allocated them */
static void objects_of_a_dead_thread(void)
{
	static void *slots[2000];
	pthread_t thread;
	int round, i;

	for (round = 0; round < 10; round++) {
		API_CHECK(!pthread_create(&thread, NULL, producer, slots));
		pthread_join(thread, NULL);
		for (i = 0; i < 2000; i++) {
			if (i)
				API_CHECK(*(unsigned char *)slots[i] ==
					  (unsigned char)i);
			free(slots[i]);
		}
	}
}

static volatile int stop_churning;

static void *churn_until(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!stop_churning)
		churn(seed++, 1000);
	return NULL;
}

static int wait_status(pid_t pid)
{
	int status = -1;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

/* fork() while other threads are inside the allocator; the child works on */
static void fork_while_others_allocate(void)
{
	pthread_t threads[4], thread;
	uintptr_t i;
	pid_t pid;

	stop_churning = 0;
	for (i = 0; i < 4; i++)
		API_CHECK(!pthread_create(&threads[i], NULL, churn_until,
					  (void *)i));
	for (i = 0; i < 50; i++) {
		pid = fork();
		if (!pid) {
			churn((unsigned int)i, 20000);
			if (pthread_create(&thread, NULL, churn_thread, NULL))
				_exit(1);
			pthread_join(thread, NULL);
			_exit(0);
		}
		API_CHECK(wait_status(pid) == 0);
	}
	stop_churning = 1;
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

/* The next address of each child and of the parent: all different */
static void children_get_other_layouts(void)
{
	uintptr_t next[CHILDREN + 1] = { 0 };
	void *warm = malloc(64);
	int fds[2], i, k;
	pid_t pid;

	API_CHECK(!pipe(fds));
	for (i = 0; i < CHILDREN; i++) {
		pid = fork();
		if (!pid) {
			next[0] = (uintptr_t)malloc(64);
			_exit(write(fds[1], next, sizeof(next[0])) !=
			      sizeof(next[0]));
		}
		API_CHECK(wait_status(pid) == 0);
		API_CHECK(read(fds[0], &next[i], sizeof(next[0])) ==
			  sizeof(next[0]));
	}
	next[CHILDREN] = (uintptr_t)malloc(64);

	/* 17 draws from hundreds of slots: a few may coincide, many not */
	for (i = 0, k = 0; i < CHILDREN; i++)
		k += next[i] == next[i + 1];
	API_CHECK(k < CHILDREN / 2);
	free((void *)next[CHILDREN]);
	free(warm);
	close(fds[0]);
	close(fds[1]);
}

/* The child's standard error is a full pipe that nobody reads */
static __attribute__((noreturn)) void report_into_full_pipe(int fd)
{
	void *volatile ptr = malloc(100);
	char text[512] = { 0 };

	/* A child that waits for a reader ends with the wrong signal */
	alarm(20);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) || dup2(fd, STDERR_FILENO) < 0)
		_exit(1);
	while (write(fd, text, sizeof(text)) > 0)
		;
	free(ptr);
	free(ptr);
	_exit(0);
}

static void reports_do_not_wait_for_readers(void)
{
	int fds[2], status;
	pid_t pid;

	API_CHECK(!pipe(fds));
	pid = fork();
	if (!pid)
		report_into_full_pipe(fds[1]);
	status = wait_status(pid);
	API_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	close(fds[0]);
	close(fds[1]);
}

static void other_programs_start(void)
{
	char name[] = "true";
	char *argv[] = { name, NULL };
	pid_t pid;

	API_CHECK(!posix_spawnp(&pid, "true", NULL, NULL, argv, environ));
	API_CHECK(wait_status(pid) == 0);
	API_CHECK(system("true | cat") == 0);
}

static void allocate_in_handler(int signo)
{
	void *volatile ptr = malloc((size_t)signo * 10);

	free(ptr);
}

/* A signal that comes while fork() is under way: its handler runs in the thread
 * that forks, and may allocate
 */
static void handlers_run_while_forking(void)
{
	struct sigaction action = { .sa_handler = allocate_in_handler,
				    .sa_flags = SA_RESTART };
	struct sigaction before;
	pid_t pid;
	int i;

	API_CHECK(!sigaction(SIGUSR1, &action, &before));
	for (i = 0; i < 300; i++) {
		pid = fork();
		if (!pid) {
			kill(getppid(), SIGUSR1);
			_exit(0);
		}
		API_CHECK(wait_status(pid) == 0);
	}
	API_CHECK(!sigaction(SIGUSR1, &before, NULL));
}

#define MAPPED_LEN   1048576UL
#define MAPPED_TRIES 8

/* Two objects of one size, of which the second may get what the first had */
static char *mapped_object(void)
{
	char *p = NULL;

	API_CHECK(!posix_memalign((void **)&p, 4096, MAPPED_LEN));
	memset(p, 'o', MAPPED_LEN);
	return p;
}

/* What was asked for one object, the next one does not have */
static void advice_ends_with_the_object(void)
{
	static const int advice[] = { MADV_WIPEONFORK, MADV_DONTFORK };
	unsigned int i;
	pid_t pid;
	char *p;

	for (i = 0; i < 2 * MAPPED_TRIES; i++) {
		p = mapped_object();
		API_CHECK(!madvise(p, MAPPED_LEN, advice[i % 2]));
		free(p);
		p = mapped_object();
		pid = fork();
		if (!pid)
			_exit(p[0] != 'o' || p[MAPPED_LEN - 1] != 'o');
		API_CHECK(wait_status(pid) == 0);
		free(p);
	}
}

/* A file that is mapped over an object, or over a part of it, is the user's */
static void mapped_files_stay_as_they_are(void)
{
	FILE *file = tmpfile();
	char byte = 0;
	size_t from;
	char *p;
	int i;

	API_CHECK(file != NULL);
	API_CHECK(!ftruncate(fileno(file), (off_t)MAPPED_LEN));
	for (i = 0; i < MAPPED_TRIES; i++) {
		from = i % 2 ? MAPPED_LEN / 2 : 0;
		p = mapped_object();
		API_CHECK(mmap(p + from, MAPPED_LEN - from,
			       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			       fileno(file), (off_t)from) == p + from);
		memset(p, 'f', MAPPED_LEN);
		free(p);
		p = mapped_object();
		API_CHECK(pread(fileno(file), &byte, 1, (off_t)from + 5000) ==
				  1 &&
			  byte == 'f');
		free(p);
	}
	API_CHECK(!fclose(file));
}

const struct api_test api_process_tests[] = {
	{ "short_lived_threads", short_lived_threads },
	{ "more_threads_than_states", more_threads_than_states },
	{ "destructors_may_allocate", destructors_may_allocate },
	{ "objects_of_a_dead_thread", objects_of_a_dead_thread },
	{ "fork_while_others_allocate", fork_while_others_allocate },
	{ "children_get_other_layouts", children_get_other_layouts },
	{ "reports_do_not_wait_for_readers", reports_do_not_wait_for_readers },
	{ "other_programs_start", other_programs_start },
	{ "handlers_run_while_forking", handlers_run_while_forking },
	{ "advice_ends_with_the_object", advice_ends_with_the_object },
	{ "mapped_files_stay_as_they_are", mapped_files_stay_as_they_are },
	{ NULL, NULL },
};
