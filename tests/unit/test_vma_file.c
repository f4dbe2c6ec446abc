/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vma_file.c
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
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/vma_types.h>
#include <uk/vmem.h>

#define FRAMES	 64UL
#define RW	 PAGE_ATTR_PROT_RW
#define PAGES	 6UL
#define FILE_LEN (2 * PAGE_SIZE + 100)
#define OFF	 PAGE_SIZE

#include "fixture_vas.h"

static unsigned int reads;
static int read_error;

/* Each byte of the file tells its page */
static __ssz file_read(void *arg, __off off, void *page, __sz len)
{
	assert_ptr_equal(arg, &reads);
	assert_int_equal(len, PAGE_SIZE);
	reads++;
	if (read_error)
		return read_error;
	if ((__sz)off >= OFF + FILE_LEN)
		return 0;
	len = MIN(len, OFF + FILE_LEN - (__sz)off);
	memset(page, (int)((__sz)off / PAGE_SIZE), len);
	return (__ssz)len;
}

static const struct uk_vma_file_args the_file = { .read = file_read,
						  .arg = &reads,
						  .off = OFF };

static int file_setup(void **state)
{
	reads = 0;
	read_error = 0;
	return setup(state);
}

static int map(unsigned long flags)
{
	__vaddr_t vaddr = base;

	return uk_vma_map_file(&vas, &vaddr, PAGES * PAGE_SIZE, RW, flags,
			       "file", &the_file);
}

/* All bytes [from, PAGE_SIZE) of a page are val */
static __bool page_is(__sz n, __sz from, __u8 val)
{
	const __u8 *bytes = (const __u8 *)fake_paddr(page(n));

	for (; from < PAGE_SIZE; from++)
		if (bytes[from] != val)
			return 0;
	return 1;
}

static void touched_pages_have_contents(void **state)
{
	(void)state;
	assert_int_equal(map(0), 0);
	assert_int_equal(reads, 0);
	assert_int_equal(fake_pagefault(page(1), 0, NULL), 0);
	assert_true(page_is(1, 0, 2));
	assert_int_equal(reads, 1);

	/* The end of the file, and what lies behind */
	assert_int_equal(fake_pagefault(page(2), 0, NULL), 0);
	assert_int_equal(*(__u8 *)(fake_paddr(page(2)) + 99), 3);
	assert_true(page_is(2, 100, 0));
	assert_int_equal(fake_pagefault(page(5), 0, NULL), 0);
	assert_true(page_is(5, 0, 0));
	assert_int_equal(fake_mapped(), 3);
}

static void parts_know_their_position(void **state)
{
	(void)state;
	assert_int_equal(map(0), 0);
	assert_int_equal(uk_vma_unmap(&vas, page(0), PAGE_SIZE, 0), 0);
	assert_int_equal(fake_pagefault(page(1), 0, NULL), 0);
	assert_true(page_is(1, 0, 2));
}

static void writes_stay_private(void **state)
{
	(void)state;
	assert_int_equal(map(UK_VMA_MAP_POPULATE), 0);
	assert_int_equal(fake_mapped(), PAGES);
	assert_int_equal(reads, PAGES);
	assert_true(page_is(0, 0, 1));
	*(__u8 *)fake_paddr(page(0)) = 42;

	/* Nothing is read for what is there */
	assert_int_equal(uk_vma_advise(&vas, base, PAGES * PAGE_SIZE,
				       UK_VMA_ADV_WILLNEED, 0),
			 0);
	assert_int_equal(reads, PAGES);
	assert_int_equal(*(__u8 *)fake_paddr(page(0)), 42);
	assert_int_equal(
		uk_vma_advise(&vas, base, PAGE_SIZE,
			      UK_VMA_ADV_DONTNEED | UK_VMA_ADV_WILLNEED, 0),
		0);
	assert_true(page_is(0, 0, 1));
}

static void failing_reads_change_nothing(void **state)
{
	__sz before;

	(void)state;
	before = fake.frames_free;
	read_error = -EIO;
	assert_int_equal(map(UK_VMA_MAP_POPULATE), -EIO);
	assert_int_equal(vas.vma_count, 0);
	assert_int_equal(map(0), 0);
	assert_int_equal(fake_pagefault(page(1), 0, NULL), -EIO);
	assert_int_equal(uk_vma_advise(&vas, base, PAGE_SIZE,
				       UK_VMA_ADV_WILLNEED, 0),
			 -EIO);
	assert_int_equal(fake_mapped(), 0);
	assert_int_equal(fake.frames_free, before);
}

static void populating_without_memory_changes_nothing(void **state)
{
	__sz before, n;

	(void)state;
	before = fake.frames_free;
	for (n = 0; n < PAGES; n++) {
		fake.fail_after = n;
		assert_int_equal(map(UK_VMA_MAP_POPULATE), -ENOMEM);
		assert_int_equal(fake.frames_free, before);
		assert_int_equal(fake_mapped(), 0);
		assert_int_equal(vas.vma_count, 0);
	}
	fake.fail_after = 0;
	fake.reclaimable = PAGES;
	assert_int_equal(map(0), 0);
	assert_int_equal(fake_pagefault(page(1), 0, NULL), 0);
}

static void be_faster(void)
{
	fake_cpu = 2;
	assert_int_equal(fake_pagefault(page(1), 0, NULL), 0);
	*(__u8 *)fake_paddr(page(1)) = 42;
	fake_cpu = 1;
}

/* Or a write of the faster CPU would be lost */
static void slower_copy_is_thrown_away(void **state)
{
	(void)state;
	assert_int_equal(map(0), 0);
	fake.hook = be_faster;
	assert_int_equal(fake_pagefault(page(1), 0, NULL), 0);
	assert_int_equal(reads, 2);
	assert_int_equal(*(__u8 *)fake_paddr(page(1)), 42);
	assert_int_equal(fake_mapped(), 1);
}

static void bad_arguments_are_refused(void **state)
{
	struct uk_vma_file_args bad = the_file;
	__vaddr_t vaddr = base;

	(void)state;
	bad.read = NULL;
	assert_int_equal(uk_vma_map_file(&vas, &vaddr, PAGE_SIZE, RW, 0, NULL,
					 &bad),
			 -EINVAL);
	bad = the_file;
	bad.off = -1;
	assert_int_equal(uk_vma_map_file(&vas, &vaddr, PAGE_SIZE, RW, 0, NULL,
					 &bad),
			 -EINVAL);
	bad.off = __SSZ_MAX;
	assert_int_equal(uk_vma_map_file(&vas, &vaddr, PAGE_SIZE, RW, 0, NULL,
					 &bad),
			 -EINVAL);
	assert_int_equal(vas.vma_count, 0);
}

#define FILE_TEST(fn) cmocka_unit_test_setup_teardown(fn, file_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(touched_pages_have_contents),
		FILE_TEST(parts_know_their_position),
		FILE_TEST(writes_stay_private),
		FILE_TEST(failing_reads_change_nothing),
		FILE_TEST(populating_without_memory_changes_nothing),
		FILE_TEST(slower_copy_is_thrown_away),
		FILE_TEST(bad_arguments_are_refused),
	};

	return cmocka_run_group_tests_name("vma_file", tests, NULL, NULL);
}
