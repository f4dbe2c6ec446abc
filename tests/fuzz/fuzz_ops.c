/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Fuzz target: sequences of valid operations
 *
 * Contents, alignment, usable sizes and statistics must be those of the
 * reference, and nothing may be reported.
 */

#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };

	world_begin();
	while (in.len)
		world_op(&in);
	world_end();
	return 0;
}
