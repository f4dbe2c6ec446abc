/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Statistical test of where objects are put, and when a place is used again
 *
 * All objects are of one small class, whose magazine draws from at least
 * CHOICE free slots.
 *
 * links: tests/stat/chance.c
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chance.h"
#include "config.h"
#include "fast.h"

#define SIZE	  64UL
#define LARGE_LEN (256UL << 10)
#define CHOICE	  (RND_CHOICE_MAX - RND_MAGAZINE_LEN)

#define HEAPS	400U
#define OBJECTS 20000U
#define LIVE	1000U
#define ROUNDS	100000U

/* Addresses and when they were freed; open addressing, never full */
#define TABLE_LEN (1U << 17)

struct entry {
	uintptr_t addr;
	size_t freed_at;
};

static struct entry table[TABLE_LEN];
static uint64_t distances[ROUNDS];
static struct rnd_heap *heap;

static int setup(void **state)
{
	(void)state;
	heap = rnd_heap_create(0);
	memset(table, 0, sizeof(table));
	return heap ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	rnd_heap_destroy(heap);
	return 0;
}

static void skip_unless(int option)
{
	if (!option)
		skip();
}

static char *object_new(struct rnd_heap *h, __sz size)
{
	char *ptr = rnd_malloc(h, size, RND_KIND_MALLOC);

	assert_non_null(ptr);
	return ptr;
}

static struct entry *table_find(const void *ptr)
{
	uintptr_t addr = (uintptr_t)ptr;
	size_t i = (addr >> 4) * 0x9e3779b97f4a7c15 >> 40;

	while (table[i % TABLE_LEN].addr && table[i % TABLE_LEN].addr != addr)
		i++;
	table[i % TABLE_LEN].addr = addr;
	return &table[i % TABLE_LEN];
}

static struct rnd_place place_of(struct rnd_heap *h, const void *ptr)
{
	struct rnd_place place;

	if (!rnd_pagemap_find(&h->pm, ptr, &place))
		abort();
	return place;
}

/* The first object of a heap may be any slot of any slab of the first group */
static void first_slot_is_any_slot(void **state)
{
	unsigned int slots[16] = { 0 }, slabs[RND_REGION_GROUP] = { 0 };
	unsigned int i, usable = 0;

	(void)state;
	skip_unless(RND_OPT_RANDOM_SLOTS);
	for (i = 0; i < HEAPS; i++) {
		struct rnd_heap *h = rnd_heap_create(0);
		struct rnd_place place;

		assert_non_null(h);
		place = place_of(h, object_new(h, SIZE));
		slots[place.slot * 16 / place.slab->slots]++;
		assert_true(place.slab->idx < RND_REGION_GROUP);
		slabs[place.slab->idx]++;
		rnd_heap_destroy(h);
	}

	/* Guards are never used */
	for (i = 0; i < RND_REGION_GROUP; i++)
		if (slabs[i])
			slabs[usable++] = slabs[i];
	assert_true(usable >= RND_REGION_GROUP / 2);
	assert_equal_chances("slots", slots, 16);
	assert_equal_chances("slabs", slabs, usable);
}

/* An object's neighbour is not the next object: each of at least CHOICE free
 * slots is equally likely, and two of them are neighbours
 */
static void objects_in_a_row_are_no_neighbours(void **state)
{
	size_t i, near = 0;
	char *ptr, *last;

	(void)state;
	skip_unless(RND_OPT_RANDOM_SLOTS);
	last = object_new(heap, SIZE);
	for (i = 1; i < OBJECTS; i++) {
		ptr = object_new(heap, SIZE);
		near += labs(ptr - last) <= 2 * (long)SIZE;
		last = ptr;
	}
	assert_not_more_likely("neighbours", near, OBJECTS - 1, 2.0 / CHOICE,
			       1);
}

/* While objects come and go, the distance from one object to the next one can
 * not be guessed with less than CHOICE attempts
 */
