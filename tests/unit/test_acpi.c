/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of acpi.c
 *
 * links: plat/common/x86/acpi.c
 *
 * Physical memory is an array. A mapping is a copy of exactly the bytes that
 * were asked for, so that ASan and valgrind find every read beyond them.
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

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define MEM_LEN	    (2UL * 1024 * 1024)
#define RSDP_PADDR  0xf5ad0UL
#define RSDT_PADDR  0x100010UL
#define XSDT_PADDR  0x100203UL
#define TABLE_PADDR 0x100407UL
#define OTHER_PADDR 0x100805UL
#define BODY_LEN    20

static __u8 *mem;
static unsigned int mapped;

const void *acpi_map(__paddr_t paddr, __sz len)
{
	void *copy;

	assert_true(len > 0);
	if (paddr > MEM_LEN || len > MEM_LEN - paddr)
		return NULL;
	copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, mem + paddr, len);
	mapped++;
	return copy;
}

void acpi_unmap(const void *ptr, __sz len)
{
	(void)len;
	mapped--;
	free((void *)(uintptr_t)ptr);
}

static void checksum_fix(__paddr_t paddr, __sz len, __sz at)
{
	__u8 sum = 0;
	__sz i;

	mem[paddr + at] = 0;
	for (i = 0; i < len; i++)
		sum = (__u8)(sum + mem[paddr + i]);
	mem[paddr + at] = (__u8)-sum;
}

static void sdt_fix(__paddr_t paddr, __sz len)
{
	checksum_fix(paddr, len, offsetof(struct acpi_sdt, checksum));
}

static void sig_set(__paddr_t paddr, const char *sig)
{
	memcpy(mem + paddr, sig, sizeof(((struct acpi_sdt *)0)->sig));
}

static void sdt_put(__paddr_t paddr, const char *sig, const void *body,
		    __u32 body_len)
{
	struct acpi_sdt head = { .len = (__u32)sizeof(head) + body_len };

	memcpy(mem + paddr, &head, sizeof(head));
	sig_set(paddr, sig);
	memcpy(mem + paddr + sizeof(head), body, body_len);
	sdt_fix(paddr, head.len);
}

static void len_set(__paddr_t paddr, __u32 len)
{
	memcpy(mem + paddr + offsetof(struct acpi_sdt, len), &len, sizeof(len));
}

static void rsdp_put(__paddr_t paddr, __u8 rev)
{
	struct acpi_rsdp rsdp = { .rev = rev,
				  .rsdt_paddr = RSDT_PADDR,
				  .len = sizeof(rsdp),
				  .xsdt_paddr = XSDT_PADDR };

	memcpy(rsdp.sig, "RSD PTR ", sizeof(rsdp.sig));
	memcpy(mem + paddr, &rsdp, sizeof(rsdp));
	checksum_fix(paddr, 20, offsetof(struct acpi_rsdp, checksum));
	checksum_fix(paddr, sizeof(rsdp),
		     offsetof(struct acpi_rsdp, ext_checksum));
}

/* A sane machine: RSDP -> RSDT and XSDT -> FACP, APIC */
static int setup(void **state)
{
	const __u32 rsdt[] = { OTHER_PADDR, TABLE_PADDR };
	const __u64 xsdt[] = { OTHER_PADDR, TABLE_PADDR };
	const char body[BODY_LEN] = "body";

	(void)state;
	mapped = 0;
	mem = calloc(1, MEM_LEN);
	assert_non_null(mem);
	rsdp_put(RSDP_PADDR, 2);
	sdt_put(RSDT_PADDR, "RSDT", rsdt, sizeof(rsdt));
	sdt_put(XSDT_PADDR, "XSDT", xsdt, sizeof(xsdt));
	sdt_put(OTHER_PADDR, "FACP", body, BODY_LEN);
	sdt_put(TABLE_PADDR, "APIC", body, BODY_LEN);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(mem);
	/* Nothing stays mapped, whatever happened */
	return (int)mapped;
}

static int find(const char *sig)
{
	const struct acpi_sdt *table = NULL;
	int rc = acpi_table_find(RSDP_PADDR, sig, &table);

	if (!rc) {
		assert_memory_equal(table->sig, sig, 4);
		acpi_unmap(table, table->len);
	}
	return rc;
}

static void acpi_finds_table_by_xsdt_and_rsdt(void **state)
{
	(void)state;
	assert_int_equal(find("APIC"), 0);
	memset(mem + RSDT_PADDR, 0, 4);
	assert_int_equal(find("APIC"), 0);
	rsdp_put(RSDP_PADDR, 0);
	assert_int_equal(find("APIC"), -EINVAL);
	sig_set(RSDT_PADDR, "RSDT");
	assert_int_equal(find("APIC"), 0);
}

static void acpi_damaged_xsdt_falls_back_to_rsdt(void **state)
{
	(void)state;
	mem[XSDT_PADDR + 40] ^= 1;
	assert_int_equal(find("APIC"), 0);
	mem[RSDT_PADDR + 40] ^= 1;
	assert_int_equal(find("APIC"), -EINVAL);
}

static void acpi_missing_table_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(find("HPET"), -ENOENT);
}

/* By the byte that the body of each begins with */
static char find_nth(unsigned int nth)
{
	const struct acpi_sdt *table = NULL;
	char first;

	if (acpi_table_find_nth(RSDP_PADDR, "SSDT", nth, &table))
		return 0;
	first = *(const char *)(table + 1);
	acpi_unmap(table, table->len);
	return first;
}

