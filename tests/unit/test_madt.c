/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of madt.c
 *
 * links: plat/common/x86/madt.c
 *
 * The table under test is at the end of an allocation of its own, so that
 * ASan and valgrind find every read beyond it.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acpi.h"
#include "madt.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#define HEAD_LEN    44UL
#define LAPIC_PADDR 0xfee00000U
#define TABLE_MAX   65536

static __u8 table[TABLE_MAX];
static __sz table_len;
static struct madt madt;

static void put(const void *bytes, __sz len)
{
	assert_true(table_len + len <= TABLE_MAX);
	memcpy(table + table_len, bytes, len);
	table_len += len;
}

static void put8(__u8 val)
{
	put(&val, sizeof(val));
}

static void put16(__u16 val)
{
	put(&val, sizeof(val));
}

static void put32(__u32 val)
{
	put(&val, sizeof(val));
}

static void put_lapic(__u8 uid, __u8 id, __u32 flags)
{
	put8(0);
	put8(8);
	put8(uid);
	put8(id);
	put32(flags);
}

static void put_x2apic(__u32 uid, __u32 id, __u32 flags)
{
	put8(9);
	put8(16);
	put16(0);
	put32(id);
	put32(flags);
	put32(uid);
}

static int parse_len(__u32 head_len, __sz len)
{
	__u8 *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(table + offsetof(struct acpi_sdt, len), &head_len,
	       sizeof(head_len));
	memcpy(copy, table, len);
	rc = madt_parse(copy, len, &madt);
	free(copy);
	return rc;
}

static int parse(void)
{
	return parse_len((__u32)table_len, table_len);
}

static int setup(void **state)
{
	(void)state;
	memset(table, 0, sizeof(table));
	memset(&madt, 0xa5, sizeof(madt));
	table_len = 0;
	put("APIC", 4);
	table_len = sizeof(struct acpi_sdt);
	put32(LAPIC_PADDR);
	put32(1);
	assert_int_equal(table_len, HEAD_LEN);
	return 0;
}

static void madt_empty_has_no_cpus(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(madt.cpu_cnt, 0);
	assert_int_equal(madt.lapic_paddr, LAPIC_PADDR);
	assert_true(madt.has_8259);
}

static void madt_keeps_sparse_ids_in_order(void **state)
{
	const __u8 ids[] = { 0, 1, 2, 4, 5, 6 };
	__sz i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		put_lapic((__u8)i, ids[i], 1);
	assert_int_equal(parse(), 0);
	assert_int_equal(madt.cpu_cnt, ARRAY_SIZE(ids));
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_int_equal(madt.cpus[i].apic_id, ids[i]);
		assert_int_equal(madt.cpus[i].acpi_uid, i);
	}
}

static void madt_ignores_cpus_that_cannot_run(void **state)
{
	(void)state;
	put_lapic(0, 3, 0);	      /* disabled */
	put_lapic(1, 0xff, 1);	      /* nobody */
	put_lapic(2, 4, 2);	      /* can be brought online */
	put_x2apic(3, 0xffffffff, 1); /* nobody */
	put_x2apic(4, 300, 0);	      /* disabled */
	put_x2apic(5, 300, 1);
	assert_int_equal(parse(), 0);
	assert_int_equal(madt.cpu_cnt, 2);
	assert_int_equal(madt.cpus[0].apic_id, 4);
	assert_int_equal(madt.cpus[1].apic_id, 300);
	assert_int_equal(madt.cpus[1].acpi_uid, 5);
}

static void madt_lists_a_cpu_once(void **state)
{
	(void)state;
	put_lapic(0, 7, 1);
	put_x2apic(0, 7, 1);
	put_lapic(0, 7, 1);
	assert_int_equal(parse(), 0);
	assert_int_equal(madt.cpu_cnt, 1);
}

static void madt_reads_interrupt_wiring(void **state)
{
	const __u64 lapic_paddr = 0x123456789000;

	(void)state;
	put8(1), put8(12), put8(2), put8(0), put32(0xfec00000), put32(24);
	put8(2), put8(10), put8(0), put8(9), put32(20), put16(0xd);
	put8(4), put8(6), put8(0xff), put16(5), put8(1);
	put8(10), put8(12), put16(7), put32(1000), put8(0), put8(0), put16(0);
	put8(4), put8(6), put8(3), put16(0), put8(2); /* no such pin */
	put8(5), put8(12), put16(0), put(&lapic_paddr, sizeof(lapic_paddr));
	assert_int_equal(parse(), 0);

	assert_int_equal(madt.ioapic_cnt, 1);
	assert_int_equal(madt.ioapics[0].paddr, 0xfec00000);
	assert_int_equal(madt.ioapics[0].gsi_base, 24);
	assert_int_equal(madt.ioapics[0].id, 2);
	assert_int_equal(madt.iso_cnt, 1);
	assert_int_equal(madt.isos[0].irq, 9);
	assert_int_equal(madt.isos[0].gsi, 20);
	assert_int_equal(madt.isos[0].flags, 0xd);
	assert_int_equal(madt.nmi_cnt, 2);
	assert_int_equal(madt.nmis[0].acpi_uid, MADT_UID_ALL);
	assert_int_equal(madt.nmis[0].lint, 1);
	assert_int_equal(madt.nmis[1].acpi_uid, 1000);
	assert_int_equal(madt.nmis[1].flags, 7);
	assert_int_equal(madt.lapic_paddr, lapic_paddr);
}

