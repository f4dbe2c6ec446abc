/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_UNIKRAFT_ALONE_H__
#define __TEST_UNIKRAFT_ALONE_H__

/* The port to Unikraft as it is with paging and one CPU that can ever run: see
 * unikraft_smp.h
 */

#define CONFIG_PAGING	1
#define CONFIG_HAVE_SMP 0

#include "unikraft/frame.h"
#include "unikraft/generation.h"
#include "unikraft/glue.h"
#include "unikraft/table.h"
#include "unikraft/unmapq.h"

#endif /* __TEST_UNIKRAFT_ALONE_H__ */
