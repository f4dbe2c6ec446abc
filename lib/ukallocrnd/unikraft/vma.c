/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Random addresses for Unikraft's mappings
 *
 * Unikraft places what has no fixed address one behind the other, from the
 * same start in every boot: mappings, stacks, files. Here each gets an address
 * of its own, drawn below the window of the heaps. Source: mmap of OpenBSD.
 */

#include <errno.h>

#include <uk/arch/paging.h>
#include <uk/essentials.h>
#include <uk/vmem.h>

#include "../config.h"
#include "../rng.h"
#include "serial.h"
#include "table.h"

/* From behind what Unikraft has at fixed places to the window: 34 bits */
#define PLACES_START (1UL << 40)
#define PLACES_END   RND_WINDOW_START

/* A try hits something with the share of the space in use */
#define TRIES 64

int __real_uk_vma_map(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
		      unsigned long attr, unsigned long flags, const char *name,
		      const struct uk_vma_ops *ops, void *args);

/* Order of the pages that a mapping asks for */
static unsigned int order_of(unsigned long flags)
{
	unsigned int order = UK_VMA_MAP_SIZE_TO_ORDER(flags);

	return MAX(order, (unsigned int)PAGE_SHIFT);
}

static __u64 draw(__u64 bound)
{
	static struct rnd_rng rng;
	static __bool is_seeded;

	if (unlikely(!is_seeded)) {
		rnd_rng_start(&rng);
		is_seeded = 1;
	}
	return rnd_rng_uniform64(&rng, bound);
}

static int map_random(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
		      unsigned long attr, unsigned long flags, const char *name,
		      const struct uk_vma_ops *ops, void *args)
{
	unsigned int order = order_of(flags);
	__vaddr_t try;
	int i, rc;

	if (len > PLACES_END - PLACES_START)
		return -EEXIST;

	for (i = 0; i < TRIES; i++) {
		try = PLACES_START +
		      (draw(((PLACES_END - PLACES_START - len) >> order) + 1)
		       << order);
		/* What is there would be replaced otherwise */
		rc = __real_uk_vma_map(vas, &try, len, attr,
				       flags & ~UK_VMA_MAP_REPLACE, name, ops,
				       args);
		if (!rc)
			*vaddr = try;
		if (rc != -EEXIST)
			return rc;
	}
	return -EEXIST;
}

int __wrap_uk_vma_map(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
		      unsigned long attr, unsigned long flags, const char *name,
		      const struct uk_vma_ops *ops, void *args)
{
	int rc = -EEXIST;

	rnd_serial_enter();
	if (RND_OPT_RANDOM_VMAS && *vaddr == __VADDR_ANY)
		rc = map_random(vas, vaddr, len, attr, flags, name, ops, args);
	if (rc == -EEXIST)
		rc = __real_uk_vma_map(vas, vaddr, len, attr, flags, name, ops,
				       args);
	rnd_serial_leave();

	return rc;
}
