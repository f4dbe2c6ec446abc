/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_HOST_PRELOAD_PATHS_H__
#define __UKALLOCRND_HOST_PRELOAD_PATHS_H__

/* The body of preload_fast16.c, preload_fast32.c and preload_fast64.c, which
 * define RND_FAST(name)
 */

#ifndef RND_FAST
#define RND_FAST(name) rnd_fast16_##name
#endif

#include "fast.h"
#include "fast_resize.h"
#include "preload.h"
#include "preload_fast.h"

static void *__noinline malloc_long(__sz size, __uptr caller)
{
	void *ptr;

	if (rnd_malloc_long(rnd_host_pcpu, size, RND_KIND_MALLOC, caller,
			    RND_REACH_LONG, &ptr))
		return ptr;

	return rnd_preload_malloc(size, caller);
}

/* Apart, because it calls something and needs a frame for that */
static void __noinline free_bulk(void *ptr, __uptr caller)
{
	__u32 sc = rnd_window_class(rnd_preload_peek()->pm.window, ptr);

	/* Class 0: no slot, or one of no bytes */
	if (!sc || !rnd_free_own(rnd_host_pcpu, sc, ptr, RND_SIZE_UNKNOWN,
				 RND_KIND_MALLOC, RND_REACH_BULK))
		rnd_preload_free(ptr, caller);
}

static void __noinline free_long(void *ptr, __uptr caller)
{
	__u32 sc = rnd_window_class(rnd_preload_peek()->pm.window, ptr);

	/* Class 0 as well */
	if (sc - 1 >= RND_CLASS_BULK - 1) {
		free_bulk(ptr, caller);
		return;
	}
	if (!rnd_free_own(rnd_host_pcpu, sc, ptr, RND_SIZE_UNKNOWN,
			  RND_KIND_MALLOC, RND_REACH_LONG))
		rnd_preload_free(ptr, caller);
}

void *RND_FAST(malloc)(__sz size)
{
	void *ptr;

	if (!rnd_size_is_short(size))
		return malloc_long(size, RND_CALLER());
	if (rnd_malloc_short(rnd_host_pcpu, size, RND_KIND_MALLOC, &ptr))
		return ptr;

	return rnd_preload_malloc(size, RND_CALLER());
}

void RND_FAST(free)(void *ptr)
{
	__u32 sc = rnd_ptr_short(rnd_preload_peek(), ptr);

	if (unlikely(!sc))
		free_long(ptr, RND_CALLER());
	else if (!rnd_free_short(rnd_host_pcpu, sc, ptr, RND_SIZE_UNKNOWN,
				 RND_KIND_MALLOC))
		rnd_preload_free(ptr, RND_CALLER());
}

void *RND_FAST(calloc)(__sz nmemb, __sz size)
{
	__sz len;
	void *ptr;

	/* A free slot is zero if freeing clears it */
	if (RND_OPT_ZERO && !__builtin_mul_overflow(nmemb, size, &len) &&
	    rnd_size_is_short(len) &&
	    rnd_malloc_short(rnd_host_pcpu, len, RND_KIND_MALLOC, &ptr))
		return ptr;

	return rnd_preload_calloc(nmemb, size, RND_CALLER());
}

void *RND_FAST(realloc)(void *ptr, __sz size)
{
	void *obj;

	if (!ptr)
		return RND_FAST(malloc)(size);
	if (rnd_realloc_own(rnd_preload_peek(), rnd_host_pcpu, ptr, size,
			    RND_CALLER(), &obj))
		return obj;

	return rnd_preload_realloc(ptr, size, RND_CALLER());
}

#endif /* __UKALLOCRND_HOST_PRELOAD_PATHS_H__ */
