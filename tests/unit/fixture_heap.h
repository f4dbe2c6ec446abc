/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __FIXTURE_HEAP_H__
#define __FIXTURE_HEAP_H__

/* A heap of CPU 1 for tests of what uses one: made before each test, and gone
 * without a trace after it. Included once by each.
 */

#include "fake_home.h"
#include "fake_port.h"

static struct rnd_heap *h;

static int setup(void **state)
{
	(void)state;
	fake_port_reset(17);
	fake_port_set_cpu(1);
	h = rnd_heap_create(0);
	return h ? 0 : -1;
}

/* All memory of the heap goes back, whatever was done to it */
static int teardown(void **state)
{
	int rc;

	(void)state;
	rnd_heap_destroy(h);
	rc = fake_port.reserved || fake_port.committed ? -1 : 0;
	fake_port_reset(17);
	return rc;
}

static inline void *alloc(__sz size)
{
	return home_malloc(h, size, RND_KIND_MALLOC);
}

static inline void release(void *ptr)
{
	home_free(h, ptr, RND_KIND_MALLOC);
}

#endif /* __FIXTURE_HEAP_H__ */
