/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vma_tree.c: a tree against a sorted array
 *
 * links: lib/ukvmem/vma_tree.c
 *        tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vma_tree.h"

#define SLOTS 512U
#define STEPS 20000U
#define SEED  0x2545f4914f6cdd1dUL

/* The reference: slot i holds the area [i * 16, ...) or is empty. Areas end
 * anywhere in their slot, so holes have all lengths.
 */
static struct uk_vma areas[SLOTS];
static __bool is_in[SLOTS];
static struct uk_vma *root;
static __u64 rng;

static __u64 draw(__u64 bound)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % bound;
}

static int setup(void **state)
{
	(void)state;
	memset(areas, 0, sizeof(areas));
	memset(is_in, 0, sizeof(is_in));
	root = NULL;
	rng = SEED;
	return 0;
}

static void area_put(unsigned int i, __vaddr_t start, __vaddr_t end)
{
	areas[i].start = start;
	areas[i].end = end;
	vma_tree_insert(&root, &areas[i]);
	is_in[i] = 1;
}

/* By either way */
static void area_drop(unsigned int i)
{
	struct vma_tree_path path;

	if (i % 2) {
		vma_tree_remove(&root, &areas[i]);
	} else {
		assert_null(vma_tree_find(&root, areas[i].start + 1, &path));
		assert_ptr_equal(vma_tree_find(&root, areas[i].start, &path),
				 &areas[i]);
		vma_tree_remove_found(&path, &areas[i]);
	}
	is_in[i] = 0;
}

static struct uk_vma *reference_above(__vaddr_t vaddr)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		if (is_in[i] && areas[i].end > vaddr)
			return &areas[i];
	return NULL;
}

static struct uk_vma *reference_below(__vaddr_t vaddr)
{
	unsigned int i;

	for (i = SLOTS; i-- > 0;)
		if (is_in[i] && areas[i].start < vaddr)
			return &areas[i];
	return NULL;
}

static void tree_finds_neighbours_of_random_sets(void **state)
{
	unsigned int step, i;

	(void)state;
	for (step = 0; step < STEPS; step++) {
		__vaddr_t vaddr, start;

		i = (unsigned int)draw(SLOTS);
		start = i * 16UL + draw(8);
		if (is_in[i] && draw(3) == 0)
			vma_tree_resize(root, &areas[i], start,
					start + 1 + draw(8));
		else if (is_in[i])
			area_drop(i);
		else
			area_put(i, start, start + 1 + draw(8));

		vaddr = draw(SLOTS * 16 + 16);
		assert_ptr_equal(vma_tree_above(root, vaddr),
				 reference_above(vaddr));
		assert_ptr_equal(vma_tree_below(root, vaddr),
				 reference_below(vaddr));
		assert_true(vma_tree_is_valid(root));
	}
	for (i = 0; i < SLOTS; i++)
		if (is_in[i])
			area_drop(i);
	assert_null(root);
}

static void tree_stays_balanced_when_sorted(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < SLOTS; i++)
		area_put(i, i * 16UL, i * 16UL + 16);

	assert_true(vma_tree_is_valid(root));
	/* 1.45 * log2(512) */
	assert_in_range(root->node.height, 10, 13);
	assert_int_equal(root->node.gap, 0);
}

static void tree_knows_longest_gap(void **state)
{
	(void)state;
	area_put(0, 0, 10);
	area_put(1, 20, 30);
	area_put(2, 100, 110);
	area_put(3, 130, 140);
	assert_int_equal(root->node.gap, 70);

	vma_tree_resize(root, &areas[2], 35, 36);
	assert_int_equal(root->node.gap, 94);

	area_drop(3);
	assert_int_equal(root->node.gap, 10);

	/* Below the first one, too */
	vma_tree_resize(root, &areas[0], 9, 10);
	area_drop(1);
	assert_int_equal(root->node.gap, 25);
	area_drop(0);
	assert_int_equal(root->node.gap, 35);
}

/* What overlaps is told apart from what touches, on both sides */
static void tree_refuses_overlap(void **state)
{
	static const __vaddr_t bad[][2] = { { 5, 15 },	{ 10, 11 }, { 19, 20 },
					    { 19, 31 }, { 0, 100 }, { 10, 20 },
					    { 35, 41 }, { 49, 60 }, { 12, 18 },
					    { 45, 46 } };
	static const __vaddr_t good[][2] = { { 0, 10 },
					     { 20, 40 },
					     { 50, 51 } };
	unsigned int i;

	(void)state;
	area_put(0, 10, 20);
	area_put(1, 40, 50);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		areas[2].start = bad[i][0];
		areas[2].end = bad[i][1];
		assert_false(vma_tree_try_insert(&root, &areas[2]));
		assert_true(vma_tree_is_valid(root));
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		areas[2 + i].start = good[i][0];
		areas[2 + i].end = good[i][1];
		assert_true(vma_tree_try_insert(&root, &areas[2 + i]));
		assert_true(vma_tree_is_valid(root));
	}
	assert_int_equal(root->node.gap, 0);
}

/* What is below an area changes when its neighbour does, wherever in the tree
 * that one is
 */
static void tree_knows_hole_below_each(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 7; i++)
		area_put(i, i * 10UL, i * 10UL + 10);
	for (i = 0; i < 6; i++) {
		vma_tree_resize(root, &areas[i], i * 10UL, i * 10UL + 7);
		assert_int_equal(areas[i + 1].node.hole, 3);
		assert_int_equal(root->node.gap, 3);
		vma_tree_resize(root, &areas[i], i * 10UL, i * 10UL + 10);
		assert_int_equal(root->node.gap, 0);
		area_drop(i);
		assert_int_equal(areas[i + 1].node.hole, 10);
		area_put(i, i * 10UL, i * 10UL + 10);
		assert_int_equal(areas[i + 1].node.hole, 0);
		assert_true(vma_tree_is_valid(root));
	}
}

static void tree_validity_notices_overlap(void **state)
{
	(void)state;
	area_put(0, 0, 10);
	area_put(1, 20, 30);
	areas[0].end = 21;
	assert_false(vma_tree_is_valid(root));
}

static void tree_validity_notices_stale_gap(void **state)
{
	(void)state;
	area_put(0, 0, 10);
	area_put(1, 20, 30);
	areas[0].end = 11;
	assert_false(vma_tree_is_valid(root));
}

static void tree_validity_notices_imbalance(void **state)
{
	(void)state;
	area_put(0, 0, 10);
	area_put(1, 20, 30);
	areas[2].start = 40;
	areas[2].end = 50;
	areas[2].node = areas[1].node;
	areas[1].node.right = &areas[2];
	areas[1].node.height = 2;
	root->node.height = 3;
	assert_false(vma_tree_is_valid(root));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(tree_finds_neighbours_of_random_sets,
				       setup),
		cmocka_unit_test_setup(tree_stays_balanced_when_sorted, setup),
		cmocka_unit_test_setup(tree_knows_longest_gap, setup),
		cmocka_unit_test_setup(tree_refuses_overlap, setup),
		cmocka_unit_test_setup(tree_knows_hole_below_each, setup),
		cmocka_unit_test_setup(tree_validity_notices_overlap, setup),
		cmocka_unit_test_setup(tree_validity_notices_stale_gap, setup),
		cmocka_unit_test_setup(tree_validity_notices_imbalance, setup),
	};

	return cmocka_run_group_tests_name("vma_tree", tests, NULL, NULL);
}
