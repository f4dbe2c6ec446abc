/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __HOSTBENCH_THREADS_H__
#define __HOSTBENCH_THREADS_H__

/* Threads that start together and end together */

#include <pthread.h>

#include "host.h"

#define HOST_THREADS 16U

struct host_thread {
	void (*work)(struct host_thread *self);
	unsigned int index;
	unsigned int threads; /* that work together */
	uint64_t seed;
	pthread_barrier_t *start;
	double begun;
};

static inline void *host_thread_main(void *arg)
{
	struct host_thread *self = arg;

	(void)pthread_barrier_wait(self->start);
	self->begun = host_seconds();
	self->work(self);
	return NULL;
}

/**
 * Runs a function in several threads.
 *
 * @return
 *   Seconds from the first one's begin to the last one's end
 */
static inline double host_run(unsigned int threads,
			      void (*work)(struct host_thread *self))
{
	struct host_thread self[HOST_THREADS];
	pthread_t id[HOST_THREADS];
	pthread_barrier_t start;
	unsigned int i;
	double begun;

	if (!threads || threads > HOST_THREADS ||
	    pthread_barrier_init(&start, NULL, threads))
		host_fail("bad number of threads");
	for (i = 0; i < threads; i++) {
		self[i] = (struct host_thread){ .work = work,
						.index = i,
						.threads = threads,
						.seed = HOST_SEED + i,
						.start = &start };
		if (pthread_create(&id[i], NULL, host_thread_main, &self[i]))
			host_fail("cannot make a thread");
	}
	for (i = 0; i < threads; i++)
		(void)pthread_join(id[i], NULL);
	begun = self[0].begun;
	for (i = 1; i < threads; i++) {
		if (self[i].begun < begun)
			begun = self[i].begun;
	}
	(void)pthread_barrier_destroy(&start);
	return host_seconds() - begun;
}

#endif /* __HOSTBENCH_THREADS_H__ */
