/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of bench/floor/floor.c on CPUs that the test chooses
 *
 * links: bench/floor/floor.c bench/buddy/buddy.c lib/ukalloc/alloc.c
 * lib/ukalloc/compat.c lib/ukalloc/ifpages.c lib/ukalloc/stats.c
 * tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/alloc.h>
#include <uk/alloc_impl.h>

#include "floor.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define ARENA_LEN (8UL << 20)
#define SMALL_MAX 65536UL
#define OBJECTS	  4000U

unsigned int uk_floor_host_cpu;

static char *arena;
static struct uk_alloc *a, *pages;
static char *objects[OBJECTS];

static int setup(void **state)
{
	(void)state;
	uk_floor_host_cpu = 0;
	arena = aligned_alloc(UK_ALLOC_PAGE_LEN, ARENA_LEN);
	assert_non_null(arena);
	memset(arena, 0x5a, ARENA_LEN);
	a = uk_floor_init(arena, ARENA_LEN);
	/* Its buddy is registered before it */
	pages = uk_alloc_get_default();
	return a == NULL || pages == a;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(uk_alloc_unregister(a), 0);
	assert_int_equal(uk_alloc_unregister(pages), 0);
	free(arena);
	return 0;
}

static void take_all(unsigned int cnt, size_t size)
{
	unsigned int i;

	for (i = 0; i < cnt; i++) {
		objects[i] = uk_malloc(a, size);
		assert_non_null(objects[i]);
		memset(objects[i], (int)(i & 0xff), size);
	}
}

static void drop_all(unsigned int cnt)
{
	unsigned int i;

	for (i = 0; i < cnt; i++)
		uk_free(a, objects[i]);
}

static void every_size_has_a_class(void **state)
{
	size_t size, usable;
	char *ptr;

	(void)state;
	ptr = uk_malloc(a, 0);
	assert_non_null(ptr);
	uk_free(a, ptr);
	for (size = 1; size <= SMALL_MAX; size++) {
		ptr = uk_malloc(a, size);
		assert_non_null(ptr);
		assert_int_equal((uintptr_t)ptr % 16, 0);
		usable = uk_alloc_usable_size(a, ptr);
		assert_true(usable >= size);
		assert_true(usable - size < 16 || (usable - size) * 5 < usable);
		uk_free(a, ptr);
	}
}

static void objects_do_not_overlap(void **state)
{
	unsigned int i;
	size_t j;

	(void)state;
	take_all(OBJECTS, 144);
	for (i = 0; i < OBJECTS; i++)
		for (j = 0; j < 144; j++)
			assert_int_equal(objects[i][j] & 0xff, i & 0xff);
	drop_all(OBJECTS);
}

static void what_was_freed_last_comes_first(void **state)
{
	char *ptr;

	(void)state;
	ptr = uk_malloc(a, 64);
	uk_free(a, ptr);
	assert_ptr_equal(uk_malloc(a, 64), ptr);
	uk_free(a, ptr);
}

/* The second CPU keeps two batches at most: of 64 objects each, for 64 bytes */
static void another_cpu_gives_back_what_it_frees(void **state)
{
	long before;

	(void)state;
	take_all(OBJECTS, 64);
	before = uk_alloc_pavailmem(pages);
	uk_floor_host_cpu = 1;
	drop_all(OBJECTS);
	uk_floor_host_cpu = 0;
	take_all(OBJECTS - 2 * 64, 64);
	assert_int_equal(uk_alloc_pavailmem(pages), before);
	drop_all(OBJECTS - 2 * 64);
}

static void exhaustion_changes_nothing(void **state)
{
	unsigned int cnt = 0;

	(void)state;
	while (cnt < OBJECTS && (objects[cnt] = uk_malloc(a, 16384)))
		cnt++;
	assert_in_range(cnt, ARENA_LEN / 16384 - 64, ARENA_LEN / 16384);
	errno = 0;
	assert_null(uk_malloc(a, 16384));
	assert_int_equal(errno, ENOMEM);
	drop_all(cnt);
	take_all(cnt, 16384);
	assert_null(uk_malloc(a, 16384));
	drop_all(cnt);
}

static void large_and_aligned_requests_are_the_buddys(void **state)
{
	long before = uk_alloc_pavailmem(pages);
	size_t align;
	char *ptr;

	(void)state;
	ptr = uk_malloc(a, SMALL_MAX + 1);
	assert_non_null(ptr);
	assert_true(uk_alloc_usable_size(a, ptr) > SMALL_MAX);
	uk_free(a, ptr);
	for (align = 32; align <= 65536; align *= 2) {
		ptr = uk_memalign(a, align, 100);
		assert_non_null(ptr);
		assert_int_equal((uintptr_t)ptr % align, 0);
		uk_free(a, ptr);
	}
	assert_int_equal(uk_alloc_pavailmem(pages), before);
}

static void bad_alignments_are_refused(void **state)
{
	void *ptr = arena;

	(void)state;
	assert_int_equal(uk_posix_memalign(a, &ptr, 0, 8), EINVAL);
	assert_int_equal(uk_posix_memalign(a, &ptr, 4, 8), EINVAL);
	assert_int_equal(uk_posix_memalign(a, &ptr, 24, 8), EINVAL);
	assert_ptr_equal(ptr, arena);
}

static void realloc_keeps_the_contents(void **state)
{
	char *ptr, *moved;

	(void)state;
	ptr = uk_malloc(a, 100);
	memset(ptr, 7, 100);
	moved = uk_realloc(a, ptr, 100000);
	assert_non_null(moved);
	assert_int_equal(moved[0] + moved[99], 14);
	moved = uk_realloc(a, moved, 10);
	assert_int_equal(moved[0] + moved[9], 14);
	uk_free(a, moved);
}

/* Lists of both CPUs, batches that are shared, and what is left of runs */
static void a_reset_gives_all_pages_back(void **state)
{
	long before = uk_alloc_pavailmem(pages);
	unsigned int cnt;
	size_t size;

	(void)state;
	for (size = 8; size <= SMALL_MAX; size *= 2) {
		cnt = size < 2048 ? 300 : 5;
		take_all(cnt, size);
		uk_floor_host_cpu = !uk_floor_host_cpu;
		drop_all(cnt);
	}
	uk_floor_host_cpu = 0;
	assert_true(uk_alloc_pavailmem(pages) < before);
	uk_floor_reset(a);
	assert_int_equal(uk_alloc_pavailmem(pages), before);

	exhaustion_changes_nothing(state);
	uk_floor_reset(a);
	objects_do_not_overlap(state);
}

static void too_little_memory_makes_none(void **state)
{
	(void)state;
	assert_null(uk_floor_init(arena, 4096));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(every_size_has_a_class),
		UNIT_TEST(objects_do_not_overlap),
		UNIT_TEST(what_was_freed_last_comes_first),
		UNIT_TEST(another_cpu_gives_back_what_it_frees),
		UNIT_TEST(exhaustion_changes_nothing),
		UNIT_TEST(large_and_aligned_requests_are_the_buddys),
		UNIT_TEST(bad_alignments_are_refused),
		UNIT_TEST(realloc_keeps_the_contents),
		UNIT_TEST(a_reset_gives_all_pages_back),
		UNIT_TEST(too_little_memory_makes_none),
	};

	return cmocka_run_group_tests_name("floor", tests, NULL, NULL);
}
