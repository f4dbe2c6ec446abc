/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Statistical test of where objects are put, and when a place is used again
 *
 * Most objects are of one small class, whose pool has at least CHOICE free
 * slots to draw from.
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

#include <uk/allocrnd.h>

#include "chance.h"
#include "config.h"
#include "fast.h"

#define SIZE	  64UL
#define LARGE_LEN (256UL << 10)
#define CHOICE	  RND_CHOICE_LEN

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

static struct rnd_heap *heap_new(void)
{
	struct uk_alloc *a = uk_allocrnd_init(NULL, 0);

	return a ? rnd_heap_dyn_of(a)->heap : NULL;
}

static int setup(void **state)
{
	(void)state;
	/* The first one is the default for ever */
	if (!uk_alloc_get_default() && !heap_new())
		return -1;
	heap = heap_new();
	memset(table, 0, sizeof(table));
	return heap ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return uk_allocrnd_destroy(&heap->dyn->a);
}

static void skip_unless(int option)
{
	if (!option)
		skip();
}

static char *object_new(struct rnd_heap *h, __sz size)
{
	char *ptr = uk_malloc(&h->dyn->a, size);

	assert_non_null(ptr);
	return ptr;
}

static void object_free(void *ptr)
{
	uk_free(&heap->dyn->a, ptr);
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

/*
 * What is drawn from
 */

/* The part of this thread's state that serves a size */
static struct rnd_pclass *part_of(__sz size)
{
	struct rnd_pcpu *pc = rnd_cpus_get(&heap->dyn->cpus, rnd_port_cpu());

	assert_true(pc != RND_PCPU_NONE);
	return &pc->cls[rnd_sizeclass_of(size)];
}

/* A draw that is watched: the place of the slot in the pool, out of how many */
#define BINS  64U
#define PAIRS 8U

struct watch {
	struct rnd_pclass *pl;
	__u32 pool[RND_POOL_LEN];
	__u32 least, last;
	unsigned int place[BINS], pair[PAIRS * PAIRS];
};

static struct watch watch;

static void watch_start(__sz size)
{
	/* Makes the part, if it is new */
	object_free(object_new(heap, size));
	memset(&watch, 0, sizeof(watch));
	watch.pl = part_of(size);
	watch.least = UINT32_MAX;
	watch.last = UINT32_MAX;
}

static __u32 any_number(void)
{
	static __u32 x = 1;

	x = x * 1103515245 + 12345;
	return x >> 8;
}

/* Counts by place in the pool, and by two places in a row. An entry stands for
 * an interval, and is at any point of it: bins are equally likely then.
 */
static void watch_place(__u32 i, __u32 cnt)
{
	__u64 at = ((__u64)i << 16) + any_number() % 0x10000, all;

	all = (__u64)cnt << 16;
	watch.place[at * BINS / all]++;
	i = (__u32)(at * PAIRS / all);
	if (watch.last != UINT32_MAX)
		watch.pair[watch.last * PAIRS + i]++;
	/* Pairs do not overlap */
	watch.last = watch.last == UINT32_MAX ? i : UINT32_MAX;
}

static char *watch_new(__sz size)
{
	struct rnd_pclass *pl = watch.pl;
	__u32 cnt = pl->pool_cnt, i, n;
	__u64 refills = pl->refills;
	char *ptr;

	memcpy(watch.pool, pl->pool, cnt * sizeof(watch.pool[0]));
	ptr = object_new(heap, size);
	/* One of those that are left and itself */
	watch.least = MIN(watch.least, pl->pool_cnt + 1);
	if (pl->refills != refills)
		return ptr;

	n = (__u32)(((__uptr)ptr - pl->base) / pl->slot_len);
	for (i = 0; i < cnt && watch.pool[i] != n; i++)
		;
	assert_true(i < cnt);
	watch_place(i, cnt);
	return ptr;
}

static void watch_end(const char *what)
{
	print_message("%s: at least %u to choose from\n", what, watch.least);
	assert_true(watch.least > watch.pl->choice);
	skip_unless(RND_OPT_RANDOM_SLOTS);
	assert_equal_chances("places in the pool", watch.place, BINS);
	assert_equal_chances("pairs of places", watch.pair,
			     (size_t)PAIRS * PAIRS);
}

static void draws_are_uniform_in_growth(void **state)
{
	size_t i;

	(void)state;
	watch_start(SIZE);
	assert_true(watch.pl->choice >= CHOICE);
	for (i = 0; i < ROUNDS; i++)
		(void)watch_new(SIZE);
	watch_end("growth");
}

static void draws_are_uniform_in_balance(void **state)
{
	static char *live[LIVE];
	size_t i, n;

	(void)state;
	watch_start(SIZE);
	for (i = 0; i < LIVE; i++)
		live[i] = watch_new(SIZE);
	for (i = 0; i < ROUNDS; i++) {
		n = any_number() % LIVE;
		object_free(live[n]);
		live[n] = watch_new(SIZE);
	}
	watch_end("balance");
}

/* All slabs have free slots, a few each: waves that leave one of eight */
static void draws_are_uniform_in_fragmented_slabs(void **state)
{
	static char *live[OBJECTS];
	size_t i, wave;

	(void)state;
	watch_start(SIZE);
	for (wave = 0; wave < 8; wave++) {
		for (i = 0; i < OBJECTS; i++)
			if (!live[i])
				live[i] = watch_new(SIZE);
		for (i = 0; i < OBJECTS; i++)
			if (i % 8 != wave) {
				object_free(live[i]);
				live[i] = NULL;
			}
	}
	watch_end("fragmented slabs");
	memset(live, 0, sizeof(live));
}

/* Longer slots: as many as two thirds of the others, or the limit of bytes,
 * and of those above 1 KiB a share of that until many are in use
 */
static void every_size_has_its_choice(void **state)
{
	static const __sz sizes[] = { 1,    8,	   24,	  100,	120,  200,
				      500,  600,   700,	  1000, 2000, 5000,
				      9000, 17000, 34000, 60000 };
	__sz len, want, least;
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i] > RND_SMALL_MAX)
			continue;
		watch_start(sizes[i]);
		len = watch.pl->slot_len;
		want = len <= RND_SHORT_LEN ? CHOICE : CHOICE * 2 / 3;
		if (len > RND_BULK_SLOT_MIN)
			want = MIN(want, RND_CHOICE_BYTES / 2 / len);
		else
			want = MIN(want, RND_CHOICE_BYTES / len);
		want = MAX(want, (__sz)RND_CHOICE_MIN);
		least = want;
		if (len > RND_BULK_SLOT_MIN)
			least = MAX(RND_CHOICE_BYTES / 2 / RND_CHOICE_FEW / len,
				    (__sz)RND_CHOICE_MIN);
		for (n = 0; n < 3UL * RND_POOL_LEN; n++)
			if (n % 3 == 2)
				object_free(watch_new(sizes[i]));
			else
				(void)watch_new(sizes[i]);
		print_message("%lu bytes: %u\n", sizes[i], watch.least);
		assert_true(watch.least > least);
		assert_int_equal(want, watch.pl->choice);
	}
}

