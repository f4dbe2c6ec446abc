/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of what is read from loaders of multiboot 2, hostile ones, too
 *
 * links: plat/common/loader/multiboot2.c plat/common/loader/machine.c
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

#include <uk/essentials.h>

#include "fixture_low.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#define TAG_END	     0U
#define TAG_CMDLINE  1U
#define TAG_MODULE   3U
#define TAG_MAP	     6U
#define TAG_ACPI_OLD 14U
#define TAG_ACPI_NEW 15U

#define FOUR_GIB (1UL << 32)

#ifdef RND_TEST_SLOW
#define ROUNDS 2000U
#else
#define ROUNDS 30000U
#endif

/* Where the next tag goes */
static __sz next;
static __u64 seed;

static int setup(void **state)
{
	next = 8;
	seed = 1;
	return low_setup(state);
}

static __u32 roll(__u32 bound)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (__u32)((seed >> 32) * bound >> 32);
}

/* Begins a tag of so many bytes behind its head; returns where they go */
static __sz tag(__u32 type, __u32 len)
{
	__sz at = next + 8;

	low_put32(next, type);
	low_put32(next + 4, len + 8);
	next += ALIGN_UP(len + 8UL, 8);
	return at;
}

static void tag_text(__u32 type, const char *text, __u32 len)
{
	memcpy(low + tag(type, len), text, len);
}

static void tag_module(__u32 start, __u32 end)
{
	__sz at = tag(TAG_MODULE, 9);

	low_put32(at, start);
	low_put32(at + 4, end);
}

/* Two regions, in entries of so many bytes */
static void tag_map(__u32 entry)
{
	__sz at = tag(TAG_MAP, 8 + 2 * entry);

	low_put32(at, entry);
	low_put64(at + 8, 0x100000);
	low_put64(at + 16, 0x700000);
	low_put32(at + 24, 1);
	low_put64(at + 8 + entry, 0xf0000);
	low_put64(at + 16 + entry, 0x10000);
	low_put32(at + 24 + entry, 2);
}

/* Ends the list */
static int parse(void)
{
	(void)tag(TAG_END, 0);
	low_put32(0, (__u32)next);
	return multiboot2_parse(low_paddr(0), &low_modules);
}

static void what_the_machine_tells_is_read(void **state)
{
	(void)state;
	tag_text(2, "a boot loader", 14);
	tag_text(TAG_CMDLINE, "a=b c", 6);
	tag_map(24);
	tag_module(0x200000, 0x201234);
	tag_module(0x300000, 0x300000);
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "a=b c");
	assert_int_equal(boot_info.map.cnt, 3);
	assert_map(0, 0x100000, 0x700000, MEMREGION_FREE);
	assert_map(1, 0xf0000, 0x10000, MEMREGION_RESERVED);
	assert_map(2, 0x200000, 0x1234, MEMREGION_LOADER);
	assert_int_equal(low_modules.cnt, 2);
	assert_module(0, 0x200000, 0x1234);
	assert_module(1, 0x300000, 0);
}

static void entries_of_the_map_have_their_own_length(void **state)
{
	(void)state;
	tag_map(40);
	assert_int_equal(parse(), 0);
	assert_map(0, 0x100000, 0x700000, MEMREGION_FREE);
	assert_map(1, 0xf0000, 0x10000, MEMREGION_RESERVED);
}

static void entries_are_not_too_short(void **state)
{
	static const __u32 wrong[] = { 0, 1, 23 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		setup(state);
		tag_map(24);
		low_put32(16, wrong[i]);
		assert_int_equal(parse(), -EINVAL);
	}
	setup(state);
	(void)tag(TAG_MAP, 4);
	assert_int_equal(parse(), -EINVAL);
	/* Longer than the tag: there is none */
	setup(state);
	tag_map(24);
	low_put32(16, __U32_MAX);
	assert_int_equal(parse(), 0);
	assert_int_equal(boot_info.map.cnt, 0);
}

static void tags_lie_in_the_list(void **state)
{
	static const __u32 wrong[] = { 0, 1, 7, 33, 0x1000, __U32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		setup(state);
		(void)tag(2, 8);
		low_put32(12, wrong[i]);
		assert_int_equal(parse(), -EINVAL);
	}
}

static void list_has_an_end(void **state)
{
	(void)state;
	tag_text(TAG_CMDLINE, "a", 2);
	low_put32(0, (__u32)next);
	assert_int_equal(multiboot2_parse(low_paddr(0), &low_modules), -EINVAL);
	low_put32(0, 0);
	assert_int_equal(multiboot2_parse(low_paddr(0), &low_modules), -EINVAL);
	assert_int_equal(multiboot2_parse(FOUR_GIB - 4, &low_modules), -EINVAL);
	assert_int_equal(multiboot2_parse(__PADDR_MAX, &low_modules), -EINVAL);
}

