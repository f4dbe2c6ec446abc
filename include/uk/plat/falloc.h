/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_FALLOC_H__
#define __UK_PLAT_FALLOC_H__

/* The frame allocator of this machine; see <uk/falloc.h> */

#include <uk/config.h>
#include <uk/falloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The frame allocator that owns all RAM nobody else uses. */
struct uk_falloc *ukplat_falloc_get(void);

/**
 * Bytes that are free: those that free_memory counts, and those that CPUs
 * hold in caches to be fast. Takes no lock, so it may be outdated at once.
 */
__sz ukplat_falloc_available(void);

/**
 * Bytes of frames that are promised to pages nobody has touched yet. They are
 * free, but not available. Takes no lock, so it may be outdated at once.
 */
__sz ukplat_falloc_promised(void);

#ifdef CONFIG_UKPLAT_FALLOC_INJECT
/**
 * Makes one later allocation fail, for tests of failure paths.
 *
 * @param after
 *   Number of allocations that still succeed before that one;
 *   UKPLAT_FALLOC_INJECT_OFF for none to fail
 */
void ukplat_falloc_inject(unsigned long after);

#define UKPLAT_FALLOC_INJECT_OFF (~0UL)
#endif /* CONFIG_UKPLAT_FALLOC_INJECT */

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_FALLOC_H__ */
