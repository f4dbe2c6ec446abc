/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Objects freed by another thread than the one that made them
 *
 * usage: xthread threads size operations
 *
 * Pattern
 *   Each thread allocates objects for its neighbour and frees those that it
 *   was given by the other one, through rings of fixed length. With one thread
 *   the ring leads back to it, and all frees are local: the work of a thread is
 *   the same, so that time stays the same if remote frees cost nothing and
 *   disturb nobody.
 *
 * Question
 *   What does a remote free cost, when both sides are busy?
 *
 * What is touched: one word of every cache line when the object is made, its
 * first word when it is taken. Size 0 stands for mixed sizes. An operation is
 * one malloc and one free.
 */

#include <sched.h>
#include <stdbool.h>

#include "threads.h"

#define RING  512U
#define BATCH 64U

/* One producer, one consumer; the indices only grow */
struct ring {
	_Alignas(2 * HOST_LINE) unsigned long head; /* consumer's */
	_Alignas(2 * HOST_LINE) unsigned long tail; /* producer's */
	_Alignas(2 * HOST_LINE) void *slots[RING];
};

static struct ring rings[HOST_THREADS];
static size_t object_size;
static unsigned long ops;

/* Puts an object into the ring, unless it is full */
static bool give(struct ring *ring, void *ptr)
{
	unsigned long tail = ring->tail;

	/* Acquire: the slot was read. Pairs with the release in take() */
	if (tail - __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) == RING)
		return false;
	ring->slots[tail % RING] = ptr;
	/* Release: the object. Pairs with the acquire in take() */
	__atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}

/* Takes an object, or NULL if there is none */
static void *take(struct ring *ring)
{
	unsigned long head = ring->head;
	void *ptr;

	/* Acquire: the object. Pairs with the release in give() */
	if (head == __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE))
		return NULL;
	ptr = ring->slots[head % RING];
	/* Release: the slot is free. Pairs with the acquire in give() */
	__atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
	return ptr;
}

/* Frees up to n objects that the neighbour has given */
static unsigned long free_some(struct ring *in, unsigned long n)
{
	unsigned long done;
	uint64_t *ptr;

	for (done = 0; done < n; done++) {
		ptr = take(in);
		if (!ptr)
			break;
		*(volatile uint64_t *)ptr;
		free(ptr);
	}
	return done;
}

static void *make(struct host_thread *self)
{
	return host_use(object_size ? object_size :
				      host_mixed_size(&self->seed));
}

static void work(struct host_thread *self)
{
	struct ring *out = &rings[self->index];
	struct ring *in = &rings[(self->index + 1) % self->threads];
	unsigned long made = 0, freed = 0;
	void *ptr = NULL;

	while (made < ops || freed < ops) {
		unsigned long before = made + freed, n;

		for (n = 0; n < BATCH && made < ops; n++) {
			if (!ptr)
				ptr = make(self);
			if (!give(out, ptr))
				break;
			ptr = NULL;
			made++;
		}
		freed += free_some(in, BATCH);
		/* The neighbour is late */
		if (made + freed == before)
			(void)sched_yield();
	}
}

int main(int argc, char *argv[])
{
	unsigned int threads = (unsigned int)host_arg(argc, argv, 1, 2);

	object_size = host_arg(argc, argv, 2, 64);
	ops = host_arg(argc, argv, 3, 1000000);
	host_result(host_run(threads, work), ops);
	return EXIT_SUCCESS;
}
