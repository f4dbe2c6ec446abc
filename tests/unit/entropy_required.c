/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The source itself, as it is with UKPLAT_ENTROPY_REQUIRE */

#include <uk/config.h>

#undef CONFIG_UKPLAT_ENTROPY_REQUIRE
#define CONFIG_UKPLAT_ENTROPY_REQUIRE 1

#define entropy_collect	 entropy_collect_required
#define entropy_judge	 entropy_judge_required
#define entropy_fresh	 entropy_fresh_required
#define entropy_file_mix entropy_file_mix_required

#include "../../plat/common/entropy.c"
