/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_KEEP_LARGE_H__
#define __TEST_KEEP_LARGE_H__

/* Large objects as in profile FAST, on a port with epochs */

#include "../../lib/ukallocrnd/config.h"

#define RND_PORT_HAS_EPOCH 1

#undef RND_OPT_LARGE_KEEP
#define RND_OPT_LARGE_KEEP 1
#undef RND_OPT_ZERO
#define RND_OPT_ZERO 0
#undef RND_OPT_WAF
#define RND_OPT_WAF 0
#undef RND_OPT_VERIFY
#define RND_OPT_VERIFY 0
#undef RND_OPT_CANARY
#define RND_OPT_CANARY 0

#include "../../lib/ukallocrnd/large.h"

#endif /* __TEST_KEEP_LARGE_H__ */
