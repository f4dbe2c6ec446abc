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

/* CPU index whose own operation the stopping context has interrupted (a
 * signal handler that forks); RND_CPU_COUNT: none. Owned with world_claim
 */
static __u32 world_inside;

static void find_inside(struct rnd_heap *h, void *arg)
{
	__u32 idx = rnd_port_cpu();
	const struct rnd_pcpu *pc = rnd_cpus_get(&h->dyn->cpus, idx);

	(void)arg;
	/* The shared state may be busy with somebody else */
	if (idx && pc != RND_PCPU_NONE && rnd_load_relaxed(&pc->busy))
		world_inside = idx;
}

static void wait_for(struct rnd_heap *h, void *arg)
{
	(void)arg;
	rnd_cpus_wait(&h->dyn->cpus, world_inside);
}

void rnd_world_stop(void)
{
	unsigned int turn = 0;
	__u32 none = 0;

	/* Two threads may fork, or one fork while another one exits. Acquire:
	 * pairs with the release in rnd_world_start()
	 */
	while (!rnd_cas_acquire(&world_claim, &none, 1)) {
		none = 0;
		rnd_port_yield(turn++);
	}

	world_inside = RND_CPU_COUNT;
	rnd_heap_foreach(find_inside, __NULL);
	rnd_store_release(&rnd_world_stopped, 1);
	/* Whoever entered before has set its busy flag visibly now; whoever
	 * enters later sees the line above
	 */
	rnd_port_fence_all();
	rnd_heap_foreach(wait_for, __NULL);
}

void rnd_world_start(void)
{
	/* Release: pairs with the acquire in rnd_ctx_enter() */
	rnd_store_release(&rnd_world_stopped, 0);
	/* Release: pairs with the acquire in rnd_world_stop() */
	rnd_store_release(&world_claim, 0);
}

/* Calls fn for every state of a heap that nobody is in; the world is stopped */
static void foreach_pcpu(struct rnd_heap *h,
			 void (*fn)(struct rnd_heap *h, struct rnd_pcpu *pc))
{
	struct rnd_cpus *cpus = &h->dyn->cpus;
	struct rnd_pcpu *pc;
	__u32 i;

	for (i = 0; i < RND_CPU_COUNT; i++) {
		pc = rnd_cpus_get(cpus, i);
		if (pc != RND_PCPU_NONE && i != world_inside)
			fn(h, pc);
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

static void child_heap(struct rnd_heap *h, void *arg)
{
	(void)arg;
	foreach_pcpu(h, child_unlock);
	rnd_rng_reseed(&h->dyn->vs.rng);
	rnd_rng_reseed(&h->dyn->large.rng);
	/* Their places are known to parent and child */
	(void)rnd_large_unpark(&h->dyn->large);
	foreach_pcpu(h, child_pcpu);
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
		if (pc != RND_PCPU_NONE && pc->remote_frees)
			return 1;
	}

	return 0;
}

static void deliver_heap(struct rnd_heap *h, void *arg)
{
	(void)arg;
	if (!heap_has_remote(h))
		return;
	foreach_pcpu(h, send_pcpu);
	foreach_pcpu(h, receive_pcpu);
	foreach_pcpu(h, settle_pcpu);
}

void rnd_world_exit_check(void)
{
	rnd_world_stop();
	/* exit() out of a signal handler: the heap is not in one piece */
	if (world_inside == RND_CPU_COUNT)
		rnd_heap_foreach(deliver_heap, __NULL);
	rnd_world_start();
}
