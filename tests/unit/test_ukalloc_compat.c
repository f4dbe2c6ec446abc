/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the helpers that complete an allocator: compat.c, ifmalloc.c
 * and ifpages.c of lib/ukalloc
 *
 * Every helper runs on a small allocator that sits on the C library, so that
 * the sanitizers see each byte read or written outside of an object.
 *
 * links: lib/ukalloc/compat.c lib/ukalloc/ifmalloc.c lib/ukalloc/ifpages.c
 * lib/ukalloc/alloc.c lib/ukalloc/stats.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/alloc.h>
#include <uk/alloc_impl.h>
#include <uk/essentials.h>

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define PAGE_LEN UK_ALLOC_PAGE_LEN
#define PAGES	 64UL

static struct uk_alloc raw, hdr, pag;
static struct uk_alloc *const all[] = { &raw, &hdr, &pag };

/* Offset that the backend adds to the C library's alignment */
static __sz skew;
static __bool out_of_memory;
static long live;

/* Pages that are handed out, one character each */
static char *arena;
static char used[PAGES];

static void *raw_malloc(struct uk_alloc *a, __sz size)
{
	char *ptr;

	(void)a;
	if (out_of_memory || size > PTRDIFF_MAX - 16) {
		errno = ENOMEM;
		return NULL;
	}

	ptr = malloc(size + skew);
	assert_non_null(ptr);
	live++;
	return ptr + skew;
}

static void raw_free(struct uk_alloc *a, void *ptr)
{
	(void)a;
	if (!ptr)
		return;
	live--;
	free((char *)ptr - skew);
}

static int raw_posix_memalign(struct uk_alloc *a, void **memptr, __sz align,
			      __sz size)
{
	(void)a;
	if (!POWER_OF_2(align) || align % sizeof(void *))
		return EINVAL;
	if (out_of_memory)
		return ENOMEM;
	live++;
	return posix_memalign(memptr, align, size);
}

static __sz raw_usable(struct uk_alloc *a, const void *ptr)
{
	(void)a;
	return malloc_usable_size((void *)(__uptr)ptr);
}

static __ssz raw_maxalloc(struct uk_alloc *a)
{
	(void)a;
	return 10 * (__ssz)PAGE_LEN + 1;
}

static void *pag_palloc(struct uk_alloc *a, unsigned long num_pages)
{
	char *first;
	char want[PAGES] = { 0 };

	(void)a;
	if (out_of_memory || !num_pages || num_pages > PAGES)
		return NULL;

	first = memmem(used, PAGES, want, num_pages);
	if (!first)
		return NULL;
	memset(first, 1, num_pages);
	live += (long)num_pages;
	return arena + (first - used) * (long)PAGE_LEN;
}

static void pag_pfree(struct uk_alloc *a, void *ptr, unsigned long num_pages)
{
	__sz page = (__sz)((char *)ptr - arena) / PAGE_LEN;
	__sz i;

	(void)a;
	assert_true(num_pages);
	assert_int_equal((__uptr)ptr % PAGE_LEN, 0);
	for (i = page; i < page + num_pages; i++) {
		assert_true(i < PAGES);
		assert_int_equal(used[i], 1);
		used[i] = 0;
	}
	live -= (long)num_pages;
}

static long pag_avail(struct uk_alloc *a)
{
	(void)a;
	return (long)PAGES - live;
}

static int setup(void **state)
{
	(void)state;
	skew = 0;
	live = 0;
	out_of_memory = 0;
	memset(used, 0, sizeof(used));
	arena = aligned_alloc(PAGE_LEN, PAGES * PAGE_LEN);
	uk_alloc_init_malloc(&raw, raw_malloc, uk_calloc_compat,
			     uk_realloc_compat, raw_free, raw_posix_memalign,
			     uk_memalign_compat, raw_maxalloc, NULL, NULL);
	raw.usable = raw_usable;
	uk_alloc_init_malloc_ifmalloc(&hdr, raw_malloc, raw_free, raw_maxalloc,
				      NULL, NULL);
	uk_alloc_init_palloc(&pag, pag_palloc, pag_pfree, pag_avail, pag_avail,
			     NULL);
	return 0;
}

static int teardown(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(live, 0);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(uk_alloc_unregister(all[i]), 0);
	free(arena);
	return 0;
}

static void fill(void *ptr, __sz len, int seed)
{
	__sz i;

	for (i = 0; i < len; i++)
		((char *)ptr)[i] = (char)(seed + (int)i);
}

static void expect_fill(const void *ptr, __sz len, int seed)
{
	__sz i;

	for (i = 0; i < len; i++)
		assert_int_equal(((const char *)ptr)[i], (char)(seed + (int)i));
}

