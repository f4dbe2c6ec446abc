/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_ALLOC_H__
#define __UK_ALLOC_H__

/* ukalloc: one interface in front of every allocator
 *
 * An allocator is a `struct uk_alloc`, a table of operations with the
 * allocator's own state behind it. Names, members and their order are those
 * of Unikraft 0.17, so that code written against its <uk/alloc.h> compiles
 * unchanged. <uk/alloc_impl.h> is for those who write an allocator.
 *
 * What every allocator behind this interface promises:
 *   - malloc() and its family return memory aligned to at least 16 bytes.
 *   - A failing call returns __NULL, sets errno to ENOMEM and changes
 *     nothing: realloc() leaves the old object alone, posix_memalign()
 *     leaves *memptr alone and returns its error instead of setting errno.
 *   - A request of 0 bytes gives __NULL or a pointer that may be freed.
 *   - realloc(p, 0) frees p and returns __NULL.
 *   - free(__NULL) does nothing.
 *   - Memory may be freed on another CPU than it was allocated on.
 */

#include <errno.h>

#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#ifdef CONFIG_LIBUKALLOC_IFSTATS
#include <uk/alloc_stats.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct uk_alloc;

typedef void *(*uk_alloc_malloc_func_t)(struct uk_alloc *a, __sz size);
typedef void *(*uk_alloc_calloc_func_t)(struct uk_alloc *a, __sz nmemb,
					__sz size);
typedef int (*uk_alloc_posix_memalign_func_t)(struct uk_alloc *a, void **memptr,
					      __sz align, __sz size);
typedef void *(*uk_alloc_memalign_func_t)(struct uk_alloc *a, __sz align,
					  __sz size);
typedef void *(*uk_alloc_realloc_func_t)(struct uk_alloc *a, void *ptr,
					 __sz size);
typedef void (*uk_alloc_free_func_t)(struct uk_alloc *a, void *ptr);
typedef void *(*uk_alloc_palloc_func_t)(struct uk_alloc *a,
					unsigned long num_pages);
typedef void (*uk_alloc_pfree_func_t)(struct uk_alloc *a, void *ptr,
				      unsigned long num_pages);
typedef int (*uk_alloc_addmem_func_t)(struct uk_alloc *a, void *base,
				      __sz size);
typedef __ssz (*uk_alloc_getsize_func_t)(struct uk_alloc *a);
typedef long (*uk_alloc_getpsize_func_t)(struct uk_alloc *a);
/* What Unikraft 0.17 does not have: usable, uk_alloc_unregister() */
#define UK_ALLOC_HAS_USABLE 1

typedef __sz (*uk_alloc_usable_func_t)(struct uk_alloc *a, const void *ptr);

/** An allocator. Optional operations may be __NULL, the others never. */
struct uk_alloc {
	/* Objects */
	uk_alloc_malloc_func_t malloc;
	uk_alloc_calloc_func_t calloc;
	uk_alloc_realloc_func_t realloc;
	uk_alloc_posix_memalign_func_t posix_memalign;
	uk_alloc_memalign_func_t memalign;
	uk_alloc_free_func_t free;

#ifdef CONFIG_LIBUKALLOC_IFMALLOC
	/* What the ifmalloc helpers put their header on */
	uk_alloc_free_func_t free_backend;
	uk_alloc_malloc_func_t malloc_backend;
#endif

	/* Pages; palloc is optional, pfree goes with it */
	uk_alloc_palloc_func_t palloc;
	uk_alloc_pfree_func_t pfree;

	/* Optional */
	uk_alloc_getsize_func_t maxalloc;   /* largest request, bytes */
	uk_alloc_getsize_func_t availmem;   /* free memory, bytes */
	uk_alloc_getpsize_func_t pmaxalloc; /* largest request, pages */
	uk_alloc_getpsize_func_t pavailmem; /* free memory, pages */
	uk_alloc_addmem_func_t addmem;

#ifdef CONFIG_LIBUKALLOC_IFSTATS
	struct uk_alloc_stats_store _stats;
#endif

	/* Optional, not in Unikraft 0.17: bytes usable at an object. Lets
	 * uk_realloc_compat() copy no more than there is.
	 */
	uk_alloc_usable_func_t usable;

	/* Next registered allocator; owned by the registry */
	struct uk_alloc *next;

	/* The allocator's state */
	__u8 priv[];
};

/* Head of the registry, the default allocator. Use the functions below. */
extern struct uk_alloc *_uk_alloc_head;

/** Follows the registry. Reads the links that the registry publishes. */
static inline struct uk_alloc *uk_alloc_next(const struct uk_alloc *a)
{
	/* Acquire: the operations behind the link are set. Pairs with the
	 * release in registry_publish().
	 */
	return __atomic_load_n(a ? &a->next : &_uk_alloc_head,
			       __ATOMIC_ACQUIRE);
}

