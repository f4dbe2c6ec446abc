/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of lib/ukvmem as a whole, on a fake page table
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

#include "fake_paging.h"
#include "vma_pool.h"
#include "vma_tree.h"

#define FRAMES 512UL
#define RW     PAGE_ATTR_PROT_RW
#define RO     PAGE_ATTR_PROT_READ
#define RWX    (PAGE_ATTR_PROT_RW | PAGE_ATTR_PROT_EXEC)

static const __vaddr_t base = UK_VAS_START + 0x10000000UL;
static struct uk_vas vas;
static __sz frames_start;

static int setup(void **state)
{
	(void)state;
	fake_reset(FRAMES);
	if (uk_vas_init(&vas, &fake_pt, NULL))
		return -1;
	fake.vas = &vas;
	frames_start = fake.frames_free;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake.fail_after = FAKE_NEVER;
	uk_vas_destroy(&vas);
	return fake.frames_free != fake.frames_total || fake_mapped();
}

/* Maps page numbers [page, page + pages) above base, with their frames */
static int map(__sz page, __sz pages, unsigned long attr)
{
	__vaddr_t vaddr = base + page * PAGE_SIZE;
	int rc;

	rc = uk_vma_map_anon(&vas, &vaddr, pages * PAGE_SIZE, attr,
			     UK_VMA_MAP_POPULATE, "test");
	assert_int_equal(vaddr, base + page * PAGE_SIZE);
	assert_true(vma_tree_is_valid(vas.root));
	assert_true(vma_pool_is_valid(&vas.pool));
	return rc;
}

static int unmap(__sz page, __sz pages)
{
	int rc = uk_vma_unmap(&vas, base + page * PAGE_SIZE, pages * PAGE_SIZE,
			      0);

	assert_true(vma_tree_is_valid(vas.root));
	assert_true(vma_pool_is_valid(&vas.pool));
	return rc;
}

static int set_attr(__sz page, __sz pages, unsigned long attr)
{
	int rc = uk_vma_set_attr(&vas, base + page * PAGE_SIZE,
				 pages * PAGE_SIZE, attr, 0);

	assert_true(vma_tree_is_valid(vas.root));
	return rc;
}

static int attr_of(__sz page)
{
	return fake_attr(base + page * PAGE_SIZE);
}

static void map_honours_address(void **state)
{
	const struct uk_vma *vma;

	(void)state;
	assert_int_equal(map(2, 3, RW), 0);
	vma = uk_vma_find(&vas, base + 4 * PAGE_SIZE + 5);
	assert_non_null(vma);
	assert_int_equal(vma->start, base + 2 * PAGE_SIZE);
	assert_int_equal(uk_vma_len(vma), 3 * PAGE_SIZE);
	assert_string_equal(vma->name, "test");
	assert_null(uk_vma_find(&vas, base + PAGE_SIZE));
	assert_null(uk_vma_find(&vas, base + 5 * PAGE_SIZE));
	assert_int_equal(fake_mapped(), 3);
	assert_int_equal(attr_of(2), RW);
	assert_int_equal(vas.mapped_len, 3 * PAGE_SIZE);
}

static void map_refuses_overlap(void **state)
{
	(void)state;
	assert_int_equal(map(2, 3, RW), 0);
	assert_int_equal(map(0, 3, RW), -EEXIST);
	assert_int_equal(map(4, 1, RW), -EEXIST);
	assert_int_equal(map(0, 9, RW), -EEXIST);
	assert_int_equal(fake_mapped(), 3);
	assert_int_equal(vas.vma_count, 1);
	assert_int_equal(map(0, 2, RW), 0);
	assert_int_equal(map(5, 1, RW), 0);
}