static void madt_skips_unknown_types(void **state)
{
	(void)state;
	put8(0x7f), put8(2);
	put8(0xff), put8(5), put8(1), put8(2), put8(3);
	put_lapic(0, 1, 1);
	assert_int_equal(parse(), 0);
	assert_int_equal(madt.cpu_cnt, 1);
}

static void madt_counts_what_does_not_fit(void **state)
{
	__u32 i;

	(void)state;
	for (i = 0; i < CONFIG_UKPLAT_LCPU_MAXCOUNT + 3; i++)
		put_x2apic(i, i, 1);
	for (i = 0; i < MADT_IOAPIC_MAX + 2; i++)
		put8(1), put8(12), put8(0), put8(0), put32(i), put32(i);
	for (i = 0; i < MADT_ISO_MAX + 1; i++)
		put8(2), put8(10), put8(0), put8(9), put32(20), put16(0);
	for (i = 0; i < MADT_NMI_MAX + 1; i++)
		put8(4), put8(6), put8(0xff), put16(5), put8(1);
	assert_int_equal(parse(), 0);
	assert_int_equal(madt.cpu_cnt, CONFIG_UKPLAT_LCPU_MAXCOUNT);
	assert_int_equal(madt.ioapic_cnt, MADT_IOAPIC_MAX);
	assert_int_equal(madt.iso_cnt, MADT_ISO_MAX);
	assert_int_equal(madt.nmi_cnt, MADT_NMI_MAX);
	assert_int_equal(madt.dropped_cnt, 3 + 2 + 1 + 1);
}

static void madt_refuses_wrong_signature(void **state)
{
	(void)state;
	table[0] = 'B';
	assert_int_equal(parse(), -EINVAL);
}

static void madt_refuses_every_truncation(void **state)
{
	__sz len;

	(void)state;
	put_lapic(0, 1, 1);
	put_x2apic(1, 300, 1);
	for (len = 0; len < table_len; len++) {
		/* The table is longer than what may be read */
		assert_int_equal(parse_len((__u32)table_len, len), -EINVAL);
		/* The table ends within an entry */
		if (len != HEAD_LEN && len != HEAD_LEN + 8)
			assert_int_equal(parse_len((__u32)len, len), -EINVAL);
	}
	assert_int_equal(parse_len(__U32_MAX, table_len), -EINVAL);
}

static void madt_refuses_entry_shorter_than_its_type(void **state)
{
	static const __u8 lens[][2] = { { 0, 8 },  { 1, 12 }, { 2, 10 },
					{ 4, 6 },  { 5, 12 }, { 9, 16 },
					{ 10, 12 } };
	__u8 len;
	__sz i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (len = 0; len <= lens[i][1]; len++) {
			table_len = HEAD_LEN;
			put8(lens[i][0]);
			put8(len);
			/* More follows, so that nothing else is wrong */
			table_len = HEAD_LEN + MAX(len, 2U);
			assert_int_equal(parse(),
					 len < lens[i][1] ? -EINVAL : 0);
		}
	}
}

static void madt_survives_random_bytes(void **state)
{
	__u32 x = 12345;
	unsigned int run;
	__sz i;

	(void)state;
	for (run = 0; run < 20000; run++) {
		table_len = HEAD_LEN + run % 200;
		for (i = HEAD_LEN; i < table_len; i++) {
			x = x * 1664525 + 1013904223;
			/* Small numbers: mostly known types and lengths */
			table[i] = (__u8)(x >> 24 & 0x0f);
		}
		if (parse() == 0)
			assert_true(madt.cpu_cnt <= ARRAY_SIZE(madt.cpus));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(madt_empty_has_no_cpus),
		UNIT_TEST(madt_keeps_sparse_ids_in_order),
		UNIT_TEST(madt_ignores_cpus_that_cannot_run),
		UNIT_TEST(madt_lists_a_cpu_once),
		UNIT_TEST(madt_reads_interrupt_wiring),
		UNIT_TEST(madt_skips_unknown_types),
		UNIT_TEST(madt_counts_what_does_not_fit),
		UNIT_TEST(madt_refuses_wrong_signature),
		UNIT_TEST(madt_refuses_every_truncation),
		UNIT_TEST(madt_refuses_entry_shorter_than_its_type),
		UNIT_TEST(madt_survives_random_bytes),
	};

	return cmocka_run_group_tests_name("madt", tests, NULL, NULL);
}
