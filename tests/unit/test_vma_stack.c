/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vma_stack.c
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

#include <cmocka.h>

#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "fake_paging.h"

#define LEN (4 * PAGE_SIZE)

static struct uk_vas vas;

static int setup(void **state)
{
	(void)state;
	fake_reset(64);
	return uk_vas_init(&vas, &fake_pt, NULL);
}

static int teardown(void **state)
{
	(void)state;
	uk_vas_destroy(&vas);
	return fake.frames_free != fake.frames_total;
}

static void stack_has_guards_at_both_ends(void **state)
{
	__vaddr_t vaddr = __VADDR_ANY, page;
	const struct uk_vma *vma;

	(void)state;
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, LEN, 0, "s", LEN), 0);
	vma = uk_vma_find(&vas, vaddr);
	assert_non_null(vma);
	assert_int_equal(uk_vma_stack_top(&vas, vma->start - 1), __VADDR_INV);
	assert_int_equal(vma->start, vaddr - UK_VMA_STACK_BOTTOM_GUARD_SIZE);
	assert_int_equal(vma->end, vaddr + LEN + UK_VMA_STACK_TOP_GUARD_SIZE);
	for (page = vma->start; page < vma->end; page += PAGE_SIZE)
		assert_int_equal(fake_attr(page),
				 page >= vaddr && page < vaddr + LEN ?
					 PAGE_ATTR_PROT_RW :
					 -1);
	assert_int_equal(uk_vma_unmap_stack(&vas, vaddr), 0);
	assert_int_equal(fake_mapped(), 0);
}

static void stack_top_is_aligned_and_random(void **state)
{
	__vaddr_t vaddr, last = 0;
	unsigned int i, changes = 0;

	(void)state;
	for (i = 0; i < 64; i++) {
		__vaddr_t top, offset;

		vaddr = __VADDR_ANY;
		assert_int_equal(
			uk_vma_map_stack(&vas, &vaddr, LEN, 0, NULL, 0), 0);
		top = uk_vma_stack_top(&vas, vaddr + 5);
		offset = vaddr + LEN - top;
		assert_in_range(offset, 0, PAGE_SIZE - 16);
		assert_int_equal(top % 16, 0);
		changes += offset != last;
		last = offset;
		assert_int_equal(uk_vma_unmap_stack(&vas, vaddr), 0);
	}
	/* 256 offsets: more than 8 repetitions in 64 are impossible enough */
	assert_true(changes >= 56);
}

static void stack_cannot_be_split_or_changed(void **state)
{
	__vaddr_t vaddr = __VADDR_ANY;

	(void)state;
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, LEN, 0, NULL, 0), 0);
	assert_int_equal(uk_vma_unmap(&vas, vaddr, PAGE_SIZE, 0), -EPERM);
	assert_int_equal(uk_vma_unmap(&vas, vaddr, LEN, 0), -EPERM);
	assert_int_equal(uk_vma_set_attr(&vas, vaddr, PAGE_SIZE,
					 PAGE_ATTR_PROT_READ, 0),
			 -EPERM);
	assert_int_equal(fake_mapped(), 0);
	assert_int_equal(vas.vma_count, 1);
}

static void stack_grows_when_touched(void **state)
{
	__vaddr_t vaddr = __VADDR_ANY, guard;

	(void)state;
	assert_int_equal(uk_vas_set_active(&vas), 0);
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, LEN, 0, NULL, 0), 0);
	assert_int_equal(fake_mapped(), 0);
	assert_int_equal(fake_pagefault(vaddr + LEN - 1, 0, NULL), 0);
	assert_int_equal(fake_pagefault(vaddr, 0, NULL), 0);
	assert_int_equal(fake_attr(vaddr), PAGE_ATTR_PROT_RW);
	for (guard = vaddr - UK_VMA_STACK_BOTTOM_GUARD_SIZE; guard < vaddr;
	     guard += PAGE_SIZE)
		assert_int_equal(fake_pagefault(guard, 0, NULL), -EFAULT);
	assert_int_equal(fake_pagefault(vaddr + LEN, 0, NULL), -EFAULT);
	assert_int_equal(fake_mapped(), 2);
}

/* As many bytes as promised, wherever the stack pointer begins */
static void premapped_bytes_do_not_fault(void **state)
{
	__vaddr_t vaddr, top, pos;
	__sz len;

	(void)state;
	for (len = 16; len <= LEN; len += 1008) {
		vaddr = __VADDR_ANY;
		assert_int_equal(
			uk_vma_map_stack(&vas, &vaddr, LEN, 0, NULL, len), 0);
		top = uk_vma_stack_top(&vas, vaddr);
		for (pos = MAX(vaddr, top - len); pos < vaddr + LEN; pos += 16)
			assert_int_not_equal(
				fake_attr(ALIGN_DOWN(pos, PAGE_SIZE)), -1);
		assert_true(fake_mapped() <= len / PAGE_SIZE + 2);
		assert_int_equal(uk_vma_unmap_stack(&vas, vaddr), 0);
	}
	vaddr = __VADDR_ANY;
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, LEN, 0, NULL, LEN + 1),
			 -EINVAL);
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, LEN, 0, NULL, ~0UL),
			 -EINVAL);
}

static void stack_address_is_honoured(void **state)
{
	const __vaddr_t want = UK_VAS_START + 0x100000;
	__vaddr_t vaddr = want;

	(void)state;
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, LEN, 0, NULL, 0), 0);
	assert_int_equal(vaddr, want);
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, LEN, 0, NULL, 0),
			 -EEXIST);
	vaddr = UK_VAS_START;
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, LEN, 0, NULL, 0),
			 -EINVAL);
	vaddr = 0;
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, LEN, 0, NULL, 0),
			 -EINVAL);
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, LEN, UK_VMA_MAP_HINT,
					  NULL, 0),
			 0);
	vaddr = __VADDR_ANY;
	assert_int_equal(uk_vma_map_stack(&vas, &vaddr, 0, 0, NULL, 0),
			 -EINVAL);
}

static void other_areas_are_no_stacks(void **state)
{
	__vaddr_t vaddr = __VADDR_ANY;

	(void)state;
	assert_int_equal(uk_vma_map_anon(&vas, &vaddr, PAGE_SIZE,
					 PAGE_ATTR_PROT_RW, 0, NULL),
			 0);
	assert_int_equal(uk_vma_stack_top(&vas, vaddr), __VADDR_INV);
	assert_int_equal(uk_vma_unmap_stack(&vas, vaddr), -EINVAL);
	assert_int_equal(uk_vma_unmap_stack(&vas, vaddr - PAGE_SIZE), -EINVAL);
	assert_int_equal(uk_vma_unmap_stack(&vas, vaddr + PAGE_SIZE), -EINVAL);
	assert_int_equal(vas.vma_count, 1);
}

#define STACK_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STACK_TEST(stack_has_guards_at_both_ends),
		STACK_TEST(stack_top_is_aligned_and_random),
		STACK_TEST(stack_cannot_be_split_or_changed),
		STACK_TEST(stack_grows_when_touched),
		STACK_TEST(premapped_bytes_do_not_fault),
		STACK_TEST(stack_address_is_honoured),
		STACK_TEST(other_areas_are_no_stacks),
	};

	return cmocka_run_group_tests_name("vma_stack", tests, NULL, NULL);
}