static void map_refuses_bad_arguments(void **state)
{
	const __vaddr_t bad[] = { base + 1,
				  0,
				  UK_VAS_START - PAGE_SIZE,
				  UK_VAS_END,
				  UK_VAS_END - PAGE_SIZE,
				  ALIGN_DOWN(~0UL, PAGE_SIZE) };
	__vaddr_t vaddr;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		vaddr = bad[i];
		assert_int_equal(uk_vma_map_anon(&vas, &vaddr, 2 * PAGE_SIZE,
						 RW, 0, NULL),
				 -EINVAL);
		assert_int_equal(vaddr, bad[i]);
	}
	vaddr = __VADDR_ANY;
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, 0), -EINVAL);
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, 5), -EINVAL);
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, PAGE_SIZE, RW, 0x8000,
					 NULL),
			 -EINVAL);
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, PAGE_SIZE, RWX, 0, NULL),
			 -EPERM);
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, 1UL << 47), -ENOMEM);
	assert_int_equal(vaddr, __VADDR_ANY);
	assert_int_equal(vas.vma_count, 0);
	assert_int_equal(fake.frames_free, frames_start);
}

static void map_any_fills_space_to_last_page(void **state)
{
	__vaddr_t vaddr = UK_VAS_START, hole = __VADDR_ANY;

	(void)state;
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, base - UK_VAS_START), 0);
	vaddr = base + 2 * PAGE_SIZE;
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, UK_VAS_END - vaddr), 0);

	assert_int_equal(uk_vma_reserve(&vas, &hole, 3 * PAGE_SIZE), -ENOMEM);
	assert_int_equal(uk_vma_reserve(&vas, &hole, 2 * PAGE_SIZE), 0);
	assert_int_equal(hole, base);
	hole = __VADDR_ANY;
	assert_int_equal(uk_vma_reserve(&vas, &hole, PAGE_SIZE), -ENOMEM);
}

static void map_any_differs(void **state)
{
	__vaddr_t last = 0, vaddr;
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		vaddr = __VADDR_ANY;
		assert_int_equal(uk_vma_reserve(&vas, &vaddr, PAGE_SIZE), 0);
		assert_in_range(vaddr, UK_VAS_START, UK_VAS_END - PAGE_SIZE);
		assert_int_not_equal(vaddr, last);
		last = vaddr;
	}
}

static void map_without_frames_changes_nothing(void **state)
{
	(void)state;
	fake.frames_free = 3;
	assert_int_equal(map(0, 4, RW), -ENOMEM);
	assert_int_equal(fake.frames_free, 3);
	assert_int_equal(vas.vma_count, 0);
	assert_int_equal(vas.mapped_len, 0);
	assert_int_equal(map(0, 3, RW), 0);
	fake.frames_free = frames_start - 3;
}

static void unmap_splits_areas(void **state)
{
	(void)state;
	assert_int_equal(map(0, 9, RW), 0);
	assert_int_equal(unmap(3, 2), 0);
	assert_int_equal(vas.vma_count, 2);
	assert_int_equal(fake_mapped(), 7);
	assert_int_equal(attr_of(2), RW);
	assert_int_equal(attr_of(3), -1);
	assert_int_equal(attr_of(5), RW);
	assert_int_equal(vas.mapped_len, 7 * PAGE_SIZE);

	assert_int_equal(unmap(0, 1), 0);
	assert_int_equal(unmap(8, 1), 0);
	assert_int_equal(vas.vma_count, 2);
	assert_int_equal(unmap(0, 100), 0);
	assert_int_equal(vas.vma_count, 0);
	assert_int_equal(fake.frames_free, frames_start);
}

static void unmap_strict_refuses_holes(void **state)
{
	(void)state;
	assert_int_equal(map(1, 2, RW), 0);
	assert_int_equal(map(4, 2, RW), 0);
	assert_int_equal(uk_vma_unmap(&vas, base + PAGE_SIZE, 5 * PAGE_SIZE,
				      UK_VMA_FLAG_STRICT_VMA_CHECK),
			 -ENOENT);
	assert_int_equal(uk_vma_unmap(&vas, base, 2 * PAGE_SIZE,
				      UK_VMA_FLAG_STRICT_VMA_CHECK),
			 -ENOENT);
	assert_int_equal(uk_vma_unmap(&vas, base + 2 * PAGE_SIZE, 2 * PAGE_SIZE,
				      UK_VMA_FLAG_STRICT_VMA_CHECK),
			 -ENOENT);
	assert_int_equal(fake_mapped(), 4);
	assert_int_equal(vas.vma_count, 2);
	assert_int_equal(unmap(10, 5), 0);
}

