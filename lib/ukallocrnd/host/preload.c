/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The malloc family of glibc
 *
 * Each entry point finds the heap, calls the core and, on exhaustion, sets
 * errno. Nothing else in the library touches errno (system calls are made
 * without libc), so free() preserves it as POSIX.1-2024 demands.
 *
 * Semantics follow glibc where programs rely on them: realloc(ptr, 0) frees
 * and returns NULL, memalign() rounds a crooked alignment up, malloc(0)
 * returns a pointer of its own.
 */

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "fast.h"
#include "heap.h"
#include "preload.h"
#include "resize.h"

/* Sets errno on exhaustion; ptr is the result of an allocation */
static inline void *alloc_result(void *ptr)
{
	if (unlikely(!ptr))
		errno = ENOMEM;
	return ptr;
}

/* What the fast paths leave, step by step; each is called by a jump */

static void *__noinline malloc_out(size_t size, __uptr caller)
{
	struct rnd_heap *heap = rnd_preload_heap();
	void *ptr = rnd_malloc_slow(heap, size, RND_KIND_MALLOC, caller);

	rnd_preload_settle(heap);

	return alloc_result(ptr);
}

#define PRELOAD_MALLOC_LONG(name, reach)                                       \
	static void *__noinline name(size_t size, __uptr caller)               \
	{                                                                      \
		void *ptr;                                                     \
                                                                               \
		if (rnd_malloc_long(rnd_host_pcpu, size, RND_KIND_MALLOC,      \
				    caller, reach, &ptr))                      \
			return ptr;                                            \
                                                                               \
		return malloc_out(size, caller);                               \
	}

PRELOAD_MALLOC_LONG(malloc_all, RND_REACH_ALL)
PRELOAD_MALLOC_LONG(malloc_32, RND_REACH_32)
PRELOAD_MALLOC_LONG(malloc_64, RND_REACH_64)

static void __noinline free_out(void *ptr, __uptr caller)
{
	rnd_free_out(rnd_preload_heap(), ptr, RND_KIND_MALLOC, caller);
}

#define PRELOAD_FREE_LONG(name, reach)                                         \
	static void __noinline name(void *ptr, __uptr caller)                  \
	{                                                                      \
		if (!rnd_free_long(rnd_preload_peek(), rnd_host_pcpu, ptr,     \
				   RND_SIZE_UNKNOWN, RND_KIND_MALLOC, reach))  \
			free_out(ptr, caller);                                 \
	}

PRELOAD_FREE_LONG(free_32, RND_REACH_32)
PRELOAD_FREE_LONG(free_64, RND_REACH_64)

struct rnd_preload_page rnd_preload_page = {
	.heap = &rnd_preload_nowhere,
	.malloc_long = malloc_all,
	.free_long = free_out,
};

void rnd_preload_choose(struct rnd_preload_page *page)
{
	enum rnd_wide wide = rnd_wide_level();

	if (wide == RND_WIDE_64) {
		page->malloc_long = malloc_64;
		page->free_long = free_64;
	} else if (wide == RND_WIDE_32) {
		page->malloc_long = malloc_32;
		page->free_long = free_32;
	}
}

RND_EXPORT void *malloc(size_t size)
{
	void *ptr;

	if (!rnd_size_is_short(size))
		return rnd_preload_page.malloc_long(size, RND_CALLER());
	if (rnd_malloc_short(rnd_host_pcpu, size, RND_KIND_MALLOC, &ptr))
		return ptr;

	return malloc_out(size, RND_CALLER());
}

RND_EXPORT void free(void *ptr)
{
	__u32 sc = rnd_ptr_short(rnd_preload_peek(), ptr);

	if (unlikely(!sc))
		rnd_preload_page.free_long(ptr, RND_CALLER());
	else if (!rnd_free_short(rnd_host_pcpu, sc, ptr, RND_SIZE_UNKNOWN,
				 RND_KIND_MALLOC))
		free_out(ptr, RND_CALLER());
}

static void *__noinline calloc_out(size_t nmemb, size_t size, __uptr caller)
{
	struct rnd_heap *heap = rnd_preload_heap();
	void *ptr = rnd_calloc(heap, nmemb, size, caller);

	rnd_preload_settle(heap);

	return alloc_result(ptr);
}

