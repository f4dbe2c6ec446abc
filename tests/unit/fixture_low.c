/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "fixture_low.h"

#define PAGE_LEN 4096UL

__u8 *low;
struct loader_modules low_modules;

int low_setup(void **state)
{
	(void)state;
	if (!low) {
		void *at = mmap(NULL, LOW_LEN + PAGE_LEN,
				PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

		if (at == MAP_FAILED)
			return -1;
		low = at;
		if (mprotect(low + LOW_LEN, PAGE_LEN, PROT_NONE))
			return -1;
	}
	memset(low, 0, LOW_LEN);
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&low_modules, 0, sizeof(low_modules));
	memset(loader_rsdp, 0, sizeof(loader_rsdp));
	return 0;
}

__paddr_t low_paddr(__sz offset)
{
	return (__paddr_t)low + offset;
}

void low_put32(__sz offset, __u32 val)
{
	memcpy(low + offset, &val, sizeof(val));
}

void low_put64(__sz offset, __u64 val)
{
	memcpy(low + offset, &val, sizeof(val));
}

void assert_map(unsigned int i, __paddr_t start, __sz len,
		enum memregion_type type)
{
	assert_true(i < boot_info.map.cnt);
	assert_int_equal(boot_info.map.r[i].start, start);
	assert_int_equal(boot_info.map.r[i].end, start + len);
	assert_int_equal(boot_info.map.r[i].type, type);
}

void assert_module(unsigned int i, __paddr_t paddr, __sz len)
{
	assert_true(i < low_modules.cnt);
	assert_int_equal(low_modules.m[i].paddr, paddr);
	assert_int_equal(low_modules.m[i].len, len);
}
