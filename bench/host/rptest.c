/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Waves of many sizes, some freed by the neighbour
 *
 * usage: rptest threads waves
 *
 * Pattern
 *   The benchmark of M. Jansson's rpmalloc: each thread holds a large table
 *   of blocks. In a wave it frees a share of random places of the table and
 *   fills them with blocks of 16 to 16000 bytes, small ones more often. Every
 *   fourth wave the fresh blocks are not kept but linked into a list and left
 *   to the next thread, which frees them. Who is far ahead waits: memory says
 *   what the allocator holds, not which thread was faster.
 *
 * Question
 *   Throughput over a wide range of sizes, and batches of remote frees.
 *
 * What is touched: one word of every cache line when a block is made; the
 * first word, which is the link, when it is freed by the neighbour.
 */

#include <sched.h>
#include <stdbool.h>

#include "threads.h"

#define BLOCKS 5000U
#define WAVE   1000U
#define LEAST  16U
#define MOST   16000U
#define CROSS  4U
#define AHEAD  4U /* lists that wait for a thread at most */

struct block {
	struct block *next;
};

/* Blocks for each thread to free, and how many lists that is */
static struct block *inboxes[HOST_THREADS];
static unsigned int waiting[HOST_THREADS];
static bool has_ended[HOST_THREADS];
static unsigned long waves;

/* A product of two uniform numbers: half the sizes are below 3 KiB */
static size_t draw_size(uint64_t *seed)
{
	return LEAST + host_below(seed, 1 + host_below(seed, MOST - LEAST));
}

static void send(struct block *first, struct block *last, unsigned int to)
{
	(void)__atomic_add_fetch(&waiting[to], 1, __ATOMIC_RELAXED);
	/* Release: the links. Pairs with the acquire in receive() */
	last->next = __atomic_load_n(&inboxes[to], __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&inboxes[to], &last->next, first, 1,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static void receive(unsigned int own)
{
	struct block *block;

	__atomic_store_n(&waiting[own], 0, __ATOMIC_RELAXED);
	/* Acquire: the links. Pairs with the release in send() */
	block = __atomic_exchange_n(&inboxes[own], NULL, __ATOMIC_ACQUIRE);
	while (block) {
		struct block *next = block->next;

		free(block);
		block = next;
	}
}

/* The next thread, as soon as it keeps up; this one if the next has ended */
static unsigned int receiver(const struct host_thread *self)
{
	unsigned int next = (self->index + 1) % self->threads;

	while (__atomic_load_n(&waiting[next], __ATOMIC_RELAXED) >= AHEAD) {
		if (__atomic_load_n(&has_ended[next], __ATOMIC_RELAXED))
			return self->index;
		/* It may wait for this one */
		receive(self->index);
		(void)sched_yield();
	}
	return next;
}

static void cross_wave(struct host_thread *self)
{
	struct block *first = NULL, *last = NULL;
	unsigned int i;

	for (i = 0; i < WAVE; i++) {
		struct block *block = host_use(draw_size(&self->seed));

		block->next = first;
		first = block;
		if (!last)
			last = block;
	}
	send(first, last, receiver(self));
}

static void own_wave(struct host_thread *self, void **table)
{
	uint32_t places[WAVE];
	unsigned int i;

	for (i = 0; i < WAVE; i++) {
		places[i] = host_below(&self->seed, BLOCKS);
		free(table[places[i]]);
		table[places[i]] = NULL;
	}
	for (i = 0; i < WAVE; i++) {
		/* Drawn twice: it is full */
		if (!table[places[i]])
			table[places[i]] = host_use(draw_size(&self->seed));
	}
}

static void work(struct host_thread *self)
{
	void **table = calloc(BLOCKS, sizeof(*table));
	unsigned long wave;
	unsigned int i;

	if (!table)
		host_fail("out of memory");
	for (wave = 0; wave < waves; wave++) {
		if (wave % CROSS == CROSS - 1)
			cross_wave(self);
		else
			own_wave(self, table);
		receive(self->index);
	}
	__atomic_store_n(&has_ended[self->index], true, __ATOMIC_RELAXED);
	for (i = 0; i < BLOCKS; i++)
		free(table[i]);
	free(table);
}

int main(int argc, char *argv[])
{
	unsigned int threads = (unsigned int)host_arg(argc, argv, 1, 2);
	double seconds;
	unsigned int i;

	waves = host_arg(argc, argv, 2, 500);
	seconds = host_run(threads, work);
	for (i = 0; i < threads; i++)
		receive(i);
	host_result(seconds, waves * WAVE);
	return EXIT_SUCCESS;
}
