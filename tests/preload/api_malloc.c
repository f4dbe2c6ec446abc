/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* One thread: sizes, alignments, errno */

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"

#define PAGE_LEN 4096UL

static int is_filled(const void *ptr, int value, size_t len)
{
	const unsigned char *byte = ptr;
	size_t i;

	for (i = 0; i < len; i++)
		if (byte[i] != value)
			return 0;
	return 1;
}

static int is_aligned(const void *ptr, size_t align)
{
	return (uintptr_t)ptr % align == 0;
}

/* Tells whether a call failed with the errno that it had to set */
static int failed_with(const void *result, int want)
{
	int got = errno;

	errno = 0;
	return !result && got == want;
}

static void every_size_is_aligned_and_writable(void)
{
	size_t size;
	char *ptr;

	for (size = 1; size < 300000; size += 1 + size / 16) {
		ptr = malloc(size);
		API_CHECK(ptr && is_aligned(ptr, 16));
		memset(ptr, 0x5a, size);
		free(ptr);
	}
}

static void zero_sizes_are_distinct(void)
{
	void *a = malloc(0), *b = malloc(0), *c = calloc(0, 5);

	API_CHECK(a && b && c && a != b && b != c && a != c);
	free(a);
	free(b);
	free(c);
	free(NULL);
}

static void fresh_memory_of_calloc_is_zero(void)
{
	size_t size;
	char *ptr;
	int round;

	for (round = 0; round < 50; round++) {
		for (size = 1; size < 200000; size *= 3) {
			ptr = calloc(1, size);
			API_CHECK(ptr && is_filled(ptr, 0, size));
			memset(ptr, 0xff, size);
			free(ptr);
		}
	}
}

static void impossible_sizes_fail_with_enomem(void)
{
	volatile size_t huge = PTRDIFF_MAX;
	void *ptr = malloc(10);

	errno = 0;
	API_CHECK(failed_with(malloc(huge), ENOMEM));
	API_CHECK(failed_with(malloc(SIZE_MAX - huge % 2), ENOMEM));
	API_CHECK(failed_with(calloc(huge, 3), ENOMEM));
	API_CHECK(failed_with(calloc(1UL << 32, 1UL << 32), ENOMEM));
	API_CHECK(failed_with(reallocarray(NULL, 1UL << 32, huge), ENOMEM));
	API_CHECK(failed_with(pvalloc(SIZE_MAX - huge % 2), ENOMEM));
	API_CHECK(failed_with(memalign(64, huge), ENOMEM));
	API_CHECK(failed_with(realloc(ptr, huge), ENOMEM));
	/* It is still there */
	free(ptr);
}

static void realloc_keeps_contents(void)
{
	size_t from, to, kept;
	char *ptr, *moved;

	for (from = 1; from < 300000; from = from * 2 + 3) {
		for (to = 1; to < 600000; to = to * 3 + 1) {
			ptr = malloc(from);
			memset(ptr, 0x33, from);
			moved = realloc(ptr, to);
			kept = from < to ? from : to;
			API_CHECK(moved && is_filled(moved, 0x33, kept));
			memset(moved, 0x44, to);
			free(moved);
		}
	}
}

static void realloc_of_nothing_and_to_nothing(void)
{
	void *ptr = realloc(NULL, 100);

	API_CHECK(ptr);
	errno = EDOM;
	API_CHECK(failed_with(realloc(ptr, 0), EDOM));
	ptr = reallocarray(NULL, 10, 10);
	API_CHECK(ptr);
	API_CHECK(failed_with(reallocarray(ptr, 0, 10), 0));
}

static void alignment_as_asked(void)
{
	size_t align, size;
	void *ptr, *moved;

	for (align = sizeof(void *); align <= 1UL << 22; align *= 2) {
		for (size = 1; size < 200000; size = size * 7 + 1) {
			API_CHECK(!posix_memalign(&ptr, align, size));
			API_CHECK(is_aligned(ptr, align));
			memset(ptr, 1, size);
			free(ptr);
			ptr = aligned_alloc(align, size);
			API_CHECK(ptr && is_aligned(ptr, align));
			moved = realloc(ptr, size * 2);
			API_CHECK(moved);
			free(moved);
		}
	}
}

