/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include "reclaim.h"

/** What is done to all states that the caller can get hold of */
struct visit {
	struct rnd_cpus *cpus;
	void (*fn)(struct visit *v, struct rnd_pcpu *pc);
	/** Bytes to give back */
	__sz left;
	/** Bytes of slots in use that were counted */
	__sz live;
	/** Bytes that were purged */
	__sz purged;
	/** Quarantines, too */
	__bool all;
};

/* States of threads that have ended */
static void visit_unleased(struct visit *v)
{
	struct rnd_pcpu *pc;
	__u32 i;

	for (i = 1; i < RND_CPU_COUNT; i++) {
		pc = rnd_cpus_get(v->cpus, i);
		if (pc == RND_PCPU_NONE || !rnd_port_cpu_borrow(i))
			continue;
		v->fn(v, pc);
		rnd_port_cpu_return(i);
	}
}

static void visit_states(struct visit *v, struct rnd_pcpu *pc)
{
	struct rnd_cpus *cpus = v->cpus;
	unsigned long flags;

	if (pc != cpus->shared) {
		flags = rnd_lock_acquire(&cpus->shared_lock);
		/* Relaxed: set under this lock */
		if (rnd_load_relaxed(&cpus->shared_used))
			v->fn(v, cpus->shared);
		rnd_lock_release(&cpus->shared_lock, flags);
	}
	visit_unleased(v);
	/* Last: the others may have freed slots of this one */
	v->fn(v, pc);
}

static void trim_state(struct visit *v, struct rnd_pcpu *pc)
{
	__sz len = rnd_pcpu_trim(pc, v->left);

	v->left -= MIN(len, v->left);
}

/* Empties a state, or only what costs no protection */
static void flush_state(struct visit *v, struct rnd_pcpu *pc)
{
	if (v->all)
		rnd_pcpu_flush(v->cpus, pc);
	else
		rnd_pcpu_drain_inbox(pc);
}

static void purge_state(struct visit *v, struct rnd_pcpu *pc)
{
	flush_state(v, pc);
	v->purged += rnd_pcpu_purge(pc);
}

/* What nobody uses: to give it back costs no protection. Returns whether there
 * was anything; then more is wanted the next time
 */
static __bool reclaim_trim(struct rnd_heap *h, struct rnd_pcpu *pc,
			   struct rnd_reclaim *rc)
{
	struct visit v = { .cpus = &h->dyn->cpus, .fn = trim_state };
	__sz len = rnd_large_unpark(&h->dyn->large);

	v.left = rc->want - MIN(len, rc->want);
	if (v.left)
		visit_states(&v, pc);
	if (v.left)
		rc->step++;
	if (!len && v.left == rc->want)
		return 0;
	rc->want += MIN(rc->want, __SZ_MAX - rc->want);

	return 1;
}

static void reclaim_states(struct rnd_heap *h, struct rnd_pcpu *pc,
			   const struct rnd_reclaim *rc,
			   void (*fn)(struct visit *v, struct rnd_pcpu *pc))
{
	struct visit v = { .cpus = &h->dyn->cpus,
			   .fn = fn,
			   .left = __SZ_MAX,
			   .all = rc->all };

	visit_states(&v, pc);
}

static void count_state(struct visit *v, struct rnd_pcpu *pc)
{
	v->live += rnd_pcpu_live(pc);
}

static __sz slab_bytes(const struct rnd_heap *h)
{
	const struct rnd_region *r;
	unsigned long flags;
	unsigned int sc;
	__sz len = 0;

	/* Those of class 0 have no memory */
	for (sc = 1; sc < RND_CLASS_COUNT; sc++) {
		r = rnd_pagemap_region(&h->pm, sc);
		flags = rnd_lock_acquire(&r->dyn->lock);
		len += (__sz)r->dyn->slab_cnt * r->slab_len;
		rnd_lock_release(&r->dyn->lock, flags);
	}

	return len;
}

/* Tells whether a request may be served with the memory of slots that are not
 * in use, and what is free. If enough is free it is not that what is missing:
 * the process has a limit, or there are no addresses
 */
static __bool reclaim_may_be_enough(struct rnd_heap *h, struct rnd_pcpu *pc,
				    __sz req)
{
	struct visit v = { .cpus = &h->dyn->cpus, .fn = count_state };
	__sz left, idle = slab_bytes(h);

	if (req > RND_RECLAIM_MAX)
		return 0;
	visit_states(&v, pc);
	idle -= MIN(idle, v.live);
	left = rnd_vspace_available(&h->dyn->vs) << RND_PAGE_SHIFT;

	return req <= idle + (left < req ? left : idle);
}

__bool rnd_reclaim(struct rnd_heap *h, struct rnd_pcpu *pc,
		   struct rnd_reclaim *rc)
{
	if ((rc->step == RND_RECLAIM_TRIM ||
	     rc->step == RND_RECLAIM_TRIM_FLUSHED) &&
	    reclaim_trim(h, pc, rc))
		return 1;
	if (rc->step == RND_RECLAIM_DONE)
		return 0;

	if (rc->step == RND_RECLAIM_FLUSH && rc->req && rc->all)
		rc->all = reclaim_may_be_enough(h, pc, rc->req);
	if (rc->step++ == RND_RECLAIM_FLUSH) {
		reclaim_states(h, pc, rc, flush_state);
		return 1;
	}
	reclaim_states(h, pc, rc, purge_state);
	(void)rnd_large_unpark(&h->dyn->large);
	if (rc->all)
		rnd_large_purge(&h->dyn->large);

	return 1;
}

__sz rnd_reclaim_purge(struct rnd_heap *h, struct rnd_pcpu *pc)
{
	struct visit v = { .cpus = &h->dyn->cpus, .fn = purge_state };

	visit_states(&v, pc);
	v.purged += rnd_large_unpark(&h->dyn->large);
	rnd_large_purge(&h->dyn->large);

	return v.purged;
}
