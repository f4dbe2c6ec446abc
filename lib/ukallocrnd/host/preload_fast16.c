/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The fast paths for processors with registers of 16 bytes */

#define RND_FAST_REGISTER 16
#define RND_FAST(name)	  rnd_fast16_##name

#include "preload_paths.h"
