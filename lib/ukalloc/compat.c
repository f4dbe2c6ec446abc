/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Operations that an allocator gets for free from those that it has */

#include <errno.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/alloc_impl.h>
#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/essentials.h>

void *uk_calloc_compat(struct uk_alloc *a, __sz nmemb, __sz size)
{
	void *ptr;
	__sz len;

	UK_ASSERT(a);

	if (unlikely(__builtin_mul_overflow(nmemb, size, &len))) {
		errno = ENOMEM;
		return __NULL;
	}

	ptr = uk_do_malloc(a, len);
	if (likely(ptr))
		memset(ptr, 0, len);

	return ptr;
}

void *uk_realloc_compat(struct uk_alloc *a, void *ptr, __sz size)
{
	void *dst;

	UK_ASSERT(a);

	if (!ptr)
		return uk_do_malloc(a, size);

	if (!size) {
		uk_do_free(a, ptr);
		return __NULL;
	}

	if (unlikely(!a->usable)) {
		errno = ENOMEM;
		return __NULL;
	}

	dst = uk_do_malloc(a, size);
	if (unlikely(!dst))
		return __NULL;

	memcpy(dst, ptr, MIN(size, a->usable(a, ptr)));
	uk_do_free(a, ptr);
	return dst;
}

int uk_posix_memalign_compat(struct uk_alloc *a, void **memptr, __sz align,
			     __sz size)
{
	void *ptr;

	UK_ASSERT(a);
	UK_ASSERT(memptr);

	if (unlikely(!POWER_OF_2(align) || align % sizeof(void *)))
		return EINVAL;

	ptr = uk_do_memalign(a, align, size);
	if (unlikely(!ptr))
		return ENOMEM;

	*memptr = ptr;
	return 0;
}

void *uk_memalign_compat(struct uk_alloc *a, __sz align, __sz size)
{
	void *ptr;
	int rc;

	UK_ASSERT(a);

	/* memalign() knows alignments below the one of a pointer */
	if (align < sizeof(void *) && POWER_OF_2(align))
		align = sizeof(void *);

	rc = uk_do_posix_memalign(a, &ptr, align, size);
	if (unlikely(rc)) {
		errno = rc;
		return __NULL;
	}

	return ptr;
}

void *uk_palloc_compat(struct uk_alloc *a, unsigned long num_pages)
{
	__sz len;

	UK_ASSERT(a);

	if (unlikely(!num_pages ||
		     __builtin_mul_overflow(num_pages, UK_ALLOC_PAGE_LEN,
					    &len))) {
		errno = ENOMEM;
		return __NULL;
	}

	return uk_memalign_compat(a, UK_ALLOC_PAGE_LEN, len);
}

void uk_pfree_compat(struct uk_alloc *a, void *ptr, unsigned long num_pages)
{
	UK_ASSERT(a);
	UK_ASSERT(!((__uptr)ptr & (UK_ALLOC_PAGE_LEN - 1)));

	(void)num_pages;
	uk_do_free(a, ptr);
}

long uk_alloc_pmaxalloc_compat(struct uk_alloc *a)
{
	__ssz len;

	UK_ASSERT(a);

	len = uk_alloc_maxalloc(a);
	if (len < 0)
		return len;

	len >>= UK_ALLOC_PAGE_SHIFT;
	return len ? len - 1 : 0;
}

long uk_alloc_pavailmem_compat(struct uk_alloc *a)
{
	__ssz len;

	UK_ASSERT(a);

	len = uk_alloc_availmem(a);
	return len < 0 ? len : len >> UK_ALLOC_PAGE_SHIFT;
}