/*
 * What can be seen from outside
 */

/* The first object of a heap may be any slot of any slab of the first group */
static void first_slot_is_any_slot(void **state)
{
	unsigned int slots[16] = { 0 }, slabs[RND_REGION_GROUP] = { 0 };
	unsigned int i, usable = 0;

	(void)state;
	skip_unless(RND_OPT_RANDOM_SLOTS);
	for (i = 0; i < HEAPS; i++) {
		struct rnd_heap *h = heap_new();
		struct rnd_place place;

		assert_non_null(h);
		place = place_of(h, object_new(h, SIZE));
		slots[rnd_place_slot(&place) * 16 / place.slab->slots]++;
		assert_true(place.slab->idx < RND_REGION_GROUP);
		slabs[place.slab->idx]++;
		assert_int_equal(0, uk_allocrnd_destroy(&h->dyn->a));
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

		object_free(live[n]);
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
		object_free(ptr);
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

/* When a slot comes back is not known either: when it leaves the quarantine it
 * is one of CHOICE slots
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
			       1.0 / CHOICE, ROUNDS);
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
		SLOT_TEST(first_slot_is_any_slot),
		SLOT_TEST(draws_are_uniform_in_growth),
		SLOT_TEST(draws_are_uniform_in_balance),
		SLOT_TEST(draws_are_uniform_in_fragmented_slabs),
		SLOT_TEST(every_size_has_its_choice),
		SLOT_TEST(objects_in_a_row_are_no_neighbours),
		SLOT_TEST(distance_to_the_next_object_is_unknown),
		SLOT_TEST(freed_slot_is_not_used_again_soon),
		SLOT_TEST(moment_of_reuse_is_unknown),
		SLOT_TEST(freed_large_object_is_not_used_again_soon),
	};

	chance_init(argc, argv);
	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
