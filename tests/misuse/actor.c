/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <string.h>

#include "actor.h"
#include "object.h"

struct thread {
	int lives;
	pthread_t handle;
	sem_t work, done;
	actor_func fn;
	void *arg;
};

struct race {
	unsigned int arrived;
	actor_func fn;
	void *arg;
};

static struct thread threads[ACTOR_COUNT];

const char *const actor_name[ACTOR_COUNT] = { "main", "A", "B", "new" };

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem))
		EXPECT(errno == EINTR);
}

static void *thread_live(void *arg)
{
	struct thread *t = arg;

	for (;;) {
		wait_for(&t->work);
		t->fn(t->arg);
		sem_post(&t->done);
	}
	return NULL;
}

static void *thread_once(void *arg)
{
	struct thread *t = arg;

	t->fn(t->arg);
	sem_post(&t->done);
	return NULL;
}

static void thread_init(struct thread *t, void *(*run)(void *arg))
{
	EXPECT(!sem_init(&t->work, 0, 0));
	EXPECT(!sem_init(&t->done, 0, 0));
	EXPECT(!pthread_create(&t->handle, NULL, run, t));
	t->lives = 1;
}

/* Begins fn(arg) in a thread other than the calling one */
static void thread_begin(enum actor actor, actor_func fn, void *arg)
{
	struct thread *t = &threads[actor];

	t->fn = fn;
	t->arg = arg;
	if (actor == ACTOR_NEW) {
		thread_init(t, thread_once);
		return;
	}
	if (!t->lives)
		thread_init(t, thread_live);
	sem_post(&t->work);
}

static void thread_end(enum actor actor)
{
	struct thread *t = &threads[actor];

	wait_for(&t->done);
	if (actor == ACTOR_NEW)
		EXPECT(!pthread_join(t->handle, NULL));
}

void actor_run(enum actor actor, actor_func fn, void *arg)
{
	if (actor == ACTOR_MAIN) {
		fn(arg);
		return;
	}
	thread_begin(actor, fn, arg);
	thread_end(actor);
}

static void nothing(void *arg)
{
	(void)arg;
}

void actor_start(void)
{
	actor_run(ACTOR_A, nothing, NULL);
	actor_run(ACTOR_B, nothing, NULL);
}

static void race_run(void *arg)
{
	struct race *race = arg;

	__atomic_add_fetch(&race->arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&race->arrived, __ATOMIC_SEQ_CST) < 2)
		;
	race->fn(race->arg);
}

void actor_race(enum actor first, enum actor second, actor_func fn, void *arg)
{
	struct race race = { .fn = fn, .arg = arg };

	EXPECT(first != second && second != ACTOR_MAIN);
	thread_begin(second, race_run, &race);
	if (first == ACTOR_MAIN)
		race_run(&race);
	else
		actor_run(first, race_run, &race);
	thread_end(second);
}

void actor_child(void)
{
	memset(threads, 0, sizeof(threads));
}
