/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The source itself, as it is on a port with epochs */

#include "epoch_rng.h"

#include "../../lib/ukallocrnd/rng.c"
