/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of fadt.c
 *
 * links: plat/common/x86/fadt.c
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

#include "acpi.h"
#include "fadt.h"

#define LEN 116UL

static const char sig[4] = { 'F', 'A', 'C', 'P' };
static __u8 bytes[LEN];
static struct fadt fadt;

static void put16(__sz at, __u16 val)
{
	memcpy(bytes + at, &val, sizeof(val));
}

static void put32(__sz at, __u32 val)
{
	memcpy(bytes + at, &val, sizeof(val));
}

/* The numbers of QEMU's q35; offsets as in ACPI 6.5, table 5.9 */
static int setup(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, sig, sizeof(sig));
	put32(4, LEN);
	put16(46, 9);
	put32(48, 0xb2);
	bytes[52] = 2;
	put32(56, 0x600);
	put32(64, 0x604);
	put32(80, 0x620);
	bytes[88] = 4;
	bytes[89] = 2;
	bytes[92] = 16;
	return 0;
}

static int parse_as(__sz len)
{
	void *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	rc = fadt_parse(copy, len, &fadt);
	free(copy);
	return rc;
}

static void registers_are_read(void **state)
{
	(void)state;
	assert_int_equal(0, parse_as(LEN));
	assert_int_equal(9, fadt.sci);
	assert_int_equal(0xb2, fadt.smi_cmd);
	assert_int_equal(2, fadt.acpi_enable);
	assert_int_equal(0x600, fadt.pm1_evt);
	assert_int_equal(4, fadt.pm1_evt_len);
	assert_int_equal(0x604, fadt.pm1_cnt);
	assert_int_equal(0x620, fadt.gpe0);
	assert_int_equal(16, fadt.gpe0_len);
}

static void short_and_other_tables_are_refused(void **state)
{
	__sz len;

	(void)state;
	for (len = 0; len < 93; len++)
		assert_int_equal(-EINVAL, parse_as(len));
	assert_int_equal(0, parse_as(93));
	put32(4, 92);
	assert_int_equal(-EINVAL, parse_as(LEN));
	put32(4, LEN);
	bytes[0] = 'X';
	assert_int_equal(-EINVAL, parse_as(LEN));
}

static void machines_without_registers_are_told_apart(void **state)
{
	(void)state;
	put32(80, 0);
	assert_int_equal(-ENOTSUP, parse_as(LEN));
	setup(NULL);
	bytes[92] = 1;
	assert_int_equal(-ENOTSUP, parse_as(LEN));
	setup(NULL);
	put32(64, 0);
	assert_int_equal(-ENOTSUP, parse_as(LEN));
}

static void what_is_no_port_is_refused(void **state)
{
	static const struct {
		__sz at;
		__u32 port;
	} bad[] = { { 48, 0x10000 },
		    { 56, 0xfffd },
		    { 64, 0xffff },
		    { 80, 0xfff1 },
		    { 80, __U32_MAX } };
	__sz i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		setup(NULL);
		put32(bad[i].at, bad[i].port);
		assert_int_equal(-EINVAL, parse_as(LEN));
	}
	put32(80, 0xfff0);
	assert_int_equal(0, parse_as(LEN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registers_are_read, setup),
		cmocka_unit_test_setup(short_and_other_tables_are_refused,
				       setup),
		cmocka_unit_test_setup(
			machines_without_registers_are_told_apart, setup),
		cmocka_unit_test_setup(what_is_no_port_is_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
