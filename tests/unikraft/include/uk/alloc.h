/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_ALLOC_H__
#define __STANDIN_UK_ALLOC_H__

/* Stands for lib/ukalloc/include/uk/alloc.h of Unikraft. There is no `usable`,
 * and nothing that takes an allocator off the list.
 */

#include <errno.h>

#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/config.h>
#include <uk/essentials.h>

#if CONFIG_LIBUKALLOC_IFSTATS
struct uk_alloc_stats {
	__u64 tot_nb_allocs;
	__u64 tot_nb_frees;
	__u64 nb_enomem;
	__ssz cur_mem_use;
};
#endif

struct uk_alloc {
	void *(*malloc)(struct uk_alloc *a, __sz size);
	void *(*calloc)(struct uk_alloc *a, __sz nmemb, __sz size);
	void *(*realloc)(struct uk_alloc *a, void *ptr, __sz size);
	int (*posix_memalign)(struct uk_alloc *a, void **memptr, __sz align,
			      __sz size);
	void *(*memalign)(struct uk_alloc *a, __sz align, __sz size);
	void (*free)(struct uk_alloc *a, void *ptr);
	void *(*palloc)(struct uk_alloc *a, unsigned long num_pages);
	void (*pfree)(struct uk_alloc *a, void *ptr, unsigned long num_pages);
	__ssz (*maxalloc)(struct uk_alloc *a);
	__ssz (*availmem)(struct uk_alloc *a);
	long (*pmaxalloc)(struct uk_alloc *a);
	long (*pavailmem)(struct uk_alloc *a);
	int (*addmem)(struct uk_alloc *a, void *base, __sz size);
#if CONFIG_LIBUKALLOC_IFSTATS
	struct uk_alloc_stats _stats;
#endif
	struct uk_alloc *next;
	__u8 priv[];
};

/* The first one is the default allocator */
extern struct uk_alloc *_uk_alloc_head;

#if CONFIG_LIBUKALLOC_IFSTATS_PERLIB
/* Another one for each library, which counts and calls the first */
struct uk_alloc *uk_alloc_get_default(void);
#else
static inline struct uk_alloc *uk_alloc_get_default(void)
{
	return _uk_alloc_head;
}
#endif

static inline void *uk_palloc(struct uk_alloc *a, unsigned long num_pages)
{
	return a->palloc(a, num_pages);
}

static inline void uk_pfree(struct uk_alloc *a, void *ptr,
			    unsigned long num_pages)
{
	a->pfree(a, ptr, num_pages);
}

#endif /* __STANDIN_UK_ALLOC_H__ */
