/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOC_CPU_H__
#define __UKALLOC_CPU_H__

/* Which CPU is this? Only a hint for spreading counters: the answer may be
 * outdated when it is used, so everything behind it is atomic.
 *
 * In the guest a CPU is an lcpu; in hosted builds, which the tests use, every
 * thread counts as one.
 */

#include <uk/arch/types.h>

#if __STDC_HOSTED__

extern __u32 uk_alloc_host_threads;

static inline __u32 alloc_cpu_idx(void)
{
	static __thread __u32 idx;

	/* Relaxed: a ticket, it orders nothing */
	if (!idx)
		idx = __atomic_add_fetch(&uk_alloc_host_threads, 1,
					 __ATOMIC_RELAXED);
	return idx - 1;
}

#else /* !__STDC_HOSTED__ */

#include <uk/plat/lcpu.h>

static inline __u32 alloc_cpu_idx(void)
{
	return (__u32)ukplat_lcpu_idx();
}

#endif /* !__STDC_HOSTED__ */

#endif /* __UKALLOC_CPU_H__ */
