/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Passive false sharing
 *
 * usage: cache_scratch threads operations
 *
 * Pattern
 *   E. Berger and others, Hoard, ASPLOS 2000. One thread makes an object for
 *   each of the others. They free it, and from then on allocate an object of
 *   the same size, write it many times, and free it. An allocator that gives
 *   neighbours of the first objects to different threads lets them write the
 *   same cache line.
 *
 * Question
 *   Do objects that were made together end up on two CPUs' lines?
 *
 * What is touched: all bytes of each object of 8, WRITES times.
 */

#include "threads.h"

#define SIZE   8U
#define WRITES 100U

static void *inherited[HOST_THREADS];
static unsigned long ops;

static void work(struct host_thread *self)
{
	unsigned long i;
	unsigned int k;

	free(inherited[self->index]);
	for (i = 0; i < ops; i++) {
		volatile uint64_t *object = host_malloc(SIZE);

		for (k = 0; k < WRITES; k++)
			*object = k;
		free((void *)(uintptr_t)object);
	}
}

int main(int argc, char *argv[])
{
	unsigned int threads = (unsigned int)host_arg(argc, argv, 1, 2);
	unsigned int i;

	ops = host_arg(argc, argv, 2, 1000000);
	for (i = 0; i < threads && i < HOST_THREADS; i++)
		inherited[i] = host_use(SIZE);
	host_result(host_run(threads, work), ops);
	return EXIT_SUCCESS;
}
