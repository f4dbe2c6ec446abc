/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PT_POOL_PRIV_H__
#define __UKPLAT_PT_POOL_PRIV_H__

/* What the files of the pool share
 *
 *   pt_pool.c       tables are drawn and put
 *   pt_pool_grow.c  blocks come and go
 *
 * Blocks are added and removed under the lock of pt_pool_grow.c.
 */

#include <uk/arch/types.h>

/** Tells whether there is no room for another block. */
int pt_pool_is_full(void);

/** Adds a block whose tables are free and stale, and are in the window. */
void pt_pool_block_add(__paddr_t paddr);

/**
 * Removes a block without tables in use, if enough others are left.
 *
 * @return
 *   Its address, or __PADDR_INV if there is none
 */
__paddr_t pt_pool_block_remove(void);

#endif /* __UKPLAT_PT_POOL_PRIV_H__ */
