/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_AREA_H__
#define __UKPLAT_AREA_H__

/* Start of the area table; its use is <uk/plat/memory.h>
 *
 * Invariants
 *   A1 Areas lie in the upper half, at least AREA_GAP apart and away from
 *      its ends.
 *
 * Concurrency
 *   One lock for the table, below none and above none. Mapping happens
 *   outside of it.
 */

#include <uk/arch/types.h>

/* Unmapped addresses around every area */
#define AREA_GAP 0x200000UL

/**
 * Corrects the names in the table after the image has moved.
 *
 * @param delta
 *   New minus old address of the image
 */
void area_rebase(__uptr delta);

#endif /* __UKPLAT_AREA_H__ */
