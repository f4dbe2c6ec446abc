/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The malloc family of the guest's C library on the default allocator */

#include <errno.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>

#include "libc.h"
#include "test.h"

static const __sz sizes[] = { 0,     1,	    8,	   15,	   16,	   17,	 24,
			      63,    64,    65,	   127,	   128,	   129,	 255,
			      256,   1000,  1024,  4000,   4096,   5000, 16384,
			      40000, 65536, 65537, 200000, 1048576 };

static void fill(void *ptr, __sz len, unsigned int seed)
{
	unsigned char *p = ptr;
	__sz i;

	for (i = 0; i < len; i++)
		p[i] = (unsigned char)(seed + i);
}

static int has_fill(const void *ptr, __sz len, unsigned int seed)
{
	const unsigned char *p = ptr;
	__sz i;

	for (i = 0; i < len; i++)
		if (p[i] != (unsigned char)(seed + i))
			return 0;

	return 1;
}

static int is_zero(const void *ptr, __sz len)
{
	const unsigned char *p = ptr;
	__sz i;

	for (i = 0; i < len; i++)
		if (p[i])
			return 0;

	return 1;
}

static enum test_result malloc_objects_are_aligned_and_apart(void)
{
	void *ptrs[ARRAY_SIZE(sizes)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ptrs[i] = libc.malloc(sizes[i]);
		EXPECT(ptrs[i]);
		EXPECT((__uptr)ptrs[i] % 16 == 0);
		fill(ptrs[i], sizes[i], i);
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT(has_fill(ptrs[i], sizes[i], i));
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		libc.free(ptrs[i]);
	libc.free(__NULL);
	return TEST_PASS;
}

static enum test_result calloc_memory_is_zero_after_use(void)
{
	unsigned int i, round;
	void *ptr;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (round = 0; round < 20; round++) {
			ptr = libc.calloc(1, sizes[i]);
			EXPECT(ptr);
			EXPECT(is_zero(ptr, sizes[i]));
			memset(ptr, 0xa5, sizes[i]);
			libc.free(ptr);
		}
	}
	return TEST_PASS;
}

static enum test_result calloc_overflow_is_enomem(void)
{
	const __sz huge = 1UL << 33;

	errno = 0;
	EXPECT(!libc.calloc(huge, huge));
	EXPECT(errno == ENOMEM);
	return TEST_PASS;
}

static enum test_result realloc_keeps_contents_up_and_down(void)
{
	const unsigned int last = ARRAY_SIZE(sizes) - 1;
	void *ptr = __NULL;
	unsigned int i;
	__sz old = 0;

	for (i = 1; i < 2 * last; i++) {
		__sz size = sizes[i <= last ? i : 2 * last - i];
		__sz kept = MIN(old, size);

		ptr = libc.realloc(ptr, size);
		EXPECT(ptr);
		EXPECT(has_fill(ptr, kept, 3));
		fill(ptr, size, 3);
		old = size;
	}
	EXPECT(!libc.realloc(ptr, 0));
	return TEST_PASS;
}

static enum test_result realloc_failure_keeps_the_object(void)
{
	const __sz huge = __SZ_MAX / 2;
	void *ptr = libc.malloc(100);

	EXPECT(ptr);
	fill(ptr, 100, 9);
	errno = 0;
	EXPECT(!libc.realloc(ptr, huge));
	EXPECT(errno == ENOMEM);
	EXPECT(has_fill(ptr, 100, 9));
	libc.free(ptr);
	return TEST_PASS;
}

static enum test_result malloc_of_nothing_can_be_freed(void)
{
	void *ptrs[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ptrs); i++)
		ptrs[i] = libc.malloc(0);
	for (i = 0; i < ARRAY_SIZE(ptrs); i++)
		libc.free(ptrs[i]);
	return TEST_PASS;
}

static enum test_result malloc_huge_is_enomem(void)
{
	static const __sz huge[] = { __SZ_MAX,	      __SZ_MAX - 8,
				     __SZ_MAX - 4095, __SZ_MAX - 4096,
				     1UL << 63,	      1UL << 52 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(huge); i++) {
		const __sz size = huge[i];

		errno = 0;
		EXPECT(!libc.malloc(size));
		EXPECT(errno == ENOMEM);
	}
	return TEST_PASS;
}

