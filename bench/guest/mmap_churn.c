/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Mappings that come and go, each between two guards
 *
 * Pattern
 *   Stacks of threads and buffers of a program that maps them: address space
 *   with a page more on each side, where nothing may be accessed; the middle
 *   is mapped, each of its pages is written, all of it is unmapped.
 *
 * Question
 *   What does the address space cost below the allocators, from a page to
 *   2 MiB? One operation is one mapping; no allocator takes part.
 */

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "bench.h"

#define OPS 4UL

static const __sz sizes[] = { 1 * PAGE_SIZE, 8 * PAGE_SIZE, 64 * PAGE_SIZE,
			      512 * PAGE_SIZE, 0 };

static int churn(__sz len)
{
	struct uk_vas *vas = uk_vas_get_active();
	__vaddr_t area = __VADDR_ANY, va;
	__sz i;
	int rc;

	if (uk_vma_reserve(vas, &area, len + 2 * PAGE_SIZE))
		return 0;
	va = area + PAGE_SIZE;
	rc = uk_vma_map_anon(vas, &va, len, PAGE_ATTR_PROT_RW,
			     UK_VMA_MAP_REPLACE, "churn");
	for (i = 0; !rc && i < len; i += PAGE_SIZE)
		*(volatile __u64 *)(va + i) = i;
	return !uk_vma_unmap(vas, area, len + 2 * PAGE_SIZE, 0) && !rc;
}

static unsigned long mmap_churn(struct bench_run *run)
{
	unsigned long n;

	for (n = 0; n < OPS; n++)
		if (!churn(run->size))
			break;
	return n;
}

const struct bench_workload bench_mmap_churn = {
	.name = "mmap-churn",
	.sizes = sizes,
	.cpus_min = 1,
	.cpus_max = 1,
	.exact = 1,
	.needs = BENCH_NEEDS_NOTHING,
	.batch = mmap_churn,
};
