/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Counted workload of two threads
 *
 *   xthread  one thread allocates a batch, another one frees it
 *
 * The two take turns, so that neither waits for a line of the other's cache
 * in the middle of a call, and each has a count of its own. The other thread
 * stays until the end of the program.
 */

#include <pthread.h>
#include <semaphore.h>

#include "insn.h"

/* The objects belong to the side whose turn it is */
static sem_t full, empty;

static inline __attribute__((always_inline)) void consume(bool real)
{
	unsigned int i;

	for (;;) {
		(void)sem_wait(&full);
		insn_mark(INSN_CONSUMER);
		for (i = 0; i < INSN_BATCH; i++)
			insn_put(real, insn_objects[i]);
		insn_mark(INSN_CONSUMER);
		(void)sem_post(&empty);
	}
}

static void *consume_real(void *arg)
{
	consume(true);
	return arg;
}

static void *consume_loop(void *arg)
{
	consume(false);
	return arg;
}

static void start(bool real)
{
	static pthread_t other;

	if (other)
		return;
	(void)sem_init(&full, 0, 0);
	(void)sem_init(&empty, 0, 0);
	if (pthread_create(&other, NULL, real ? consume_real : consume_loop,
			   NULL))
		host_fail("cannot make a thread");
}

static inline __attribute__((always_inline)) void produce(bool real,
							  unsigned long ops)
{
	unsigned int i;

	start(real);
	for (; ops >= INSN_BATCH; ops -= INSN_BATCH) {
		insn_mark(INSN_PRODUCER);
		for (i = 0; i < INSN_BATCH; i++)
			insn_objects[i] = insn_get(real, insn_size);
		insn_mark(INSN_PRODUCER);
		(void)sem_post(&full);
		(void)sem_wait(&empty);
	}
}

INSN_WORKLOAD(xthread, produce);
