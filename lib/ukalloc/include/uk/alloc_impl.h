/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_ALLOC_IMPL_H__
#define __UK_ALLOC_IMPL_H__

/* For those who implement an allocator
 *
 * An allocator implements what it is good at and fills the rest of its
 * operations table with the functions below:
 *
 *   uk_alloc_init_malloc()          has malloc, free and its own realloc
 *   uk_alloc_init_malloc_ifmalloc() has malloc and free only
 *   uk_alloc_init_palloc()          has whole pages only
 *
 * Each of them fills the table, clears the statistics and registers the
 * allocator as the last step; the first one registered is the default.
 *
 * None of these functions locks: they call the allocator's own operations,
 * which do.
 */

#include <uk/alloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Appends an allocator to the registry. The first one becomes the default.
 *
 * Context: any CPU, also several at a time; takes the registry lock.
 *
 * @param a
 *   Allocator with a complete operations table, valid until unregistered
 *
 * @return
 *   - (0): Registered
 *   - (-EEXIST): Was registered before; nothing changed
 *   - (-EINVAL): An operation that is not optional is missing
 */
int uk_alloc_register(struct uk_alloc *a);

/**
 * Takes an allocator out of the registry. Nobody may iterate over the
 * registry meanwhile.
 *
 * @return
 *   - (0): Gone; the next one is the default if it was the default
 *   - (-ENOENT): Was not registered
 */
int uk_alloc_unregister(struct uk_alloc *a);

/* Built on malloc() and free() */

/**
 * Allocates with malloc() and clears. Fails with ENOMEM if the product
 * overflows; an array of no elements is a request of 0 bytes.
 */
void *uk_calloc_compat(struct uk_alloc *a, __sz nmemb, __sz size);

/**
 * Moves an object into a new one. Copies no more than a->usable tells, so an
 * allocator without `usable` must bring a realloc of its own: growing or
 * shrinking then fails with ENOMEM, because copying `size` bytes would read
 * behind the old object.
 */
void *uk_realloc_compat(struct uk_alloc *a, void *ptr, __sz size);

/** posix_memalign() on top of memalign(); checks the alignment first. */
int uk_posix_memalign_compat(struct uk_alloc *a, void **memptr, __sz align,
			     __sz size);

/** memalign() on top of posix_memalign(); small alignments are raised. */
void *uk_memalign_compat(struct uk_alloc *a, __sz align, __sz size);

/**
 * Pages on top of posix_memalign(), for allocators that have none. A run must
 * be freed as it was allocated: pages cannot be freed in parts here.
 */
void *uk_palloc_compat(struct uk_alloc *a, unsigned long num_pages);

/** Frees a run of uk_palloc_compat(). */
void uk_pfree_compat(struct uk_alloc *a, void *ptr, unsigned long num_pages);

/** maxalloc() in pages, without the page that alignment may cost. */
long uk_alloc_pmaxalloc_compat(struct uk_alloc *a);

/** availmem() in pages. */
long uk_alloc_pavailmem_compat(struct uk_alloc *a);

#ifdef CONFIG_LIBUKALLOC_IFPAGES
/* Built on palloc() and pfree(): every object has pages of its own, with a
 * header of 16 bytes in front of it that knows the run and the size.
 */
void *uk_malloc_ifpages(struct uk_alloc *a, __sz size);
void *uk_realloc_ifpages(struct uk_alloc *a, void *ptr, __sz size);
int uk_posix_memalign_ifpages(struct uk_alloc *a, void **memptr, __sz align,
			      __sz size);
void uk_free_ifpages(struct uk_alloc *a, void *ptr);
__sz uk_alloc_usable_ifpages(struct uk_alloc *a, const void *ptr);
__ssz uk_alloc_maxalloc_ifpages(struct uk_alloc *a);
__ssz uk_alloc_availmem_ifpages(struct uk_alloc *a);
#endif /* CONFIG_LIBUKALLOC_IFPAGES */

