/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Random places of a large table, with skewed sizes and ages
 *
 * usage: alloc_test threads operations
 *
 * Pattern
 *   I. Ignatchenko, alloc-test, 2018: a step draws a place of a table; if it is
 *   full the object is freed, otherwise one is made. Sizes follow a power law
 *   from 8 to 32768 bytes, and places are drawn with a skew, so that some
 *   objects live for a moment and others nearly as long as the program.
 *
 * Question
 *   What does an operation cost that behaves like a large application: mixed
 *   life times, a heap of tens of MiB that does not fit the caches, no remote
 *   frees? Each thread has a table of its own.
 *
 * What is touched: every cache line is written when an object is made and
 * read before it is freed. An operation is one step, half of a pair.
 */

#include "threads.h"

#define PLACES	   (1U << 19)
#define LOG2_LEAST 3U
#define LOG2_MOST  14U
#define LEVELS	   6U

struct place {
	char *object;
	size_t size;
};

static unsigned long ops;

/* Each doubling is half as frequent, uniform in between */
static size_t draw_size(uint64_t *seed)
{
	uint64_t bits = host_draw(seed);
	unsigned int log2 =
		LOG2_LEAST + (unsigned int)__builtin_ctzl(
				     bits | 1UL << (LOG2_MOST - LOG2_LEAST));

	return (1UL << log2) + ((bits >> 32) & ((1UL << log2) - 1));
}

/* Each level has an eighth of the places of the one before and is chosen as
 * often: an object of the last level lives short
 */
static uint32_t draw_place(uint64_t *seed)
{
	uint32_t level = host_below(seed, LEVELS);

	return host_below(seed, PLACES >> (3 * level / 2));
}

static void drop(struct place *place)
{
	size_t at;

	for (at = 0; at < place->size; at += HOST_LINE)
		*(volatile char *)(place->object + at);
	free(place->object);
	place->object = NULL;
}

static void work(struct host_thread *self)
{
	struct place *places = calloc(PLACES, sizeof(*places));
	unsigned long i;

	if (!places)
		host_fail("out of memory");
	for (i = 0; i < ops; i++) {
		struct place *place = &places[draw_place(&self->seed)];

		if (place->object) {
			drop(place);
		} else {
			place->size = draw_size(&self->seed);
			place->object = host_use(place->size);
		}
	}
	for (i = 0; i < PLACES; i++)
		free(places[i].object);
	free(places);
}

int main(int argc, char *argv[])
{
	unsigned int threads = (unsigned int)host_arg(argc, argv, 1, 1);

	ops = host_arg(argc, argv, 2, 1000000);
	host_result(host_run(threads, work), ops);
	return EXIT_SUCCESS;
}
