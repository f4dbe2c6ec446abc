/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_UNIKRAFT_DRAW_H__
#define __UKALLOCRND_UNIKRAFT_DRAW_H__

#include <uk/arch/types.h>

/**
 * A random number for the port itself. The caller holds the lock of the port.
 */
__u32 rnd_draw32(void);

#endif /* __UKALLOCRND_UNIKRAFT_DRAW_H__ */
