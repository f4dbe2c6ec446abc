/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_FIXTURE_TABLE_H__
#define __TEST_FIXTURE_TABLE_H__

/* The page tables of the window, looked at all at once */

#include <uk/arch/types.h>

/** What there is */
struct table_census {
	unsigned long pages;
	unsigned long zombies;
	/** Without the top level; those that have no entry */
	unsigned long tables;
	unsigned long empty;
	/** Tables that are taken out, in the list that was given */
	unsigned long retired;
};

/**
 * Walks the tables; fails the test if an entry is not as it may be, T1 does
 * not hold, or a frame is two things at once (T2).
 *
 * @param head, cnt
 *   A list of tables that are taken out
 */
struct table_census table_census(__paddr_t head, __sz cnt);

/** The same; fails the test if a frame is none of these things, or a table is
 * empty (T3).
 */
struct table_census table_check(__paddr_t head, __sz cnt);

/** Entry of a page; 0 if there is none. */
__u64 table_entry(__uptr addr);

#endif /* __TEST_FIXTURE_TABLE_H__ */
