/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The sources of large objects with the options of keep_large.h */

#include "keep_large.h"

/* Not copies of them */
/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "../../lib/ukallocrnd/rng.c"
#include "../../lib/ukallocrnd/vspace.c"
#include "../../lib/ukallocrnd/park.c"
#include "../../lib/ukallocrnd/span.c"
#include "../../lib/ukallocrnd/large_park.c"
#include "../../lib/ukallocrnd/large_free.c"
#include "../../lib/ukallocrnd/large_move.c"
#include "../../lib/ukallocrnd/large.c"
/* NOLINTEND(bugprone-suspicious-include) */
