/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Whole heaps: exhaustion, several side by side, checks, frames */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uk/config.h>
#include <uk/alloc.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/falloc.h>
#include <uk/plat/paging.h>

#include "test.h"

#ifdef CONFIG_LIBUKALLOCRND
#include <uk/allocrnd.h>

#include "arena.h"

#define HEAP_PAGES 2048UL
#define HEAPS	   4U

/* Rounds until pools have their size, and rounds that are judged */
#define POOL_ROUNDS 5U
#define LEAK_ROUNDS 16U

/* Objects of an exhausted heap are chained through their first bytes */
struct link {
	struct link *next;
};

/* A heap from memory of its own. The addresses are not used any more. */
static struct uk_alloc *heap_make(unsigned long pages)
{
	void *base = arena_map(pages);
	struct uk_alloc *a;

	if (!base)
		return __NULL;
	a = uk_allocrnd_init(base, pages * PAGE_SIZE);
	return arena_unmap(base, pages) ? __NULL : a;
}

/* Allocates until the heap has no more; counts and chains the objects */
static unsigned long take_all(struct uk_alloc *a, __sz size, struct link **list)
{
	unsigned long n = 0;
	struct link *obj;

	for (obj = uk_malloc(a, size); obj; obj = uk_malloc(a, size)) {
		obj->next = *list;
		*list = obj;
		n++;
	}
	return n;
}

static unsigned long give_all(struct uk_alloc *a, struct link *list)
{
	unsigned long n = 0;

	while (list) {
		struct link *next = list->next;

		uk_free(a, list);
		list = next;
		n++;
	}
	return n;
}

static __sz live_slots(struct uk_alloc *a)
{
	struct uk_allocrnd_stats st;

	uk_allocrnd_stats_get(a, &st);
	return st.live_slots;
}

static enum test_result default_heap_checks_clean(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	__sz live = live_slots(a);
	void *ptrs[200];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ptrs); i++) {
		ptrs[i] = uk_malloc(a, (__sz)i * i);
		EXPECT(ptrs[i]);
	}
	EXPECT(uk_allocrnd_check(a) == 0);
	EXPECT(live_slots(a) == live + ARRAY_SIZE(ptrs));
	for (i = 0; i < ARRAY_SIZE(ptrs); i++)
		uk_free(a, ptrs[i]);
	EXPECT(uk_allocrnd_check(a) == 0);
	EXPECT(live_slots(a) == live);
	return TEST_PASS;
}

static enum test_result exhausted_heap_gets_everything_back(void)
{
	static const __sz sizes[] = { 16, 100, 1024, 5000, 40000, 300000 };
	struct uk_alloc *a = heap_make(HEAP_PAGES);
	unsigned int i, round;

	EXPECT(a);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned long first = 0;

		for (round = 0; round < 2; round++) {
			struct link *list = __NULL;
			unsigned long n;

			errno = 0;
			n = take_all(a, sizes[i], &list);
			EXPECT(errno == ENOMEM);
			EXPECT(n > 0);
			EXPECT(uk_allocrnd_check(a) == 0);
			EXPECT(live_slots(a) == n);
			EXPECT(give_all(a, list) == n);
			EXPECT(live_slots(a) == 0);
			uk_allocrnd_flush(a);
			uk_allocrnd_purge(a);
			EXPECT(uk_allocrnd_check(a) == 0);

			/* Random placement makes the count vary a little */
			if (round == 0)
				first = n;
			EXPECT(n + n / 4 + 1 >= first);
		}
	}
	EXPECT(!uk_allocrnd_destroy(a));
	return TEST_PASS;
}

static enum test_result exhausted_system_gets_everything_back(void)
{
	const __sz size = 4UL << 20;
	struct uk_alloc *a = uk_alloc_get_default();
	struct link *list = __NULL;
	__sz before, live = live_slots(a), taken;
	unsigned long n;
	int failed;

	uk_allocrnd_flush(a);
	uk_allocrnd_purge(a);
	before = frames_free();

	errno = 0;
	n = take_all(a, size, &list);
	failed = errno;
	taken = live_slots(a) - live;
	printf("exhausted: %lu MiB of %lu MiB\n", n * size >> 20, before >> 20);

	/* Nobody can go on without memory: give it back before judging */
	EXPECT(give_all(a, list) == n);
	uk_allocrnd_purge(a);
	EXPECT(failed == ENOMEM);
	EXPECT(taken == n);
	EXPECT(n * size <= before);
	EXPECT((n + 8) * size >= before / 4 * 3);
	EXPECT(uk_allocrnd_check(a) == 0);
	EXPECT(live_slots(a) == live);

	/* Metadata may have grown, objects may not remain */
	EXPECT(frames_free() + size >= before);
	return TEST_PASS;
}

