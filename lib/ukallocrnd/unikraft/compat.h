/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_UNIKRAFT_COMPAT_H__
#define __UKALLOCRND_UNIKRAFT_COMPAT_H__

/* Included in front of every file of the library: what <uk/essentials.h> and
 * <uk/arch/types.h> bring along in the stand-alone guest, and Unikraft has
 * elsewhere
 */
#include <uk/arch/lcpu.h>
#include <uk/arch/limits.h>
#include <uk/arch/types.h>

/* 0.17.0 has none; again the same is no error */
typedef _Bool __bool;

#endif /* __UKALLOCRND_UNIKRAFT_COMPAT_H__ */