static void unmap_refuses_bad_arguments(void **state)
{
	(void)state;
	assert_int_equal(uk_vma_unmap(&vas, base, 0, 0), -EINVAL);
	assert_int_equal(uk_vma_unmap(&vas, base + 1, PAGE_SIZE, 0), -EINVAL);
	assert_int_equal(uk_vma_unmap(&vas, base, 17, 0), -EINVAL);
	assert_int_equal(uk_vma_unmap(&vas, base, ~0UL - PAGE_SIZE + 1, 0),
			 -EINVAL);
	assert_int_equal(uk_vma_unmap(&vas, base, PAGE_SIZE, 1), -EINVAL);
	assert_int_equal(uk_vma_set_attr(&vas, base, 0, RO, 0), -EINVAL);
	assert_int_equal(uk_vma_set_attr(&vas, base, PAGE_SIZE, RWX, 0),
			 -EPERM);
}

static void unmap_that_fails_keeps_the_rest(void **state)
{
	(void)state;
	assert_int_equal(map(0, 2, RW), 0);
	assert_int_equal(map(3, 2, RW), 0);
	fake.fail_unmap_after = 1;
	assert_int_equal(unmap(1, 3), -EINVAL);

	/* The first piece is gone, the second area is whole again */
	assert_int_equal(vas.vma_count, 2);
	assert_int_equal(fake_mapped(), 3);
	assert_int_equal(attr_of(1), -1);
	assert_int_equal(unmap(3, 2), 0);
	assert_int_equal(vas.vma_count, 1);
}

static void unmap_takes_adjoining_areas_at_once(void **state)
{
	__vaddr_t vaddr = base + 4 * PAGE_SIZE;

	(void)state;
	assert_int_equal(map(0, 2, RW), 0);
	assert_int_equal(map(2, 2, RO), 0);
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, PAGE_SIZE), 0);
	assert_int_equal(map(6, 1, RW), 0);

	/* Anonymous, reserved, anonymous behind a hole: the third call is
	 * the one that fails
	 */
	fake.fail_unmap_after = 2;
	assert_int_equal(unmap(0, 10), -EINVAL);
	assert_int_equal(vas.vma_count, 1);
	assert_int_equal(attr_of(6), RW);
	assert_int_equal(fake_mapped(), 1);
}

static void set_attr_splits_and_joins(void **state)
{
	(void)state;
	assert_int_equal(map(0, 9, RW), 0);
	assert_int_equal(set_attr(3, 3, RO), 0);
	assert_int_equal(vas.vma_count, 3);
	assert_int_equal(attr_of(2), RW);
	assert_int_equal(attr_of(3), RO);
	assert_int_equal(attr_of(5), RO);
	assert_int_equal(attr_of(6), RW);
	assert_int_equal(set_attr(5, 1, RW), 0);
	assert_int_equal(vas.vma_count, 3);
	assert_int_equal(set_attr(0, 9, RW), 0);
	assert_int_equal(vas.vma_count, 1);
	assert_int_equal(vas.mapped_len, 9 * PAGE_SIZE);
}

static void neighbours_of_other_calls_stay_apart(void **state)
{
	(void)state;
	assert_int_equal(map(0, 2, RW), 0);
	assert_int_equal(map(2, 2, RW), 0);
	assert_int_equal(set_attr(0, 4, RO), 0);
	assert_int_equal(vas.vma_count, 2);
}

static void set_attr_that_fails_is_undone(void **state)
{
	(void)state;
	assert_int_equal(map(0, 4, RW), 0);
	assert_int_equal(map(4, 4, RO), 0);
	fake.fail_attr_after = 1;
	assert_int_equal(set_attr(2, 4, PAGE_ATTR_PROT_NONE), -ENOMEM);
	assert_int_equal(vas.vma_count, 2);
	assert_int_equal(attr_of(3), RW);
	assert_int_equal(attr_of(4), RO);
	assert_int_equal(set_attr(2, 4, PAGE_ATTR_PROT_NONE), 0);
	assert_int_equal(vas.vma_count, 4);
}

static void set_attr_refuses_fixed_areas(void **state)
{
	__vaddr_t vaddr = base;

	(void)state;
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, 4 * PAGE_SIZE), 0);
	assert_int_equal(set_attr(0, 1, RW), -EPERM);
	assert_int_equal(vas.vma_count, 1);
}

