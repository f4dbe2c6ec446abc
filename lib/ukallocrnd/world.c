/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include "atomic.h"
#include "heap.h"
#include "world.h"

/* 1: a context has stopped the world, or is about to */
static __u32 world_claim;

/* Turns of waiting, of which so many are enough at exit: some 60 milliseconds.
 * A thread may have been stopped inside for good
 */
#define TURNS_ANY  __U32_MAX
#define TURNS_EXIT 100U

struct wait {
	unsigned int turns;
	__bool is_over;
};

static void wait_for(struct rnd_heap *h, void *arg)
{
	struct wait *w = arg;

	if (!rnd_cpus_wait(&h->dyn->cpus, w->turns))
		w->is_over = 1;
}

/* Returns 1 if nobody is inside; the world is stopped unless the claim is
 * another's, which is told by *is_mine
 */
static __bool world_stop_within(unsigned int turns, __bool *is_mine)
{
	struct wait w = { .turns = turns };
	unsigned int turn = 0;
	__u32 none = 0;

	*is_mine = 0;
	/* Two threads may fork, or one fork while another one exits. Acquire:
	 * pairs with the release in rnd_world_start()
	 */
	while (!rnd_cas_acquire(&world_claim, &none, 1)) {
		if (turn == turns)
			return 0;
		none = 0;
		rnd_port_yield(turn++);
	}
	*is_mine = 1;

	rnd_store_release(&rnd_world_stopped, 1);
	/* Whoever entered before has set its busy flag visibly now; whoever
	 * enters later sees the line above
	 */
	rnd_port_fence_all();
	rnd_heap_foreach(wait_for, &w);

	return !w.is_over;
}

void rnd_world_stop(void)
{
	__bool is_mine;

	(void)world_stop_within(TURNS_ANY, &is_mine);
}

void rnd_world_start(void)
{
	/* Release: pairs with the acquire in rnd_ctx_enter() */
	rnd_store_release(&rnd_world_stopped, 0);
	/* Release: pairs with the acquire in world_stop_within() */
	rnd_store_release(&world_claim, 0);
}

/* Calls fn for every state of a heap that nobody is in, and inside for those
 * where the caller has interrupted an operation, if it is not __NULL; the world
 * is stopped
 */
static void foreach_pcpu(struct rnd_heap *h,
			 void (*fn)(struct rnd_heap *h, struct rnd_pcpu *pc),
			 void (*inside)(struct rnd_heap *h,
					struct rnd_pcpu *pc))
{
	struct rnd_cpus *cpus = &h->dyn->cpus;
	struct rnd_pcpu *pc;
	__u32 i;

	for (i = 0; i < RND_CPU_COUNT; i++) {
		pc = rnd_cpus_get(cpus, i);
		if (pc == RND_PCPU_NONE)
			continue;
		if (likely(!rnd_cpus_is_interrupted(cpus, i)))
			fn(h, pc);
		else if (inside)
			inside(h, pc);
	}
}

/* A context that came after the stop sets its flag, or takes the shared lock,
 * for a moment before it withdraws. The child may have inherited that.
 */
static void child_unlock(struct rnd_heap *h, struct rnd_pcpu *pc)
{
	struct rnd_cpus *cpus = &h->dyn->cpus;

	if (pc == cpus->shared)
		rnd_lock_init(&cpus->shared_lock, RND_RANK_SHARED);
	rnd_store_relaxed(&pc->busy, 0);
}

static void child_pcpu(struct rnd_heap *h, struct rnd_pcpu *pc)
{
	(void)h;
	/* Pools may stay as they are: every draw takes fresh random bits */
	rnd_rng_reseed(&pc->rng);
}

/* The operation goes on when the handler returns, at any instruction: what it
 * draws next is overwritten in place
 */
static void child_inside(struct rnd_heap *h, struct rnd_pcpu *pc)
{
	(void)h;
	rnd_rng_renew(&pc->rng);
}

/* Nobody else is here: a lock that is taken belongs to an operation that was
 * interrupted
 */
static void child_rng(struct rnd_rng *rng, const struct rnd_lock *lock)
{
	if (likely(!rnd_lock_is_taken(lock)))
		rnd_rng_reseed(rng);
	else
		rnd_rng_renew(rng);
}

