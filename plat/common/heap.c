/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>

/* A program without an allocator library has no heap. In a file of its own,
 * because the compiler takes a definition that it sees for a near one.
 */
int __weak ukplat_heap_init(void)
{
	return 0;
}