static enum test_result posix_memalign_aligns(void)
{
	void *ptrs[4] = { __NULL };
	unsigned int i;
	__sz align;

	for (align = 8; align <= 1UL << 20; align *= 2) {
		for (i = 0; i < ARRAY_SIZE(ptrs); i++) {
			EXPECT(!libc.posix_memalign(&ptrs[i], align,
						    100 * i + 1));
			EXPECT((__uptr)ptrs[i] % align == 0);
			fill(ptrs[i], 100 * i + 1, i);
		}
		for (i = 0; i < ARRAY_SIZE(ptrs); i++) {
			EXPECT(has_fill(ptrs[i], 100 * i + 1, i));
			libc.free(ptrs[i]);
		}
	}
	return TEST_PASS;
}

static enum test_result posix_memalign_errors_leave_memptr_alone(void)
{
	static const __sz bad[] = { 0, 1, 4, 12, 24, 4095 };
	void *const mark = &errno;
	const __sz huge = __SZ_MAX / 2 + 1;
	void *ptr = mark;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT(libc.posix_memalign(&ptr, bad[i], 1) == EINVAL);
		EXPECT(ptr == mark);
	}
	EXPECT(libc.posix_memalign(&ptr, 64, huge) == ENOMEM);
	EXPECT(libc.posix_memalign(&ptr, huge, huge) == ENOMEM);
	EXPECT(ptr == mark);
	return TEST_PASS;
}

static enum test_result usable_size_covers_the_request(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(sizes); i++) {
		void *ptr = libc.malloc(sizes[i]);
		__sz usable = uk_alloc_usable_size(a, ptr);

		EXPECT(ptr);
		EXPECT(usable >= sizes[i] || !a->usable);
		memset(ptr, 0x5a, MAX(usable, sizes[i]));
		libc.free(ptr);
	}
	return TEST_PASS;
}

static int is_mapped(const void *ptr)
{
	return ukplat_page_translate(ukplat_pt_get_active(), (__vaddr_t)ptr) !=
	       __PADDR_INV;
}

/* Its pages serve the next one, elsewhere and without what was in them */
static enum test_result large_object_goes_elsewhere(void)
{
	const __sz len = 256 * PAGE_SIZE;
	const int stays = IS_LARGE_KEPT;
	char *ptr = libc.malloc(len), *next;
	__sz i;

	EXPECT(ptr);
	fill(ptr, len, 1);
	libc.free(ptr);
	for (i = 0; i < len; i += PAGE_SIZE)
		EXPECT(stays || !is_mapped(ptr + i));
	next = libc.calloc(1, len);
	EXPECT(next && (stays || next != ptr));
	for (i = 0; i < len; i++)
		EXPECT(!next[i]);
	fill(next, len, 1);
	ptr = libc.realloc(next, 3 * len);
	EXPECT(ptr && ptr != next && (stays || !is_mapped(next)));
	EXPECT(has_fill(ptr, len, 1));
	libc.free(ptr);
	return TEST_PASS;
}

const struct test_case malloc_cases[] = {
	{ "malloc_objects_are_aligned_and_apart",
	  malloc_objects_are_aligned_and_apart },
	{ "calloc_memory_is_zero_after_use", calloc_memory_is_zero_after_use },
	{ "calloc_overflow_is_enomem", calloc_overflow_is_enomem },
	{ "realloc_keeps_contents_up_and_down",
	  realloc_keeps_contents_up_and_down },
	{ "realloc_failure_keeps_the_object",
	  realloc_failure_keeps_the_object },
	{ "malloc_of_nothing_can_be_freed", malloc_of_nothing_can_be_freed },
	{ "malloc_huge_is_enomem", malloc_huge_is_enomem },
	{ "posix_memalign_aligns", posix_memalign_aligns },
	{ "posix_memalign_errors_leave_memptr_alone",
	  posix_memalign_errors_leave_memptr_alone },
	{ "usable_size_covers_the_request", usable_size_covers_the_request },
	{ "large_object_goes_elsewhere", large_object_goes_elsewhere },
	{ __NULL, __NULL },
};
