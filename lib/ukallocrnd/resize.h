/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_RESIZE_H__
#define __UKALLOCRND_RESIZE_H__

/* Objects that change their size: realloc; and how large they are */

#include "heap.h"

/**
 * Changes the size of an object, in place if its slot or pages have room.
 * Contents are kept up to the smaller size.
 *
 * @param ptr
 *   Object, or __NULL: like malloc
 * @param size
 *   New size in bytes; 0 with an object frees it and returns __NULL
 * @param caller
 *   Return address of the public function
 *
 * @return
 *   The object, or __NULL: exhausted, and ptr is still valid
 */
void *rnd_realloc(struct rnd_heap *h, void *ptr, __sz size, __uptr caller);

/**
 * Requested size of an object: what the caller may use. The bytes behind it
 * are not his, they hold the canary.
 *
 * @param ptr
 *   Object, or __NULL: 0
 * @param op
 *   Public function, for reports
 */
__sz rnd_requested(struct rnd_heap *h, const void *ptr, const char *op,
		   __uptr caller);

#endif /* __UKALLOCRND_RESIZE_H__ */
