/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTBENCH_SUBJECT_H__
#define __GUESTBENCH_SUBJECT_H__

/* An allocator under test, and what it has of the memory
 *
 * Each workload of each size begins with an allocator that has nothing from
 * before: a new heap of ukallocrnd, mimalloc after it has collected what is
 * free, and so on (references.c). Afterwards it gives everything back.
 *
 * Between begin and end nobody else takes or gives memory, so what it has is
 * what is not available any more. That includes tables of pages, and what a new
 * heap needs before its first object. What cannot be given back, if there is
 * any, counts as its own from the beginning the next time.
 *
 * Context: boot CPU, interrupts enabled, other CPUs idle.
 */

#include <uk/arch/types.h>

#include "bench.h"

struct bench_subject {
	struct bench_alloc ba;
	__sz base; /* bytes available while it has nothing */
	__sz held; /* kept when it had to give back everything */
};

/**
 * Makes the allocator anew, if it is to be.
 *
 * @return
 *   0, or -ENOMEM
 */
int bench_subject_begin(struct bench_subject *s);

/** Bytes that it has. */
__sz bench_subject_mapped(const struct bench_subject *s);

/** Bytes that it had when bench_probe_available() was so much. */
__sz bench_subject_mapped_at(const struct bench_subject *s, __sz left);

/**
 * Makes it give back everything.
 *
 * @return
 *   0, or 1 if it has given back more than it had, which is printed: then the
 *   figures are wrong
 */
int bench_subject_end(struct bench_subject *s);

#endif /* __GUESTBENCH_SUBJECT_H__ */
