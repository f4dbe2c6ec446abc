/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* A malloc family for allocators that have pages only
 *
 * Every object has a run of pages of its own. Relies on pfree() taking runs
 * in parts: what an alignment or a shrinking realloc() leaves over goes back
 * at once. Statistics are counted by palloc() and pfree().
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/alloc_impl.h>
#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/essentials.h>

#include "header.h"

#define PAGE_SHIFT UK_ALLOC_PAGE_SHIFT
#define PAGE_LEN   UK_ALLOC_PAGE_LEN

/* Gives the whole pages in [from, to) back */
static void ifpages_trim(struct uk_alloc *a, __uptr from, __uptr to)
{
	if (from < to)
		uk_do_pfree(a, (void *)from, (to - from) >> PAGE_SHIFT);
}

static void *ifpages_alloc(struct uk_alloc *a, __sz align, __sz size)
{
	__uptr base, start, end;
	__sz len;
	void *run;

	UK_ASSERT(a);

	/* Up to a page the gap is the header's place; beyond that the object
	 * starts a page, its header ends the page before.
	 */
	if (unlikely(__builtin_add_overflow(size, PAGE_LEN - 1, &len) ||
		     __builtin_add_overflow(len, align, &len)))
		goto err_nomem;

	run = uk_do_palloc(a, len >> PAGE_SHIFT);
	if (unlikely(!run))
		goto err_nomem;

	base = (__uptr)run;
	len = ALIGN_DOWN(len, PAGE_LEN);
	start = ALIGN_UP(base + sizeof(struct alloc_header), align);
	end = ALIGN_UP(start + size, PAGE_LEN);
	start = ALIGN_DOWN(start - sizeof(struct alloc_header), PAGE_LEN);
	ifpages_trim(a, base, start);
	ifpages_trim(a, end, base + len);
	return alloc_header_put((void *)start, end - start, align);

err_nomem:
	errno = ENOMEM;
	return __NULL;
}

void *uk_malloc_ifpages(struct uk_alloc *a, __sz size)
{
	return ifpages_alloc(a, ALLOC_MIN_ALIGN, size);
}

int uk_posix_memalign_ifpages(struct uk_alloc *a, void **memptr, __sz align,
			      __sz size)
{
	void *ptr;

	UK_ASSERT(memptr);

	if (unlikely(!POWER_OF_2(align) || align % sizeof(void *)))
		return EINVAL;

	ptr = ifpages_alloc(a, MAX(align, ALLOC_MIN_ALIGN), size);
	if (unlikely(!ptr))
		return ENOMEM;

	*memptr = ptr;
	return 0;
}

void *uk_realloc_ifpages(struct uk_alloc *a, void *ptr, __sz size)
{
	struct alloc_header *hdr;
	__uptr end, keep;

	UK_ASSERT(a);

	if (!ptr || !size || size > alloc_header_usable(ptr))
		return uk_realloc_compat(a, ptr, size);

	hdr = alloc_header_get(ptr);
	end = (__uptr)hdr->base + hdr->len;
	keep = ALIGN_UP((__uptr)ptr + size, PAGE_LEN);
	hdr->len = keep - (__uptr)hdr->base;
	ifpages_trim(a, keep, end);
	return ptr;
}

void uk_free_ifpages(struct uk_alloc *a, void *ptr)
{
	const struct alloc_header *hdr;

	UK_ASSERT(a);

	if (unlikely(!ptr))
		return;

	hdr = alloc_header_get(ptr);
	uk_do_pfree(a, hdr->base, hdr->len >> PAGE_SHIFT);
}

__sz uk_alloc_usable_ifpages(struct uk_alloc *a, const void *ptr)
{
	(void)a;
	return alloc_header_usable(ptr);
}

__ssz uk_alloc_maxalloc_ifpages(struct uk_alloc *a)
{
	long pages;

	UK_ASSERT(a);

	pages = uk_alloc_pmaxalloc(a);
	if (pages <= 0)
		return pages;

	return (pages << PAGE_SHIFT) - (__ssz)sizeof(struct alloc_header);
}

__ssz uk_alloc_availmem_ifpages(struct uk_alloc *a)
{
	long pages;

	UK_ASSERT(a);

	pages = uk_alloc_pavailmem(a);
	return pages < 0 ? pages : pages << PAGE_SHIFT;
}
