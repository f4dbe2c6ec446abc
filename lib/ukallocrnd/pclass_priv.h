/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_PCLASS_PRIV_H__
#define __UKALLOCRND_PCLASS_PRIV_H__

/* What the files of a CPU's part of a size class share
 *
 *   pclass.c        made, filled
 *   pclass_free.c   what comes back
 *   pclass_list.c   slabs with free slots
 *   pclass_purge.c  memory is given back
 */

#include "atomic.h"
#include "fill.h"
#include "pclass.h"

/** Tells whether all slots of a slab are free, as far as its bitmap says */
static inline __bool rnd_slab_is_empty(const struct rnd_slab *s)
{
	return s->free_cnt == s->slots;
}

/**
 * Tells whether a slab can be purged: it is free, and no other CPU still looks
 * at it. A visitor may have set the last remote bit and be about to put it in
 * our inbox.
 */
static inline __bool rnd_slab_is_quiet(struct rnd_slab *s)
{
	/* Acquire: pairs with the release in deliver() */
	return rnd_slab_is_empty(s) && !rnd_load_acquire(&s->visit);
}

/** Puts a slab on the partial list: free ones to the end, to be used last */
void rnd_pclass_list(struct rnd_pclass *pl, struct rnd_slab *s);

/** Removes a slab from the partial list, not from the number of free ones */
void rnd_pclass_unlist(struct rnd_pclass *pl, struct rnd_slab *s);

/** Removes a slab from the partial list */
void rnd_pclass_take_listed(struct rnd_pclass *pl, struct rnd_slab *s);

/** Makes a slab one that refills take from; there is room for it */
void rnd_pclass_activate(struct rnd_pclass *pl, struct rnd_slab *s);

/** Makes the i-th such slab one of no list */
void rnd_pclass_deactivate(struct rnd_pclass *pl, __u32 i);

/** Reports a free slot that is not zero */
void __noinline __noreturn rnd_pclass_verify_report(const struct rnd_pclass *pl,
						    __u32 n, const char *op);

/**
 * Tests that a free slot, of a class with memory, is zero.
 *
 * @param op
 *   What it is tested for, for the report
 */
static inline void rnd_pclass_verify(const struct rnd_pclass *pl, __u32 n,
				     const char *op)
{
	if (unlikely(!rnd_fill_is_zero(rnd_pclass_slot(pl, n), pl->slot_len)))
		rnd_pclass_verify_report(pl, n, op);
}

#endif /* __UKALLOCRND_PCLASS_PRIV_H__ */
