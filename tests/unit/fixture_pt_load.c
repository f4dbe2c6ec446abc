/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The loader's part: page tables before the first instruction of the guest */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_pt.h"
#include "../../plat/common/loader/loader.h"
#include "../../plat/common/loader/tables.h"

struct boot_info boot_info;

__u64 loader_pml4[UKARCH_PT_ENTRIES];

__u64 loader_uniform(void *arg __unused, __u64 bound)
{
	static __u64 seed = 7;

	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 33) % bound;
}

void pt_boot_tables(void)
{
	const struct memregion *r;
	unsigned int i;

	memset(&boot_info, 0, sizeof(boot_info));
	memset(loader_pml4, 0, sizeof(loader_pml4));
	tables_identity = ram.view;
	boot_info.direct_map = ram.direct;
	boot_info.window = ram.window;
	boot_info.map_len = RAM_END;
	assert_int_equal(memregion_add(&boot_info.map, RAM_START,
				       RAM_END - RAM_START, MEMREGION_FREE),
			 0);
	assert_int_equal(tables_init(RAM_END), 0);
	assert_int_equal(tables_window(), 0);
	for (i = 0; i < boot_info.map.cnt; i++) {
		r = &boot_info.map.r[i];
		if (r->type == MEMREGION_FREE)
			assert_int_equal(tables_direct_map(r->start, r->end),
					 0);
	}
	tables_finish(PT_UPPER);
	assert_memory_equal(loader_pml4 + UKARCH_PT_UPPER_HALF,
			    ram_words(boot_info.pt_root) + UKARCH_PT_UPPER_HALF,
			    UKARCH_PT_ENTRIES / 2 * sizeof(__u64));
}
