/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of bench/buddy/buddy.c, with a model of which page is whose
 *
 * links: bench/buddy/buddy.c lib/ukalloc/alloc.c lib/ukalloc/compat.c
 * lib/ukalloc/ifpages.c lib/ukalloc/stats.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/alloc.h>
#include <uk/alloc_impl.h>

#include "buddy.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define PAGE_LEN UK_ALLOC_PAGE_LEN
#define PAGES	 600UL

#ifdef RND_TEST_SLOW
#define ROUNDS 300U
#else
#define ROUNDS 20000U
#endif

static char *arena;
static struct uk_alloc *buddy;

/* Owner of each page of the arena in the model; 0: not handed out */
static unsigned int owner[PAGES];

static unsigned long draw(unsigned long bound)
{
	static unsigned long seed = 20261123;

	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 33) % bound;
}

static int setup(void **state)
{
	(void)state;
	memset(owner, 0, sizeof(owner));
	arena = aligned_alloc(PAGE_LEN, PAGES * PAGE_LEN);
	assert_non_null(arena);
	memset(arena, 0x5a, PAGES * PAGE_LEN);

	/* Odd ends: partial pages are left alone */
	buddy = uk_buddy_init(arena + 24, (PAGES - 100) * PAGE_LEN - 100);
	return buddy == NULL;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(uk_alloc_unregister(buddy), 0);
	free(arena);
	return 0;
}

static __sz page_of(const void *ptr)
{
	assert_int_equal((__uptr)ptr % PAGE_LEN, 0);
	return (__sz)((const char *)ptr - arena) / PAGE_LEN;
}

static void model_take(const void *ptr, unsigned long num_pages,
		       unsigned int who)
{
	__sz page = page_of(ptr);
	unsigned long i;

	assert_true(page + num_pages <= PAGES);
	for (i = page; i < page + num_pages; i++) {
		assert_int_equal(owner[i], 0);
		owner[i] = who;
	}
	memset(arena + page * PAGE_LEN, (int)who, num_pages * PAGE_LEN);
}

static void model_give(__sz page, unsigned long num_pages)
{
	unsigned long i;

	for (i = page; i < page + num_pages; i++) {
		const char *at = arena + i * PAGE_LEN;

		assert_true(owner[i]);
		assert_int_equal(at[0], (char)owner[i]);
		assert_memory_equal(at, at + 1, PAGE_LEN - 1);
		owner[i] = 0;
	}
	uk_pfree(buddy, arena + page * PAGE_LEN, num_pages);
}

static long model_live(void)
{
	long n = 0;
	__sz i;

	for (i = 0; i < PAGES; i++)
		n += !!owner[i];

	return n;
}

/* Frees a random part of a random stretch of pages that are handed out */
static void free_some(void)
{
	__sz page = draw(PAGES), end;

	while (page < PAGES && !owner[page])
		page++;
	for (end = page; end < PAGES && owner[end]; end++)
		if (draw(4) == 0 && end > page)
			break;
	if (end > page)
		model_give(page, end - page);
}

static void random_operations_agree_with_the_model(void **state)
{
	unsigned long n;
	long total = uk_alloc_pavailmem(buddy);
	unsigned int i;
	void *ptr;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		if (draw(2)) {
			n = 1 + draw(draw(3) ? 8 : 200);
			errno = 0;
			ptr = uk_palloc(buddy, n);
			if (ptr)
				model_take(ptr, n, 1 + i % 100);
			else
				assert_int_equal(errno, ENOMEM);
		} else {
			free_some();
		}
		assert_int_equal(uk_alloc_pavailmem(buddy),
				 total - model_live());
		if (i % 64 == 0)
			assert_true(uk_buddy_is_valid(buddy));
	}
	for (n = 0; n < PAGES; n++)
		if (owner[n])
			model_give(n, 1);
	assert_int_equal(uk_alloc_pavailmem(buddy), total);
	assert_true(uk_buddy_is_valid(buddy));
}

