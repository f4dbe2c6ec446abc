/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of fwcfg.c
 *
 * links: plat/common/x86/fwcfg.c
 *
 * The device is an array for each item; behind its end there are zeros, as the
 * device has it. It counts what is read.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "fwcfg.h"

#define NAME	 "opt/ukallocrnd/seed"
#define ITEM	 0x2a
#define DIR_ITEM 0x19
#define DIR_MAX	 (4UL + 64UL * 300)
#define ENTRY(n) (4UL + 64UL * (n))

static struct {
	int allowed;
	char sig[4];
	__u8 dir[DIR_MAX];
	__u8 file[64];
	__u16 item;
	__sz pos;
	__sz bytes;
	unsigned int selects;
} dev;

int fwcfg_io_allowed(void)
{
	return dev.allowed;
}

void fwcfg_io_select(__u16 item)
{
	dev.item = item;
	dev.pos = 0;
	dev.selects++;
}

static __u8 byte_at(__sz pos)
{
	if (dev.item == 0)
		return pos < sizeof(dev.sig) ? (__u8)dev.sig[pos] : 0;
	if (dev.item == DIR_ITEM)
		return pos < sizeof(dev.dir) ? dev.dir[pos] : 0;
	if (dev.item == ITEM)
		return pos < sizeof(dev.file) ? dev.file[pos] : 0;
	return 0xee;
}

void fwcfg_io_read(void *buf, __sz len)
{
	__u8 *bytes = buf;

	dev.bytes += len;
	while (len--)
		*bytes++ = byte_at(dev.pos++);
}

static void put32(__u8 *at, __u32 val)
{
	at[0] = (__u8)(val >> 24);
	at[1] = (__u8)(val >> 16);
	at[2] = (__u8)(val >> 8);
	at[3] = (__u8)val;
}

static void entry_set(unsigned int n, const char *name, __u32 size, __u16 item)
{
	__u8 *at = &dev.dir[ENTRY(n)];
	__sz i;

	put32(at, size);
	at[4] = (__u8)(item >> 8);
	at[5] = (__u8)item;
	memset(at + 8, 0, FWCFG_NAME_LEN);
	for (i = 0; name[i]; i++)
		at[8 + i] = (__u8)name[i];
}

static int setup(void **state)
{
	unsigned int i;

	(void)state;
	memset(&dev, 0, sizeof(dev));
	dev.allowed = 1;
	memcpy(dev.sig, "QEMU", 4);
	put32(dev.dir, 3);
	entry_set(0, "etc/acpi/tables", 131072, 0x20);
	entry_set(1, NAME, 32, ITEM);
	entry_set(2, "opt/ukallocrnd/seed2", 32, 0x21);
	for (i = 0; i < sizeof(dev.file); i++)
		dev.file[i] = (__u8)(i + 1);
	return 0;
}

static __sz file_read(__u8 *buf, __sz len)
{
	memset(buf, 0, len + 1);
	return fwcfg_file_read(NAME, buf, len);
}

static void a_file_is_read(void **state)
{
	__u8 buf[65];

	(void)state;
	assert_int_equal(32, file_read(buf, 64));
	assert_memory_equal(dev.file, buf, 32);
	assert_int_equal(0, buf[32]);
}

static void a_long_file_is_cut(void **state)
{
	__u8 buf[17];

	(void)state;
	entry_set(1, NAME, __U32_MAX, ITEM);
	assert_int_equal(16, file_read(buf, 16));
	assert_int_equal(0, buf[16]);
}

static void no_device_gives_nothing(void **state)
{
	__u8 buf[17];

	(void)state;
	memset(dev.sig, 0xff, sizeof(dev.sig));
	assert_int_equal(0, file_read(buf, 16));
	assert_int_equal(4, dev.bytes);
	dev.allowed = 0;
	dev.selects = 0;
	assert_int_equal(0, file_read(buf, 16));
	assert_int_equal(0, dev.selects);
}

static void a_missing_file_gives_nothing(void **state)
{
	__u8 buf[17];

	(void)state;
	entry_set(1, "opt/ukallocrnd/see", 32, ITEM);
	assert_int_equal(0, file_read(buf, 16));
	entry_set(1, NAME "s", 32, ITEM);
	assert_int_equal(0, file_read(buf, 16));
	put32(dev.dir, 0);
	entry_set(1, NAME, 32, ITEM);
	assert_int_equal(0, file_read(buf, 16));
}

static void an_empty_file_gives_nothing(void **state)
{
	__u8 buf[17];

	(void)state;
	entry_set(1, NAME, 0, ITEM);
	assert_int_equal(0, file_read(buf, 16));
	assert_int_equal(0, buf[0]);
}

static void items_below_and_above_files_are_refused(void **state)
{
	static const __u16 items[] = {
		0, DIR_ITEM, 0x1f, 0x4000, 0xc02a, 0xffff
	};
	__u8 buf[17];
	__sz i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		entry_set(1, NAME, 32, items[i]);
		assert_int_equal(0, file_read(buf, 16));
	}
}

/* What claims to have four billion files costs 256 entries */
static void the_length_of_the_directory_is_bounded(void **state)
{
	__u8 buf[17];

	(void)state;
	put32(dev.dir, __U32_MAX);
	entry_set(1, "x", 0, 0);
	entry_set(299, NAME, 32, ITEM);
	assert_int_equal(0, file_read(buf, 16));
	assert_int_equal(4 + 4 + 64 * FWCFG_FILES_MAX, dev.bytes);
	entry_set(FWCFG_FILES_MAX - 1, NAME, 32, ITEM);
	assert_int_equal(16, file_read(buf, 16));
}

static void names_without_an_end_match_nothing(void **state)
{
	char name[FWCFG_NAME_LEN + 1];
	__u8 buf[17];

	(void)state;
	memset(name, 'a', FWCFG_NAME_LEN);
	name[FWCFG_NAME_LEN] = 0;
	entry_set(1, name, 32, ITEM);
	assert_int_equal(0, fwcfg_file_read(name, buf, 16));
	name[FWCFG_NAME_LEN - 1] = 0;
	assert_int_equal(0, fwcfg_file_read(name, buf, 16));
}

/* Whatever the directory holds, no more is written than was asked for */
static void noise_is_survived(void **state)
{
	__u64 rng = 88172645463325252UL;
	__u8 buf[17];
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 300; i++) {
		for (k = 0; k < sizeof(dev.dir); k++) {
			rng ^= rng << 13;
			rng ^= rng >> 7;
			rng ^= rng << 17;
			dev.dir[k] = (__u8)rng;
		}
		if (i % 2)
			memcpy(&dev.dir[ENTRY(i % 256) + 8], NAME,
			       sizeof(NAME));
		buf[16] = 0x5a;
		assert_in_range(fwcfg_file_read(NAME, buf, 16), 0, 16);
		assert_int_equal(0x5a, buf[16]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_file_is_read, setup),
		cmocka_unit_test_setup(a_long_file_is_cut, setup),
		cmocka_unit_test_setup(no_device_gives_nothing, setup),
		cmocka_unit_test_setup(a_missing_file_gives_nothing, setup),
		cmocka_unit_test_setup(an_empty_file_gives_nothing, setup),
		cmocka_unit_test_setup(items_below_and_above_files_are_refused,
				       setup),
		cmocka_unit_test_setup(the_length_of_the_directory_is_bounded,
				       setup),
		cmocka_unit_test_setup(names_without_an_end_match_nothing,
				       setup),
		cmocka_unit_test_setup(noise_is_survived, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
