/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Some threads only allocate, others only free
 *
 * usage: xmalloc threads batches
 *
 * Pattern
 *   C. Lever and D. Boreham, malloc() performance in a multithreaded Linux
 *   environment, USENIX 2000, in the later form with batches: producers fill
 *   arrays of 120 objects and queue them, consumers take an array from the
 *   queue and free what is in it. Half of the threads are producers; one
 *   thread alone does both in turns. The queue is bounded, so that memory
 *   says what the allocator holds, not who was faster.
 *
 * Question
 *   What does it cost if every free is remote, and does the memory come back
 *   to those who allocate?
 *
 * What is touched: one word of every cache line when an object is made, the
 * first word before it is freed. An operation is one malloc and one free.
 */

#include <pthread.h>

#include "threads.h"

#define BATCH 120U
#define QUEUE 64U

struct batch {
	void *objects[BATCH];
};

static struct batch *queue[QUEUE];
static unsigned int queued, first;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static unsigned long batches;

static struct batch *make(uint64_t *seed)
{
	struct batch *batch = host_malloc(sizeof(*batch));
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		batch->objects[i] = host_use(host_mixed_size(seed));
	return batch;
}

static void destroy(struct batch *batch)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		*(volatile uint64_t *)batch->objects[i];
		free(batch->objects[i]);
	}
	free(batch);
}

static void put(struct batch *batch)
{
	(void)pthread_mutex_lock(&lock);
	while (queued == QUEUE)
		(void)pthread_cond_wait(&not_full, &lock);
	queue[(first + queued++) % QUEUE] = batch;
	(void)pthread_cond_signal(&not_empty);
	(void)pthread_mutex_unlock(&lock);
}

static struct batch *get(void)
{
	struct batch *batch;

	(void)pthread_mutex_lock(&lock);
	while (!queued)
		(void)pthread_cond_wait(&not_empty, &lock);
	batch = queue[first];
	first = (first + 1) % QUEUE;
	queued--;
	(void)pthread_cond_signal(&not_full);
	(void)pthread_mutex_unlock(&lock);
	return batch;
}

static void work(struct host_thread *self)
{
	unsigned long i;

	if (self->threads == 1) {
		for (i = 0; i < batches; i++) {
			put(make(&self->seed));
			destroy(get());
		}
	} else if (self->index % 2 == 0) {
		for (i = 0; i < batches; i++)
			put(make(&self->seed));
	} else {
		for (i = 0; i < batches; i++)
			destroy(get());
	}
}

int main(int argc, char *argv[])
{
	unsigned int threads = (unsigned int)host_arg(argc, argv, 1, 2);
	unsigned int producers;

	if (threads != 1 && threads % 2)
		host_fail("wanted: one thread, or an even number");
	batches = host_arg(argc, argv, 2, 10000);
	producers = threads == 1 ? 1 : threads / 2;
	host_result(host_run(threads, work), producers * batches * BATCH);
	return EXIT_SUCCESS;
}