static void reservation_is_not_mapped(void **state)
{
	__vaddr_t vaddr = base;

	(void)state;
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, 1UL << 40), 0);
	assert_int_equal(fake_mapped(), 0);

	/* What its owner maps inside leaves with it */
	assert_int_equal(ukplat_page_map(&fake_pt, base + PAGE_SIZE,
					 __PADDR_ANY, 2, RW, 0),
			 0);
	assert_int_equal(unmap(0, 2), 0);
	assert_int_equal(fake_mapped(), 1);
	assert_int_equal(uk_vma_unmap(&vas, base, 1UL << 40, 0), 0);
	assert_int_equal(fake_mapped(), 0);
}

static int reserve_at(__sz page, __sz pages)
{
	int rc = uk_vma_reserve_at(&vas, base + page * PAGE_SIZE,
				   pages * PAGE_SIZE, "test");

	assert_true(vma_tree_is_valid(vas.root));
	assert_true(vma_pool_is_valid(&vas.pool));
	return rc;
}

static void reservation_of_addresses_is_like_any_other(void **state)
{
	struct uk_vma_info info;
	__vaddr_t vaddr = base + 6 * PAGE_SIZE;

	(void)state;
	assert_int_equal(reserve_at(2, 3), 0);
	assert_int_equal(uk_vma_query(&vas, 0, &info), 0);
	assert_int_equal(info.start, base + 2 * PAGE_SIZE);
	assert_int_equal(info.end, base + 5 * PAGE_SIZE);
	assert_int_equal(info.attr, PAGE_ATTR_PROT_NONE);
	assert_string_equal(info.name, "test");
	assert_ptr_equal(info.ops, &uk_vma_rsvd_ops);
	assert_int_equal(info.busy, 0);
	assert_int_equal(set_attr(2, 1, RW), -EPERM);

	/* It does not join another one, and leaves in parts */
	assert_int_equal(reserve_at(5, 1), 0);
	assert_int_equal(uk_vma_reserve(&vas, &vaddr, PAGE_SIZE), 0);
	assert_int_equal(vas.vma_count, 3);
	assert_int_equal(vas.mapped_len, 5 * PAGE_SIZE);
	assert_int_equal(unmap(3, 1), 0);
	assert_int_equal(vas.vma_count, 4);
	assert_int_equal(unmap(0, 8), 0);
	assert_int_equal(vas.vma_count, 0);
	assert_int_equal(vas.mapped_len, 0);
	assert_int_equal(vas.pool.free, vas.pool.total);
}

static void reservation_of_addresses_refuses_others(void **state)
{
	static const struct {
		__vaddr_t vaddr;
		__sz len;
	} bad[] = { { base + 1, PAGE_SIZE },
		    { base, 0 },
		    { base, 17 },
		    { UK_VAS_START - PAGE_SIZE, PAGE_SIZE },
		    { UK_VAS_END, PAGE_SIZE },
		    { UK_VAS_END - PAGE_SIZE, 2 * PAGE_SIZE },
		    { ALIGN_DOWN(~0UL, PAGE_SIZE), PAGE_SIZE },
		    { base, ALIGN_DOWN(~0UL, PAGE_SIZE) } };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(uk_vma_reserve_at(&vas, bad[i].vaddr,
						   bad[i].len, NULL),
				 -EINVAL);
	assert_int_equal(vas.vma_count, 0);

	assert_int_equal(map(2, 3, RW), 0);
	assert_int_equal(reserve_at(2, 1), -EEXIST);
	assert_int_equal(reserve_at(2, 3), -EEXIST);
	assert_int_equal(reserve_at(2, 4), -EEXIST);
	assert_int_equal(reserve_at(4, 1), -EEXIST);
	assert_int_equal(reserve_at(0, 3), -EEXIST);
	assert_int_equal(vas.vma_count, 1);
	assert_int_equal(vas.pool.free + 1, vas.pool.total);
	assert_int_equal(reserve_at(0, 2), 0);
	assert_int_equal(reserve_at(5, 1), 0);
}

static __bool own_is_clear;
static unsigned int own_asked, own_unmapped;

static __bool own_ask(const struct uk_vma *vma)
{
	assert_int_equal(vma->busy, 0);
	own_asked++;
	return own_is_clear;
}