static void child_heap(struct rnd_heap *h, void *arg)
{
	struct rnd_large *lg = &h->dyn->large;

	(void)arg;
	foreach_pcpu(h, child_unlock, __NULL);
	child_rng(&h->dyn->vs.rng, &h->dyn->vs.lock);
	child_rng(&lg->rng, &lg->lock);
	/* Their places are known to parent and child */
	if (likely(!rnd_lock_is_taken(&lg->lock)))
		(void)rnd_large_unpark(lg);
	foreach_pcpu(h, child_pcpu, child_inside);
}

void rnd_world_child(void)
{
	rnd_heap_foreach(child_heap, __NULL);
}

static void renew_heap(struct rnd_heap *h, void *arg)
{
	__u32 idx = rnd_port_cpu();
	struct rnd_pcpu *pc = rnd_cpus_get(&h->dyn->cpus, idx);

	(void)arg;
	/* Who uses the shared state follows the epoch */
	if (idx && pc != RND_PCPU_NONE)
		rnd_rng_renew(&pc->rng);
}

void rnd_world_renew(void)
{
	rnd_heap_visit(renew_heap, __NULL);
}

static void leave_heap(struct rnd_heap *h, void *arg)
{
	struct rnd_cpus *cpus = &h->dyn->cpus;
	struct rnd_pcpu *pc = rnd_cpus_get(cpus, *(const __u32 *)arg);
	struct rnd_ctx ctx;

	if (pc == RND_PCPU_NONE)
		return;
	ctx = rnd_ctx_enter(cpus);
	if (ctx.pc == pc)
		rnd_pcpu_flush_out(cpus, pc);
	rnd_ctx_leave(cpus, ctx);
}

void rnd_world_leave(__u32 cpu)
{
	rnd_heap_foreach(leave_heap, &cpu);
}

static void send_pcpu(struct rnd_heap *h, struct rnd_pcpu *pc)
{
	rnd_pcpu_flush_out(&h->dyn->cpus, pc);
}

static void receive_pcpu(struct rnd_heap *h, struct rnd_pcpu *pc)
{
	(void)h;
	rnd_pcpu_drain_inbox(pc);
}

/* A slot that its owner and another CPU freed at the same time is twice in
 * the owner's quarantine; its second way out is reported
 */
static void settle_pcpu(struct rnd_heap *h, struct rnd_pcpu *pc)
{
	rnd_pcpu_flush(&h->dyn->cpus, pc);
}

/* True if a CPU ever freed what another one owns */
static __bool heap_has_remote(const struct rnd_heap *h)
{
	const struct rnd_pcpu *pc;
	__u32 i;

	for (i = 0; i < RND_CPU_COUNT; i++) {
		pc = rnd_cpus_get(&h->dyn->cpus, i);
		if (pc != RND_PCPU_NONE && rnd_load_relaxed(&pc->remote_frees))
			return 1;
	}

	return 0;
}

static void deliver_heap(struct rnd_heap *h, void *arg)
{
	(void)arg;
	if (!heap_has_remote(h))
		return;
	foreach_pcpu(h, send_pcpu, __NULL);
	foreach_pcpu(h, receive_pcpu, __NULL);
	foreach_pcpu(h, settle_pcpu, __NULL);
}

static void find_interrupted(struct rnd_heap *h, void *arg)
{
	const struct rnd_cpus *cpus = &h->dyn->cpus;

	if (rnd_cpus_is_interrupted(cpus, rnd_port_cpu()) ||
	    rnd_cpus_is_interrupted(cpus, 0))
		*(__bool *)arg = 1;
}

static void find_remote(struct rnd_heap *h, void *arg)
{
	if (heap_has_remote(h))
		*(__bool *)arg = 1;
}

void rnd_world_exit_check(void)
{
	__bool is_needed = 0, is_interrupted = 0, is_mine, is_quiet;

	/* Most programs have nothing to deliver, and stop nobody for it */
	rnd_heap_foreach(find_remote, &is_needed);
	if (!is_needed)
		return;
	is_quiet = world_stop_within(TURNS_EXIT, &is_mine);
	/* exit() out of a signal handler: the heap is not in one piece */
	rnd_heap_foreach(find_interrupted, &is_interrupted);
	if (is_quiet && !is_interrupted)
		rnd_heap_foreach(deliver_heap, __NULL);
	if (is_mine)
		rnd_world_start();
}
