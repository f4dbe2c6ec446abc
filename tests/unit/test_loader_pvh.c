/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of what is read from PVH loaders, hostile ones, too
 *
 * links: plat/common/loader/pvh.c plat/common/loader/machine.c
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

/* struct hvm_start_info, by offset */
#define INFO_MAGIC   0x00U
#define INFO_VERSION 0x04U
#define INFO_MODS    0x0cU
#define INFO_MODLIST 0x10U
#define INFO_CMDLINE 0x18U
#define INFO_RSDP    0x20U
#define INFO_MAP     0x28U
#define INFO_MAP_CNT 0x30U
#define INFO_LEN     0x38U

#define MAGIC	 0x336ec578U
#define MAP_LEN	 24U
#define MOD_LEN	 32U
#define FOUR_GIB (1UL << 32)

#define CMDLINE_AT 0x100U
#define MODLIST_AT 0x800U
#define MAP_AT	   0x1000U

static void map_entry(unsigned int i, __u64 addr, __u64 len, __u32 type)
{
	low_put64(MAP_AT + i * MAP_LEN, addr);
	low_put64(MAP_AT + i * MAP_LEN + 8, len);
	low_put32(MAP_AT + i * MAP_LEN + 16, type);
}

static void module_entry(unsigned int i, __u64 addr, __u64 len)
{
	low_put64(MODLIST_AT + i * MOD_LEN, addr);
	low_put64(MODLIST_AT + i * MOD_LEN + 8, len);
}

/* A machine with two regions and a module */
static int setup(void **state)
{
	int rc = low_setup(state);

	low_put32(INFO_MAGIC, MAGIC);
	low_put32(INFO_VERSION, 1);
	low_put32(INFO_MODS, 1);
	low_put64(INFO_MODLIST, low_paddr(MODLIST_AT));
	low_put64(INFO_CMDLINE, low_paddr(CMDLINE_AT));
	low_put64(INFO_RSDP, 0xf0010);
	low_put64(INFO_MAP, low_paddr(MAP_AT));
	low_put32(INFO_MAP_CNT, 2);
	memcpy(low + CMDLINE_AT, "a b=c", 6);
	map_entry(0, 0x1000, 0x7000, 1);
	map_entry(1, 0xf0000, 0x10000, 2);
	module_entry(0, 0x200000, 0x1234);
	return rc;
}

static int parse(void)
{
	return pvh_parse(low_paddr(0), &low_modules);
}

static void what_the_machine_tells_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "a b=c");
	assert_int_equal(boot_info.rsdp, 0xf0010);
	assert_int_equal(boot_info.map.cnt, 3);
	assert_map(0, 0x1000, 0x7000, MEMREGION_FREE);
	assert_map(1, 0xf0000, 0x10000, MEMREGION_RESERVED);
	assert_map(2, 0x200000, 0x1234, MEMREGION_LOADER);
	assert_int_equal(low_modules.cnt, 1);
	assert_module(0, 0x200000, 0x1234);
}

static void other_structures_are_refused(void **state)
{
	(void)state;
	assert_int_equal(pvh_parse(FOUR_GIB - INFO_LEN + 1, &low_modules),
			 -EINVAL);
	assert_int_equal(pvh_parse(__PADDR_MAX, &low_modules), -EINVAL);
	low_put32(INFO_MAGIC, MAGIC + 1);
	assert_int_equal(parse(), -EINVAL);
	setup(state);
	low_put32(INFO_VERSION, 0);
	assert_int_equal(parse(), -EINVAL);
	setup(state);
	low_put64(INFO_MAP, 0);
	assert_int_equal(parse(), -EINVAL);
}

static void lists_are_where_they_can_be_read(void **state)
{
	(void)state;
	low_put64(INFO_MAP, FOUR_GIB - 2UL * MAP_LEN + 1);
	assert_int_equal(parse(), -EINVAL);
	low_put64(INFO_MAP, __U64_MAX);
	assert_int_equal(parse(), -EINVAL);
	setup(state);
	low_put64(INFO_MODLIST, FOUR_GIB - MOD_LEN + 1);
	assert_int_equal(parse(), -EINVAL);
	low_put64(INFO_MODLIST, FOUR_GIB);
	assert_int_equal(parse(), -EINVAL);
}

/* Entries without a byte count, too, or reading them takes for ever */
static void lists_have_an_end(void **state)
{
	(void)state;
	low_put32(INFO_MAP_CNT, MEMREGION_MAX + 1);
	assert_int_equal(parse(), -ENOSPC);
	low_put32(INFO_MAP_CNT, __U32_MAX);
	assert_int_equal(parse(), -ENOSPC);
	setup(state);
	low_put32(INFO_MODS, LOADER_MODULES_MAX + 1);
	assert_int_equal(parse(), -ENOSPC);
	low_put32(INFO_MODS, __U32_MAX);
	assert_int_equal(parse(), -ENOSPC);
	setup(state);
	low_put32(INFO_MODS, LOADER_MODULES_MAX);
	assert_int_equal(parse(), 0);
	assert_int_equal(low_modules.cnt, LOADER_MODULES_MAX);
}

static void modules_are_where_they_can_be_read(void **state)
{
	(void)state;
	module_entry(0, FOUR_GIB, 0);
	assert_int_equal(parse(), -EINVAL);
	module_entry(0, FOUR_GIB - 0x1000, 0x1001);
	assert_int_equal(parse(), -EINVAL);
	module_entry(0, 0x1000, __U64_MAX);
	assert_int_equal(parse(), -EINVAL);
	setup(state);
	module_entry(0, FOUR_GIB - 0x1000, 0x1000);
	assert_int_equal(parse(), 0);
}

static void command_line_has_an_end(void **state)
{
	(void)state;
	memset(low + CMDLINE_AT, 'x', BOOT_CMDLINE_LEN);
	assert_int_equal(parse(), 0);
	assert_int_equal(strlen(boot_info.cmdline), BOOT_CMDLINE_LEN - 1);
	/* What is longer than any command line is left alone from there on */
	setup(state);
	memset(low + MAP_AT + 0x1000, 'x', LOADER_CMDLINE_MAX + 1);
	low_put64(INFO_CMDLINE, low_paddr(MAP_AT + 0x1000));
	assert_int_equal(parse(), 0);
	assert_int_equal(low[MAP_AT + 0x1000 + LOADER_CMDLINE_MAX - 1], 0);
	assert_int_equal(low[MAP_AT + 0x1000 + LOADER_CMDLINE_MAX], 'x');
	/* Nothing behind the terminator is read */
	setup(state);
	low[LOW_LEN - 2] = 'y';
	low_put64(INFO_CMDLINE, low_paddr(LOW_LEN - 2));
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "y");
}

static void command_line_is_where_it_can_be_read(void **state)
{
	(void)state;
	low_put64(INFO_CMDLINE, 0);
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "");
	setup(state);
	low_put64(INFO_CMDLINE, FOUR_GIB);
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "");
	setup(state);
	low_put64(INFO_CMDLINE, __U64_MAX);
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(what_the_machine_tells_is_read),
		UNIT_TEST(other_structures_are_refused),
		UNIT_TEST(lists_are_where_they_can_be_read),
		UNIT_TEST(lists_have_an_end),
		UNIT_TEST(modules_are_where_they_can_be_read),
		UNIT_TEST(command_line_has_an_end),
		UNIT_TEST(command_line_is_where_it_can_be_read),
	};

	return cmocka_run_group_tests_name("loader_pvh", tests, NULL, NULL);
}
