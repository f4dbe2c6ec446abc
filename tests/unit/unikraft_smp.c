/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The sources themselves, in one configuration: see unikraft_smp.h */

#include "unikraft_smp.h"

#include "../../lib/ukallocrnd/unikraft/frame.c"
#include "../../lib/ukallocrnd/unikraft/generation.c"
#include "../../lib/ukallocrnd/unikraft/table.c"
#include "../../lib/ukallocrnd/unikraft/unmapq.c"