static void exhaustion_loses_nothing(void **state)
{
	long i, total = uk_alloc_pavailmem(buddy);

	(void)state;
	for (i = 0; i < total; i++) {
		const void *ptr = uk_palloc(buddy, 1);

		assert_non_null(ptr);
		model_take(ptr, 1, 1);
	}
	assert_null(uk_palloc(buddy, 1));
	assert_int_equal(uk_alloc_pavailmem(buddy), 0);
	assert_int_equal(uk_alloc_pmaxalloc(buddy), 0);
	for (i = 0; i < (long)PAGES; i++)
		if (owner[i])
			model_give((__sz)i, 1);
	assert_int_equal(uk_alloc_pavailmem(buddy), total);
	assert_true(uk_alloc_pmaxalloc(buddy) >= 128);
}

static void largest_request_succeeds(void **state)
{
	long n = uk_alloc_pmaxalloc(buddy);
	void *ptr;

	(void)state;
	assert_null(uk_palloc(buddy, (unsigned long)n + 1));
	assert_null(uk_palloc(buddy, 0));
	assert_null(uk_palloc(buddy, __SZ_MAX));
	ptr = uk_palloc(buddy, (unsigned long)n);
	assert_non_null(ptr);
	model_take(ptr, (unsigned long)n, 1);
	model_give(page_of(ptr), (unsigned long)n);
}

static void addmem_adds_a_region_of_its_own(void **state)
{
	long before = uk_alloc_pavailmem(buddy);

	(void)state;
	assert_int_equal(uk_alloc_addmem(buddy, arena + 550 * PAGE_LEN,
					 50 * PAGE_LEN),
			 0);
	assert_int_equal(uk_alloc_pavailmem(buddy), before + 49);
	assert_int_equal(uk_alloc_addmem(buddy, arena + 540 * PAGE_LEN, 100),
			 -ENOMEM);
	assert_true(uk_buddy_is_valid(buddy));
	random_operations_agree_with_the_model(state);
}

static void init_fails_without_room(void **state)
{
	(void)state;
	assert_null(uk_buddy_init(arena + 560 * PAGE_LEN, PAGE_LEN));
	assert_null(uk_buddy_init(arena + 560 * PAGE_LEN, 64));
}

static void malloc_family_works_on_it(void **state)
{
	long total = uk_alloc_pavailmem(buddy);
	char *ptr, *big;
	void *aligned = NULL;

	(void)state;
	ptr = uk_calloc(buddy, 100, 3);
	assert_non_null(ptr);
	assert_int_equal(ptr[0] | ptr[299], 0);
	memset(ptr, 7, 300);
	big = uk_realloc(buddy, ptr, 30 * PAGE_LEN);
	assert_non_null(big);
	assert_memory_equal(big, big + 1, 299);
	assert_int_equal(uk_posix_memalign(buddy, &aligned, 4 * PAGE_LEN, 10),
			 0);
	assert_int_equal((__uptr)aligned % (4 * PAGE_LEN), 0);
	assert_true(uk_buddy_is_valid(buddy));
	uk_free(buddy, aligned);
	uk_free(buddy, big);
	assert_int_equal(uk_alloc_pavailmem(buddy), total);
}

static void *churn(void *arg)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		char *ptr = uk_malloc(buddy, 1 + i % 9000);

		assert_non_null(ptr);
		ptr[i % 9000] = *(char *)arg;
		uk_free(buddy, ptr);
	}

	return NULL;
}

static void many_cpus_share_it(void **state)
{
	long total = uk_alloc_pavailmem(buddy);
	pthread_t threads[4];
	char tag = 1;
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, churn, &tag),
				 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(uk_alloc_pavailmem(buddy), total);
	assert_true(uk_buddy_is_valid(buddy));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(random_operations_agree_with_the_model),
		UNIT_TEST(exhaustion_loses_nothing),
		UNIT_TEST(largest_request_succeeds),
		UNIT_TEST(addmem_adds_a_region_of_its_own),
		UNIT_TEST(init_fails_without_room),
		UNIT_TEST(malloc_family_works_on_it),
		UNIT_TEST(many_cpus_share_it),
	};

	return cmocka_run_group_tests_name("buddy", tests, NULL, NULL);
}
