/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_UNIKRAFT_SMP_H__
#define __TEST_UNIKRAFT_SMP_H__

/* The port to Unikraft as it is with paging and several CPUs. Unikraft's
 * options are none of ours: whoever looks at its headers includes this first.
 */

#define CONFIG_PAGING	1
#define CONFIG_HAVE_SMP 1

#include "unikraft/frame.h"
#include "unikraft/generation.h"
#include "unikraft/glue.h"
#include "unikraft/table.h"
#include "unikraft/unmapq.h"

#endif /* __TEST_UNIKRAFT_SMP_H__ */