#ifdef CONFIG_LIBUKALLOC_IFMALLOC
/* Built on malloc_backend() and free_backend(): a header of 16 bytes in front
 * of the object knows the backend's pointer and the size.
 */
void *uk_malloc_ifmalloc(struct uk_alloc *a, __sz size);
void *uk_realloc_ifmalloc(struct uk_alloc *a, void *ptr, __sz size);
int uk_posix_memalign_ifmalloc(struct uk_alloc *a, void **memptr, __sz align,
			       __sz size);
void uk_free_ifmalloc(struct uk_alloc *a, void *ptr);
__sz uk_alloc_usable_ifmalloc(struct uk_alloc *a, const void *ptr);
#endif /* CONFIG_LIBUKALLOC_IFMALLOC */

#ifdef CONFIG_LIBUKALLOC_IFSTATS
/**
 * Counts a request for `size` bytes. May run on any CPU and in interrupts.
 *
 * @param a
 *   Allocator
 * @param ptr
 *   What the allocator returned; __NULL counts as a failed request
 * @param size
 *   Number of bytes; the same number must be given when it is freed
 */
void uk_alloc_stats_count_alloc(struct uk_alloc *a, const void *ptr, __sz size);

/** Counts a free; __NULL is not counted. */
void uk_alloc_stats_count_free(struct uk_alloc *a, const void *ptr, __sz size);

/** Forgets everything counted. Nobody may use the allocator meanwhile. */
void uk_alloc_stats_reset(struct uk_alloc *a);
#else
static inline void uk_alloc_stats_count_alloc(struct uk_alloc *a,
					      const void *ptr, __sz size)
{
	(void)a;
	(void)ptr;
	(void)size;
}

static inline void uk_alloc_stats_count_free(struct uk_alloc *a,
					     const void *ptr, __sz size)
{
	(void)a;
	(void)ptr;
	(void)size;
}

static inline void uk_alloc_stats_reset(struct uk_alloc *a)
{
	(void)a;
}
#endif /* !CONFIG_LIBUKALLOC_IFSTATS */

/* Length of a page for the helpers; the guest and its hosts have no other */
#define UK_ALLOC_PAGE_SHIFT 12
#define UK_ALLOC_PAGE_LEN   (1UL << UK_ALLOC_PAGE_SHIFT)

#define uk_alloc_stats_count_palloc(a, ptr, num_pages)                         \
	uk_alloc_stats_count_alloc((a), (ptr),                                 \
				   ((__sz)(num_pages)) << UK_ALLOC_PAGE_SHIFT)
#define uk_alloc_stats_count_pfree(a, ptr, num_pages)                          \
	uk_alloc_stats_count_free((a), (ptr),                                  \
				  ((__sz)(num_pages)) << UK_ALLOC_PAGE_SHIFT)
#define uk_alloc_stats_count_enomem(a, size)                                   \
	uk_alloc_stats_count_alloc((a), __NULL, (size))
#define uk_alloc_stats_count_penomem(a, num_pages)                             \
	uk_alloc_stats_count_palloc((a), __NULL, (num_pages))

/* Makes an allocator from its own malloc family. Pages come from
 * posix_memalign; set palloc, pfree and usable afterwards if you have them,
 * before anybody can use the allocator.
 */
