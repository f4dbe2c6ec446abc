/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_SEED_H__
#define __UKPLAT_SEED_H__

#include "../rng.h"

/** Gathers entropy; returns how much there is, in bits. */
__u32 seed_gather(struct plat_rng *rng);

#endif /* __UKPLAT_SEED_H__ */
