/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Active false sharing
 *
 * usage: cache_thrash threads operations
 *
 * Pattern
 *   E. Berger and others, Hoard, ASPLOS 2000. Each thread allocates a small
 *   object, writes it many times, and frees it, over and over. An allocator
 *   that gives parts of one cache line to several threads makes them wait for
 *   each other although they share nothing.
 *
 * Question
 *   Are fresh objects of two threads on one line?
 *
 * What is touched: all bytes of each object of 8, WRITES times.
 */

#include "threads.h"

#define SIZE   8U
#define WRITES 100U

static unsigned long ops;

static void work(struct host_thread *self)
{
	unsigned long i;
	unsigned int k;

	(void)self;
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

	ops = host_arg(argc, argv, 2, 1000000);
	host_result(host_run(threads, work), ops);
	return EXIT_SUCCESS;
}
