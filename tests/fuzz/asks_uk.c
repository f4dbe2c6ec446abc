/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <sys/mman.h>

#include <uk/allocrnd.h>

#include "ask.h"

static void uk_end(const struct ask *k)
{
	if (!ask_check(k))
		return;
	EXPECT(uk_alloc_usable_size(ask_heap, k->ptr) >= k->len);
	uk_free(ask_heap, k->ptr);
}

static void ask_uk_malloc(struct ask *k)
{
	k->ptr = uk_malloc(ask_heap, k->size);
	k->err = errno;
	uk_end(k);
}

static void ask_uk_calloc(struct ask *k)
{
	k->is_zeroed = 1;
	k->ptr = uk_calloc(ask_heap, k->cnt, k->size);
	k->err = errno;
	ask_set_len(k);
	uk_end(k);
}

static void ask_uk_memalign(struct ask *k)
{
	k->crooked = !is_power_of_2(k->align);
	k->ptr = uk_memalign(ask_heap, k->align, k->size);
	k->err = errno;
	uk_end(k);
}

static void ask_uk_posix_memalign(struct ask *k)
{
	void *const untouched = &ask_heap;

	k->ptr = untouched;
	k->crooked = !is_power_of_2(k->align) || k->align % sizeof(void *);
	k->err = uk_posix_memalign(ask_heap, &k->ptr, k->align, k->size);
	EXPECT(!k->err == (k->ptr != untouched));
	if (k->err)
		k->ptr = NULL;
	uk_end(k);
}

static void ask_uk_palloc(struct ask *k)
{
	unsigned long pages = k->size;

	k->ptr = uk_palloc(ask_heap, pages);
	k->err = errno;
	k->cnt = PAGE_LEN;
	ask_set_len(k);
	if (!pages)
		EXPECT(!k->ptr);
	else if (ask_check(k))
		uk_pfree(ask_heap, k->ptr, pages);
}

/* An object that is there already must survive a failure */
static void ask_uk_realloc(struct ask *k)
{
	unsigned char *old = uk_malloc(ask_heap, 100);

	EXPECT(old);
	old[0] = 1;
	old[99] = 2;
	k->ptr = uk_realloc(ask_heap, old, k->size);
	k->err = errno;
	if (!k->size) {
		EXPECT(!k->ptr);
		return;
	}
	if (k->ptr)
		EXPECT(*(unsigned char *)k->ptr == 1);
	else
		EXPECT(old[0] == 1 && old[99] == 2);
	if (!k->ptr)
		uk_free(ask_heap, old);
	uk_end(k);
}

/* A heap in memory that is given to it: any part of a mapping */
static void ask_uk_init(struct ask *k)
{
	size_t len = PAGE_LEN * (1 + k->cnt % 64), at = k->size % len;
	struct uk_alloc *small;
	char *map, *base;
	void *ptr;

	map = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(map != MAP_FAILED);
	base = map + at;
	len -= at;
	if (k->way % 2)
		len = k->align % len;
	k->align = 0;
	/* What wraps around is no memory */
	if (k->way % 16 < 2)
		EXPECT(uk_alloc_addmem(ask_heap, base, -(size_t)base) < 0);
	small = uk_allocrnd_init(base, len);
	if (small) {
		ptr = uk_malloc(small, k->size % PAGE_LEN);
		if (ptr)
			uk_free(small, ptr);
		EXPECT(uk_allocrnd_check(small) == 0);
		EXPECT(!uk_allocrnd_destroy(small));
	}
	/* Pages that were taken are gone, the others are not */
	EXPECT(!munmap(map, PAGE_LEN * (1 + k->cnt % 64)));
}

const struct asker askers_uk[] = {
	{ ask_uk_malloc, 0 },	{ ask_uk_calloc, 0 },
	{ ask_uk_memalign, 1 }, { ask_uk_posix_memalign, 1 },
	{ ask_uk_palloc, 0 },	{ ask_uk_realloc, 0 },
	{ ask_uk_init, 1 },
};

const size_t askers_uk_cnt = sizeof(askers_uk) / sizeof(askers_uk[0]);
