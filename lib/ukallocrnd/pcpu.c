/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>

#include "pcpu.h"
#include "report.h"

/* States are apart by a page that is never committed */
#define PCPU_LEN    ALIGN_UP(sizeof(struct rnd_pcpu), RND_PAGE_LEN)
#define PCPU_STRIDE (PCPU_LEN + RND_PAGE_LEN)

/* Looks like the first word of a state, thus aligned like one */
const __u32 rnd_pcpu_busy __align(128) = 1;
__u32 rnd_world_stopped;

UK_CTASSERT(__builtin_offsetof(struct rnd_pcpu, busy) == 0);
UK_CTASSERT(__alignof__(struct rnd_pcpu) == 128);

/* Memory for a state: zero */
static struct rnd_pcpu *pcpu_commit(const struct rnd_cpus *cpus, __u32 idx)
{
	__uptr addr = cpus->area + idx * PCPU_STRIDE;

	if (unlikely(rnd_vspace_commit(cpus->vs, addr, PCPU_LEN,
				       RND_BACKING_META)))
		return __NULL;

	return (struct rnd_pcpu *)addr;
}

static struct rnd_pcpu *pcpu_make(const struct rnd_cpus *cpus, __u32 idx)
{
	struct rnd_pcpu *pc = pcpu_commit(cpus, idx);

	if (likely(pc)) {
		pc->idx = idx;
		rnd_rng_start(&pc->rng);
	}

	return pc;
}

int rnd_cpus_init(struct rnd_cpus *cpus, const struct rnd_pagemap *pm,
		  struct rnd_vspace *vs)
{
	const __sz len = RND_CPU_COUNT * PCPU_STRIDE;
	__u32 i;
	int rc;

	cpus->pm = pm;
	cpus->vs = vs;
	rnd_lock_init(&cpus->shared_lock, RND_RANK_SHARED);
	for (i = 0; i < RND_CPU_COUNT; i++)
		cpus->table[i] = RND_PCPU_NONE;

	rc = rnd_vspace_reserve_meta(vs, len, &cpus->area);
	if (unlikely(rc))
		return rc;

	/* The index of this one is 0 without being written */
	cpus->shared_used = 0;
	cpus->shared_owner = 0;
	cpus->shared = pcpu_commit(cpus, 0);
	if (unlikely(!cpus->shared)) {
		rnd_vspace_release_meta(cpus->area, len);
		return -ENOMEM;
	}

	return 0;
}

void rnd_cpus_destroy(struct rnd_cpus *cpus)
{
	rnd_vspace_release_meta(cpus->area, RND_CPU_COUNT * PCPU_STRIDE);
}

/*
 * Entering
 */

/* Both under the lock. A signal handler that comes in between must find itself
 * as the owner whenever it finds the state busy
 */
static void shared_enter(struct rnd_cpus *cpus)
{
	if (RND_PORT_CAN_STOP)
		rnd_store_relaxed(&cpus->shared_owner, rnd_port_context());
	barrier();
	rnd_store_relaxed(&cpus->shared->busy, 1);
	barrier();
}

static void shared_leave(struct rnd_cpus *cpus)
{
	rnd_pcpu_leave(cpus->shared);
	barrier();
	if (RND_PORT_CAN_STOP)
		rnd_store_relaxed(&cpus->shared_owner, 0);
}

/* Makes the state of index idx; its CPU is here, so nobody else makes it,
 * except for an interrupt handler, which the lock keeps out. Who makes one is
 * inside the shared state, so that fork() does not come in between.
 */
