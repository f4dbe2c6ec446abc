/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOC_HEADER_H__
#define __UKALLOC_HEADER_H__

/* The header that the ifpages and ifmalloc helpers put in front of objects
 *
 *   base            ptr - 16    ptr                    base + len
 *   |  alignment gap  |  header  |  object, usable bytes  |
 *
 * It says what belongs to the object, so realloc() knows how much there is to
 * copy and free() what to give back.
 */

#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/essentials.h>

/** Alignment of malloc() */
#define ALLOC_MIN_ALIGN 16UL

struct alloc_header {
	void *base; /* start of the memory from below */
	__sz len;   /* its length in bytes */
};

/* The object behind the header must be aligned */
UK_CTASSERT(sizeof(struct alloc_header) == ALLOC_MIN_ALIGN);

/** Finds the header of an object. */
static inline struct alloc_header *alloc_header_get(const void *ptr)
{
	UK_ASSERT(!((__uptr)ptr & (ALLOC_MIN_ALIGN - 1)));
	return (struct alloc_header *)(__uptr)ptr - 1;
}

/**
 * Puts an object into a piece of memory.
 *
 * @param base
 *   Start, aligned for a pointer
 * @param len
 *   Length; room for gap, header and object
 * @param align
 *   Alignment of the object, at least ALLOC_MIN_ALIGN
 *
 * @return
 *   The object
 */
static inline void *alloc_header_put(void *base, __sz len, __sz align)
{
	struct alloc_header *hdr;
	__uptr ptr;

	ptr = ALIGN_UP((__uptr)base + sizeof(*hdr), align);
	UK_ASSERT(ptr <= (__uptr)base + len);

	hdr = (struct alloc_header *)ptr - 1;
	hdr->base = base;
	hdr->len = len;
	return (void *)ptr;
}

/** Number of bytes from an object to the end of its memory. */
static inline __sz alloc_header_usable(const void *ptr)
{
	const struct alloc_header *hdr = alloc_header_get(ptr);

	return (__uptr)hdr->base + hdr->len - (__uptr)ptr;
}

#endif /* __UKALLOC_HEADER_H__ */
