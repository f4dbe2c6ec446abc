/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __FIXTURE_VAS_H__
#define __FIXTURE_VAS_H__

/* An active address space on the fake page table, with FRAMES frames: made
 * before each test, and gone without a trace after it. Included once by each.
 */

#include <uk/vmem.h>

#include "fake_paging.h"

static const __vaddr_t base = UK_VAS_START + 0x10000000UL;
static struct uk_vas vas;

static int setup(void **state)
{
	(void)state;
	fake_reset(FRAMES);
	if (uk_vas_init(&vas, &fake_pt, NULL) || uk_vas_set_active(&vas))
		return -1;
	fake.vas = &vas;
	return 0;
}

/* All frames go back, whatever was done */
static int teardown(void **state)
{
	(void)state;
	fake.fail_after = FAKE_NEVER;
	uk_vas_destroy(&vas);
	return fake.frames_free != fake.frames_total || fake_mapped();
}

/* Address of a page by its number from base on */
static inline __vaddr_t page(__sz n)
{
	return base + n * PAGE_SIZE;
}

#endif /* __FIXTURE_VAS_H__ */