static void command_line_ends_with_its_tag(void **state)
{
	(void)state;
	tag_text(TAG_CMDLINE, "abcdefgh", 8);
	tag_text(2, "x", 2);
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "abcdefgh");
	setup(state);
	(void)tag(TAG_CMDLINE, 0);
	assert_int_equal(parse(), 0);
	assert_string_equal(boot_info.cmdline, "");
	setup(state);
	memset(low + tag(TAG_CMDLINE, 2000), 'x', 2000);
	assert_int_equal(parse(), 0);
	assert_int_equal(strlen(boot_info.cmdline), BOOT_CMDLINE_LEN - 1);
}

static void modules_are_tested(void **state)
{
	unsigned int i;

	(void)state;
	tag_module(0x300001, 0x300000);
	assert_int_equal(parse(), -EINVAL);
	setup(state);
	(void)tag(TAG_MODULE, 7);
	assert_int_equal(parse(), -EINVAL);
	setup(state);
	for (i = 0; i <= LOADER_MODULES_MAX; i++)
		tag_module(0x300000, 0x301000);
	assert_int_equal(parse(), -ENOSPC);
}

/* The newer root pointer wins, whatever the order; each may be cut off */
static void root_pointer_is_kept(void **state)
{
	char text[40];

	(void)state;
	memset(text, 'n', sizeof(text));
	tag_text(TAG_ACPI_OLD, "old", 3);
	assert_int_equal(parse(), 0);
	assert_string_equal(loader_rsdp, "old");
	setup(state);
	tag_text(TAG_ACPI_NEW, text, 40);
	tag_text(TAG_ACPI_OLD, "old", 3);
	assert_int_equal(parse(), 0);
	assert_memory_equal(loader_rsdp, text, LOADER_RSDP_LEN);
	setup(state);
	tag_text(TAG_ACPI_OLD, text, 20);
	tag_text(TAG_ACPI_NEW, "new", 3);
	assert_int_equal(parse(), 0);
	assert_string_equal(loader_rsdp, "new");
	setup(state);
	(void)tag(TAG_ACPI_NEW, 0);
	assert_int_equal(parse(), 0);
	assert_int_equal(loader_rsdp[0], 0);
}

/* Any list that ends with the memory: behind it is nothing to be read */
static void any_list_is_read_within_its_length(void **state)
{
	static const __u32 types[] = { TAG_END, TAG_CMDLINE,  TAG_MODULE,
				       TAG_MAP, TAG_ACPI_OLD, TAG_ACPI_NEW };
	unsigned int i, good = 0;
	__sz at, len;
	int rc;

	print_message("seed %lu\n", seed);
	for (i = 0; i < ROUNDS; i++) {
		len = 8 + roll(64) * 8;
		(void)low_setup(state);
		for (at = LOW_LEN - len; at < LOW_LEN; at += 4)
			low_put32(at, roll(3) ? roll(40) : roll(__U32_MAX));
		for (at = LOW_LEN - len + 8; at < LOW_LEN; at += 16 + roll(5))
			low_put32(at & ~7UL, types[roll(ARRAY_SIZE(types))]);
		low_put32(LOW_LEN - len, (__u32)len);
		rc = multiboot2_parse(low_paddr(LOW_LEN - len), &low_modules);
		assert_true(rc == 0 || rc == -EINVAL || rc == -ENOSPC);
		assert_true(low_modules.cnt <= LOADER_MODULES_MAX);
		assert_true(boot_info.map.cnt <= MEMREGION_MAX);
		good += !rc;
	}
	print_message("%u of %u are read to the end\n", good, ROUNDS);
	assert_true(good > ROUNDS / 100 && good < ROUNDS / 100 * 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(what_the_machine_tells_is_read),
		UNIT_TEST(entries_of_the_map_have_their_own_length),
		UNIT_TEST(entries_are_not_too_short),
		UNIT_TEST(tags_lie_in_the_list),
		UNIT_TEST(list_has_an_end),
		UNIT_TEST(command_line_ends_with_its_tag),
		UNIT_TEST(modules_are_tested),
		UNIT_TEST(root_pointer_is_kept),
		UNIT_TEST(any_list_is_read_within_its_length),
	};

	return cmocka_run_group_tests_name("loader_multiboot2", tests, NULL,
					   NULL);
}