RND_EXPORT void *calloc(size_t nmemb, size_t size)
{
	size_t len;
	void *ptr;

	/* A free slot is zero if freeing clears it */
	if (RND_OPT_ZERO && !__builtin_mul_overflow(nmemb, size, &len) &&
	    rnd_size_is_short(len) &&
	    rnd_malloc_short(rnd_host_pcpu, len, RND_KIND_MALLOC, &ptr))
		return ptr;

	return calloc_out(nmemb, size, RND_CALLER());
}

RND_EXPORT void *realloc(void *ptr, size_t size)
{
	struct rnd_heap *heap = rnd_preload_heap();

	if (unlikely(ptr && !size)) {
		rnd_free_out(heap, ptr, RND_KIND_MALLOC, RND_CALLER());
		return NULL;
	}
	return alloc_result(rnd_realloc(heap, ptr, size, RND_CALLER()));
}

RND_EXPORT void *reallocarray(void *ptr, size_t nmemb, size_t size)
{
	struct rnd_heap *heap = rnd_preload_heap();
	size_t len;

	if (__builtin_mul_overflow(nmemb, size, &len)) {
		errno = ENOMEM;
		return NULL;
	}
	if (unlikely(ptr && !len)) {
		rnd_free_out(heap, ptr, RND_KIND_MALLOC, RND_CALLER());
		return NULL;
	}
	return alloc_result(rnd_realloc(heap, ptr, len, RND_CALLER()));
}

/* Common part of the functions with an alignment, a power of two */
static void *alloc_aligned(size_t align, size_t size, __uptr caller)
{
	return rnd_memalign(rnd_preload_heap(), align, size, RND_KIND_MALLOC,
			    caller);
}

RND_EXPORT void *memalign(size_t alignment, size_t size)
{
	size_t rounded = 1;

	if (alignment > __SZ_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	while (rounded < alignment)
		rounded <<= 1;
	return alloc_result(alloc_aligned(rounded, size, RND_CALLER()));
}

RND_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	if (!POWER_OF_2(alignment)) {
		errno = EINVAL;
		return NULL;
	}
	return alloc_result(alloc_aligned(alignment, size, RND_CALLER()));
}

RND_EXPORT int posix_memalign(void **memptr, size_t alignment, size_t size)
{
	void *ptr;

	if (!POWER_OF_2(alignment) || alignment < sizeof(void *))
		return EINVAL;
	ptr = alloc_aligned(alignment, size, RND_CALLER());
	if (!ptr)
		return ENOMEM;
	*memptr = ptr;
	return 0;
}

RND_EXPORT void *valloc(size_t size)
{
	return alloc_result(alloc_aligned(RND_PAGE_LEN, size, RND_CALLER()));
}

RND_EXPORT void *pvalloc(size_t size)
{
	if (size > __SZ_MAX - RND_PAGE_LEN) {
		errno = ENOMEM;
		return NULL;
	}
	return alloc_result(alloc_aligned(
		RND_PAGE_LEN, ALIGN_UP(size, RND_PAGE_LEN), RND_CALLER()));
}

RND_EXPORT size_t malloc_usable_size(void *ptr)
{
	return rnd_requested(rnd_preload_heap(), ptr, "usable_size",
			     RND_CALLER());
}

/* glibc exports the same functions under these names, and programs that wrap
 * malloc() use them: they must not reach another heap
 */
#ifdef __clang__
#define PRELOAD_COPY(target)
#else
#define PRELOAD_COPY(target) __attribute__((copy(target)))
#endif
#define PRELOAD_ALIAS(name, target)                                            \
	RND_EXPORT extern __typeof__(target) name PRELOAD_COPY(target)         \
		__alias(target)

PRELOAD_ALIAS(__libc_malloc, malloc);
PRELOAD_ALIAS(__libc_free, free);
PRELOAD_ALIAS(cfree, free);
PRELOAD_ALIAS(__libc_calloc, calloc);
PRELOAD_ALIAS(__libc_realloc, realloc);
PRELOAD_ALIAS(__libc_memalign, memalign);
PRELOAD_ALIAS(__libc_valloc, valloc);
PRELOAD_ALIAS(__libc_pvalloc, pvalloc);