static void pcpu_create(struct rnd_cpus *cpus, __u32 idx)
{
	unsigned long flags;
	struct rnd_pcpu *pc;

	flags = rnd_lock_acquire(&cpus->shared_lock);
	if (RND_PORT_CAN_STOP)
		shared_enter(cpus);
	if (likely(!rnd_load_relaxed(&rnd_world_stopped)) &&
	    rnd_load_relaxed(&cpus->table[idx]) == RND_PCPU_NONE) {
		pc = pcpu_make(cpus, idx);
		/* Release: the state is complete. Pairs with the acquire in
		 * rnd_cpus_get()
		 */
		if (likely(pc))
			rnd_store_release(&cpus->table[idx], pc);
	}
	if (RND_PORT_CAN_STOP)
		shared_leave(cpus);
	rnd_lock_release(&cpus->shared_lock, flags);
}

static struct rnd_pcpu *pcpu_enter_own(struct rnd_cpus *cpus)
{
	__u32 idx = rnd_port_cpu();
	struct rnd_pcpu *pc;

	if (!idx)
		idx = rnd_port_cpu_lease();
	if (!idx)
		return __NULL;
	if (rnd_load_relaxed(&cpus->table[idx]) == RND_PCPU_NONE)
		pcpu_create(cpus, idx);

	pc = rnd_cpus_own(cpus->table);

	return rnd_pcpu_enter(pc) ? pc : __NULL;
}

/* Enters the shared state, if the world runs. Nobody has touched it before the
 * first one does
 */
static RND_UNANALYZED struct rnd_ctx __noinline
ctx_enter_shared(struct rnd_cpus *cpus)
{
	struct rnd_ctx ctx = { .pc = cpus->shared };

	ctx.flags = rnd_lock_acquire(&cpus->shared_lock);
	shared_enter(cpus);
	if (unlikely(rnd_load_relaxed(&rnd_world_stopped))) {
		rnd_ctx_leave(cpus, ctx);
		ctx.pc = __NULL;
		return ctx;
	}
	/* Relaxed, both: under the lock */
	if (unlikely(!rnd_load_relaxed(&cpus->shared_used))) {
		rnd_rng_start(&ctx.pc->rng);
		rnd_store_relaxed(&cpus->shared_used, 1);
	}

	return ctx;
}

RND_UNANALYZED static struct rnd_ctx __noinline
ctx_enter_slow(struct rnd_cpus *cpus)
{
	struct rnd_ctx ctx = { .flags = 0 };
	unsigned int turn = 0;

	for (;;) {
		/* Acquire: as in rnd_ctx_enter() */
		while (unlikely(rnd_load_acquire(&rnd_world_stopped)))
			rnd_port_yield(turn++);

		ctx.pc = pcpu_enter_own(cpus);
		if (likely(ctx.pc))
			break;
		ctx = ctx_enter_shared(cpus);
		if (likely(ctx.pc))
			break;
	}

	return ctx;
}

RND_UNANALYZED struct rnd_ctx rnd_ctx_enter(struct rnd_cpus *cpus)
{
	struct rnd_ctx ctx = { .pc = rnd_cpus_own(cpus->table) };

	/* Acquire: pairs with the release in rnd_world_start() */
	if (unlikely(rnd_load_acquire(&rnd_world_stopped) ||
		     !rnd_pcpu_enter(ctx.pc)))
		ctx = ctx_enter_slow(cpus);
	/* Every slow path comes by here */
	rnd_rng_follow(&ctx.pc->rng);

	return ctx;
}

RND_UNANALYZED void rnd_ctx_leave(struct rnd_cpus *cpus, struct rnd_ctx ctx)
{
	if (likely(ctx.pc != cpus->shared)) {
		rnd_pcpu_leave(ctx.pc);
		return;
	}
	shared_leave(cpus);
	rnd_lock_release(&cpus->shared_lock, ctx.flags);
}

__bool rnd_cpus_is_interrupted(const struct rnd_cpus *cpus, __u32 idx)
{
	const struct rnd_pcpu *pc = rnd_cpus_get(cpus, idx);

	if (pc == RND_PCPU_NONE || !rnd_load_relaxed(&pc->busy))
		return 0;
	if (idx)
		return idx == rnd_port_cpu();

	/* It may be busy with somebody else */
	return RND_PORT_CAN_STOP &&
	       rnd_load_relaxed(&cpus->shared_owner) == rnd_port_context();
}

