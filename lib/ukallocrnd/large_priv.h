/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_LARGE_PRIV_H__
#define __UKALLOCRND_LARGE_PRIV_H__

/* What the files of large objects share
 *
 *   large.c       made, found
 *   large_park.c  pages that wait for the next object
 *   large_free.c  freed
 *   large_move.c  resized
 */

#include "large.h"

/**
 * Reserves a place with guards for the pages of a span.
 *
 * @param[out] sp
 *   addr (of the first page), map, map_len and prio; pages is given
 *
 * @return
 *   - (0): Reserved, nothing committed
 *   - (-ENOMEM): No place found
 */
int rnd_large_place(struct rnd_large *lg, struct rnd_span *sp, __sz align);

/** Draws where in its first page an object starts, and writes its canary */
void rnd_large_seat(struct rnd_large *lg, struct rnd_span *sp, __sz align);

/** Fills all bytes around the object of a span */
void rnd_large_canary_write(const struct rnd_large *lg,
			    const struct rnd_span *sp);

/**
 * Makes pages of a live object a LEAVING span. Under the lock. Parameters as
 * of rnd_large_free().
 *
 * @return
 *   Its number + 1; 0: there is no such object
 */
__u32 rnd_large_claim(struct rnd_large *lg, __uptr addr, __sz cnt, __u8 kind,
		      __u32 cpu);

/**
 * A span without memory enters the quarantine, and what it pushes out is
 * released.
 *
 * @param is_lost
 *   Its place is not ours any more: it leaves at once
 */
void rnd_large_retire(struct rnd_large *lg, __u32 n, __bool is_lost);

/**
 * Gives a span a place with parked pages. Those that it does not need become
 * guard. Not a sample: a parked place may be without guards.
 *
 * @return
 *   1 if there were any that fit
 */
__bool rnd_large_take_parked(struct rnd_large *lg, struct rnd_span *sp,
			     __sz align);

/**
 * Allocates an object where a freed one was kept. Those of its pages that it
 * does not need become guard.
 *
 * @param sp
 *   The object, as far as it is known
 * @param align
 *   Of its pages
 *
 * @return
 *   The object, or __NULL
 */
void *rnd_large_take_kept(struct rnd_large *lg,
			  const struct rnd_large_want *want,
			  const struct rnd_span *sp, __sz align);

/**
 * Keeps a claimed span as it is.
 *
 * @param n, sp
 *   Its number + 1, and what it is
 *
 * @return
 *   1 if it is kept
 */
__bool rnd_large_keep(struct rnd_large *lg, __u32 n, const struct rnd_span *sp);

/**
 * Moves the pages of a claimed span to a new place and parks them there, if
 * most of them were ever touched: clearing touches all. Not those of a sample,
 * whose place is to stay known.
 *
 * @return
 *   - (0), (1): As rnd_port_move()
 *   - (-ENOTSUP), (-ENOMEM): They are where they were
 */
int rnd_large_park(struct rnd_large *lg, const struct rnd_span *sp);

#endif /* __UKALLOCRND_LARGE_PRIV_H__ */
