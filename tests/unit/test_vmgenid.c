/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of vmgenid.c
 *
 * links: plat/common/vmgenid.c
 *
 * The table under test is in an allocation of exactly its length, so that ASan
 * and valgrind find every read beyond it.
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

#include "vmgenid.h"
#include "x86/acpi.h"

#define PAGE  0x0ffff000U
#define UNSET 0x1234UL

static __u8 bytes[4096];
static __sz bytes_len;
/* Name of the event's method */
static __u8 *event;
static struct vmgenid id;

static void put(const void *data, __sz len)
{
	memcpy(bytes + bytes_len, data, len);
	bytes_len += len;
}

#define PUT(text) put(text, sizeof(text) - 1)

static void put_vgia(__u32 page)
{
	PUT("\x08VGIA\x0c");
	put(&page, sizeof(page));
}

static void head_set(const char *sig, const char *table_id, __u32 len)
{
	struct acpi_sdt head = { .len = len };

	memcpy(head.sig, sig, sizeof(head.sig));
	memcpy(head.oem_table_id, table_id, sizeof(head.oem_table_id));
	memcpy(bytes, &head, sizeof(head));
}

static void head_fix(void)
{
	head_set("SSDT", "VMGENID", (__u32)bytes_len);
}

/* As QEMU makes it: the name, a device that uses it, the method */
static int setup(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof(bytes));
	bytes_len = sizeof(struct acpi_sdt);
	put_vgia(PAGE);
	PUT("\x10\x42\x04\\_SB_\x5b\x82VGEN\x08_HIDVGIA\x0a\x28");
	PUT("\x14\x12\\._GPE");
	event = bytes + bytes_len;
	PUT("_E05\x00\x86VGEN\x0a\x80");
	head_fix();
	id = (struct vmgenid){ .paddr = UNSET, .gpe = -2 };
	return 0;
}

static int parse_as(__sz len)
{
	void *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	rc = vmgenid_parse(copy, len, &id);
	free(copy);
	return rc;
}

static int parse(void)
{
	return parse_as(bytes_len);
}

static void the_id_is_found(void **state)
{
	(void)state;
	assert_int_equal(0, parse());
	assert_int_equal(PAGE + VMGENID_OFF, id.paddr);
	assert_int_equal(5, id.gpe);
}

static void the_id_of_the_table_may_end_in_a_blank(void **state)
{
	(void)state;
	head_set("SSDT", "VMGENID ", (__u32)bytes_len);
	assert_int_equal(0, parse());
}

static void other_tables_are_left_alone(void **state)
{
	(void)state;
	head_set("SSDT", "VMGENIDX", (__u32)bytes_len);
	assert_int_equal(-ENOENT, parse());
	head_set("SSDT", "BXPCSSDT", (__u32)bytes_len);
	assert_int_equal(-ENOENT, parse());
	head_set("DSDT", "VMGENID", (__u32)bytes_len);
	assert_int_equal(-ENOENT, parse());
	assert_int_equal(UNSET, id.paddr);
}

static void a_table_without_the_name_is_refused(void **state)
{
	(void)state;
	bytes[sizeof(struct acpi_sdt) + 1] = 'W';
	assert_int_equal(-EINVAL, parse());
	bytes_len = sizeof(struct acpi_sdt);
	head_fix();
	assert_int_equal(-EINVAL, parse());
	assert_int_equal(UNSET, id.paddr);
}

/* Which of the two would be the right one? */
static void a_name_that_is_defined_twice_is_refused(void **state)
{
	(void)state;
	put_vgia(PAGE);
	head_fix();
	assert_int_equal(-EINVAL, parse());
}

static void addresses_that_are_no_page_are_refused(void **state)
{
	static const __u32 pages[] = { 0, 1, PAGE + 1, PAGE + 40, __U32_MAX };
	__sz i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		memcpy(bytes + sizeof(struct acpi_sdt) + 6, &pages[i], 4);
		assert_int_equal(-EINVAL, parse());
	}
	assert_int_equal(UNSET, id.paddr);
}

/* The name is in the last bytes, or a part of it is */
static void a_name_at_the_end_must_be_whole(void **state)
{
	__sz cut;

	(void)state;
	bytes_len = sizeof(struct acpi_sdt);
	put_vgia(PAGE);
	head_fix();
	assert_int_equal(0, parse());
	assert_int_equal(-1, id.gpe);
	for (cut = 1; cut <= 10; cut++) {
		bytes_len = sizeof(struct acpi_sdt) + 10 - cut;
		head_fix();
		assert_int_equal(-EINVAL, parse());
	}
}

static void lengths_are_not_believed(void **state)
{
	static const __u32 lens[] = { 0, 1, 35, 36, __U32_MAX };
	__sz i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		head_set("SSDT", "VMGENID", lens[i]);
		assert_int_equal(-EINVAL, parse());
	}
	head_set("SSDT", "VMGENID", (__u32)bytes_len + 1);
	assert_int_equal(-EINVAL, parse());
	for (i = 0; i < sizeof(struct acpi_sdt); i++)
		assert_int_equal(-ENOENT, parse_as(i));
}

static void event_set(char kind, char high, char low)
{
	event[1] = (__u8)kind;
	event[2] = (__u8)high;
	event[3] = (__u8)low;
}

static void events_have_two_digits(void **state)
{
	(void)state;
	event_set('E', '1', 'F');
	assert_int_equal(0, parse());
	assert_int_equal(0x1f, id.gpe);
	event_set('E', '1', 'G');
	assert_int_equal(0, parse());
	assert_int_equal(-1, id.gpe);
	event_set('L', '0', '5');
	assert_int_equal(0, parse());
	assert_int_equal(-1, id.gpe);
}

static void noise_is_survived(void **state)
{
	__u64 rng = 88172645463325252UL;
	__sz i, k;

	(void)state;
	for (i = 0; i < 2000; i++) {
		bytes_len = sizeof(struct acpi_sdt) + i % 300;
		for (k = 0; k < bytes_len; k++) {
			rng ^= rng << 13;
			rng ^= rng >> 7;
			rng ^= rng << 17;
			bytes[k] = (__u8)rng;
			/* Often the bytes that are looked for */
			if (i % 3 == 0)
				bytes[k] = (__u8) "\x08VGIA\x0c_E"[rng % 8];
		}
		head_fix();
		if (!parse())
			assert_int_equal(VMGENID_OFF, id.paddr % 4096);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_id_is_found, setup),
		cmocka_unit_test_setup(the_id_of_the_table_may_end_in_a_blank,
				       setup),
		cmocka_unit_test_setup(other_tables_are_left_alone, setup),
		cmocka_unit_test_setup(a_table_without_the_name_is_refused,
				       setup),
		cmocka_unit_test_setup(a_name_that_is_defined_twice_is_refused,
				       setup),
		cmocka_unit_test_setup(addresses_that_are_no_page_are_refused,
				       setup),
		cmocka_unit_test_setup(a_name_at_the_end_must_be_whole, setup),
		cmocka_unit_test_setup(lengths_are_not_believed, setup),
		cmocka_unit_test_setup(events_have_two_digits, setup),
		cmocka_unit_test_setup(noise_is_survived, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
