/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_SLOW_PRIV_H__
#define __UKALLOCRND_SLOW_PRIV_H__

/* What the files of the slow paths share
 *
 *   slow.c       allocation
 *   slow_free.c  freeing
 */

#include "fast.h"

/** Leaves a slow path, so that the next one comes by when a sample is due */
static inline void rnd_slow_leave(struct rnd_heap *h, struct rnd_ctx ctx)
{
	if (RND_OPT_SAMPLE)
		rnd_countdown_cut(&ctx.pc->countdown, &ctx.pc->rng);
	rnd_ctx_leave(&h->dyn->cpus, ctx);
}

#endif /* __UKALLOCRND_SLOW_PRIV_H__ */
