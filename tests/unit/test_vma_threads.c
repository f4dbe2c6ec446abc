/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Several threads in one address space: each with areas of its own, all in
 * the same few pages of address space, so that they meet all the time; and
 * threads that touch pages while others change their areas
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
#include "vmem_priv.h"

#define PAGES  64U
#define FRAMES 600UL
#ifdef RND_TEST_SLOW
/* Who waits for another thread there does so for the rest of its slice */
#define STEPS	 100U
#define THREADS	 2U
#define OWNERS	 1U
#define TOUCHERS 0U
#else
#define STEPS	 1500U
#define THREADS	 4U
#define OWNERS	 2U
#define TOUCHERS 2U
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

	fake_cpu = (__u32)rng;
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

/* Areas that their owners change and everybody touches */
#define LEN 16U

static unsigned int owners_left;

static __vaddr_t shared_page(unsigned int owner, __u64 page)
{
	return base + (owner * 2UL * LEN + page) * PAGE_SIZE;
}

static void *toucher(void *arg)
{
	unsigned int *failed = arg;
	__u64 rng = (__u64)(failed - failures) + 77;

	fake_cpu = (__u32)(failed - failures) + 1;
	while (__atomic_load_n(&owners_left, __ATOMIC_RELAXED)) {
		__vaddr_t vaddr;
		int rc;

		rng = rng * 6364136223846793005UL + 1442695040888963407UL;
		vaddr = shared_page((unsigned int)(rng >> 63),
				    (rng >> 33) % LEN);
		rc = vmem_pagefault(vaddr,
				    UK_VMA_FAULT_NONPRESENT |
					    (rng >> 62 & 1 ?
						     UK_VMA_FAULT_WRITE :
						     UK_VMA_FAULT_READ),
				    NULL);
		if (rc && rc != -EACCES && rc != -EFAULT)
			(*failed)++;
	}
	return NULL;
}

/* Every page of a range that is there has these attributes. Nobody else
 * changes the area, so a page with others was mapped too late.
 */
static __bool has_only(unsigned int owner, __u64 page, __u64 pages, int attr)
{
	for (; pages; pages--, page++) {
		int found = fake_attr(shared_page(owner, page));

		if (found != -1 && found != attr)
			return 0;
	}
	return 1;
}

static void mark_pages(unsigned int owner)
{
	unsigned int i;

	for (i = 0; i < LEN; i++) {
		__paddr_t frame = fake_paddr(shared_page(owner, i));

		if (frame != __PADDR_INV)
			*(__u8 *)frame = 1;
	}
}

static __bool has_no_mark(unsigned int owner, __u64 page, __u64 pages)
{
	for (; pages; pages--, page++) {
		__paddr_t frame = fake_paddr(shared_page(owner, page));

		if (frame != __PADDR_INV && *(__u8 *)frame)
			return 0;
	}
	return 1;
}

/* Life of an area: mapped, made read-only in part, forgotten in part, made
 * writable, replaced, gone
 */
static __bool live(unsigned int owner, __u64 first, __u64 pages)
{
	__vaddr_t start = shared_page(owner, 0);
	__vaddr_t vaddr = shared_page(owner, first);
	__sz len = pages * PAGE_SIZE;

	if (uk_vma_map_anon(&vas, &start, LEN * PAGE_SIZE, PAGE_ATTR_PROT_RW, 0,
			    NULL) ||
	    uk_vma_set_attr(&vas, vaddr, len, PAGE_ATTR_PROT_READ, 0) ||
	    !has_only(owner, first, pages, PAGE_ATTR_PROT_READ))
		return 0;
	mark_pages(owner);
	if (uk_vma_advise(&vas, vaddr, len, UK_VMA_ADV_DONTNEED, 0) ||
	    !has_no_mark(owner, first, pages) ||
	    uk_vma_advise(&vas, vaddr, len, UK_VMA_ADV_WILLNEED, 0) ||
	    uk_vma_set_attr(&vas, start, LEN * PAGE_SIZE, PAGE_ATTR_PROT_RW,
			    0) ||
	    !has_only(owner, 0, LEN, PAGE_ATTR_PROT_RW))
		return 0;
	mark_pages(owner);
	if (uk_vma_map_anon(&vas, &vaddr, len, PAGE_ATTR_PROT_READ,
			    UK_VMA_MAP_REPLACE, NULL) ||
	    !has_no_mark(owner, first, pages) ||
	    !has_only(owner, first, pages, PAGE_ATTR_PROT_READ))
		return 0;
	return !uk_vma_unmap(&vas, start, LEN * PAGE_SIZE, 0) &&
	       has_only(owner, 0, LEN, -1);
}

static void *owner(void *arg)
{
	unsigned int *failed = arg;
	unsigned int self = (unsigned int)(failed - failures);
	__u64 rng = self + 5, first;
	unsigned int i;

	fake_cpu = self + 1;
	for (i = 0; i < STEPS / 100; i++) {
		rng = rng * 6364136223846793005UL + 1442695040888963407UL;
		first = (rng >> 40) % LEN;
		if (!live(self, first, 1 + (rng >> 33) % (LEN - first)))
			(*failed)++;
	}
	__atomic_sub_fetch(&owners_left, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void faults_see_old_or_new_area(void **state)
{
	pthread_t threads[OWNERS + TOUCHERS];
	unsigned int i;

	(void)state;
	fake_reset(FRAMES);
	assert_int_equal(uk_vas_init(&vas, &fake_pt, NULL), 0);
	assert_int_equal(uk_vas_set_active(&vas), 0);
	owners_left = OWNERS;
	fake.yields = 1;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i < OWNERS ? owner : toucher,
						&failures[i]),
				 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(failures[i], 0);
	}
	assert_int_equal(vas.vma_count, 0);
	assert_int_equal(vas.closing, 0);
	assert_int_equal(fake_mapped(), 0);
	uk_vas_destroy(&vas);
	assert_int_equal(fake.frames_free, fake.frames_total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_do_not_disturb_each_other),
		cmocka_unit_test(faults_see_old_or_new_area),
	};

	return cmocka_run_group_tests_name("vma_threads", tests, NULL, NULL);
}