__bool rnd_cpus_wait(struct rnd_cpus *cpus, unsigned int turns)
{
	const struct rnd_pcpu *pc;
	unsigned int turn;
	__u32 i;

	/* The shared state last: who makes another one is in there */
	for (i = RND_CPU_COUNT; i; i--) {
		pc = rnd_cpus_get(cpus, i - 1);
		if (pc == RND_PCPU_NONE || rnd_cpus_is_interrupted(cpus, i - 1))
			continue;
		/* Acquire: pairs with the release in rnd_pcpu_leave() */
		for (turn = 0; rnd_load_acquire(&pc->busy); turn++) {
			if (unlikely(turn == turns))
				return 0;
			rnd_port_yield(turn);
		}
	}

	return 1;
}

/*
 * Frees between CPUs
 */

static void inbox_push(struct rnd_pcpu *owner, struct rnd_slab *s)
{
	struct rnd_slab *head = rnd_load_relaxed(&owner->inbox);

	do {
		rnd_store_relaxed(&s->inbox_next, head);
		/* Release: publishes inbox_next. Pairs with the acquire in
		 * rnd_pcpu_drain_inbox()
		 */
	} while (!rnd_cas_weak_release(&owner->inbox, &head, s));
}

static void __noinline __noreturn remote_report(const struct rnd_cpus *cpus,
						const struct rnd_slab *s,
						__u32 slot)
{
	const struct rnd_region *r = rnd_pagemap_region(cpus->pm, s->sc);
	__u16 state = rnd_load_relaxed(&rnd_region_states(r, s)[slot]);
	__sz len = r->slot_len;
	struct rnd_bug_info info = {
		.bug = RND_BUG_DOUBLE_FREE,
		.op = "free",
		.ptr = (const void *)(s->base + slot * len),
		.slot_len = len,
		.where = "freed by two CPUs at the same time",
		.has_cpu = (state & RND_STATE_MASK) < RND_SLOT_LIVE &&
			   state >> RND_STATE_BITS,
		.cpu = (__u32)(state >> RND_STATE_BITS) - 1U,
	};

	rnd_report(&info);
}

/* The slabs of a batch, each once. Found again by a hash of their addresses,
 * which are multiples of 64; 0 marks an empty bucket
 */
#define SEEN_BUCKETS 128U

struct seen {
	struct rnd_slab *slab[RND_OUT_LEN];
	__u32 cnt;
	__u8 bucket[SEEN_BUCKETS];
};

UK_CTASSERT(SEEN_BUCKETS >= 2 * RND_OUT_LEN && RND_OUT_LEN < 256);

static __bool seen_before(struct seen *seen, struct rnd_slab *s)
{
	__u32 i = (__u32)((__uptr)s >> 6) * 0x9e3779b1U >> 25;

	for (; seen->bucket[i]; i = (i + 1) % SEEN_BUCKETS)
		if (seen->slab[seen->bucket[i] - 1] == s)
			return 1;

	seen->slab[seen->cnt++] = s;
	seen->bucket[i] = (__u8)seen->cnt;

	return 0;
}

/* Tells the owner of a slab about remote bits that were set */
static void deliver(struct rnd_cpus *cpus, struct rnd_slab *s)
{
	__u32 idx = s->owner;
	struct rnd_pcpu *owner = rnd_cpus_get(cpus, idx);

	if (!(rnd_fetch_or_acq_rel(&s->visit, RND_SLAB_IN_INBOX) &
	      RND_SLAB_IN_INBOX))
		inbox_push(owner, s);

	/* Release: the slab is in the inbox. Pairs with the acquire in
	 * rnd_slab_is_quiet()
	 */
	rnd_sub_release(&s->visit, RND_SLAB_VISITOR);

	/* An owner whose thread has ended would not look for long */
	if (unlikely(rnd_port_cpu_borrow(idx))) {
		rnd_pcpu_drain_inbox(owner);
		rnd_port_cpu_return(idx);
	}
}

