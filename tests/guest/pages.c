/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Pages of the default allocator: the unit of ownership is the page */

#include <errno.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "test.h"

#define RUN 16UL

static void *page_at(void *run, unsigned long page)
{
	return (char *)run + page * PAGE_SIZE;
}

static enum test_result palloc_pages_are_aligned_and_apart(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	unsigned char *runs[RUN];
	unsigned long i;

	for (i = 0; i < RUN; i++) {
		runs[i] = uk_palloc(a, i + 1);
		EXPECT(runs[i]);
		EXPECT((__uptr)runs[i] % PAGE_SIZE == 0);
		memset(runs[i], (int)i, (i + 1) * PAGE_SIZE);
	}
	for (i = 0; i < RUN; i++) {
		EXPECT(runs[i][0] == i);
		EXPECT(!memcmp(runs[i], runs[i] + 1, (i + 1) * PAGE_SIZE - 1));
		uk_pfree(a, runs[i], i + 1);
	}
	return TEST_PASS;
}

static enum test_result pfree_takes_a_run_in_parts(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	unsigned char *run = uk_palloc(a, RUN);
	unsigned long i;

	EXPECT(run);
	for (i = 0; i < RUN; i++)
		memset(page_at(run, i), (int)i, PAGE_SIZE);

	/* Middle, then first, last, and every other page of the rest */
	uk_pfree(a, page_at(run, 6), 3);
	uk_pfree(a, run, 1);
	uk_pfree(a, page_at(run, RUN - 1), 1);
	for (i = 1; i < 6; i += 2)
		uk_pfree(a, page_at(run, i), 1);
	for (i = 2; i < 6; i += 2) {
		EXPECT(run[i * PAGE_SIZE] == i);
		EXPECT(!memcmp(page_at(run, i), (char *)page_at(run, i) + 1,
			       PAGE_SIZE - 1));
		uk_pfree(a, page_at(run, i), 1);
	}
	EXPECT(run[9 * PAGE_SIZE] == 9);
	EXPECT(run[(RUN - 1) * PAGE_SIZE - 1] == RUN - 2);
	uk_pfree(a, page_at(run, 9), RUN - 10);
	return TEST_PASS;
}

static enum test_result palloc_errors_are_enomem(void)
{
	struct uk_alloc *a = uk_alloc_get_default();

	EXPECT(!uk_palloc(a, 0));
	errno = 0;
	EXPECT(!uk_palloc(a, 1UL << 52));
	EXPECT(errno == ENOMEM);
	EXPECT(!uk_palloc(a, __SZ_MAX));
	EXPECT(!uk_palloc(a, 1UL << 40));
	return TEST_PASS;
}

static enum test_result palloc_of_what_pmaxalloc_tells(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	long pages = uk_alloc_pmaxalloc(a);
	long avail = uk_alloc_pavailmem(a);
	void *run;

	if (pages == -ENOTSUP)
		SKIP("the allocator does not tell");
	EXPECT(pages > 0);
	EXPECT(avail >= pages);

	/* Other parts of the system need frames meanwhile: not all of it */
	pages /= 2;
	run = uk_palloc(a, (unsigned long)pages);
	EXPECT(run);
	EXPECT(uk_alloc_pavailmem(a) < avail);
	uk_pfree(a, run, (unsigned long)pages);
	return TEST_PASS;
}

const struct test_case page_cases[] = {
	{ "palloc_pages_are_aligned_and_apart",
	  palloc_pages_are_aligned_and_apart },
	{ "pfree_takes_a_run_in_parts", pfree_takes_a_run_in_parts },
	{ "palloc_errors_are_enomem", palloc_errors_are_enomem },
	{ "palloc_of_what_pmaxalloc_tells", palloc_of_what_pmaxalloc_tells },
	{ __NULL, __NULL },
};
