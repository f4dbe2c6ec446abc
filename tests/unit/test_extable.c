/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* links: plat/common/extable.c */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "extable.h"

#define ENTRIES 9

/* Entry i: instruction 100 + 10 i continues at i + 1 */
static struct extable_entry table[ENTRIES];

static int setup(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ENTRIES; i++)
		table[i] = (struct extable_entry){ 100 + 10 * i, i + 1 };
	return 0;
}

static void test_every_length_finds_its_own(void **state)
{
	unsigned int cnt, i;

	(void)state;
	for (cnt = 0; cnt <= ENTRIES; cnt++)
		for (i = 0; i < ENTRIES; i++)
			assert_int_equal(extable_find(table, table + cnt,
						      100 + 10 * i),
					 i < cnt ? i + 1 : 0);
}

static void test_neighbours_are_not_found(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ENTRIES; i++) {
		assert_int_equal(
			extable_find(table, table + ENTRIES, 99 + 10 * i), 0);
		assert_int_equal(
			extable_find(table, table + ENTRIES, 101 + 10 * i), 0);
	}
}

static void test_upper_half_is_above_the_lower(void **state)
{
	(void)state;
	table[ENTRIES - 1].insn = 0xffff800000000000;
	assert_true(extable_is_sorted(table, table + ENTRIES));
	assert_int_equal(extable_find(table, table + ENTRIES,
				      0xffff800000000000),
			 ENTRIES);
	assert_int_equal(extable_find(table, table + ENTRIES, 100), 1);
}

static void test_wrong_order_is_noticed(void **state)
{
	unsigned int i;

	(void)state;
	assert_true(extable_is_sorted(table, table));
	assert_true(extable_is_sorted(table, table + ENTRIES));
	for (i = 0; i + 1 < ENTRIES; i++) {
		table[i].insn += 11;
		assert_false(extable_is_sorted(table, table + ENTRIES));
		/* Twice the same is wrong, too */
		table[i].insn--;
		assert_false(extable_is_sorted(table, table + ENTRIES));
		table[i].insn -= 10;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_length_finds_its_own, setup),
		cmocka_unit_test_setup(test_neighbours_are_not_found, setup),
		cmocka_unit_test_setup(test_upper_half_is_above_the_lower,
				       setup),
		cmocka_unit_test_setup(test_wrong_order_is_noticed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
