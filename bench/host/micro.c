/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Time of single operations, one thread
 *
 * usage: micro workload size operations
 *
 *   pair     malloc, free
 *   calloc   the same, cleared
 *   lifo     1000 objects, freed from the last to the first
 *   fifo     the same, from the first to the last
 *   random   the same, in an order that is drawn anew
 *   churn    of 10000 live objects one drawn at random is replaced
 *   mixed    a window of 1000 objects; the oldest is replaced
 *   realloc  64 vectors grow by half in turns, from 16 bytes to the size, and
 *            start again; one operation is one realloc
 *
 * Size 0 stands for mixed sizes, 8 to 2048 bytes. What is touched: one word of
 * every cache line of each object, once, as a program does that fills what it
 * has asked for; of a vector, what is new.
 */

#include <string.h>

#include "host.h"

#define BATCH	     1000U
#define LIVE	     10000U
#define WINDOW	     1000U
#define VECTORS	     64U
#define VECTOR_LEAST 16U

struct micro {
	size_t size;
	unsigned long ops;
	uint64_t seed;
	void *live[LIVE];
};

static inline size_t draw_size(struct micro *m)
{
	return m->size ? m->size : host_mixed_size(&m->seed);
}

static void pair(struct micro *m)
{
	unsigned long i;

	for (i = 0; i < m->ops; i++)
		free(host_use(draw_size(m)));
}

static void cleared(struct micro *m)
{
	unsigned long i;

	for (i = 0; i < m->ops; i++) {
		size_t size = draw_size(m);
		void *ptr = calloc(1, size);

		if (!ptr)
			host_fail("out of memory");
		host_touch(ptr, size);
		free(ptr);
	}
}

static void fill_batch(struct micro *m)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++)
		m->live[i] = host_use(draw_size(m));
}

static void lifo(struct micro *m)
{
	unsigned long done;
	unsigned int i;

	for (done = 0; done < m->ops; done += BATCH) {
		fill_batch(m);
		for (i = BATCH; i; i--)
			free(m->live[i - 1]);
	}
}

static void fifo(struct micro *m)
{
	unsigned long done;
	unsigned int i;

	for (done = 0; done < m->ops; done += BATCH) {
		fill_batch(m);
		for (i = 0; i < BATCH; i++)
			free(m->live[i]);
	}
}

static void any_order(struct micro *m)
{
	unsigned long done;
	unsigned int i;

	for (done = 0; done < m->ops; done += BATCH) {
		fill_batch(m);
		for (i = BATCH; i; i--) {
			uint32_t at = host_below(&m->seed, i);

			free(m->live[at]);
			m->live[at] = m->live[i - 1];
		}
	}
}

static void churn(struct micro *m)
{
	unsigned long i;

	for (i = 0; i < LIVE; i++)
		m->live[i] = host_use(draw_size(m));
	for (i = 0; i < m->ops; i++) {
		uint32_t at = host_below(&m->seed, LIVE);

		free(m->live[at]);
		m->live[at] = host_use(draw_size(m));
	}
}

static void mixed(struct micro *m)
{
	unsigned long i;

	for (i = 0; i < m->ops; i++) {
		void **oldest = &m->live[i % WINDOW];

		free(*oldest);
		*oldest = host_use(draw_size(m));
	}
}

static void grow(struct micro *m)
{
	size_t size[VECTORS] = { 0 };
	unsigned long i;

	for (i = 0; i < m->ops; i++) {
		unsigned int at = i % VECTORS;
		size_t more = size[at] ? size[at] + size[at] / 2 : VECTOR_LEAST;
		void *ptr;

		if (more > m->size) {
			free(m->live[at]);
			m->live[at] = NULL;
			size[at] = 0;
			more = VECTOR_LEAST;
		}
		ptr = realloc(m->live[at], more);
		if (!ptr)
			host_fail("out of memory");
		host_touch((char *)ptr + size[at], more - size[at]);
		m->live[at] = ptr;
		size[at] = more;
	}
}

static const struct {
	const char *name;
	void (*work)(struct micro *m);
} workloads[] = {
	{ "pair", pair },   { "calloc", cleared },   { "lifo", lifo },
	{ "fifo", fifo },   { "random", any_order }, { "churn", churn },
	{ "mixed", mixed }, { "realloc", grow },
};

int main(int argc, char *argv[])
{
	static struct micro m = { .seed = HOST_SEED };
	double begun;
	size_t i;

	if (argc != 4)
		host_fail("wanted: workload size operations");
	m.size = host_arg(argc, argv, 2, 0);
	m.ops = host_arg(argc, argv, 3, 0);
	for (i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (strcmp(workloads[i].name, argv[1]))
			continue;
		begun = host_seconds();
		workloads[i].work(&m);
		host_result(host_seconds() - begun, m.ops);
		return EXIT_SUCCESS;
	}
	host_fail("there is no such workload");
}
