/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Model test of the whole allocator
 *
 * Threads do random operations on one heap and pass the objects on to each
 * other. What each object has to look like is known (object.h), so is what
 * the statistics must say when all threads are gone; and the heap has to find
 * itself sound. Each round has new threads.
 *
 * model_alloc [seed [rounds]]
 *
 * links: tests/model/object.c
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include <uk/allocrnd.h>

#include "object.h"

#define OPS (TEST_TSAN ? 1500 : 10000)

#define THREADS	    4
#define LIVE_MAX    400U /* objects of one thread */
#define EXCHANGE    64U	 /* places through which objects change threads */
#define PAGE	    4096UL
#define SIZE_BITS   18U
#define BUDGET	    (24UL << 20)
#define BUDGET_BITS 20U

struct worker {
	pthread_t thread;
	struct random random;
	struct uk_alloc *a;
	unsigned int size_bits;
	int may_fail; /* memory may run out */
	size_t failures;
	struct object *live[LIVE_MAX];
	unsigned int live_cnt;
};

/* The rounds of a short run. In those of a long one sizes differ, because
 * large ones take nearly all of the time; and not every one is told of.
 */
#define ROUNDS_SHORT 5U
#define ROUNDS_TOLD  100U

static struct worker workers[THREADS];
static struct object *exchange[EXCHANGE];
static unsigned long rounds = ROUNDS_SHORT;

/* Descriptors come from the libc: they are none of the allocator's business */
static struct object *object_new(void)
{
	struct object *o = calloc(1, sizeof(*o));

	EXPECT(o);
	return o;
}

/* What each allocating operation ends with */
static void adopt(struct worker *w, struct object *o)
{
	if (!o->ptr) {
		EXPECT(w->may_fail);
		EXPECT(errno == ENOMEM);
		w->failures++;
		free(o);
		return;
	}
	EXPECT((uintptr_t)o->ptr % o->align == 0);
	object_fill(o, &w->random);
	w->live[w->live_cnt++] = o;
}

static void op_malloc(struct worker *w)
{
	struct object *o = object_new();

	o->size = random_size(&w->random, w->size_bits);
	o->align = 16;
	errno = 0;
	o->ptr = uk_malloc(w->a, o->size);
	adopt(w, o);
}

static void op_calloc(struct worker *w)
{
	struct object *o = object_new();
	size_t nmemb = 1 + random_below(&w->random, 16);
	size_t size = random_size(&w->random, w->size_bits - 4);

	o->size = nmemb * size;
	o->align = 16;
	errno = 0;
	o->ptr = uk_calloc(w->a, nmemb, size);
	if (o->ptr)
		object_check_zero(o);
	adopt(w, o);
}

static void op_memalign(struct worker *w)
{
	struct object *o = object_new();

	o->align = 1UL << random_below(&w->random, 17);
	o->size = random_size(&w->random, w->size_bits);
	errno = 0;
	o->ptr = uk_memalign(w->a, o->align, o->size);
	adopt(w, o);
}

static void op_posix_memalign(struct worker *w)
{
	struct object *o = object_new();
	void *ptr = NULL;
	int rc;

	o->align = 8UL << random_below(&w->random, 10);
	o->size = random_size(&w->random, w->size_bits);
	rc = uk_posix_memalign(w->a, &ptr, o->align, o->size);
	EXPECT(rc == 0 || (rc == ENOMEM && !ptr));
	errno = rc;
	o->ptr = ptr;
	adopt(w, o);
}

static void op_palloc(struct worker *w)
{
	struct object *o = object_new();
	unsigned long pages = 1 + random_below(&w->random, 12);

	o->size = pages * PAGE;
	o->align = PAGE;
	o->is_pages = 1;
	errno = 0;
	o->ptr = uk_palloc(w->a, pages);
	adopt(w, o);
}

/* Takes a random live object away from the thread */
static struct object *take(struct worker *w)
{
	struct object *o;
	uint64_t i;

	if (!w->live_cnt)
		return NULL;
	i = random_below(&w->random, w->live_cnt);
	o = w->live[i];
	w->live[i] = w->live[--w->live_cnt];
	object_check(o, "taken");
	return o;
}

static void object_free(struct uk_alloc *a, struct object *o)
{
	if (o->is_pages)
		uk_pfree(a, o->ptr, o->size / PAGE);
	else
		uk_free(a, o->ptr);
	free(o);
}

static void op_free(struct worker *w)
{
	struct object *o = take(w);

	if (o)
		object_free(w->a, o);
}

