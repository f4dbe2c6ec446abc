/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_UNIKRAFT_POOL_H__
#define __TEST_UNIKRAFT_POOL_H__

/* The port to Unikraft as it is without paging: see unikraft_smp.h */

#define CONFIG_PAGING	0
#define CONFIG_HAVE_SMP 0

#include "unikraft/frame.h"
#include "unikraft/glue.h"

#endif /* __TEST_UNIKRAFT_POOL_H__ */