static void distance_to_the_next_object_is_unknown(void **state)
{
	static char *live[LIVE];
	struct rnd_rng rng = { 0 };
	__u8 seed[RND_CHACHA_KEY_LEN];
	char *last = NULL;
	size_t i, most;

	(void)state;
	skip_unless(RND_OPT_RANDOM_SLOTS);
	rnd_port_entropy(seed, sizeof(seed));
	rnd_rng_init(&rng, seed);
	for (i = 0; i < LIVE; i++)
		live[i] = object_new(heap, SIZE);
	for (i = 0; i < ROUNDS; i++) {
		__u32 n = rnd_rng_uniform(&rng, LIVE);

		rnd_free(heap, live[n], RND_KIND_MALLOC);
		live[n] = object_new(heap, SIZE);
		distances[i] = (uint64_t)(live[n] - last);
		last = live[n];
	}

	most = count_most_frequent(distances + 1, ROUNDS - 1);
	print_message("min-entropy of the distance: %.1f bits\n",
		      -log2((double)most / ROUNDS));
	assert_not_more_likely("most frequent distance", most, ROUNDS - 1,
			       1.0 / CHOICE,
			       count_different(distances, ROUNDS));
}

/* Frees and allocates n times one object; returns the least number of frees,
 * the slot's own included, after which a place was used again
 */
static size_t least_reuse_distance(__sz size, size_t n, size_t *reuses)
{
	size_t i, least = SIZE_MAX;

	*reuses = 0;
	for (i = 1; i <= n; i++) {
		char *ptr = object_new(heap, size);
		struct entry *e = table_find(ptr);

		if (e->freed_at) {
			least = MIN(least, i - e->freed_at);
			distances[(*reuses)++] = i - e->freed_at;
		}
		e->freed_at = i;
		rnd_free(heap, ptr, RND_KIND_MALLOC);
	}
	return least;
}

/* A promise, not a probability: the FIFO stage holds every slot back */
static void freed_slot_is_not_used_again_soon(void **state)
{
	size_t least, reuses;

	(void)state;
	skip_unless(RND_OPT_QUARANTINE);
	least = least_reuse_distance(SIZE, ROUNDS, &reuses);
	print_message("%zu reuses, the first after %zu frees\n", reuses, least);
	assert_true(reuses > ROUNDS / 2);
	assert_true(least > RND_QUARANTINE_FIFO_LEN);
}

/* When a slot comes back is not known either: it leaves the random stage with
 * probability 1 / RND_QUARANTINE_RAND_LEN per free, and is one of many then
 */
static void moment_of_reuse_is_unknown(void **state)
{
	size_t reuses, most;

	(void)state;
	skip_unless(RND_OPT_QUARANTINE && RND_OPT_RANDOM_SLOTS);
	(void)least_reuse_distance(SIZE, ROUNDS, &reuses);
	most = count_most_frequent(distances, reuses);
	print_message("min-entropy of the moment: %.1f bits\n",
		      -log2((double)most / (double)reuses));
	assert_not_more_likely("most frequent moment", most, reuses,
			       1.0 / RND_QUARANTINE_RAND_LEN, ROUNDS);
}

/* Addresses of large objects stay unmapped while others are freed */
static void freed_large_object_is_not_used_again_soon(void **state)
{
	size_t least, reuses;

	(void)state;
	least = least_reuse_distance(LARGE_LEN, 3UL * RND_LARGE_QUARANTINE_LEN,
				     &reuses);
	assert_true(least > RND_LARGE_QUARANTINE_LEN);
}

#define SLOT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_slot_is_any_slot),
		SLOT_TEST(objects_in_a_row_are_no_neighbours),
		SLOT_TEST(distance_to_the_next_object_is_unknown),
		SLOT_TEST(freed_slot_is_not_used_again_soon),
		SLOT_TEST(moment_of_reuse_is_unknown),
		SLOT_TEST(freed_large_object_is_not_used_again_soon),
	};

	chance_init(argc, argv);
	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
