/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vma_pool.c
 *
 * links: lib/ukvmem/vma_pool.c
 *        tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vma_pool.h"

#define PAGES 4U
#define STEPS 5000U

static __u8 memory[PAGES][VMA_POOL_PAGE_LEN]
	__attribute__((aligned(VMA_POOL_PAGE_LEN)));
static struct uk_vma *held[PAGES * VMA_PER_PAGE];
static struct uk_vma_pool pool;

static int setup(void **state)
{
	(void)state;
	memset(memory, 0xa5, sizeof(memory));
	memset(held, 0, sizeof(held));
	vma_pool_init(&pool);
	return 0;
}

static struct uk_vma *take(void)
{
	struct uk_vma *vma = vma_pool_take(&pool);

	assert_true(vma_pool_is_valid(&pool));
	return vma;
}

static void give(struct uk_vma *vma)
{
	vma_pool_return(&pool, vma);
	assert_true(vma_pool_is_valid(&pool));
}

static void pool_hands_out_each_object_once(void **state)
{
	unsigned int i, j;

	(void)state;
	assert_null(take());
	for (i = 0; i < PAGES; i++)
		vma_pool_feed(&pool, memory[i], i);
	assert_int_equal(pool.free, PAGES * VMA_PER_PAGE);

	for (i = 0; i < PAGES * VMA_PER_PAGE; i++) {
		held[i] = take();
		assert_non_null(held[i]);
		memset(held[i], 0x5a, sizeof(*held[i]));
		for (j = 0; j < i; j++)
			assert_ptr_not_equal(held[i], held[j]);
	}
	assert_null(take());
	assert_int_equal(pool.free, 0);
	assert_int_equal(pool.total, PAGES * VMA_PER_PAGE);
}

static void pool_reaps_entirely_free_pages_only(void **state)
{
	struct vma_pool_page *page;
	unsigned int i;

	(void)state;
	vma_pool_feed(&pool, memory[0], 10);
	vma_pool_feed(&pool, memory[1], 11);
	for (i = 0; i < VMA_PER_PAGE + 1; i++)
		held[i] = take();
	assert_null(vma_pool_reap(&pool, 0));

	/* One object of the first page comes back: still none is free */
	give(held[0]);
	assert_null(vma_pool_reap(&pool, 0));

	/* The second page becomes free as a whole */
	give(held[VMA_PER_PAGE]);
	page = vma_pool_reap(&pool, 0);
	assert_ptr_equal(page, memory[1]);
	assert_int_equal(page->paddr, 11);
	assert_true(vma_pool_is_valid(&pool));
	assert_int_equal(pool.free, 1);
	assert_int_equal(pool.total, VMA_PER_PAGE);
}

static void pool_puts_free_pages_last(void **state)
{
	unsigned int i;

	(void)state;
	vma_pool_feed(&pool, memory[0], 0);
	vma_pool_feed(&pool, memory[1], 1);
	for (i = 0; i < VMA_PER_PAGE + 1; i++)
		held[i] = take();
	for (i = 0; i < VMA_PER_PAGE; i++)
		give(held[i]);
	assert_ptr_equal(vma_pool_reap(&pool, 0), memory[0]);
}

static void pool_reap_leaves_what_to_keep(void **state)
{
	(void)state;
	vma_pool_feed(&pool, memory[0], 0);
	vma_pool_feed(&pool, memory[1], 1);
	assert_null(vma_pool_reap(&pool, VMA_PER_PAGE + 1));
	assert_non_null(vma_pool_reap(&pool, VMA_PER_PAGE));
	assert_null(vma_pool_reap(&pool, 1));
	assert_non_null(vma_pool_reap(&pool, 0));
	assert_int_equal(pool.total, 0);
	assert_null(pool.first);
	assert_null(pool.last);
}

static void pool_prefers_pages_in_use(void **state)
{
	(void)state;
	vma_pool_feed(&pool, memory[0], 0);
	vma_pool_feed(&pool, memory[1], 1);
	held[0] = take();
	held[1] = take();
	assert_int_equal((__uptr)held[0] / VMA_POOL_PAGE_LEN,
			 (__uptr)held[1] / VMA_POOL_PAGE_LEN);
	give(held[0]);
	give(held[1]);
	assert_int_equal(pool.free, 2 * VMA_PER_PAGE);
}

static void pool_survives_random_use(void **state)
{
	unsigned int i, step;
	__u64 rng = 12345, n = 0;

	(void)state;
	for (i = 0; i < PAGES; i++)
		vma_pool_feed(&pool, memory[i], i);
	for (step = 0; step < STEPS; step++) {
		rng = rng * 6364136223846793005UL + 1442695040888963407UL;
		i = (unsigned int)((rng >> 33) % ARRAY_SIZE(held));
		if (held[i]) {
			give(held[i]);
			held[i] = NULL;
			n--;
		} else {
			held[i] = take();
			assert_non_null(held[i]);
			n++;
		}
		assert_int_equal(pool.free + n, PAGES * VMA_PER_PAGE);
	}
}

static void pool_validity_notices_lost_object(void **state)
{
	(void)state;
	vma_pool_feed(&pool, memory[0], 0);
	assert_true(vma_pool_is_valid(&pool));
	pool.first->free = pool.first->free->op_next;
	assert_false(vma_pool_is_valid(&pool));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pool_hands_out_each_object_once, setup),
		cmocka_unit_test_setup(pool_reaps_entirely_free_pages_only,
				       setup),
		cmocka_unit_test_setup(pool_puts_free_pages_last, setup),
		cmocka_unit_test_setup(pool_reap_leaves_what_to_keep, setup),
		cmocka_unit_test_setup(pool_prefers_pages_in_use, setup),
		cmocka_unit_test_setup(pool_survives_random_use, setup),
		cmocka_unit_test_setup(pool_validity_notices_lost_object,
				       setup),
	};

	return cmocka_run_group_tests_name("vma_pool", tests, NULL, NULL);
}
