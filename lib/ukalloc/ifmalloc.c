/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* A malloc family for allocators that have malloc() and free() only
 *
 * Statistics are counted by the backend.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/alloc_impl.h>
#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/essentials.h>

#include "header.h"

/* What a backend aligns to at the least */
#define BACKEND_ALIGN sizeof(void *)

static void *ifmalloc_alloc(struct uk_alloc *a, __sz align, __sz size)
{
	void *base;
	__sz len;

	UK_ASSERT(a);

	/* The gap is never longer than align - BACKEND_ALIGN */
	if (unlikely(__builtin_add_overflow(size, sizeof(struct alloc_header),
					    &len) ||
		     __builtin_add_overflow(len, align - BACKEND_ALIGN, &len)))
		goto err_nomem;

	base = a->malloc_backend(a, len);
	if (unlikely(!base))
		goto err_nomem;

	return alloc_header_put(base, len, align);

err_nomem:
	errno = ENOMEM;
	return __NULL;
}

void *uk_malloc_ifmalloc(struct uk_alloc *a, __sz size)
{
	return ifmalloc_alloc(a, ALLOC_MIN_ALIGN, size);
}

int uk_posix_memalign_ifmalloc(struct uk_alloc *a, void **memptr, __sz align,
			       __sz size)
{
	void *ptr;

	UK_ASSERT(memptr);

	if (unlikely(!POWER_OF_2(align) || align % sizeof(void *)))
		return EINVAL;

	ptr = ifmalloc_alloc(a, MAX(align, ALLOC_MIN_ALIGN), size);
	if (unlikely(!ptr))
		return ENOMEM;

	*memptr = ptr;
	return 0;
}

void *uk_realloc_ifmalloc(struct uk_alloc *a, void *ptr, __sz size)
{
	UK_ASSERT(a);

	/* A shrinking object keeps its memory: the backend cannot split */
	if (ptr && size && size <= alloc_header_usable(ptr))
		return ptr;

	return uk_realloc_compat(a, ptr, size);
}

void uk_free_ifmalloc(struct uk_alloc *a, void *ptr)
{
	UK_ASSERT(a);

	if (likely(ptr))
		a->free_backend(a, alloc_header_get(ptr)->base);
}

__sz uk_alloc_usable_ifmalloc(struct uk_alloc *a, const void *ptr)
{
	(void)a;
	return alloc_header_usable(ptr);
}
