/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* A server whose connections move from thread to thread
 *
 * usage: larson threads operations
 *
 * Pattern
 *   P. Larson and M. Krishnan, Memory allocation for long-running server
 *   applications, ISMM 1998. Each thread replaces random objects of a bank of
 *   1000, sizes 16 to 527 bytes. After a tenth of its operations the thread
 *   leaves its bank to another one, starts a successor and ends: objects
 *   outlive the thread that made them and are freed by one that did not.
 *
 * Question
 *   What do remote frees and the death of threads cost, and does memory drift?
 *
 * What is touched: one word of every cache line when an object is made, the
 * first word before it is freed.
 */

#include <pthread.h>
#include <semaphore.h>

#include "threads.h"

#define LIVE	    1000U
#define GENERATIONS 10U
#define LEAST	    16U
#define SIZES	    512U

/* One more than threads: there is always one to change for */
static void *banks[HOST_THREADS + 1][LIVE];
static void **spare;

struct worker {
	void **bank;
	unsigned int generation;
	uint64_t seed;
};

static unsigned long ops_of_generation;
static sem_t ended;

static void *draw_object(uint64_t *seed)
{
	return host_use(LEAST + host_below(seed, SIZES));
}

static void *serve(void *arg);

static void start_worker(struct worker *worker)
{
	pthread_attr_t attr;
	pthread_t id;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&id, &attr, serve, worker))
		host_fail("cannot make a thread");
	(void)pthread_attr_destroy(&attr);
}

static void *serve(void *arg)
{
	struct worker *self = arg;
	unsigned long i;

	for (i = 0; i < ops_of_generation; i++) {
		void **slot = &self->bank[host_below(&self->seed, LIVE)];

		*(volatile uint64_t *)*slot;
		free(*slot);
		*slot = draw_object(&self->seed);
	}
	/* Acq_rel: the bank's contents go with it. Pairs with itself in the
	 * thread that takes the bank next.
	 */
	self->bank = __atomic_exchange_n(&spare, self->bank, __ATOMIC_ACQ_REL);
	if (++self->generation < GENERATIONS)
		start_worker(self);
	else
		(void)sem_post(&ended);
	return NULL;
}

int main(int argc, char *argv[])
{
	static struct worker workers[HOST_THREADS];
	unsigned int threads = (unsigned int)host_arg(argc, argv, 1, 2);
	unsigned long ops = host_arg(argc, argv, 2, 1000000);
	uint64_t seed = HOST_SEED;
	unsigned int i, k;
	double begun;

	if (!threads || threads > HOST_THREADS)
		host_fail("bad number of threads");
	(void)sem_init(&ended, 0, 0);
	ops_of_generation = ops / GENERATIONS;
	for (i = 0; i <= threads; i++) {
		for (k = 0; k < LIVE; k++)
			banks[i][k] = draw_object(&seed);
	}
	spare = banks[threads];

	begun = host_seconds();
	for (i = 0; i < threads; i++) {
		workers[i].bank = banks[i];
		workers[i].seed = HOST_SEED + i;
		start_worker(&workers[i]);
	}
	for (i = 0; i < threads; i++)
		(void)sem_wait(&ended);
	host_result(host_seconds() - begun, ops);
	return EXIT_SUCCESS;
}