void rnd_pcpu_flush_out(struct rnd_cpus *cpus, struct rnd_pcpu *pc)
{
	struct seen seen;
	struct rnd_out *out;
	__u32 i;

	seen.cnt = 0;
	memset(seen.bucket, 0, sizeof(seen.bucket));
	for (i = 0; i < pc->out_cnt; i++) {
		out = &pc->out[i];
		/* Before the first bit: from then on the slab may be free */
		if (!seen_before(&seen, out->slab))
			rnd_add_relaxed(&out->slab->visit, RND_SLAB_VISITOR);
		if (unlikely(!rnd_slab_mark_remote(out->slab, out->slot)))
			remote_report(cpus, out->slab, out->slot);
	}
	pc->out_cnt = 0;

	for (i = 0; i < seen.cnt; i++)
		deliver(cpus, seen.slab[i]);
}

__u32 rnd_pcpu_drain_inbox(struct rnd_pcpu *pc)
{
	struct rnd_slab *s, *next;
	__u32 cnt = 0;

	/* Every slow path comes by here */
	rnd_port_poll();
	if (likely(!rnd_load_relaxed(&pc->inbox)))
		return 0;

	/* Acquire: pairs with the release in inbox_push() */
	for (s = rnd_xchg_acquire(&pc->inbox, __NULL); s; s = next) {
		next = rnd_load_relaxed(&s->inbox_next);
		/* Out of the inbox first: a bit set from here on brings the
		 * slab back. A visitor keeps it from being purged; without
		 * one, this context does until all bits are taken
		 */
		rnd_add_relaxed(&s->visit, RND_SLAB_VISITOR);
		rnd_fetch_and_acq_rel(&s->visit, ~RND_SLAB_IN_INBOX);
		cnt += rnd_pclass_take_remote(&pc->cls[s->sc], s);
		rnd_sub_release(&s->visit, RND_SLAB_VISITOR);
	}

	return cnt;
}

/*
 * Giving back
 */

__sz rnd_pcpu_live(const struct rnd_pcpu *pc)
{
	const struct rnd_pclass *pl;
	unsigned int sc;
	__sz len = 0;

	/* Slots of class 0 have no memory */
	for (sc = 1; sc < RND_CLASS_COUNT; sc++) {
		if (!rnd_pcpu_has(pc, sc))
			continue;
		pl = &pc->cls[sc];
		len += (__sz)pl->slot_len *
		       (pl->out - pl->pool_cnt - rnd_quarantine_count(&pl->q));
	}

	return len - pc->bulk.bytes;
}

void rnd_pcpu_flush(struct rnd_cpus *cpus, struct rnd_pcpu *pc)
{
	unsigned int sc;

	rnd_pcpu_flush_out(cpus, pc);
	rnd_pcpu_drain_inbox(pc);
	rnd_pclass_drain_bulk(pc->cls, &pc->bulk);
	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		if (rnd_pcpu_has(pc, sc))
			rnd_pclass_flush(&pc->cls[sc]);
}

__sz rnd_pcpu_trim(struct rnd_pcpu *pc, __sz want)
{
	unsigned int sc;
	__sz len = 0;

	/* Those of the longest slots first: they have most memory */
	for (sc = RND_CLASS_COUNT; sc; sc--)
		if (rnd_pcpu_has(pc, sc - 1))
			len += rnd_pclass_trim(&pc->cls[sc - 1],
					       want - MIN(len, want));

	return len;
}

__sz rnd_pcpu_purge(struct rnd_pcpu *pc)
{
	__sz len = 0;
	unsigned int sc;

	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		if (rnd_pcpu_has(pc, sc))
			len += rnd_pclass_purge(&pc->cls[sc]);

	return len;
}