/**
 * Iterates over all registered allocators, the default one first. Takes no
 * lock: an allocator that is registered meanwhile may be missed, and none
 * may be unregistered.
 */
#define uk_alloc_foreach(iter)                                                 \
	for ((iter) = uk_alloc_next(__NULL); (iter) != __NULL;                 \
	     (iter) = uk_alloc_next(iter))

/**
 * Returns the default allocator: the one that was registered first, unless
 * uk_alloc_set_default() chose another.
 *
 * @return
 *   The default allocator, __NULL before the first registration
 */
static inline struct uk_alloc *uk_alloc_get_default(void)
{
	return uk_alloc_next(__NULL);
}

/**
 * Makes a registered allocator the default one. Memory of the former default
 * must still be freed through the former default, so call this before the
 * libc's malloc is in use or with an allocator that knows the other's memory.
 *
 * Context: any CPU; takes the registry lock.
 *
 * @param a
 *   Registered allocator
 *
 * @return
 *   - (0): `a` is the default
 *   - (-ENOENT): `a` is not registered
 */
int uk_alloc_set_default(struct uk_alloc *a);

static inline void *uk_do_malloc(struct uk_alloc *a, __sz size)
{
	UK_ASSERT(a);
	return a->malloc(a, size);
}

/**
 * Allocates an object. Its contents are undefined.
 *
 * @param a
 *   Allocator; __NULL makes the call fail
 * @param size
 *   Number of bytes
 *
 * @return
 *   The object, or __NULL with errno ENOMEM
 */
static inline void *uk_malloc(struct uk_alloc *a, __sz size)
{
	if (unlikely(!a)) {
		errno = ENOMEM;
		return __NULL;
	}
	return uk_do_malloc(a, size);
}

static inline void *uk_do_calloc(struct uk_alloc *a, __sz nmemb, __sz size)
{
	UK_ASSERT(a);
	return a->calloc(a, nmemb, size);
}

/**
 * Allocates an array of `nmemb` elements of `size` bytes, all zero. Fails if
 * the product does not fit in a __sz.
 *
 * @return
 *   The array, or __NULL with errno ENOMEM
 */
static inline void *uk_calloc(struct uk_alloc *a, __sz nmemb, __sz size)
{
	if (unlikely(!a)) {
		errno = ENOMEM;
		return __NULL;
	}
	return uk_do_calloc(a, nmemb, size);
}

/* One zeroed object of `size` bytes */
#define uk_do_zalloc(a, size) uk_do_calloc((a), 1, (size))
#define uk_zalloc(a, size)    uk_calloc((a), 1, (size))

static inline void *uk_do_realloc(struct uk_alloc *a, void *ptr, __sz size)
{
	UK_ASSERT(a);
	return a->realloc(a, ptr, size);
}

/**
 * Changes the size of an object, moving it if necessary. The contents up to
 * the smaller of both sizes are kept.
 *
 * @param a
 *   Allocator; __NULL makes the call fail
 * @param ptr
 *   Object of `a`, or __NULL to allocate one
 * @param size
 *   New size in bytes; 0 frees the object
 *
 * @return
 *   The object, from now on the only valid pointer to it, or __NULL: with
 *   size 0 because it is gone, otherwise with errno ENOMEM and `ptr` as it was
 */
static inline void *uk_realloc(struct uk_alloc *a, void *ptr, __sz size)
{
	if (unlikely(!a)) {
		errno = ENOMEM;
		return __NULL;
	}
	return uk_do_realloc(a, ptr, size);
}

static inline int uk_do_posix_memalign(struct uk_alloc *a, void **memptr,
				       __sz align, __sz size)
{
	UK_ASSERT(a);
	return a->posix_memalign(a, memptr, align, size);
}

/**
 * Allocates an object at a multiple of `align`.
 *
 * @param a
 *   Allocator; __NULL makes the call fail
 * @param[out] memptr
 *   Receives the object; untouched on failure
 * @param align
 *   Power of two and multiple of sizeof(void *)
 * @param size
 *   Number of bytes
 *
 * @return
 *   - (0): Done
 *   - (EINVAL): Bad alignment
 *   - (ENOMEM): Not enough memory
 */
static inline int uk_posix_memalign(struct uk_alloc *a, void **memptr,
				    __sz align, __sz size)
{
	if (unlikely(!a))
		return ENOMEM;
	return uk_do_posix_memalign(a, memptr, align, size);
}

static inline void *uk_do_memalign(struct uk_alloc *a, __sz align, __sz size)
{
	UK_ASSERT(a);
	return a->memalign(a, align, size);
}

/**
 * Allocates an object at a multiple of `align`.
 *
 * @param a
 *   Allocator; __NULL makes the call fail
 * @param align
 *   Power of two
 * @param size
 *   Number of bytes
 *
 * @return
 *   The object, or __NULL with errno ENOMEM, or EINVAL for a bad alignment
 */