#define uk_alloc_init_malloc(a, malloc_f, calloc_f, realloc_f, free_f,         \
			     posix_memalign_f, memalign_f, maxalloc_f,         \
			     availmem_f, addmem_f)                             \
	do {                                                                   \
		(a)->malloc = (malloc_f);                                      \
		(a)->calloc = (calloc_f);                                      \
		(a)->realloc = (realloc_f);                                    \
		(a)->posix_memalign = (posix_memalign_f);                      \
		(a)->memalign = (memalign_f);                                  \
		(a)->free = (free_f);                                          \
		(a)->palloc = uk_palloc_compat;                                \
		(a)->pfree = uk_pfree_compat;                                  \
		(a)->maxalloc = (maxalloc_f);                                  \
		(a)->availmem = (availmem_f);                                  \
		(a)->pmaxalloc = (a)->maxalloc ? uk_alloc_pmaxalloc_compat :   \
						 __NULL;                       \
		(a)->pavailmem = (a)->availmem ? uk_alloc_pavailmem_compat :   \
						 __NULL;                       \
		(a)->addmem = (addmem_f);                                      \
		(a)->usable = __NULL;                                          \
		uk_alloc_stats_reset((a));                                     \
		uk_alloc_register((a));                                        \
	} while (0)

#ifdef CONFIG_LIBUKALLOC_IFMALLOC
/* Makes an allocator from nothing but malloc and free */
#define uk_alloc_init_malloc_ifmalloc(a, malloc_f, free_f, maxalloc_f,         \
				      availmem_f, addmem_f)                    \
	do {                                                                   \
		(a)->malloc_backend = (malloc_f);                              \
		(a)->free_backend = (free_f);                                  \
		(a)->malloc = uk_malloc_ifmalloc;                              \
		(a)->calloc = uk_calloc_compat;                                \
		(a)->realloc = uk_realloc_ifmalloc;                            \
		(a)->posix_memalign = uk_posix_memalign_ifmalloc;              \
		(a)->memalign = uk_memalign_compat;                            \
		(a)->free = uk_free_ifmalloc;                                  \
		(a)->palloc = uk_palloc_compat;                                \
		(a)->pfree = uk_pfree_compat;                                  \
		(a)->maxalloc = (maxalloc_f);                                  \
		(a)->availmem = (availmem_f);                                  \
		(a)->pmaxalloc = (a)->maxalloc ? uk_alloc_pmaxalloc_compat :   \
						 __NULL;                       \
		(a)->pavailmem = (a)->availmem ? uk_alloc_pavailmem_compat :   \
						 __NULL;                       \
		(a)->addmem = (addmem_f);                                      \
		(a)->usable = uk_alloc_usable_ifmalloc;                        \
		uk_alloc_stats_reset((a));                                     \
		uk_alloc_register((a));                                        \
	} while (0)
#endif /* CONFIG_LIBUKALLOC_IFMALLOC */

#ifdef CONFIG_LIBUKALLOC_IFPAGES
/* Makes an allocator from pages. pfree must accept parts of a palloc. */
#define uk_alloc_init_palloc(a, palloc_f, pfree_f, pmaxalloc_f, pavailmem_f,   \
			     addmem_f)                                         \
	do {                                                                   \
		(a)->malloc = uk_malloc_ifpages;                               \
		(a)->calloc = uk_calloc_compat;                                \
		(a)->realloc = uk_realloc_ifpages;                             \
		(a)->posix_memalign = uk_posix_memalign_ifpages;               \
		(a)->memalign = uk_memalign_compat;                            \
		(a)->free = uk_free_ifpages;                                   \
		(a)->palloc = (palloc_f);                                      \
		(a)->pfree = (pfree_f);                                        \
		(a)->pmaxalloc = (pmaxalloc_f);                                \
		(a)->pavailmem = (pavailmem_f);                                \
		(a)->maxalloc = (a)->pmaxalloc ? uk_alloc_maxalloc_ifpages :   \
						 __NULL;                       \
		(a)->availmem = (a)->pavailmem ? uk_alloc_availmem_ifpages :   \
						 __NULL;                       \
		(a)->addmem = (addmem_f);                                      \
		(a)->usable = uk_alloc_usable_ifpages;                         \
		uk_alloc_stats_reset((a));                                     \
		uk_alloc_register((a));                                        \
	} while (0)
#endif /* CONFIG_LIBUKALLOC_IFPAGES */

#ifdef __cplusplus
}
#endif

#endif /* __UK_ALLOC_IMPL_H__ */
