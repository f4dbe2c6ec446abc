/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Becoming the default allocator of a Unikraft image
 *
 * ukboot calls the initializer of the allocator that its menu names. The
 * linker sends that call here (--wrap). What it gives depends on the image:
 *
 *   no paging        each piece of free memory, where it is
 *   paging           pages that map all free frames
 *   paging, ukvmem   16 pages, and later an area without memory
 *
 * In all three cases the memory joins what the port has (rnd_port_adopt()),
 * and the heap lives in the port's window.
 */

#include <uk/allocrnd.h>
#include <uk/essentials.h>

#include "../port.h"

/* Called by the linker's name for uk_allocbbuddy_init() */
struct uk_alloc *__wrap_uk_allocbbuddy_init(void *base, __sz len);

struct uk_alloc *__wrap_uk_allocbbuddy_init(void *base, __sz len)
{
	return uk_allocrnd_init(base, len);
}
