/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_FAKE_MMU_H__
#define __TEST_FAKE_MMU_H__

/* What CPUs remember of page tables, for unit tests
 *
 * Each CPU of fake_glue.h has a TLB and caches for the tables on the way to a
 * page, which lose nothing until they have to. An access takes what is
 * remembered, however old; otherwise it walks the tables, from the top or from
 * one that is remembered. A real CPU may do that at any time, asked or not.
 */

#include <uk/arch/types.h>

/** 1: forgetting a page forgets the tables that led to it, but no others.
 * CPUs may do that (EFER.TCE) if they are asked to.
 */
extern __bool fake_mmu_is_narrow;

/** No CPU remembers anything; forgetting a page forgets all tables. */
void fake_mmu_reset(void);

/**
 * Lets a CPU access memory.
 *
 * @return
 *   The byte, or __NULL if the access faults
 */
void *fake_mmu_access(__u32 cpu, __uptr addr, __bool is_write);

/** True if a CPU remembers a page. */
__bool fake_mmu_remembers(__u32 cpu, __uptr addr);

/** The CPU forgets a page and tables. */
void fake_mmu_forget(__u32 cpu, __uptr addr);

/** The CPU forgets everything. */
void fake_mmu_forget_all(__u32 cpu);

/** Fails the test if a CPU remembers a frame, as a page or as a table. */
void fake_mmu_assert_forgotten(__paddr_t frame);

#endif /* __TEST_FAKE_MMU_H__ */