static inline void *uk_memalign(struct uk_alloc *a, __sz align, __sz size)
{
	if (unlikely(!a)) {
		errno = ENOMEM;
		return __NULL;
	}
	return uk_do_memalign(a, align, size);
}

static inline void uk_do_free(struct uk_alloc *a, void *ptr)
{
	UK_ASSERT(a);
	a->free(a, ptr);
}

/**
 * Frees an object.
 *
 * @param a
 *   The allocator that the object came from
 * @param ptr
 *   What malloc, calloc, realloc, posix_memalign or memalign of `a` returned,
 *   and that was not freed since; or __NULL. Nothing else: pages go to
 *   uk_pfree()
 */
static inline void uk_free(struct uk_alloc *a, void *ptr)
{
	uk_do_free(a, ptr);
}

static inline void *uk_do_palloc(struct uk_alloc *a, unsigned long num_pages)
{
	UK_ASSERT(a);
	return a->palloc(a, num_pages);
}

/**
 * Allocates contiguous whole pages. Their contents are undefined, and they
 * need not be physically contiguous.
 *
 * @param a
 *   Allocator; __NULL or one without pages makes the call fail
 * @param num_pages
 *   Number of pages
 *
 * @return
 *   The first page, or __NULL with errno ENOMEM
 */
static inline void *uk_palloc(struct uk_alloc *a, unsigned long num_pages)
{
	if (unlikely(!a || !a->palloc)) {
		errno = ENOMEM;
		return __NULL;
	}
	return uk_do_palloc(a, num_pages);
}

static inline void uk_do_pfree(struct uk_alloc *a, void *ptr,
			       unsigned long num_pages)
{
	UK_ASSERT(a);
	a->pfree(a, ptr, num_pages);
}

/**
 * Frees pages. The unit of ownership is the page, not the call that returned
 * it: one palloc may be freed in parts, in any order, and one pfree may cover
 * neighbouring pages of several pallocs, as long as every page is freed once.
 *
 * @param a
 *   The allocator that the pages came from
 * @param ptr
 *   First page, page aligned
 * @param num_pages
 *   Number of pages, not 0
 */
static inline void uk_pfree(struct uk_alloc *a, void *ptr,
			    unsigned long num_pages)
{
	uk_do_pfree(a, ptr, num_pages);
}

/**
 * Gives memory to an allocator, for good.
 *
 * @param a
 *   Allocator
 * @param base
 *   Start of the memory
 * @param size
 *   Length in bytes; partial pages at both ends may be left unused
 *
 * @return
 *   - (0): Added
 *   - (-ENOTSUP): The allocator cannot grow this way
 *   - (< 0): Another error of the allocator; the memory is still the caller's
 */
static inline int uk_alloc_addmem(struct uk_alloc *a, void *base, __sz size)
{
	UK_ASSERT(a);
	return a->addmem ? a->addmem(a, base, size) : -ENOTSUP;
}

/**
 * Returns the size of the largest request that could succeed now, in bytes,
 * or -ENOTSUP. Other CPUs outdate the answer at any time.
 */
static inline __ssz uk_alloc_maxalloc(struct uk_alloc *a)
{
	UK_ASSERT(a);
	return a->maxalloc ? a->maxalloc(a) : (__ssz)-ENOTSUP;
}

/** Like uk_alloc_maxalloc(), for uk_palloc() and in pages. */
static inline long uk_alloc_pmaxalloc(struct uk_alloc *a)
{
	UK_ASSERT(a);
	return a->pmaxalloc ? a->pmaxalloc(a) : (long)-ENOTSUP;
}

/**
 * Returns the free memory of an allocator in bytes, or -ENOTSUP. Other CPUs
 * outdate the answer at any time.
 */
static inline __ssz uk_alloc_availmem(struct uk_alloc *a)
{
	UK_ASSERT(a);
	return a->availmem ? a->availmem(a) : (__ssz)-ENOTSUP;
}

/** Like uk_alloc_availmem(), in pages. */
static inline long uk_alloc_pavailmem(struct uk_alloc *a)
{
	UK_ASSERT(a);
	return a->pavailmem ? a->pavailmem(a) : (long)-ENOTSUP;
}

/**
 * Returns the number of bytes usable at an object: its requested size or a
 * little more.
 *
 * @return
 *   Number of bytes; 0 if ptr is __NULL or the allocator cannot tell
 */
static inline __sz uk_alloc_usable_size(struct uk_alloc *a, const void *ptr)
{
	UK_ASSERT(a);
	return ptr && a->usable ? a->usable(a, ptr) : 0;
}

/**
 * Returns the sum of uk_alloc_availmem() over all registered allocators,
 * without those that cannot tell.
 */
__sz uk_alloc_availmem_total(void);

/** Like uk_alloc_availmem_total(), in pages. */
unsigned long uk_alloc_pavailmem_total(void);

#ifdef __cplusplus
}
#endif

#endif /* __UK_ALLOC_H__ */
