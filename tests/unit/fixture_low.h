/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __FIXTURE_LOW_H__
#define __FIXTURE_LOW_H__

/* Memory as machines describe it to the loader: below 4 GiB, with nothing
 * behind it. What is written there follows the specifications by offset, not
 * by the structures of the loader.
 */

#include "../../plat/common/loader/loader.h"

/* Bytes of the memory; an access behind them faults */
#define LOW_LEN 0x18000U

/** First byte; address and pointer are the same number. */
extern __u8 *low;

/** Modules that were found */
extern struct loader_modules low_modules;

/** Makes the memory once; clears it, boot_info and the modules each time. */
int low_setup(void **state);

/** Address of an offset. */
__paddr_t low_paddr(__sz offset);

/** Writes numbers, little endian, at any offset. */
void low_put32(__sz offset, __u32 val);
void low_put64(__sz offset, __u64 val);

/** Fails unless the map has exactly one more region, and this one. */
void assert_map(unsigned int i, __paddr_t start, __sz len,
		enum memregion_type type);

/** Fails unless a module is this one. */
void assert_module(unsigned int i, __paddr_t paddr, __sz len);

#endif /* __FIXTURE_LOW_H__ */
