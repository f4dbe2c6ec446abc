/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_SEED_H__
#define __UKPLAT_SEED_H__

#include "loader.h"

/**
 * Gathers entropy for this boot, and hides `seed=` of the command line. Fills
 * what boot_info says about the seed, but for the seed.
 *
 * @param[out] rng
 *   Receives the generator of all places
 * @param modules
 *   Files that came with the loader: those that are no images are seeds
 */
void seed_gather(struct plat_rng *rng, const struct loader_modules *modules);

#endif /* __UKPLAT_SEED_H__ */
