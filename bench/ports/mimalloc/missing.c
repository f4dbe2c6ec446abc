/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Stands in for mimalloc when its source is not there */

#include <errno.h>

#include <uk/essentials.h>

#include "uk_mimalloc.h"

struct uk_alloc *uk_mimalloc_init(void)
{
	errno = ENOENT;
	return __NULL;
}

struct uk_alloc *uk_mimalloc_secure_init(void)
{
	errno = ENOENT;
	return __NULL;
}

void uk_mimalloc_collect(struct uk_alloc *a __unused) {}

void uk_mimalloc_secure_collect(struct uk_alloc *a __unused) {}

int uk_mimalloc_check(void)
{
	return -ENOENT;
}

int uk_mimalloc_secure_check(void)
{
	return -ENOENT;
}
