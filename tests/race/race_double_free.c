/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Race test of a double free: two threads free one object at the same moment
 *
 * Threads that do not own the slab compare and swap the state, so the second
 * one finds out at once. The owner does not, and may overtake: that is found
 * when it takes what others freed, or at the latest when the process ends. No
 * interleaving may get through.
 *
 * The interleavings are replayed: after the first free, slot and state word
 * are put back to what the second thread would have read a moment earlier.
 * Threads that really race test the same once more, wherever they meet.
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
#include "world.h"

#define ATTEMPTS   100U
#define VICTIM_LEN 40U
#define FIRST_LINE "ukallocrnd: BUG: double free: ptr="

static struct uk_alloc *heap;
static void *victim;

/*
 * Children
 */

/* Runs fn in a child, which must end with a report. Tells whether the second
 * free could not see the first.
 */
static int child_reports(void (*fn)(uint64_t seed), uint64_t seed)
{
	char output[1024];
	size_t len = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(0, pipe(fds));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (dup2(fds[1], STDERR_FILENO) < 0)
			_exit(1);
		alarm(60);
		heap = uk_allocrnd_init(NULL, 0);
		EXPECT(heap);
		fn(seed);
		rnd_world_exit_check();
		_exit(0);
	}

	close(fds[1]);
	while ((n = read(fds[0], output + len, sizeof(output) - 1 - len)) > 0)
		len += (size_t)n;
	output[len] = 0;
	close(fds[0]);
	assert_int_equal(pid, waitpid(pid, &status, 0));

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT ||
	    strncmp(output, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		fail_msg("seed %lu: status %#x, output: %s", seed, status,
			 output);
	return strstr(output, "at the same time") != NULL;
}

/*
 * Replayed interleavings: the calling thread owns the victim
 */

/* What a thread that looked before the first free has seen */
static __u16 *state_word;
static __u16 state_seen;
static __u8 slot_seen[VICTIM_LEN + RND_CANARY_SLACK_MIN];

static void victim_make(void)
{
	struct rnd_heap *h;
	struct rnd_place place;

	h = __containerof(heap, struct rnd_heap_dyn, a)->heap;
	victim = uk_malloc(heap, VICTIM_LEN);
	EXPECT(victim && rnd_pagemap_find(&h->pm, victim, &place));
	state_word = place.state;
	state_seen = *state_word;
	memcpy(slot_seen, victim, sizeof(slot_seen));
}

static void victim_put_back(void)
{
	*state_word = state_seen;
	memcpy(victim, slot_seen, sizeof(slot_seen));
}

static void *free_and_stay(void *freed)
{
	uk_free(heap, victim);
	pthread_barrier_wait(freed);
	pause();
	return NULL;
}

static void *free_and_leave(void *arg)
{
	uk_free(heap, victim);
	return arg;
}

/* Another thread frees, and what it did stays in its batch */
static void other_frees(void)
{
	pthread_barrier_t freed;
	pthread_t thread;

	EXPECT(!pthread_barrier_init(&freed, NULL, 2));
	EXPECT(!pthread_create(&thread, NULL, free_and_stay, &freed));
	pthread_barrier_wait(&freed);
}

/* Another thread frees and sends its batch to the owner */
static void other_frees_and_delivers(void)
{
	pthread_t thread;

	EXPECT(!pthread_create(&thread, NULL, free_and_leave, NULL));
	EXPECT(!pthread_join(thread, NULL));
}

/* Only the owner may be late: its store is no compare and swap */
static void replay_late_owner(uint64_t seed)
{
	(void)seed;
	victim_make();
	other_frees();
	victim_put_back();
	uk_free(heap, victim);
}

static void replay_late_owner_after_delivery(uint64_t seed)
{
	(void)seed;
	victim_make();
	other_frees_and_delivers();
	victim_put_back();
	uk_free(heap, victim);
}

