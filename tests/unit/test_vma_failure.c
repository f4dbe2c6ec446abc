/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* What does not succeed changes nothing: every frame is refused once, and
 * requests that cannot be fulfilled
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

#include "vma_pool.h"
#include "vma_tree.h"
#include "vmem_priv.h"

#define FRAMES 512UL
#define RW     PAGE_ATTR_PROT_RW
#define RO     PAGE_ATTR_PROT_READ
#define AREAS  256U
#define PAGES  320UL
#define STACK  (4 * PAGE_SIZE)

#include "fixture_vas.h"

/* What uk_vma_query() tells, without padding */
struct area_shot {
	__u64 start, end, attr, priv, busy;
	const char *name;
	const struct uk_vma_ops *ops;
};

/* All that can be seen from outside */
struct snapshot {
	struct area_shot areas[AREAS];
	int attrs[PAGES];
	unsigned int count;
	__sz frames;
};

static struct snapshot before, after;

static void snapshot_take(struct snapshot *shot)
{
	struct uk_vma_info info = { .end = 0 };
	unsigned int i;

	memset(shot, 0, sizeof(*shot));
	while (!uk_vma_query(&vas, info.end, &info)) {
		shot->areas[shot->count++] = (struct area_shot){
			.start = info.start,
			.end = info.end,
			.attr = info.attr,
			.priv = info.priv,
			.busy = info.busy,
			.name = info.name,
			.ops = info.ops,
		};
		assert_true(shot->count < AREAS);
	}
	for (i = 0; i < PAGES; i++)
		shot->attrs[i] = fake_attr(page(i));
	/* What the pool has taken on the way may stay there */
	shot->frames = fake.frames_free + vas.pool.total / VMA_PER_PAGE;
	assert_true(vma_tree_is_valid(vas.root));
	assert_true(vma_pool_is_valid(&vas.pool));
	assert_int_equal(vas.pool.total - vas.pool.free, vas.vma_count);
	assert_int_equal(vas.vma_count, shot->count);
}

static void frames_refuse(__sz count)
{
	fake.fail_after = count;
}

static int do_map(void)
{
	__vaddr_t vaddr = __VADDR_ANY;
	int rc = uk_vma_map_anon(&vas, &vaddr, 3 * PAGE_SIZE, RW,
				 UK_VMA_MAP_POPULATE, NULL);

	assert_true(!rc == (vaddr != __VADDR_ANY));
	return rc;
}

static int do_reserve(void)
{
	__vaddr_t vaddr = __VADDR_ANY;

	return uk_vma_reserve(&vas, &vaddr, PAGE_SIZE);
}

static int do_reserve_at(void)
{
	return uk_vma_reserve_at(&vas, page(PAGES), PAGE_SIZE, NULL);
}

static int do_stack(void)
{
	__vaddr_t vaddr = __VADDR_ANY;

	return uk_vma_map_stack(&vas, &vaddr, STACK, 0, NULL, PAGE_SIZE);
}

static int do_replace(void)
{
	__vaddr_t vaddr = page(1);

	return uk_vma_map_anon(&vas, &vaddr, 2 * PAGE_SIZE, RO,
			       UK_VMA_MAP_REPLACE, NULL);
}

static int do_unmap(void)
{
	return uk_vma_unmap(&vas, page(1), 2 * PAGE_SIZE, 0);
}

static int do_set_attr(void)
{
	return uk_vma_set_attr(&vas, page(1), 2 * PAGE_SIZE, RO, 0);
}

static int do_fault(void)
{
	return fake_pagefault(page(7), 0, NULL);
}

/* An area of eight pages, of which six are there, and a pool with one object:
 * what takes more has to ask for a frame
 */
static void scene_set(void)
{
	__vaddr_t vaddr = base;
	__sz i;

	assert_int_equal(
		uk_vma_map_anon(&vas, &vaddr, 8 * PAGE_SIZE, RW, 0, NULL), 0);
	assert_int_equal(uk_vma_advise(&vas, base, 6 * PAGE_SIZE,
				       UK_VMA_ADV_WILLNEED, 0),
			 0);
	vaddr = page(16);
	assert_int_equal(
		uk_vma_map_anon(&vas, &vaddr, 300 * PAGE_SIZE, RW, 0, NULL), 0);
	fake.fail_after = 0;
	for (i = 0; vas.pool.free > 1; i += 2)
		assert_int_equal(uk_vma_unmap(&vas, page(17 + i), PAGE_SIZE, 0),
				 0);
	fake.fail_after = FAKE_NEVER;
	fake.reclaims = 0;
}

