/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uk/essentials.h>
#include <uk/plat/tlb.h>

#include "fake_tlb.h"

__u64 ukplat_tlb_gen;
struct fake_tlb fake_tlb;

void fake_tlb_reset(void)
{
	ukplat_tlb_gen = 0;
	fake_tlb = (struct fake_tlb){ .passed = 0 };
}

void fake_tlb_pass(__u64 gen)
{
	assert_true(gen <= ukplat_tlb_gen);
	fake_tlb.passed = MAX(fake_tlb.passed, gen);
}

__u64 ukplat_tlb_close(int own)
{
	fake_tlb.closes++;
	fake_tlb.own = own;
	ukplat_tlb_gen++;
	if (fake_tlb.on_close)
		fake_tlb.on_close();
	return ukplat_tlb_gen;
}

int ukplat_tlb_passed(__u64 gen)
{
	assert_in_range(gen, 1, ukplat_tlb_gen);
	if (gen > fake_tlb.passed)
		return 0;
	if (fake_tlb.on_passed)
		fake_tlb.on_passed(gen);
	return 1;
}

void ukplat_tlb_sync(__u64 gen)
{
	fake_tlb.syncs++;
	fake_tlb.synced = gen;
	fake_tlb_pass(gen);
}