/* Frees the first or the last pages and keeps the rest */
static void op_pfree_part(struct worker *w)
{
	struct object *o = take(w);
	size_t pages;

	if (!o)
		return;
	pages = o->size / PAGE;
	if (o->is_pages && pages > 1) {
		size_t part = 1 + random_below(&w->random, pages - 1);

		o->size -= part * PAGE;
		if (random_below(&w->random, 2)) {
			uk_pfree(w->a, o->ptr, part);
			o->ptr += part * PAGE / sizeof(*o->ptr);
			object_fill(o, &w->random);
		} else {
			uk_pfree(w->a, (char *)o->ptr + o->size, part);
		}
	}
	w->live[w->live_cnt++] = o;
}

static void op_realloc(struct worker *w)
{
	struct object *o = take(w);
	size_t size, kept;
	void *ptr;

	if (!o)
		return;
	if (o->is_pages) {
		w->live[w->live_cnt++] = o;
		return;
	}

	/* Often about the same size, to stay in the slot or nearly so */
	size = random_size(&w->random, w->size_bits);
	if (random_below(&w->random, 2))
		size = o->size + random_below(&w->random, 32);
	errno = 0;
	ptr = uk_realloc(w->a, o->ptr, size);
	if (!size) {
		EXPECT(!ptr);
		free(o);
		return;
	}
	if (!ptr) {
		EXPECT(w->may_fail);
		EXPECT(errno == ENOMEM);
		w->failures++;
		object_check(o, "realloc failed");
		w->live[w->live_cnt++] = o;
		return;
	}

	kept = size < o->size ? size : o->size;
	object_check_prefix(o, ptr, kept, "realloc");
	o->ptr = ptr;
	o->size = size;
	o->align = 16;
	adopt(w, o);
}

/* What the allocator calls usable belongs to the object from then on */
static void op_usable(struct worker *w)
{
	struct object *o = take(w);

	if (!o)
		return;
	if (!o->is_pages) {
		size_t usable = uk_alloc_usable_size(w->a, o->ptr);

		EXPECT(usable >= o->size);
		object_check(o, "usable size");
		o->size = usable;
		object_fill(o, &w->random);
	}
	w->live[w->live_cnt++] = o;
}

/* Leaves an object for others and takes what somebody else has left */
static void op_exchange(struct worker *w)
{
	struct object *o = take(w);

	o = __atomic_exchange_n(&exchange[random_below(&w->random, EXCHANGE)],
				o, __ATOMIC_ACQ_REL);
	if (!o)
		return;
	object_check(o, "exchanged");
	w->live[w->live_cnt++] = o;
}

static void op_flush(struct worker *w)
{
	if (random_below(&w->random, 100) == 0)
		uk_allocrnd_flush(w->a);
	else if (random_below(&w->random, 100) == 0)
		uk_allocrnd_purge(w->a);
}

static void op_any(struct worker *w)
{
	static void (*const allocs[])(struct worker * w) = {
		op_malloc,   op_malloc,		op_malloc, op_calloc,
		op_memalign, op_posix_memalign, op_palloc,
	};
	static void (*const others[])(struct worker * w) = {
		op_free,   op_free,	op_free,     op_realloc,    op_realloc,
		op_usable, op_exchange, op_exchange, op_pfree_part, op_flush,
	};
	const size_t allocs_cnt = sizeof(allocs) / sizeof(allocs[0]);
	const size_t others_cnt = sizeof(others) / sizeof(others[0]);

	/* The closer to the limit, the fewer allocations; op_exchange() may
	 * bring one object more
	 */
	if (random_below(&w->random, LIVE_MAX - 1) > w->live_cnt)
		allocs[random_below(&w->random, allocs_cnt)](w);
	else
		others[random_below(&w->random, others_cnt)](w);
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	for (i = 0; i < OPS; i++) {
		if (w->live_cnt < LIVE_MAX - 1)
			op_any(w);
		else
			op_free(w);
	}
	return NULL;
}

/* All objects of all threads and of the exchange; returns their number */
static size_t objects_collect(struct object **all)
{
	size_t n = 0;
	unsigned int i, t;

	for (t = 0; t < THREADS; t++)
		for (i = 0; i < workers[t].live_cnt; i++)
			all[n++] = workers[t].live[i];
	for (i = 0; i < EXCHANGE; i++)
		if (exchange[i])
			all[n++] = exchange[i];

	return n;
}

static unsigned int round_size_bits(unsigned long round, unsigned int most)
{
	return round < ROUNDS_SHORT ? most :
				      most - 4 * (unsigned int)(round % 4);
}