static void every_refused_frame_is_survived(void **state)
{
	int (*const ops[])(void) = {
		do_map,	    do_reserve, do_reserve_at, do_stack,
		do_replace, do_unmap,	do_fault,      do_set_attr,
	};
	unsigned int i;
	__sz n;
	int rc;

	(void)state;
	uk_vas_destroy(&vas);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		for (n = 0, rc = -ENOMEM; rc; n++) {
			assert_int_equal(setup(NULL), 0);
			scene_set();
			snapshot_take(&before);
			frames_refuse(n);
			rc = ops[i]();
			frames_refuse(FAKE_NEVER);
			snapshot_take(&after);
			if (rc) {
				assert_int_equal(rc, -ENOMEM);
				assert_memory_equal(&before, &after,
						    sizeof(before));
				assert_int_equal(fake.reclaims, 1);
			}
			assert_int_equal(teardown(NULL), 0);
		}
		/* At least the first one was missed */
		assert_true(n >= 2);
	}
	assert_int_equal(setup(NULL), 0);
}

/* Does an operation with so many frames, of which some come by reclaiming */
static int try_with(int (*op)(void), __sz frames, __sz reclaimable)
{
	int rc;

	assert_int_equal(setup(NULL), 0);
	scene_set();
	fake.frames_total -= fake.frames_free - frames;
	fake.frames_free = frames;
	fake.reclaimable = reclaimable;
	rc = op();
	assert_true(rc == 0 || rc == -ENOMEM);
	assert_int_equal(teardown(NULL), 0);
	return rc;
}

static void reclaimed_frames_are_used(void **state)
{
	int (*const ops[])(void) = {
		do_map,	  do_reserve, do_reserve_at, do_replace,
		do_unmap, do_fault,   do_set_attr,
	};
	unsigned int i;
	__sz need, n;

	(void)state;
	uk_vas_destroy(&vas);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		for (need = 0; try_with(ops[i], need, 0);)
			need++;
		assert_true(need >= 1);
		for (n = 1; n <= MIN(need, (__sz)VMEM_RECLAIM_TRIES); n++)
			assert_int_equal(try_with(ops[i], need - n, 100), 0);
		if (need >= n)
			assert_int_equal(try_with(ops[i], need - n, 100),
					 -ENOMEM);
	}
	assert_int_equal(setup(NULL), 0);
}

static void impossible_requests_change_nothing(void **state)
{
	static const __sz lens[] = { 0,
				     1,
				     PAGE_SIZE + 1,
				     UK_VAS_END - UK_VAS_START + PAGE_SIZE,
				     1UL << 47,
				     1UL << 63,
				     -PAGE_SIZE,
				     ~0UL };
	static const __vaddr_t addrs[] = { 0,	       1,    UK_VAS_END,
					   -PAGE_SIZE, ~1UL, __VADDR_ANY };
	unsigned int i, j;

	(void)state;
	scene_set();
	snapshot_take(&before);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (j = 0; j < ARRAY_SIZE(addrs); j++) {
			__bool is_odd = !lens[i] || lens[i] % PAGE_SIZE;
			__bool is_any = addrs[j] == __VADDR_ANY;
			__vaddr_t vaddr = addrs[j];

			assert_int_equal(uk_vma_map_anon(&vas, &vaddr, lens[i],
							 RW, 0, NULL),
					 is_odd || !is_any ? -EINVAL : -ENOMEM);
			assert_int_equal(uk_vma_map_anon(&vas, &vaddr, lens[i],
							 RW, UK_VMA_MAP_HINT,
							 NULL),
					 is_odd ? -EINVAL : -ENOMEM);
			assert_true(uk_vma_map_stack(&vas, &vaddr, lens[i], 0,
						     NULL, 0) < 0);
			assert_int_equal(vaddr, addrs[j]);
		}
	}
	snapshot_take(&after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(fake.reclaims, 0);
}

static void unknown_attributes_are_refused(void **state)
{
	__vaddr_t vaddr = page(8);

	(void)state;
	scene_set();
	snapshot_take(&before);
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, PAGE_SIZE, 0x40, 0,
					 NULL),
			 -EINVAL);
	assert_int_equal(uk_vma_set_attr(&vas, base, PAGE_SIZE, 0x40, 0),
			 -EINVAL);
	assert_int_equal(uk_vma_set_attr(&vas, base, PAGE_SIZE,
					 RW | PAGE_ATTR_PROT_EXEC, 0),
			 -EPERM);
	snapshot_take(&after);
	assert_memory_equal(&before, &after, sizeof(before));
}

#define FAILURE_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAILURE_TEST(every_refused_frame_is_survived),
		FAILURE_TEST(reclaimed_frames_are_used),
		FAILURE_TEST(impossible_requests_change_nothing),
		FAILURE_TEST(unknown_attributes_are_refused),
	};

	return cmocka_run_group_tests_name("vma_failure", tests, NULL, NULL);
}
