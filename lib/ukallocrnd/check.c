/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Walks over a heap and tests all invariants
 *
 * Membership is proved by counting. A slot's state says where it is (S3). If
 * every entry of every magazine, quarantine and batch is distinct and names a
 * slot with the right state, and there are as many entries as slots in that
 * state, then both sets are the same.
 */

#include <string.h>

#include <uk/allocrnd.h>

#include "bitmap.h"
#include "canary.h"
#include "fill.h"
#include "heap.h"
#include "report.h"

struct tally {
	__u64 drawn;
	__u64 quarantined;
	__u64 remote;
};

struct check {
	struct rnd_heap *h;
	/* By state words, and by containers, of the class being checked */
	struct tally slots;
	struct tally held;
	/* Over all classes: batches hold slots of any class */
	__u64 remote_slots;
	__u64 remote_held;
	__sz bad;
};

static void complain(struct check *c, const char *what, const void *at)
{
	c->bad++;
	rnd_print("ukallocrnd: check: %s at %p\n", what, at);
}

static __bool is_live(__u16 state)
{
	return (state & RND_STATE_MASK) >= RND_SLOT_LIVE;
}

static void check_live(struct check *c, void *slot, __sz len, __u16 state)
{
	__u64 word = rnd_canary_word(&c->h->pm.key, (__uptr)slot);
	__sz slack = state >> RND_STATE_BITS;

	/* Written as a sum: without canaries their length is 0 */
	if (slack > len || slack + 1 <= RND_CANARY_LEN)
		complain(c, "impossible slack of slot", slot);
	else if (RND_OPT_CANARY &&
		 !rnd_canary_check(word, slot, len - slack, len))
		complain(c, "overflow of slot", slot);
}

static void check_slot(struct check *c, const struct rnd_region *r,
		       struct rnd_slab *s, __u32 i)
{
	void *slot = (void *)(s->base + (__uptr)i * r->slot_len);
	__u16 state = rnd_slab_states(s)[i];

	if ((state & RND_STATE_MASK) == RND_SLOT_DRAWN)
		c->slots.drawn++;
	else if ((state & RND_STATE_MASK) == RND_SLOT_QUARANTINED)
		c->slots.quarantined++;
	else if ((state & RND_STATE_MASK) == RND_SLOT_REMOTE)
		c->slots.remote++;

	/* Class 0 has no memory */
	if (!r->sc)
		return;
	if (is_live(state))
		check_live(c, slot, r->slot_len, state);
	else if (RND_OPT_ZERO && !rnd_fill_is_zero(slot, r->slot_len))
		complain(c, "write after free of slot", slot);
}

static void check_slab(struct check *c, const struct rnd_region *r,
		       struct rnd_slab *s)
{
	const __u64 *remote = rnd_slab_remote_bits(s);
	__u32 i;

	if (!rnd_slab_is_valid(s))
		complain(c, "bitmap (S1, S2) of slab", (void *)s->base);
	if ((s->free_cnt != 0) != (s->active || s->listed))
		complain(c, "list membership (S5) of slab", (void *)s->base);
	if (s->active && s->listed)
		complain(c, "two lists (S5) with slab", (void *)s->base);

	for (i = 0; i < RND_SLAB_WORDS(s->slots); i++)
		c->held.remote += rnd_word_count(remote[i]);
	for (i = 0; i < s->slots; i++)
		check_slot(c, r, s, i);
}

/* Tests that a reference of a container names a slot of this CPU in a state */
static void check_ref(struct check *c, const struct rnd_pclass *pl, __u64 ref,
		      enum rnd_slot_state want)
{
	struct rnd_place p;

	if (!rnd_pagemap_find(&c->h->pm, rnd_ref_slot(pl, ref), &p) ||
	    p.region != pl->region || p.state != rnd_ref_state(pl, ref))
		complain(c, "broken reference to", rnd_ref_slot(pl, ref));
	else if (p.slab->owner != pl->cpu)
		complain(c, "slot held by a stranger", rnd_ref_slot(pl, ref));
	else if ((*p.state & RND_STATE_MASK) != want)
		complain(c, "state (S3) of slot", rnd_ref_slot(pl, ref));
}

static void check_magazine(struct check *c, const struct rnd_pclass *pl)
{
	__u32 i, j;

	for (i = 0; i < pl->mag_cnt; i++) {
		check_ref(c, pl, pl->mag[i], RND_SLOT_DRAWN);
		for (j = 0; j < i; j++)
			if (pl->mag[j] == pl->mag[i])
				complain(c, "drawn twice (P1)",
					 rnd_ref_slot(pl, pl->mag[i]));
	}
	c->held.drawn += pl->mag_cnt;
}

