/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Objects freed twice */

#include <pthread.h>
#include <stdlib.h>

#include "crime.h"

/* Objects freed between the two frees of the victim */
#define OTHERS 10

/* Allocations that empty every pool many times over */
#define REUSE_MAX   20000UL
#define REUSE_BYTES (64UL << 20)

static void *free_in_thread(void *ptr)
{
	crime_announce_freer();
	free(ptr);
	return NULL;
}

static void double_free(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	free(ptr);
	free(ptr);
}

/* The victim is not the object freed last */
static void double_free_later(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);
	void *other[OTHERS];
	int i;

	for (i = 0; i < OTHERS; i++)
		other[i] = crime_malloc(args->size);
	crime_announce(ptr);
	free(ptr);
	for (i = 0; i < OTHERS; i++)
		free(other[i]);
	free(ptr);
}

/* So many objects of the same size are allocated in between that one of them
 * would get the address of the victim: it must not
 */
static void double_free_reallocated(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);
	size_t i, most = REUSE_BYTES / args->size;

	if (most > REUSE_MAX)
		most = REUSE_MAX;
	crime_announce(ptr);
	free(ptr);
	for (i = 0; i < most; i++)
		crime_malloc(args->size);
	free(ptr);
}

static void double_free_other_thread(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	crime_announce_freer();
	free(ptr);
	crime_in_thread(free_in_thread, ptr);
}

static void double_free_after_other_thread(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	crime_in_thread(free_in_thread, ptr);
	free(ptr);
}

static void double_free_two_threads(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	crime_in_thread(free_in_thread, ptr);
	crime_in_thread(free_in_thread, ptr);
}

/* The owner of the object is gone when it is freed */
static void *alloc_in_thread(void *arg)
{
	void **slot = arg;

	*slot = crime_malloc(*(size_t *)arg);
	return NULL;
}

static void double_free_orphan(const struct crime_args *args)
{
	void *ptr = (void *)args->size;

	crime_in_thread(alloc_in_thread, &ptr);
	crime_announce(ptr);
	free(ptr);
	free(ptr);
}

/* Two threads free at the same moment. They spin until both are there: a
 * barrier of the C library would wake them one after the other.
 */
struct race {
	pthread_barrier_t start;
	unsigned int arrived;
	void *ptr;
};

static void *race_run(void *arg)
{
	struct race *race = arg;

	/* A state of its own for this thread, before it counts */
	free(crime_malloc(1));
	__atomic_add_fetch(&race->arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&race->arrived, __ATOMIC_SEQ_CST) < 2)
		;
	free(race->ptr);
	return NULL;
}

static void double_free_race(const struct crime_args *args)
{
	struct race race = { .ptr = crime_malloc(args->size) };
	pthread_t threads[2];
	int i;

	crime_announce(race.ptr);
	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, race_run, &race))
			crime_skip("pthread_create failed");
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

/* The owner and another thread free at the same moment */
static void double_free_race_owner(const struct crime_args *args)
{
	struct race race = { .ptr = crime_malloc(args->size) };
	pthread_t thread;

	crime_announce(race.ptr);
	if (pthread_create(&thread, NULL, race_run, &race))
		crime_skip("pthread_create failed");
	race_run(&race);
	pthread_join(thread, NULL);
}

/* The process ends while the freeing threads still live, their batches of
 * remote frees not yet sent
 */
static void *race_and_stay(void *arg)
{
	struct race *race = arg;

	free(race->ptr);
	pthread_barrier_wait(&race->start);
	pthread_barrier_wait(&race->start);
	return NULL;
}

static void double_free_at_exit(const struct crime_args *args)
{
	static struct race race;
	pthread_t threads[2];
	int i;

	race.ptr = crime_malloc(args->size);
	crime_announce(race.ptr);
	pthread_barrier_init(&race.start, NULL, 3);
	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, race_and_stay, &race))
			crime_skip("pthread_create failed");
	pthread_barrier_wait(&race.start);
}

static void realloc_after_free(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	free(ptr);
	if (realloc(ptr, args->size + args->offset))
		return;
}

/* The old place of an object that realloc() moved */
static void free_after_realloc(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);
	void *moved;

	crime_announce(ptr);
	moved = realloc(ptr, args->size * 4);
	if (!moved || moved == ptr)
		crime_skip("realloc did not move the object");
	free(ptr);
}

const struct crime crimes_free[] = {
	{ "double_free", double_free },
	{ "double_free_later", double_free_later },
	{ "double_free_reallocated", double_free_reallocated },
	{ "double_free_other_thread", double_free_other_thread },
	{ "double_free_after_other_thread", double_free_after_other_thread },
	{ "double_free_two_threads", double_free_two_threads },
	{ "double_free_orphan", double_free_orphan },
	{ "double_free_race", double_free_race },
	{ "double_free_race_owner", double_free_race_owner },
	{ "double_free_at_exit", double_free_at_exit },
	{ "realloc_after_free", realloc_after_free },
	{ "free_after_realloc", free_after_realloc },
	{ NULL, NULL },
};