static int own_unmap(struct uk_vma *vma, __vaddr_t vaddr, __sz len)
{
	assert_int_not_equal(vma->busy, 0);
	assert_true(vaddr >= vma->start && vaddr + len <= vma->end);
	own_unmapped++;
	return 0;
}

/* An area that is clear goes without unmap(), as a whole only */
static void areas_that_are_clear_are_not_unmapped(void **state)
{
	const struct uk_vma_ops ops = { .unmap = own_unmap,
					.is_clear = own_ask };
	__vaddr_t vaddr = base;
	unsigned int i;

	(void)state;
	own_asked = 0;
	own_unmapped = 0;
	for (i = 0; i < 2; i++) {
		own_is_clear = i == 0;
		assert_int_equal(uk_vma_map(&vas, &vaddr, 4 * PAGE_SIZE, 0, 0,
					    NULL, &ops, NULL),
				 0);
		assert_int_equal(unmap(0, 4), 0);
		assert_int_equal(vas.vma_count, 0);
		assert_int_equal(own_asked, i + 1);
		assert_int_equal(own_unmapped, i);
	}
	own_is_clear = 1;
	assert_int_equal(uk_vma_map(&vas, &vaddr, 4 * PAGE_SIZE, 0, 0, NULL,
				    &ops, NULL),
			 0);
	assert_int_equal(unmap(0, 1), 0);
	assert_int_equal(unmap(1, 4), 0);
	assert_int_equal(vas.vma_count, 0);
	assert_int_equal(own_asked, 2);
	assert_int_equal(own_unmapped, 3);
}

static int refuse(struct uk_vma *vma, const void *data)
{
	assert_int_equal(uk_vma_len(vma), PAGE_SIZE);
	return *(const int *)data;
}

static void kind_may_refuse_to_be_created(void **state)
{
	const struct uk_vma_ops ops = { .create = refuse };
	__vaddr_t vaddr = base;
	int error = -EACCES;

	(void)state;
	assert_int_equal(uk_vma_map(&vas, &vaddr, PAGE_SIZE, RW, 0, NULL, &ops,
				    &error),
			 -EACCES);
	assert_int_equal(vas.vma_count, 0);
	assert_int_equal(vas.pool.free, vas.pool.total);
}

static int hook_map_rc, hook_unmap_rc, hook_other_rc;

static void meddle(void)
{
	__vaddr_t vaddr = base + PAGE_SIZE, other = base + 64 * PAGE_SIZE;

	hook_map_rc = uk_vma_reserve(&vas, &vaddr, PAGE_SIZE);
	hook_unmap_rc = uk_vma_unmap(&vas, base, 4 * PAGE_SIZE, 0);
	hook_other_rc = uk_vma_reserve(&vas, &other, PAGE_SIZE);
}

static void busy_areas_keep_others_out(void **state)
{
	(void)state;
	fake.hook = meddle;
	assert_int_equal(map(0, 4, RW), 0);
	assert_int_equal(hook_map_rc, -EEXIST);
	assert_int_equal(hook_unmap_rc, -EBUSY);
	assert_int_equal(hook_other_rc, 0);
	assert_int_equal(fake_mapped(), 4);

	assert_int_equal(unmap(64, 1), 0);
	fake.hook = meddle;
	assert_int_equal(set_attr(1, 2, RO), 0);
	assert_int_equal(hook_map_rc, -EEXIST);
	assert_int_equal(hook_unmap_rc, -EBUSY);
	assert_int_equal(hook_other_rc, 0);

	assert_int_equal(unmap(64, 1), 0);
	fake.hook = meddle;
	assert_int_equal(unmap(1, 2), 0);
	assert_int_equal(hook_map_rc, -EEXIST);
	assert_int_equal(hook_unmap_rc, -EBUSY);
	assert_int_equal(hook_other_rc, 0);
	assert_int_equal(vas.vma_count, 3);
}

