/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The malloc family of the preloaded library, under other names */

#include "ask.h"

void *pre_malloc(size_t size);
void *pre_calloc(size_t cnt, size_t size);
void *pre_realloc(void *ptr, size_t size);
void *pre_reallocarray(void *ptr, size_t cnt, size_t size);
void *pre_memalign(size_t align, size_t size);
void *pre_aligned_alloc(size_t align, size_t size);
int pre_posix_memalign(void **ptr, size_t align, size_t size);
void *pre_valloc(size_t size);
void *pre_pvalloc(size_t size);
void pre_free(void *ptr);
size_t pre_malloc_usable_size(void *ptr);
void *pre__ZnwmRKSt9nothrow_t(size_t size, const void *tag);
void *pre__ZnamRKSt9nothrow_t(size_t size, const void *tag);
void *pre__ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t align,
					     const void *tag);
void *pre__ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t align,
					     const void *tag);
void pre__ZdlPvm(void *ptr, size_t size);
void pre__ZdaPvm(void *ptr, size_t size);
void pre__ZdlPvmSt11align_val_t(void *ptr, size_t size, size_t align);
void pre__ZdaPvmSt11align_val_t(void *ptr, size_t size, size_t align);

static void pre_end(const struct ask *k)
{
	if (!ask_check(k))
		return;
	EXPECT(pre_malloc_usable_size(k->ptr) >= k->len);
	pre_free(k->ptr);
}

static void ask_malloc(struct ask *k)
{
	k->ptr = pre_malloc(k->size);
	k->err = errno;
	pre_end(k);
}

static void ask_calloc(struct ask *k)
{
	k->is_zeroed = 1;
	k->ptr = pre_calloc(k->cnt, k->size);
	k->err = errno;
	ask_set_len(k);
	pre_end(k);
}

static void ask_realloc(struct ask *k)
{
	unsigned char *old = pre_malloc(100);
	int is_array = k->way % 2;

	EXPECT(old);
	old[0] = 1;
	old[99] = 2;
	if (is_array)
		ask_set_len(k);
	k->ptr = is_array ? pre_reallocarray(old, k->cnt, k->size) :
			    pre_realloc(old, k->size);
	k->err = errno;
	if (!k->len) {
		EXPECT(!k->ptr);
		return;
	}
	if (k->ptr) {
		EXPECT(*(unsigned char *)k->ptr == 1);
	} else {
		EXPECT(old[0] == 1 && old[99] == 2);
		pre_free(old);
	}
	pre_end(k);
}

/* Rounds the alignment up */
static void ask_memalign(struct ask *k)
{
	k->crooked = k->align > 1UL << 63;
	k->ptr = pre_memalign(k->align, k->size);
	k->err = errno;
	if (k->ptr)
		EXPECT(k->align < 2 ||
		       __builtin_ctzl((uintptr_t)k->ptr) >=
			       64 - __builtin_clzl(k->align - 1));
	pre_end(k);
}

static void ask_aligned_alloc(struct ask *k)
{
	k->crooked = !is_power_of_2(k->align);
	k->ptr = pre_aligned_alloc(k->align, k->size);
	k->err = errno;
	pre_end(k);
}

static void ask_posix_memalign(struct ask *k)
{
	void *const untouched = &ask_heap;

	k->ptr = untouched;
	k->crooked = !is_power_of_2(k->align) || k->align % sizeof(void *);
	k->err = pre_posix_memalign(&k->ptr, k->align, k->size);
	EXPECT(!k->err == (k->ptr != untouched));
	if (k->err)
		k->ptr = NULL;
	pre_end(k);
}

static void ask_page_aligned(struct ask *k)
{
	int is_rounded = k->way % 2;

	k->align = PAGE_LEN;
	k->ptr = is_rounded ? pre_pvalloc(k->size) : pre_valloc(k->size);
	k->err = errno;
	if (is_rounded && k->size <= SIZE_MAX - PAGE_LEN)
		k->len = (k->size + PAGE_LEN - 1) / PAGE_LEN * PAGE_LEN;
	pre_end(k);
}

static void ask_new(struct ask *k)
{
	int is_array = k->way % 2;

	k->is_quiet = 1;
	k->ptr = is_array ? pre__ZnamRKSt9nothrow_t(k->size, NULL) :
			    pre__ZnwmRKSt9nothrow_t(k->size, NULL);
	if (!ask_check(k))
		return;
	if (is_array)
		pre__ZdaPvm(k->ptr, k->size);
	else
		pre__ZdlPvm(k->ptr, k->size);
}

/* The language allows powers of two only */
static void ask_new_aligned(struct ask *k)
{
	int is_array = k->way % 2;

	k->is_quiet = 1;
	k->align = 1UL << k->align % 64;
	k->ptr = is_array ?
			 pre__ZnamSt11align_val_tRKSt9nothrow_t(
				 k->size, k->align, NULL) :
			 pre__ZnwmSt11align_val_tRKSt9nothrow_t(k->size,
								k->align, NULL);
	if (!ask_check(k))
		return;
	if (is_array)
		pre__ZdaPvmSt11align_val_t(k->ptr, k->size, k->align);
	else
		pre__ZdlPvmSt11align_val_t(k->ptr, k->size, k->align);
}

const struct asker askers_pre[] = {
	{ ask_malloc, 0 },	  { ask_calloc, 0 },
	{ ask_realloc, 0 },	  { ask_memalign, 1 },
	{ ask_aligned_alloc, 1 }, { ask_posix_memalign, 1 },
	{ ask_page_aligned, 0 },  { ask_new, 0 },
	{ ask_new_aligned, 1 },
};

const size_t askers_pre_cnt = sizeof(askers_pre) / sizeof(askers_pre[0]);