static enum test_result heaps_live_side_by_side(void)
{
	struct uk_alloc *heaps[HEAPS];
	unsigned char *ptrs[HEAPS][64];
	unsigned int i, j;

	for (i = 0; i < HEAPS; i++) {
		heaps[i] = heap_make(HEAP_PAGES / 2);
		EXPECT(heaps[i]);
	}
	for (j = 0; j < ARRAY_SIZE(ptrs[0]); j++) {
		for (i = 0; i < HEAPS; i++) {
			ptrs[i][j] = uk_malloc(heaps[i], 10 + j * 20);
			EXPECT(ptrs[i][j]);
			memset(ptrs[i][j], (int)(i * 64 + j), 10 + j * 20);
		}
	}
	for (i = 0; i < HEAPS; i++) {
		EXPECT(live_slots(heaps[i]) == ARRAY_SIZE(ptrs[0]));
		for (j = 0; j < ARRAY_SIZE(ptrs[0]); j++) {
			unsigned char *p = ptrs[i][j];

			EXPECT(p[0] == (unsigned char)(i * 64 + j));
			EXPECT(!memcmp(p, p + 1, 9 + j * 20));
			uk_free(heaps[i], p);
		}
		EXPECT(uk_allocrnd_check(heaps[i]) == 0);
	}
	for (i = 0; i < HEAPS; i++)
		EXPECT(!uk_allocrnd_destroy(heaps[i]));
	return TEST_PASS;
}

static enum test_result addmem_makes_a_heap_larger(void)
{
	struct uk_alloc *a = heap_make(HEAP_PAGES / 2);
	struct link *list = __NULL;
	unsigned long before, after;
	void *more;

	EXPECT(a);
	before = take_all(a, 1000, &list);
	more = arena_map(HEAP_PAGES);
	EXPECT(more);
	EXPECT(!uk_alloc_addmem(a, more, HEAP_PAGES * PAGE_SIZE));
	after = take_all(a, 1000, &list);
	EXPECT(after > before);
	EXPECT(give_all(a, list) == before + after);
	EXPECT(uk_allocrnd_check(a) == 0);
	EXPECT(!uk_allocrnd_destroy(a));
	EXPECT(!arena_unmap(more, HEAP_PAGES));
	return TEST_PASS;
}

static enum test_result destroyed_heaps_leave_no_frame_behind(void)
{
	__sz before = 0, after;
	unsigned int i, round;

	/* The first rounds fill the pools of areas and page tables */
	for (round = 0; round < POOL_ROUNDS + LEAK_ROUNDS; round++) {
		__sz free_now = frames_free();
		struct uk_alloc *a;

		if (round == POOL_ROUNDS)
			before = free_now;
		a = uk_allocrnd_init(__NULL, 0);
		EXPECT(a);
		for (i = 0; i < 200; i++) {
			char *ptr = uk_malloc(a, 9UL * i * i);

			EXPECT(ptr);
			/* Half of them stay */
			if (i % 2)
				uk_free(a, ptr);
		}
		EXPECT(frames_free() < free_now);
		EXPECT(!uk_allocrnd_destroy(a));
	}
	after = frames_free();
	printf("frames: %lu KiB before, %lu KiB after\n", before >> 10,
	       after >> 10);

	/* A pool may still reach a new high-water mark now and then; a heap
	 * that loses something loses it in every round.
	 */
	EXPECT(after + LEAK_ROUNDS / 2 * PAGE_SIZE >= before);
	return TEST_PASS;
}

static enum test_result default_heap_cannot_be_destroyed(void)
{
	EXPECT(uk_allocrnd_destroy(uk_alloc_get_default()) == -EINVAL);
	return TEST_PASS;
}

const struct test_case heap_cases[] = {
	{ "default_heap_checks_clean", default_heap_checks_clean },
	{ "exhausted_heap_gets_everything_back",
	  exhausted_heap_gets_everything_back },
	{ "exhausted_system_gets_everything_back",
	  exhausted_system_gets_everything_back },
	{ "heaps_live_side_by_side", heaps_live_side_by_side },
	{ "addmem_makes_a_heap_larger", addmem_makes_a_heap_larger },
	{ "destroyed_heaps_leave_no_frame_behind",
	  destroyed_heaps_leave_no_frame_behind },
	{ "default_heap_cannot_be_destroyed",
	  default_heap_cannot_be_destroyed },
	{ __NULL, __NULL },
};
#else  /* !CONFIG_LIBUKALLOCRND */
static enum test_result heaps(void)
{
	SKIP("built without ukallocrnd");
}

const struct test_case heap_cases[] = {
	{ "heaps", heaps },
	{ __NULL, __NULL },
};
#endif /* !CONFIG_LIBUKALLOCRND */
