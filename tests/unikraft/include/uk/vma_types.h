/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_VMA_TYPES_H__
#define __STANDIN_UK_VMA_TYPES_H__

/* Stands for lib/ukvmem/include/uk/vma_types.h of Unikraft. */

#include <uk/vmem.h>

#endif /* __STANDIN_UK_VMA_TYPES_H__ */
