/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The source itself, in one configuration: see unikraft_pool.h */

#include "unikraft_pool.h"

#include "../../lib/ukallocrnd/unikraft/frame.c"
