/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of what is read from loaders of multiboot 1, hostile ones, too
 *
 * links: plat/common/loader/multiboot.c plat/common/loader/machine.c
 *	plat/common/bootinfo.c plat/common/memregion.c
 *	tests/unit/fixture_low.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_low.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

/* The information structure, by offset */
#define INFO_FLAGS    0U
#define INFO_CMDLINE  16U
#define INFO_MODS_CNT 20U
#define INFO_MODS     24U
#define INFO_MAP_LEN  44U
#define INFO_MAP      48U

#define FLAGS (1U << 2 | 1U << 3 | 1U << 6)

/* An entry: size (which does not count itself), address, length, type */
#define MAP_LEN	     24U
#define MOD_LEN	     16U
#define FOUR_GIB_END 0xffffffffU

#define CMDLINE_AT 0x100U
#define MODS_AT	   0x800U
#define MAP_AT	   0x1000U

static void map_entry(__sz at, __u32 size, __u64 addr, __u64 len, __u32 type)
{
	low_put32(at, size);
	low_put64(at + 4, addr);
	low_put64(at + 12, len);
	low_put32(at + 20, type);
}

static void module_entry(unsigned int i, __u32 start, __u32 end)
{
	low_put32(MODS_AT + i * MOD_LEN, start);
	low_put32(MODS_AT + i * MOD_LEN + 4, end);
}

/* Two regions, the first entry longer than it must be, and two modules */
static int setup(void **state)
{
	int rc = low_setup(state);

	low_put32(INFO_FLAGS, FLAGS);
	low_put32(INFO_CMDLINE, (__u32)low_paddr(CMDLINE_AT));
	low_put32(INFO_MODS_CNT, 2);
	low_put32(INFO_MODS, (__u32)low_paddr(MODS_AT));
	low_put32(INFO_MAP, (__u32)low_paddr(MAP_AT));
	low_put32(INFO_MAP_LEN, 2 * MAP_LEN + 4);
	memcpy(low + CMDLINE_AT, "image a=b", 10);
	map_entry(MAP_AT, MAP_LEN, 0x100000, 0x700000, 1);
	map_entry(MAP_AT + MAP_LEN + 4, MAP_LEN - 4, 0xf0000, 0x10000, 2);
	module_entry(0, 0x200000, 0x201234);
	module_entry(1, 0x300000, 0x300000);
	return rc;
}

static int parse(void)
{
	return multiboot_parse(low_paddr(0), &low_modules);
}

static void what_the_machine_tells_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "image a=b");
	assert_int_equal(boot_info.map.cnt, 3);
	assert_map(0, 0x100000, 0x700000, MEMREGION_FREE);
	assert_map(1, 0xf0000, 0x10000, MEMREGION_RESERVED);
	assert_map(2, 0x200000, 0x1234, MEMREGION_LOADER);
	assert_int_equal(low_modules.cnt, 2);
	assert_module(0, 0x200000, 0x1234);
	assert_module(1, 0x300000, 0);
}

static void what_is_not_there_is_not_read(void **state)
{
	(void)state;
	low_put32(INFO_FLAGS, 1U << 6);
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "");
	assert_int_equal(low_modules.cnt, 0);
	low_put32(INFO_FLAGS, FLAGS & ~(1U << 6));
	assert_int_equal(parse(), -EINVAL);
	assert_int_equal(multiboot_parse(FOUR_GIB_END, &low_modules), -EINVAL);
}

static void entries_of_the_map_lie_in_it(void **state)
{
	static const __u32 wrong[] = { 0,	    1,
				       MAP_LEN - 5, 2 * MAP_LEN + 1,
				       0x7fffffff,  0xfffffffc,
				       __U32_MAX };
	unsigned int i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setup(state);
		low_put32(MAP_AT, wrong[i]);
		assert_int_equal(parse(), -EINVAL);
	}
	/* Less than an entry at the end is none */
	setup(state);
	low_put32(INFO_MAP_LEN, 2 * MAP_LEN + 3);
	assert_int_equal(parse(), 0);
	assert_map(0, 0x100000, 0x700000, MEMREGION_FREE);
	assert_map(1, 0x200000, 0x1234, MEMREGION_LOADER);
}

/* Up to the last byte that can be read, and not further */
static void map_may_end_with_the_memory(void **state)
{
	(void)state;
	low_put32(INFO_MAP, (__u32)low_paddr(LOW_LEN - MAP_LEN));
	low_put32(INFO_MAP_LEN, MAP_LEN);
	map_entry(LOW_LEN - MAP_LEN, MAP_LEN - 4, 0x100000, 0x1000, 1);
	assert_int_equal(parse(), 0);
	assert_map(0, 0x100000, 0x1000, MEMREGION_FREE);
}

static void lists_are_where_they_can_be_read(void **state)
{
	(void)state;
	low_put32(INFO_MAP, FOUR_GIB_END - 2 * MAP_LEN);
	assert_int_equal(parse(), -EINVAL);
	setup(state);
	low_put32(INFO_MAP_LEN, __U32_MAX);
	assert_int_equal(parse(), -EINVAL);
	setup(state);
	low_put32(INFO_MODS, FOUR_GIB_END - MOD_LEN);
	assert_int_equal(parse(), -EINVAL);
}

/* Entries without a byte, which the map does not take, have an end, too */
static void lists_have_an_end(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i <= MEMREGION_MAX; i++)
		map_entry(MAP_AT + i * MAP_LEN, MAP_LEN - 4, 0, 0, 1);
	low_put32(INFO_MAP_LEN, MEMREGION_MAX * MAP_LEN);
	assert_int_equal(parse(), 0);
	low_modules.cnt = 0;
	low_put32(INFO_MAP_LEN, (MEMREGION_MAX + 1) * MAP_LEN);
	assert_int_equal(parse(), -ENOSPC);
	setup(state);
	low_put32(INFO_MODS_CNT, LOADER_MODULES_MAX + 1);
	assert_int_equal(parse(), -ENOSPC);
	low_put32(INFO_MODS_CNT, __U32_MAX);
	assert_int_equal(parse(), -ENOSPC);
}

static void modules_end_behind_their_start(void **state)
{
	(void)state;
	module_entry(1, 0x300001, 0x300000);
	assert_int_equal(parse(), -EINVAL);
	module_entry(1, FOUR_GIB_END, 0);
	assert_int_equal(parse(), -EINVAL);
}

static void command_line_may_end_with_the_memory(void **state)
{
	(void)state;
	low_put32(INFO_CMDLINE, (__u32)low_paddr(LOW_LEN - 1));
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(what_the_machine_tells_is_read),
		UNIT_TEST(what_is_not_there_is_not_read),
		UNIT_TEST(entries_of_the_map_lie_in_it),
		UNIT_TEST(map_may_end_with_the_memory),
		UNIT_TEST(lists_are_where_they_can_be_read),
		UNIT_TEST(lists_have_an_end),
		UNIT_TEST(modules_end_behind_their_start),
		UNIT_TEST(command_line_may_end_with_the_memory),
	};

	return cmocka_run_group_tests_name("loader_multiboot", tests, NULL,
					   NULL);
}