static void malloc_is_aligned_and_whole(void **state)
{
	static const __sz sizes[] = { 0,    1,	  15,	16,   17,   4079,
				      4080, 4081, 4095, 4096, 4097, 20000 };
	void *ptrs[ARRAY_SIZE(sizes)];
	unsigned int i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			ptrs[j] = uk_malloc(all[i], sizes[j]);
			assert_non_null(ptrs[j]);
			assert_int_equal((__uptr)ptrs[j] % 16, 0);
			assert_true(uk_alloc_usable_size(all[i], ptrs[j]) >=
				    sizes[j]);
			fill(ptrs[j], sizes[j], (int)j);
		}
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			expect_fill(ptrs[j], sizes[j], (int)j);
			uk_free(all[i], ptrs[j]);
		}
		uk_free(all[i], NULL);
	}
}

static void ifmalloc_aligns_on_a_backend_that_hardly_does(void **state)
{
	__sz align;

	(void)state;
	skew = 8;
	for (align = 8; align <= 4 * PAGE_LEN; align *= 2) {
		void *ptr = NULL;

		assert_int_equal(uk_posix_memalign(&hdr, &ptr, align, 100), 0);
		assert_int_equal((__uptr)ptr % align, 0);
		assert_int_equal((__uptr)ptr % 16, 0);
		fill(ptr, 100, 1);
		uk_free(&hdr, ptr);
	}
}

static void posix_memalign_aligns_and_takes_no_more_than_needed(void **state)
{
	__sz align;

	(void)state;
	for (align = 8; align <= 8 * PAGE_LEN; align *= 2) {
		void *ptr = NULL;

		assert_int_equal(uk_posix_memalign(&pag, &ptr, align, PAGE_LEN),
				 0);
		assert_int_equal((__uptr)ptr % align, 0);
		assert_true(live <= 2);
		fill(ptr, PAGE_LEN, 3);
		uk_free(&pag, ptr);
		assert_int_equal(live, 0);
	}
}

static void memalign_knows_small_alignments(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		void *ptr = uk_memalign(all[i], 1, 10);

		assert_non_null(ptr);
		uk_free(all[i], ptr);
		errno = 0;
		assert_null(uk_memalign(all[i], 24, 10));
		assert_int_equal(errno, EINVAL);
		assert_null(uk_memalign(all[i], 0, 10));
	}
}

static void posix_memalign_errors_leave_memptr_alone(void **state)
{
	static const __sz bad[] = { 0, 1, 4, 12, 24, PAGE_LEN - 1 };
	unsigned int i, j;
	void *ptr = &live;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		for (j = 0; j < ARRAY_SIZE(bad); j++)
			assert_int_equal(uk_posix_memalign(all[i], &ptr, bad[j],
							   1),
					 EINVAL);
		out_of_memory = 1;
		assert_int_equal(uk_posix_memalign(all[i], &ptr, 64, 1),
				 ENOMEM);
		out_of_memory = 0;
	}
	for (i = 1; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(uk_posix_memalign(all[i], &ptr, 64, __SZ_MAX),
				 ENOMEM);
		assert_int_equal(uk_posix_memalign(all[i], &ptr, 1UL << 63,
						   __SZ_MAX / 2 + 1),
				 ENOMEM);
	}
	assert_ptr_equal(ptr, &live);
}

static void posix_memalign_compat_checks_before_memalign(void **state)
{
	void *ptr = &live;

	(void)state;
	assert_int_equal(uk_posix_memalign_compat(&hdr, &ptr, 12, 1), EINVAL);
	out_of_memory = 1;
	assert_int_equal(uk_posix_memalign_compat(&hdr, &ptr, 64, 1), ENOMEM);
	assert_ptr_equal(ptr, &live);
	out_of_memory = 0;
	assert_int_equal(uk_posix_memalign_compat(&hdr, &ptr, 64, 1), 0);
	uk_free(&hdr, ptr);
}

static void calloc_clears_and_catches_overflow(void **state)
{
	static const char zeros[3000];
	unsigned int i;

	(void)state;
	memset(arena, 0xa5, PAGES * PAGE_LEN);
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		void *ptr = uk_calloc(all[i], 1000, 3);

		assert_memory_equal(ptr, zeros, sizeof(zeros));
		uk_free(all[i], ptr);
		ptr = uk_calloc(all[i], 0, __SZ_MAX);
		assert_non_null(ptr);
		uk_free(all[i], ptr);
		errno = 0;
		assert_null(uk_calloc(all[i], 1UL << 32, 1UL << 32));
		assert_int_equal(errno, ENOMEM);
	}
}