static void acpi_tables_of_one_name_are_told_apart(void **state)
{
	const char one[BODY_LEN] = "1", two[BODY_LEN] = "2";

	(void)state;
	assert_int_equal(0, find_nth(0));
	sdt_put(TABLE_PADDR, "SSDT", two, BODY_LEN);
	assert_int_equal('2', find_nth(0));
	assert_int_equal(0, find_nth(1));
	sdt_put(OTHER_PADDR, "SSDT", one, BODY_LEN);
	assert_int_equal('1', find_nth(0));
	assert_int_equal('2', find_nth(1));
	assert_int_equal(0, find_nth(2));
	assert_int_equal(0, find_nth(__U32_MAX));
	/* One that is damaged keeps its number */
	mem[OTHER_PADDR + 40] ^= 1;
	assert_int_equal(0, find_nth(0));
	assert_int_equal('2', find_nth(1));
}

static void acpi_bad_checksum_is_refused_everywhere(void **state)
{
	__sz i;

	(void)state;
	for (i = 0; i < sizeof(struct acpi_sdt) + BODY_LEN; i++) {
		/* Another signature or length is another error */
		mem[TABLE_PADDR + i] ^= 0x10;
		assert_int_not_equal(find("APIC"), 0);
		mem[TABLE_PADDR + i] ^= 0x10;
	}
	for (i = 0; i < sizeof(struct acpi_rsdp); i++) {
		mem[RSDP_PADDR + i] ^= 0x10;
		/* Revision 18 is checked as revision 2 is */
		assert_int_not_equal(find("APIC"), 0);
		mem[RSDP_PADDR + i] ^= 0x10;
	}
	assert_int_equal(find("APIC"), 0);
}

static void acpi_every_length_is_survived(void **state)
{
	const __paddr_t tables[] = { TABLE_PADDR, XSDT_PADDR };
	const __u32 lens[] = { 0,	   1,	       35,
			       36,	   37,	       0x7fffffff,
			       0xffffffff, 0x80000000, ACPI_TABLE_LEN_MAX + 1,
			       MEM_LEN };
	__sz t, i;
	__u32 old;

	(void)state;
	rsdp_put(RSDP_PADDR, 2);
	memset(mem + RSDT_PADDR, 0, 4);
	for (t = 0; t < ARRAY_SIZE(tables); t++) {
		memcpy(&old, mem + tables[t] + 4, sizeof(old));
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			len_set(tables[t], lens[i]);
			if (lens[i] >= 36 && lens[i] < MEM_LEN / 2)
				sdt_fix(tables[t], lens[i]);
			/* 36 and 37 are valid lengths of the table itself */
			if (t == 0 && lens[i] / 2 == 18)
				assert_int_equal(find("APIC"), 0);
			else
				assert_int_not_equal(find("APIC"), 0);
		}
		len_set(tables[t], old);
		sdt_fix(tables[t], old);
	}
}

static void acpi_table_at_the_end_of_memory_is_refused(void **state)
{
	const __u64 xsdt[] = { MEM_LEN - 8,    MEM_LEN - 40,   __U64_MAX,
			       __U64_MAX - 35, __U64_MAX - 36, 0 };

	(void)state;
	sdt_put(XSDT_PADDR, "XSDT", xsdt, sizeof(xsdt));
	sig_set(MEM_LEN - 8, "APIC");
	sig_set(MEM_LEN - 40, "APIC");
	len_set(MEM_LEN - 40, 44);
	assert_int_equal(find("APIC"), -ENOMEM);
}

static void acpi_rsdp_in_nowhere_is_refused(void **state)
{
	const struct acpi_sdt *table;

	(void)state;
	assert_int_equal(acpi_table_find(MEM_LEN, "APIC", &table), -ENOMEM);
	assert_int_equal(acpi_table_find(__PADDR_MAX, "APIC", &table), -ENOMEM);
	assert_int_equal(acpi_table_find(0, "APIC", &table), -EINVAL);
}

static void acpi_scan_finds_rsdp_in_bios_and_ebda(void **state)
{
	const __u16 segment = 0x9fc0;

	(void)state;
	assert_int_equal(acpi_rsdp_scan(), RSDP_PADDR);
	rsdp_put(0xfffe0, 0);
	memset(mem + RSDP_PADDR, 0, 8);
	assert_int_equal(acpi_rsdp_scan(), 0xfffe0);
	memcpy(mem + 0x40e, &segment, sizeof(segment));
	rsdp_put(0x9fc00 + 1024 - 48, 0);
	assert_int_equal(acpi_rsdp_scan(), 0x9fc00 + 1024 - 48);
}

static void acpi_scan_ignores_what_only_looks_like_rsdp(void **state)
{
	(void)state;
	mem[RSDP_PADDR + 10] ^= 1;
	assert_int_equal(acpi_rsdp_scan(), 0);
	/* Not on a multiple of 16 */
	rsdp_put(0xe0008, 0);
	assert_int_equal(acpi_rsdp_scan(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(acpi_finds_table_by_xsdt_and_rsdt),
		UNIT_TEST(acpi_damaged_xsdt_falls_back_to_rsdt),
		UNIT_TEST(acpi_missing_table_is_not_found),
		UNIT_TEST(acpi_tables_of_one_name_are_told_apart),
		UNIT_TEST(acpi_bad_checksum_is_refused_everywhere),
		UNIT_TEST(acpi_every_length_is_survived),
		UNIT_TEST(acpi_table_at_the_end_of_memory_is_refused),
		UNIT_TEST(acpi_rsdp_in_nowhere_is_refused),
		UNIT_TEST(acpi_scan_finds_rsdp_in_bios_and_ebda),
		UNIT_TEST(acpi_scan_ignores_what_only_looks_like_rsdp),
	};

	return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
