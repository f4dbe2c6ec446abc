/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __FIXTURE_PCLASS_H__
#define __FIXTURE_PCLASS_H__

/* One part of a size class on top of a real region, for the unit tests of
 * pclass.c: what malloc and free do with it, and where every slot is
 */

#include <uk/arch/types.h>

#include "pclass.h"

#define CPU 2
#define SC  6 /* 96 bytes, 512 slots */

/* Slots of a region that a test may open */
#define SLOTS_MAX (1U << 18)

extern struct rnd_vspace vs;
extern struct rnd_region r;
extern struct rnd_region_dyn dyn;
extern struct rnd_canary_key key;
extern struct rnd_rng rng;
extern struct rnd_pclass pl;
/** Fewest slots that a draw had to choose from, since make() */
extern __u32 least;

/** For each test: a fresh one, and its end */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/** The same for any size class, and with other random choices */
void make(unsigned int sc);
void make_seeded(unsigned int sc, __u32 number);

__u32 state_of(__u32 n);
__bool is_in_bitmap(__u32 n);

/** Draws like malloc; the slot is live then. ~0: no memory */
__u32 try_pop(void);
/** The same; there is memory */
__u32 pop(void);
/** What free does */
void push(__u32 n);

/** P1 to P4 and S3: every slot of every slab is in exactly one place */
void assert_sound(void);

#endif /* __FIXTURE_PCLASS_H__ */
