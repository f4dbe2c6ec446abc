/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __FIXTURE_REGION_H__
#define __FIXTURE_REGION_H__

/* A region of its own, for the unit tests of region.c
 */

#include <uk/arch/types.h>

#include "region.h"

#define OWNER	  3
/* A class with small slabs. Neither they nor the descriptors of a group are a
 * power of two
 */
#define SC	  3
#define MAX_SLABS 8192U

extern struct rnd_vspace vs;
extern struct rnd_region r;
extern struct rnd_region_dyn dyn;
/** Windows in use */
extern __u64 used[RND_WINDOW_COUNT / 64];
/** For tests: what they have seen of each slab */
extern __u8 seen[MAX_SLABS];

/** For each test: a fresh one, and its end */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/** The same for any size class */
void make(unsigned int sc);

__sz slab_len(void);
__uptr slab_base(__u32 idx);
/** End of the state words of the slabs below idx */
__uptr states_end(__u32 idx);
/** Start of their descriptors, which grow down; end of all descriptors */
__uptr descs_start(__u32 idx);
__uptr descs_end(void);

/** Takes a slab; there is one */
struct rnd_slab *take(void);

/** The documented places of guards */
__bool is_guard(__u32 idx);

/** Takes all slabs of the first groups, and tests R1 after each of them */
void open_groups_r1(__u32 groups);

#endif /* __FIXTURE_REGION_H__ */