static void huge_requests_fail_with_enomem(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		errno = 0;
		assert_null(uk_malloc(all[i], __SZ_MAX));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(uk_malloc(all[i], __SZ_MAX - PAGE_LEN));
		assert_int_equal(errno, ENOMEM);
		errno = 0;
		assert_null(uk_palloc(all[i], __SZ_MAX / PAGE_LEN + 2));
		assert_int_equal(errno, i == 2 ? 0 : ENOMEM);
		assert_null(uk_palloc(all[i], 0));
	}
}

static void realloc_keeps_contents(void **state)
{
	static const __sz sizes[] = { 1, 100, 5000, 20000, 6000, 16, 4096 };
	unsigned int i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		char *ptr = uk_realloc(all[i], NULL, 10);
		__sz old = 10;

		assert_non_null(ptr);
		fill(ptr, 10, 7);
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			ptr = uk_realloc(all[i], ptr, sizes[j]);
			assert_non_null(ptr);
			expect_fill(ptr, MIN(old, sizes[j]), 7);
			old = sizes[j];
			fill(ptr, old, 7);
		}
		assert_null(uk_realloc(all[i], ptr, 0));
		assert_int_equal(live, 0);
	}
}

static void realloc_failure_keeps_the_object(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		char *ptr = uk_malloc(all[i], 100);

		fill(ptr, 100, 5);
		out_of_memory = 1;
		errno = 0;
		assert_null(uk_realloc(all[i], ptr, 100000));
		assert_int_equal(errno, ENOMEM);
		out_of_memory = 0;
		expect_fill(ptr, 100, 5);
		uk_free(all[i], ptr);
	}
}

static void realloc_compat_refuses_to_guess_the_old_size(void **state)
{
	char *ptr;

	(void)state;
	raw.usable = NULL;
	ptr = uk_malloc(&raw, 10);
	errno = 0;
	assert_null(uk_realloc(&raw, ptr, 1000));
	assert_int_equal(errno, ENOMEM);
	assert_null(uk_realloc(&raw, ptr, 0));
}

static void ifpages_shrinks_and_grows_in_place(void **state)
{
	char *ptr, *same;

	(void)state;
	ptr = uk_malloc(&pag, 4 * PAGE_LEN);
	assert_int_equal(live, 5);
	same = uk_realloc(&pag, ptr, PAGE_LEN);
	assert_ptr_equal(same, ptr);
	assert_int_equal(live, 2);
	same = uk_realloc(&pag, ptr, 2 * PAGE_LEN - 16);
	assert_ptr_equal(same, ptr);
	assert_int_equal(live, 2);
	uk_free(&pag, same);
}

static void palloc_compat_gives_aligned_pages(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		void *ptr = uk_palloc(all[i], 3);

		assert_non_null(ptr);
		assert_int_equal((__uptr)ptr % PAGE_LEN, 0);
		fill(ptr, 3 * PAGE_LEN, 9);
		uk_pfree(all[i], ptr, 3);
	}
}

static void sizes_convert_between_bytes_and_pages(void **state)
{
	(void)state;
	assert_int_equal(uk_alloc_pmaxalloc(&raw), 9);
	assert_int_equal(uk_alloc_pavailmem(&raw), -ENOTSUP);
	assert_int_equal(uk_alloc_pavailmem_compat(&raw), -ENOTSUP);
	assert_int_equal(uk_alloc_maxalloc(&pag), PAGES * PAGE_LEN - 16);
	assert_int_equal(uk_alloc_availmem(&pag), PAGES * PAGE_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(malloc_is_aligned_and_whole),
		UNIT_TEST(ifmalloc_aligns_on_a_backend_that_hardly_does),
		UNIT_TEST(posix_memalign_aligns_and_takes_no_more_than_needed),
		UNIT_TEST(memalign_knows_small_alignments),
		UNIT_TEST(posix_memalign_errors_leave_memptr_alone),
		UNIT_TEST(posix_memalign_compat_checks_before_memalign),
		UNIT_TEST(calloc_clears_and_catches_overflow),
		UNIT_TEST(huge_requests_fail_with_enomem),
		UNIT_TEST(realloc_keeps_contents),
		UNIT_TEST(realloc_failure_keeps_the_object),
		UNIT_TEST(realloc_compat_refuses_to_guess_the_old_size),
		UNIT_TEST(ifpages_shrinks_and_grows_in_place),
		UNIT_TEST(palloc_compat_gives_aligned_pages),
		UNIT_TEST(sizes_convert_between_bytes_and_pages),
	};

	return cmocka_run_group_tests_name("ukalloc_compat", tests, NULL, NULL);
}
