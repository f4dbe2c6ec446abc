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

#include "fast_remote.h"
#include "heap.h"
#include "preload.h"
#include "preload_fast.h"
#include "resize.h"

/* Sets errno on exhaustion; ptr is the result of an allocation */
static inline void *alloc_result(void *ptr)
{
	if (unlikely(!ptr))
		errno = ENOMEM;
	return ptr;
}

/* What the fast paths leave; each is called by a jump */

void *rnd_preload_malloc(size_t size, __uptr caller)
{
	struct rnd_heap *heap = rnd_preload_heap();
	void *ptr = rnd_malloc_slow(heap, size, RND_KIND_MALLOC, caller);

	rnd_preload_settle(heap);

	return alloc_result(ptr);
}

static void __noinline preload_free_slow(void *ptr, __uptr caller)
{
	struct rnd_heap *heap = rnd_preload_heap();
	struct rnd_call call = { .op = "free",
				 .caller = caller,
				 .kind = RND_KIND_MALLOC };

	rnd_free_slow(heap, ptr, &call);
	rnd_preload_settle(heap);
}

/* The paths for slots of this CPU have been tried */
void rnd_preload_free(void *ptr, __uptr caller)
{
	if (ptr && !rnd_free_remote(rnd_preload_peek(), rnd_host_pcpu, ptr,
				    RND_SIZE_UNKNOWN, RND_KIND_MALLOC))
		preload_free_slow(ptr, caller);
}

void *rnd_preload_calloc(size_t nmemb, size_t size, __uptr caller)
{
	struct rnd_heap *heap = rnd_preload_heap();
	void *ptr = rnd_calloc(heap, nmemb, size, caller);

	rnd_preload_settle(heap);

	return alloc_result(ptr);
}

void *rnd_preload_realloc(void *ptr, size_t size, __uptr caller)
{
	struct rnd_heap *heap = rnd_preload_heap();

	if (unlikely(ptr && !size)) {
		rnd_free_out(heap, ptr, RND_KIND_MALLOC, caller);
		return NULL;
	}
	ptr = rnd_realloc(heap, ptr, size, caller);
	rnd_preload_settle(heap);

	return alloc_result(ptr);
}

/* Variants by what the processor can do. Not by indirect functions (ifunc):
 * the dynamic linker warns of those in a preloaded library. The page is sealed
 * with the choice; each function is one jump
 */
struct rnd_preload_page rnd_preload_page = {
	.heap = &rnd_preload_nowhere,
	.fast = RND_FAST_FUNCS(fast16),
};

void rnd_preload_choose(struct rnd_preload_page *page)
{
	static const struct rnd_preload_fast fast32 = RND_FAST_FUNCS(fast32);
	static const struct rnd_preload_fast fast64 = RND_FAST_FUNCS(fast64);
	enum rnd_wide level = rnd_wide_level();

	if (level == RND_WIDE_64)
		page->fast = fast64;
	else if (level == RND_WIDE_32)
		page->fast = fast32;
}

RND_EXPORT void *malloc(size_t size)
{
	return rnd_preload_page.fast.malloc(size);
}

RND_EXPORT void free(void *ptr)
{
	rnd_preload_page.fast.free(ptr);
}

RND_EXPORT void *calloc(size_t nmemb, size_t size)
{
	return rnd_preload_page.fast.calloc(nmemb, size);
}

RND_EXPORT void *realloc(void *ptr, size_t size)
{
	return rnd_preload_page.fast.realloc(ptr, size);
}

RND_EXPORT void *reallocarray(void *ptr, size_t nmemb, size_t size)
{
	size_t len;

	if (__builtin_mul_overflow(nmemb, size, &len)) {
		errno = ENOMEM;
		return NULL;
	}
	return rnd_preload_realloc(ptr, len, RND_CALLER());
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
