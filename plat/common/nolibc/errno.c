/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>

/* One a CPU: there are no threads, and interrupt handlers restore it if they
 * call something that sets it. Each on its own cache line.
 */
static struct {
	int val;
} __align(64) errno_cpu[CONFIG_UKPLAT_LCPU_MAXCOUNT];

int *__errno_location(void)
{
	return &errno_cpu[ukplat_lcpu_idx()].val;
}
