/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_HOST_PRELOAD_FAST_H__
#define __UKALLOCRND_HOST_PRELOAD_FAST_H__

/* malloc(), free(), calloc() and realloc() in variants for processors
 *
 * Clearing slots and testing that they are clear is a good part of the fast
 * paths, and takes half as many instructions with registers twice as long.
 * preload_fast16.c, preload_fast32.c and preload_fast64.c are the same code
 * (preload_paths.h), with registers of so many bytes. preload.c chooses one of
 * them when the library is loaded.
 */

#include <uk/arch/types.h>

/** The functions of one variant, as in <stdlib.h> */
struct rnd_preload_fast {
	void *(*malloc)(__sz size);
	void (*free)(void *ptr);
	void *(*calloc)(__sz nmemb, __sz size);
	void *(*realloc)(void *ptr, __sz size);
};

#define RND_FAST_FUNCS(variant)                                                \
	{                                                                      \
		rnd_##variant##_malloc, rnd_##variant##_free,                  \
			rnd_##variant##_calloc, rnd_##variant##_realloc,       \
	}

#define RND_FAST_DECLARE(variant)                                              \
	void *rnd_##variant##_malloc(__sz size);                               \
	void rnd_##variant##_free(void *ptr);                                  \
	void *rnd_##variant##_calloc(__sz nmemb, __sz size);                   \
	void *rnd_##variant##_realloc(void *ptr, __sz size)

RND_FAST_DECLARE(fast16); /* any processor */
RND_FAST_DECLARE(fast32); /* RND_WIDE_32 */
RND_FAST_DECLARE(fast64); /* RND_WIDE_64 */

/* What the variants leave: all requests, any pointers. They set errno */
void *rnd_preload_malloc(__sz size, __uptr caller);
void rnd_preload_free(void *ptr, __uptr caller);
void *rnd_preload_calloc(__sz nmemb, __sz size, __uptr caller);
void *rnd_preload_realloc(void *ptr, __sz size, __uptr caller);

#endif /* __UKALLOCRND_HOST_PRELOAD_FAST_H__ */