static void check_quarantine(struct check *c, const struct rnd_pclass *pl)
{
	const struct rnd_quarantine *q = &pl->q;
	__u32 i;

	if (!rnd_quarantine_is_valid(q))
		complain(c, "quarantine (Q1, Q4)", q);
	for (i = 0; i <= q->rand_mask; i++)
		if (q->rand[i])
			check_ref(c, pl, q->rand[i], RND_SLOT_QUARANTINED);
	for (i = 0; i < q->fifo_len; i++)
		if (q->fifo[i])
			check_ref(c, pl, q->fifo[i], RND_SLOT_QUARANTINED);
	c->held.quarantined += rnd_quarantine_count(q);
}

static void check_pcpu_class(struct check *c, const struct rnd_pcpu *pc,
			     unsigned int sc)
{
	const struct rnd_pclass *pl = &pc->cls[sc];
	const struct rnd_slab *s;
	__u32 empty = 0;

	check_magazine(c, pl);
	check_quarantine(c, pl);
	for (s = pl->partial; s; s = s->next) {
		empty += s->free_cnt == s->slots;
		if (s->owner != pc->idx || !s->listed || !s->free_cnt)
			complain(c, "partial list (S5) with slab",
				 (void *)s->base);
	}
	if (empty != pl->empty_cnt)
		complain(c, "count of empty slabs (P4)", pl);
}

static void check_batch(struct check *c, const struct rnd_pcpu *pc)
{
	__u32 i;

	for (i = 0; i < pc->out_cnt; i++)
		if ((rnd_slab_states(pc->out[i].slab)[pc->out[i].slot] &
		     RND_STATE_MASK) != RND_SLOT_REMOTE)
			complain(c, "batch (S3) with slab",
				 (void *)pc->out[i].slab->base);
	c->remote_held += pc->out_cnt;
}

/* The next state that exists, counting from *i */
static const struct rnd_pcpu *next_pcpu(struct rnd_heap *h, __u32 *i)
{
	const struct rnd_pcpu *pc = RND_PCPU_NONE;

	while (pc == RND_PCPU_NONE && *i < RND_CPU_COUNT)
		pc = rnd_cpus_get(&h->dyn->cpus, (*i)++);

	return pc == RND_PCPU_NONE ? __NULL : pc;
}

static void check_class(struct check *c, unsigned int sc)
{
	const struct rnd_region *r = rnd_pagemap_region(&c->h->pm, sc);
	__u32 i, cnt = (__u32)(r->dyn->end >> r->slab_shift), slabs = 0;
	const struct rnd_pcpu *pc;
	struct rnd_slab *s;

	memset(&c->slots, 0, sizeof(c->slots));
	memset(&c->held, 0, sizeof(c->held));

	for (i = 0; i < cnt; i++) {
		s = rnd_region_slab(r, i);
		slabs += s->committed;
		if (s->committed)
			check_slab(c, r, s);
	}
	if (slabs != r->dyn->slab_cnt)
		complain(c, "count of slabs of region", (void *)r->base);

	i = 0;
	while ((pc = next_pcpu(c->h, &i)) != __NULL)
		check_pcpu_class(c, pc, sc);

	if (c->slots.drawn != c->held.drawn)
		complain(c, "lost slots in magazines of region",
			 (void *)r->base);
	if (c->slots.quarantined != c->held.quarantined)
		complain(c, "lost slots in quarantines of region",
			 (void *)r->base);
	c->remote_slots += c->slots.remote;
	c->remote_held += c->held.remote;
}

static void check_span(void *arg, const struct rnd_span *sp)
{
	struct check *c = arg;

	if (sp->state == RND_SPAN_LIVE &&
	    rnd_large_canary_bad(&c->h->dyn->large, sp))
		complain(c, "overflow of large object", (void *)sp->addr);
}

__sz uk_allocrnd_check(struct uk_alloc *a)
{
	struct rnd_heap_dyn *dyn = rnd_heap_dyn_of(a);
	struct check c = { .h = dyn->heap };
	const struct rnd_pcpu *pc;
	unsigned int sc;
	__u32 i = 0;

	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		check_class(&c, sc);
	while ((pc = next_pcpu(dyn->heap, &i)) != __NULL)
		check_batch(&c, pc);
	if (c.remote_slots != c.remote_held)
		complain(&c, "lost slots between CPUs of heap", dyn->heap);

	/* A broken table leads to memory that is not there */
	if (!rnd_large_is_valid(&dyn->large))
		complain(&c, "table (G1, G2) of large objects", &dyn->large);
	else
		rnd_large_foreach(&dyn->large, check_span, &c);

	return c.bad;
}
