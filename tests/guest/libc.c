/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdlib.h>

#include "libc.h"

const volatile struct libc libc = {
	.malloc = malloc,
	.calloc = calloc,
	.realloc = realloc,
	.posix_memalign = posix_memalign,
	.free = free,
};
