/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Several threads in one address space: each with areas of its own, all in
 * the same few pages of address space, so that they meet all the time
 *
 * links: lib/ukvmem/vas.c lib/ukvmem/vma_pool.c lib/ukvmem/vma_tree.c
 *        lib/ukvmem/vma_hole.c lib/ukvmem/vma_place.c lib/ukvmem/vma_split.c
 *        lib/ukvmem/vma_range.c lib/ukvmem/vma_page.c lib/ukvmem/vma_map.c
 *        lib/ukvmem/vma_replace.c lib/ukvmem/vma_unmap.c
 *        lib/ukvmem/vma_attr.c lib/ukvmem/vma_advise.c
 *        lib/ukvmem/vma_fault.c lib/ukvmem/pagefault.c
 *        lib/ukvmem/vma_rsvd.c lib/ukvmem/vma_anon.c
 *        lib/ukvmem/vma_stack.c lib/ukvmem/vma_dma.c lib/ukvmem/vma_file.c
 *        tests/unit/fake_paging.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "fake_paging.h"
#include "vma_pool.h"
#include "vma_tree.h"

#define THREADS 4U
#define PAGES	64U
#define FRAMES	600UL
#ifdef RND_TEST_SLOW
#define STEPS 300U
#else
#define STEPS 4000U
#endif

static const __vaddr_t base = UK_VAS_START + 0x4000000UL;
static struct uk_vas vas;
static unsigned int failures[THREADS];

/* Maps four pages somewhere in the window, changes and removes them in parts;
 * nobody else may see or disturb that
 */
static __bool step(__u64 *rng)
{
	__vaddr_t vaddr;
	int rc;

	*rng = *rng * 6364136223846793005UL + 1442695040888963407UL;
	vaddr = base + (*rng >> 33) % PAGES * PAGE_SIZE;
	rc = uk_vma_map_anon(&vas, &vaddr, 4 * PAGE_SIZE, PAGE_ATTR_PROT_RW,
			     UK_VMA_MAP_POPULATE, NULL);
	if (rc == -EEXIST)
		return 1;
	if (rc || fake_attr(vaddr) != PAGE_ATTR_PROT_RW)
		return 0;
	if (uk_vma_set_attr(&vas, vaddr + PAGE_SIZE, 2 * PAGE_SIZE,
			    PAGE_ATTR_PROT_READ, UK_VMA_FLAG_STRICT_VMA_CHECK))
		return 0;
	if (fake_attr(vaddr + PAGE_SIZE) != PAGE_ATTR_PROT_READ ||
	    fake_attr(vaddr + 3 * PAGE_SIZE) != PAGE_ATTR_PROT_RW)
		return 0;
	if (uk_vma_unmap(&vas, vaddr + 2 * PAGE_SIZE, PAGE_SIZE,
			 UK_VMA_FLAG_STRICT_VMA_CHECK))
		return 0;
	if (fake_attr(vaddr + PAGE_SIZE) != PAGE_ATTR_PROT_READ)
		return 0;
	return !uk_vma_unmap(&vas, vaddr, 2 * PAGE_SIZE,
			     UK_VMA_FLAG_STRICT_VMA_CHECK) &&
	       !uk_vma_unmap(&vas, vaddr + 3 * PAGE_SIZE, PAGE_SIZE,
			     UK_VMA_FLAG_STRICT_VMA_CHECK);
}

static void *worker(void *arg)
{
	unsigned int *failed = arg;
	__u64 rng = (__u64)(failed - failures) + 1;
	__vaddr_t vaddr;
	unsigned int i;

	for (i = 0; i < STEPS; i++) {
		if (!step(&rng))
			(*failed)++;
		vaddr = __VADDR_ANY;
		if (uk_vma_reserve(&vas, &vaddr, PAGE_SIZE) ||
		    !uk_vma_find(&vas, vaddr) ||
		    uk_vma_unmap(&vas, vaddr, PAGE_SIZE, 0))
			(*failed)++;
	}
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	pthread_t threads[THREADS];
	unsigned int i;

	(void)state;
	fake_reset(FRAMES);
	assert_int_equal(uk_vas_init(&vas, &fake_pt, NULL), 0);

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, worker,
						&failures[i]),
				 0);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(failures[i], 0);
	}

	assert_true(vma_tree_is_valid(vas.root));
	assert_true(vma_pool_is_valid(&vas.pool));
	assert_int_equal(vas.vma_count, 0);
	assert_int_equal(vas.mapped_len, 0);
	assert_int_equal(vas.pool.free, vas.pool.total);
	assert_int_equal(fake_mapped(), 0);
	uk_vas_destroy(&vas);
	assert_int_equal(fake.frames_free, fake.frames_total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests_name("vma_threads", tests, NULL, NULL);
}
