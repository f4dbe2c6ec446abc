/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Ours, and the allocators that it is compared with
 *
 * One more is one line of the table: any function that makes a struct uk_alloc
 * and returns it, and its file in Makefile.uk.
 */

#include <errno.h>
#include <stdio.h>

#include <uk/alloc.h>
#ifdef CONFIG_LIBUKALLOCRND
#include <uk/allocrnd.h>
#endif
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>

#include "bench.h"
#include "buddy.h"
#include "floor.h"
#include "uk_mimalloc.h"

/* Memory of those that get theirs once: 64 MiB. The buddy gets twice as much to
 * replay traces, as each object takes a page or more.
 */
#define MEMORY_PAGES 16384UL

/** An allocator that is measured */
struct bench_reference {
	const char *name;

	/**
	 * Makes the allocator.
	 *
	 * @return
	 *   The allocator, or __NULL with errno: ENOENT if the image was built
	 *   without it
	 */
	struct uk_alloc *(*init)(void);

	/** The command that gets what is missing; __NULL: never missing */
	const char *get;

	/** A test of its own, or __NULL; returns 0 if it passed */
	int (*check)(void);

	/** As in struct bench_alloc */
	void (*drop)(struct uk_alloc *a);
	struct uk_alloc *(*renew)(void);
};

#ifdef CONFIG_LIBUKALLOCRND
static struct uk_alloc *ours_init(void)
{
	return uk_alloc_get_default();
}

static void ours_drop(struct uk_alloc *a)
{
	uk_allocrnd_destroy(a);
}

/* Beside the default heap, which is the program's */
static struct uk_alloc *ours_renew(void)
{
	return uk_allocrnd_init(__NULL, 0);
}
#endif

static struct uk_alloc *in_memory(const char *name, __sz pages,
				  struct uk_alloc *(*init)(void *base,
							   __sz len))
{
	struct uk_alloc *a;
	__vaddr_t base;
	int rc;

	rc = ukplat_area_map(name, __PADDR_ANY, pages, PAGE_ATTR_PROT_RW,
			     &base);
	a = rc ? __NULL : init((void *)base, pages * PAGE_SIZE);
	if (!a)
		errno = ENOMEM;
	return a;
}

/* Less where one reference is wanted: that fits into small machines */
static __sz buddy_pages = 2 * MEMORY_PAGES;

static struct uk_alloc *buddy_init(void)
{
	return in_memory("buddy", buddy_pages, uk_buddy_init);
}

static struct uk_alloc *floor_init(void)
{
	return in_memory("floor", MEMORY_PAGES, uk_floor_init);
}

static const struct bench_reference references[] = {
#ifdef CONFIG_LIBUKALLOCRND
	{ "ukallocrnd", ours_init, __NULL, __NULL, ours_drop, ours_renew },
#endif
	{ "buddy", buddy_init, __NULL, __NULL, __NULL, __NULL },
	{ "floor", floor_init, __NULL, __NULL, uk_floor_reset, __NULL },
	{ "mimalloc", uk_mimalloc_init, "make mimalloc", uk_mimalloc_check,
	  uk_mimalloc_collect, __NULL },
	{ "mimalloc-secure", uk_mimalloc_secure_init, "make mimalloc",
	  uk_mimalloc_secure_check, uk_mimalloc_secure_collect, __NULL },
};

/* By reference; __NULL: missing, or not wanted */
static struct uk_alloc *made[ARRAY_SIZE(references)];

UK_CTASSERT(ARRAY_SIZE(references) <= BENCH_ALLOCS_MAX);

const char *bench_alloc_name(unsigned int i)
{
	return i < ARRAY_SIZE(references) ? references[i].name : __NULL;
}

int bench_references_start(unsigned int max)
{
	unsigned int i;

	if (max < ARRAY_SIZE(references))
		buddy_pages = MEMORY_PAGES;
	for (i = 0; i < MIN(max, ARRAY_SIZE(references)); i++) {
		const struct bench_reference *ref = &references[i];

		if (!bench_is_alloc_wanted(ref->name))
			continue;
		made[i] = ref->init();
		if (made[i])
			continue;
		if (errno != ENOENT || !ref->get) {
			printf("bench: %s does not start (%d)\n", ref->name,
			       errno);
			return -ENOMEM;
		}
		printf("{\"type\":\"missing\",\"alloc\":\"%s\","
		       "\"get\":\"%s\"}\n",
		       ref->name, ref->get);
	}
	return 0;
}

unsigned int bench_references_missing(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(references); i++)
		if (!made[i] && bench_is_alloc_wanted(references[i].name)) {
			printf("skip %s: `%s` gets it\n", references[i].name,
			       references[i].get);
			n++;
		}
	return n;
}

unsigned int bench_allocs_get(struct bench_alloc allocs[BENCH_ALLOCS_MAX])
{
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(references); i++) {
		const struct bench_reference *ref = &references[i];

		if (made[i])
			allocs[n++] =
				(struct bench_alloc){ .name = ref->name,
						      .a = made[i],
						      .check = ref->check,
						      .drop = ref->drop,
						      .renew = ref->renew };
	}
	return n;
}