/* The slot has passed the owner's quarantine when the batch arrives */
static void replay_late_owner_recycles(uint64_t seed)
{
	replay_late_owner(seed);
	uk_allocrnd_flush(heap);
}

static void free_by_owner_and_other(uint64_t seed)
{
	(void)seed;
	victim_make();
	uk_free(heap, victim);
	other_frees();
}

static void free_by_two_others(uint64_t seed)
{
	(void)seed;
	victim_make();
	other_frees();
	other_frees();
}

static void double_free_by_a_late_owner_is_found_later(void **state)
{
	(void)state;
	if (TEST_TSAN)
		skip();
	assert_true(child_reports(replay_late_owner, 0));
	assert_true(child_reports(replay_late_owner_after_delivery, 0));
	assert_true(child_reports(replay_late_owner_recycles, 0));
}

static void double_free_by_others_is_found_at_once(void **state)
{
	(void)state;
	if (TEST_TSAN)
		skip();
	assert_false(child_reports(free_by_owner_and_other, 0));
	assert_false(child_reports(free_by_two_others, 0));
}

/*
 * Real races
 */

/* Two of three threads free; the third one sleeps at the barriers, so that two
 * processors are enough
 */
static pthread_barrier_t barrier;
static unsigned int sleeper;
static uint64_t delay[3];

/* Meets the other thread within a few cycles: the barrier wakes one after the
 * other, the clock lets both go
 */
static void free_together(unsigned int idx)
{
	static unsigned int arrived;
	static uint64_t start;

	if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == 2)
		__atomic_store_n(&start, __builtin_ia32_rdtsc() + 5000,
				 __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&start, __ATOMIC_SEQ_CST))
		__builtin_ia32_pause();
	while (__builtin_ia32_rdtsc() < start + delay[idx])
		;
	uk_free(heap, victim);
}

/* Thread 0 owns the victim; every thread has used its state before it frees */
static void *thread_run(void *arg)
{
	unsigned int idx = *(unsigned int *)arg;
	void *warm = uk_malloc(heap, VICTIM_LEN);

	if (idx == 0)
		victim = warm;
	else
		uk_free(heap, warm);
	pthread_barrier_wait(&barrier);
	if (idx != sleeper)
		free_together(idx);

	/* Nobody leaves early and delivers what he freed */
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void race(uint64_t seed)
{
	struct random random = { seed };
	unsigned int i, idx[3] = { 0, 1, 2 };
	pthread_t threads[3];

	EXPECT(!pthread_barrier_init(&barrier, NULL, 3));
	for (i = 0; i < 3; i++)
		delay[i] = random_below(&random, 200);
	for (i = 0; i < 3; i++)
		EXPECT(!pthread_create(&threads[i], NULL, thread_run, &idx[i]));
	for (i = 0; i < 3; i++)
		EXPECT(!pthread_join(threads[i], NULL));
}

static void assert_races_reported(void)
{
	unsigned int i, later = 0;

	if (TEST_TSAN)
		skip();
	for (i = 0; i < ATTEMPTS; i++)
		later += (unsigned int)child_reports(race,
						     test_seed * ATTEMPTS + i);
	print_message("%u of %u found later\n", later, ATTEMPTS);
}

static void double_free_race_of_owner_and_other_is_reported(void **state)
{
	(void)state;
	sleeper = 2;
	assert_races_reported();
}

static void double_free_race_of_two_others_is_reported(void **state)
{
	(void)state;
	sleeper = 0;
	assert_races_reported();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(double_free_by_a_late_owner_is_found_later),
		cmocka_unit_test(double_free_by_others_is_found_at_once),
		cmocka_unit_test(
			double_free_race_of_owner_and_other_is_reported),
		cmocka_unit_test(double_free_race_of_two_others_is_reported),
	};

	test_seed_init(argc, argv);
	return cmocka_run_group_tests_name("double_free", tests, NULL, NULL);
}
