/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_MIMALLOC_H__
#define __UK_MIMALLOC_H__

/* mimalloc behind the interface of <uk/alloc.h>; port.h tells how
 *
 * Differences from what <uk/alloc.h> promises: objects of up to 8 bytes are
 * aligned to 8 bytes only, and memory that runs out when a page is touched
 * first stops the guest.
 */

#include <uk/alloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Starts mimalloc and registers it. The calling CPU is its main thread.
 *
 * Context: one CPU, interrupts enabled; the others must be idle.
 *
 * @return
 *   The allocator, or __NULL with errno:
 *   - ENOENT: The image was built without mimalloc's source
 *   - ENOMEM: No memory for thread-local data
 */
struct uk_alloc *uk_mimalloc_init(void);

/** The same with MI_SECURE=4 */
struct uk_alloc *uk_mimalloc_secure_init(void);

/**
 * Gives back the memory that no object needs, on each CPU: free pages, and
 * segments without objects.
 *
 * Context: as uk_mimalloc_init().
 */
void uk_mimalloc_collect(struct uk_alloc *a);

/** The same with MI_SECURE=4 */
void uk_mimalloc_secure_collect(struct uk_alloc *a);

/**
 * Runs the API test of mimalloc's source package on the allocator, which must
 * have been started. Prints each of its cases.
 *
 * @return
 *   Number of cases that failed, or -ENOENT as above
 */
int uk_mimalloc_check(void);

/** The same with MI_SECURE=4 */
int uk_mimalloc_secure_check(void);

#ifdef __cplusplus
}
#endif

#endif /* __UK_MIMALLOC_H__ */