static void unmap_uses_reserve_without_frames(void **state)
{
	__sz pages = 2 * VMA_PER_PAGE + VMA_POOL_RESERVE, i;

	(void)state;
	assert_int_equal(map(0, 2 * pages + 1, RW), 0);
	fake.fail_after = 0;

	/* One more object a split: mapping stops, unmapping goes on */
	for (i = 0; i < pages && !unmap(2 * i + 1, 1); i++)
		assert_int_equal(attr_of(2 * i + 1), -1);
	assert_true(i >= VMA_POOL_RESERVE - VMA_PER_RANGE);
	assert_int_equal(attr_of(2 * i + 1), RW);
	assert_true(vas.pool.free < VMA_PER_RANGE);
	assert_int_equal(map(4 * pages, 1, RW), -ENOMEM);

	/* Areas as a whole can always go */
	assert_int_equal(unmap(0, 1), 0);
	assert_int_equal(unmap(2, 1), 0);
	assert_int_equal(unmap(2 * i + 1, 1), 0);
}

static void pool_gives_frames_back(void **state)
{
	__sz i, count = 10 * VMA_PER_PAGE;

	(void)state;
	fake.frames_free += 2 * count;
	fake.frames_total += 2 * count;
	frames_start = fake.frames_free;
	for (i = 0; i < count; i++)
		assert_int_equal(map(2 * i, 1, RW), 0);
	assert_true(frames_start - fake.frames_free >= count + 10);
	assert_int_equal(unmap(0, 2 * count), 0);
	assert_in_range(frames_start - fake.frames_free, 0, 2);
}

static void query_walks_in_order(void **state)
{
	struct uk_vma_info info;

	(void)state;
	assert_int_equal(map(5, 1, RO), 0);
	assert_int_equal(map(0, 2, RW), 0);
	assert_int_equal(uk_vma_query(&vas, 0, &info), 0);
	assert_int_equal(info.start, base);
	assert_int_equal(info.attr, RW);
	assert_int_equal(uk_vma_query(&vas, info.end, &info), 0);
	assert_int_equal(info.start, base + 5 * PAGE_SIZE);
	assert_int_equal(info.attr, RO);
	assert_int_equal(uk_vma_query(&vas, info.end, &info), -ENOENT);
}

static void init_without_frames_fails(void **state)
{
	struct uk_vas other;
	__sz before = fake.frames_free;

	(void)state;
	fake.fail_after = 1;
	assert_int_equal(uk_vas_init(&other, &fake_pt, NULL), -ENOMEM);
	assert_int_equal(fake.frames_free, before);
}

static void active_space_is_remembered(void **state)
{
	(void)state;
	assert_null(uk_vas_get_active());
	assert_int_equal(uk_vas_set_active(&vas), 0);
	assert_ptr_equal(uk_vas_get_active(), &vas);
	assert_non_null(fake_pagefault);
}

#define VAS_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAS_TEST(map_honours_address),
		VAS_TEST(map_refuses_overlap),
		VAS_TEST(map_refuses_bad_arguments),
		VAS_TEST(map_any_fills_space_to_last_page),
		VAS_TEST(map_any_differs),
		VAS_TEST(map_without_frames_changes_nothing),
		VAS_TEST(unmap_splits_areas),
		VAS_TEST(unmap_strict_refuses_holes),
		VAS_TEST(unmap_refuses_bad_arguments),
		VAS_TEST(unmap_that_fails_keeps_the_rest),
		VAS_TEST(unmap_takes_adjoining_areas_at_once),
		VAS_TEST(set_attr_splits_and_joins),
		VAS_TEST(neighbours_of_other_calls_stay_apart),
		VAS_TEST(set_attr_that_fails_is_undone),
		VAS_TEST(set_attr_refuses_fixed_areas),
		VAS_TEST(reservation_is_not_mapped),
		VAS_TEST(reservation_of_addresses_is_like_any_other),
		VAS_TEST(reservation_of_addresses_refuses_others),
		VAS_TEST(areas_that_are_clear_are_not_unmapped),
		VAS_TEST(kind_may_refuse_to_be_created),
		VAS_TEST(busy_areas_keep_others_out),
		VAS_TEST(unmap_uses_reserve_without_frames),
		VAS_TEST(pool_gives_frames_back),
		VAS_TEST(query_walks_in_order),
		VAS_TEST(init_without_frames_fails),
		VAS_TEST(active_space_is_remembered),
	};

	return cmocka_run_group_tests_name("vas", tests, NULL, NULL);
}
