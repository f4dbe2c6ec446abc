/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_EPOCH_RNG_H__
#define __TEST_EPOCH_RNG_H__

/* A port with epochs: the test says which one it is */

#define RND_PORT_HAS_EPOCH 1

#include "../../lib/ukallocrnd/rng.h"

#endif /* __TEST_EPOCH_RNG_H__ */