static void wrong_alignments_fail_with_einval(void)
{
	volatile size_t three = 3;
	void *const before = &errno;
	void *ptr = before;

	errno = 0;
	API_CHECK(posix_memalign(&ptr, three, 10) == EINVAL);
	API_CHECK(posix_memalign(&ptr, 4, 10) == EINVAL);
	API_CHECK(posix_memalign(&ptr, 0, 10) == EINVAL);
	API_CHECK(posix_memalign(&ptr, 24, 10) == EINVAL && ptr == before);
	API_CHECK(failed_with(aligned_alloc(three, 10), EINVAL));
	API_CHECK(failed_with(memalign(SIZE_MAX - three, 10), EINVAL));
	/* glibc takes the next power of two */
	ptr = memalign(three * 11, 10);
	API_CHECK(ptr && is_aligned(ptr, 64));
	free(ptr);
}

static void whole_pages(void)
{
	void *ptr = valloc(10);

	API_CHECK(ptr && is_aligned(ptr, PAGE_LEN));
	free(ptr);
	ptr = pvalloc(PAGE_LEN + 1);
	API_CHECK(ptr && is_aligned(ptr, PAGE_LEN));
	API_CHECK(malloc_usable_size(ptr) >= 2 * PAGE_LEN);
	memset(ptr, 1, 2 * PAGE_LEN);
	free(ptr);
}

static void usable_size_is_usable(void)
{
	size_t size, usable;
	void *ptr;

	API_CHECK(malloc_usable_size(NULL) == 0);
	for (size = 1; size < 300000; size += 1 + size / 7) {
		ptr = malloc(size);
		usable = malloc_usable_size(ptr);
		API_CHECK(usable >= size);
		memset(ptr, 0x77, usable);
		API_CHECK(malloc_usable_size(ptr) == usable);
		free(ptr);
	}
}

static void free_keeps_errno(void)
{
	void *ptr[2000];
	size_t i;

	for (i = 0; i < 2000; i++)
		ptr[i] = malloc(i < 1900 ? 100 : 1000000);
	errno = EDOM;
	for (i = 0; i < 2000; i++)
		free(ptr[i]);
	API_CHECK(errno == EDOM);
}

/* A call that binaries linked before glibc 2.26 contain */
void old_cfree(void *ptr);
__asm__(".symver old_cfree, cfree@GLIBC_2.2.5");

static void old_programs_free_here(void)
{
	size_t before = mallinfo2().uordblks;
	void *ptr = malloc(5000);

	API_CHECK(mallinfo2().uordblks == before + 5000);
	old_cfree(ptr);
	API_CHECK(mallinfo2().uordblks == before);
}

static void figures_make_sense(void)
{
	struct mallinfo2 before = mallinfo2(), after;
	char *text = NULL;
	size_t len = 0;
	FILE *stream;
	void *ptr = malloc(1000000);

	after = mallinfo2();
	API_CHECK(after.uordblks >= before.uordblks + 1000000);
	API_CHECK(after.arena >= after.uordblks);
	free(ptr);
	after = mallinfo2();
	API_CHECK(after.uordblks < before.uordblks + 1000000);

	errno = 0;
	API_CHECK(malloc_info(1, stdout) && errno == EINVAL);
	stream = open_memstream(&text, &len);
	API_CHECK(stream && !malloc_info(0, stream) && !fclose(stream));
	API_CHECK(text && strstr(text, "<malloc") && strstr(text, "</malloc>"));
	free(text);
	API_CHECK(malloc_trim(0) >= 0);
}

const struct api_test api_malloc_tests[] = {
	{ "every_size_is_aligned_and_writable",
	  every_size_is_aligned_and_writable },
	{ "zero_sizes_are_distinct", zero_sizes_are_distinct },
	{ "fresh_memory_of_calloc_is_zero", fresh_memory_of_calloc_is_zero },
	{ "impossible_sizes_fail_with_enomem",
	  impossible_sizes_fail_with_enomem },
	{ "realloc_keeps_contents", realloc_keeps_contents },
	{ "realloc_of_nothing_and_to_nothing",
	  realloc_of_nothing_and_to_nothing },
	{ "alignment_as_asked", alignment_as_asked },
	{ "wrong_alignments_fail_with_einval",
	  wrong_alignments_fail_with_einval },
	{ "whole_pages", whole_pages },
	{ "usable_size_is_usable", usable_size_is_usable },
	{ "free_keeps_errno", free_keeps_errno },
	{ "old_programs_free_here", old_programs_free_here },
	{ "figures_make_sense", figures_make_sense },
	{ NULL, NULL },
};