/* Every thread is gone: compares the heap with the model */
static void check_quiet(struct uk_alloc *a, unsigned long round)
{
	static struct object *all[THREADS * LIVE_MAX + EXCHANGE];
	struct uk_allocrnd_stats stats;
	size_t i, n, bytes = 0;

	n = objects_collect(all);
	for (i = 0; i < n; i++) {
		object_check(all[i], "end of round");
		/* Aligned addresses cannot do without memory */
		bytes += !all[i]->size && all[i]->align > 16;
		bytes += all[i]->size;
	}
	objects_check_disjoint(all, n);

	EXPECT(uk_allocrnd_check(a) == 0);
	uk_allocrnd_stats_get(a, &stats);
	if (round < ROUNDS_SHORT || (round + 1) % ROUNDS_TOLD == 0)
		printf("round %lu: %zu objects, %zu bytes, %zu in quarantine, "
		       "%zu KiB committed, %zu remote frees\n",
		       round, n, bytes, (size_t)stats.quarantine_slots,
		       (size_t)stats.committed >> 10,
		       (size_t)stats.remote_frees);

	EXPECT(stats.live_slots == n);
	EXPECT(stats.live_bytes == bytes);
}

static void round_run(struct uk_alloc *a, unsigned long round,
		      unsigned int size_bits, int may_fail)
{
	struct worker *w;
	unsigned int t;

	for (t = 0; t < THREADS; t++) {
		w = &workers[t];
		w->random.state = test_seed * 1000003 + round * 1009 + t;
		w->a = a;
		w->size_bits = size_bits;
		w->may_fail = may_fail;
		EXPECT(!pthread_create(&w->thread, NULL, worker_run, w));
	}
	for (t = 0; t < THREADS; t++)
		EXPECT(!pthread_join(workers[t].thread, NULL));
}

/* Frees all, in an order that has nothing to do with threads or addresses */
static void free_all(struct uk_alloc *a)
{
	struct uk_allocrnd_stats stats;
	unsigned int i, t;

	for (i = 0; i < EXCHANGE; i++) {
		if (exchange[i])
			object_free(a, exchange[i]);
		exchange[i] = NULL;
	}
	for (t = 0; t < THREADS; t++)
		while (workers[t].live_cnt)
			object_free(a, take(&workers[t]));

	uk_allocrnd_flush(a);
	EXPECT(uk_allocrnd_check(a) == 0);
	uk_allocrnd_stats_get(a, &stats);
	EXPECT(stats.live_slots == 0);
	EXPECT(stats.live_bytes == 0);
	EXPECT(stats.large_live == 0);
}

/* An allocator that must stay the default, so that others can be destroyed */
static int group_setup(void **state)
{
	(void)state;
	return uk_allocrnd_init(NULL, 0) ? 0 : -1;
}

static void model_holds_without_limit(void **state)
{
	struct uk_alloc *a = uk_allocrnd_init(NULL, 0);
	unsigned long round;

	(void)state;
	assert_non_null(a);
	for (round = 0; round < rounds; round++) {
		round_run(a, round, round_size_bits(round, SIZE_BITS), 0);
		check_quiet(a, round);
	}
	free_all(a);
	assert_int_equal(0, uk_allocrnd_destroy(a));
}

/* The same with so little memory that every kind of operation fails at times:
 * nothing may be lost or changed by a failure
 */
static void model_holds_when_memory_runs_out(void **state)
{
	struct uk_alloc *a;
	size_t failures = 0;
	unsigned long round;
	unsigned int t;
	void *memory;

	(void)state;
	memory = mmap(NULL, BUDGET, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	a = uk_allocrnd_init(memory, BUDGET);
	assert_non_null(a);

	for (round = 0; round < rounds; round++) {
		round_run(a, round, round_size_bits(round, BUDGET_BITS), 1);
		check_quiet(a, round);
	}
	for (t = 0; t < THREADS; t++) {
		failures += workers[t].failures;
		workers[t].failures = 0;
	}
	printf("%zu operations failed\n", failures);
	assert_true(failures > 0);
	free_all(a);
	assert_int_equal(0, uk_allocrnd_destroy(a));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(model_holds_without_limit),
		cmocka_unit_test(model_holds_when_memory_runs_out),
	};

	test_seed_init(argc, argv);
	if (argc > 2)
		rounds = strtoul(argv[2], NULL, 0);
	return cmocka_run_group_tests_name("alloc", tests, group_setup, NULL);
}
