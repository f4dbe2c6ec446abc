/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Walks over a heap and tests all invariants
 *
 * Membership is proved by counting. If every entry of every pool and
 * quarantine is distinct and names a slot that is free, but not in its bitmap,
 * and there are as many entries as such slots, then both sets are the same
 * (S3); and so for the slots on their way between CPUs.
 */

#include <string.h>

#include <uk/allocrnd.h>

#include "bitmap.h"
#include "canary.h"
#include "fill.h"
#include "heap.h"
#include "report.h"

struct tally {
	/* Free, in a pool or a quarantine */
	__u64 waiting;
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
	/* What a second find of a slot means */
	const char *again;
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

static void check_live(struct check *c, void *slot, __sz len, __u16 state,
		       __u16 owner)
{
	__u64 word = rnd_canary_word(&c->h->pm.key, (__uptr)slot);
	__sz slack = rnd_state_slack(len, state);

	/* Written as a sum: without canaries their length is 0 */
	if (slack > len || slack + 1 <= RND_CANARY_LEN)
		complain(c, "impossible slack of slot", slot);
	else if (RND_OPT_CANARY &&
		 !rnd_canary_check(word, slot, len - slack, len))
		complain(c, "overflow of slot", slot);
	if (len <= RND_SHORT_LEN && state >> RND_STATE_OWNER_SHIFT != owner)
		complain(c, "owner in the state word of slot", slot);
}

static __bool is_in_bitmap(struct rnd_slab *s, __u32 i)
{
	return rnd_slab_free_bits(s)[i / 64] >> (i & 63U) & 1;
}

static void check_slot(struct check *c, const struct rnd_region *r,
		       struct rnd_slab *s, __u32 i)
{
	void *slot = (void *)(s->base + (__uptr)i * r->slot_len);
	__u16 state = rnd_region_states(r, s)[i];

	if ((state & RND_STATE_MASK) == RND_SLOT_REMOTE)
		c->slots.remote++;
	else if (!is_live(state) && !is_in_bitmap(s, i))
		c->slots.waiting++;

	/* Class 0 has no memory */
	if (!r->sc)
		return;
	if (is_live(state))
		check_live(c, slot, r->slot_len, state, s->owner);
	else if (RND_OPT_ZERO && !rnd_fill_is_zero(slot, r->slot_len))
		complain(c, "write after free of slot", slot);
}

static void check_slab(struct check *c, const struct rnd_region *r,
		       struct rnd_slab *s)
{
	const __u64 *remote = rnd_slab_remote_bits(s);
	__u32 i;

	if (!rnd_slab_is_valid(s, rnd_region_states(r, s)))
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

/* State words of slots that were found in a pool or a quarantine, until the
 * class is done: a second find shows. Code 3 is no state. A slot that was never
 * handed out has the word 0, which says more than its code can.
 */
#define SEEN	  3U
#define SEEN_FREE ((__u16)(0xfff8U | SEEN))

static void mark(__u16 *state)
{
	*state = *state ? (__u16)(*state | SEEN) : SEEN_FREE;
}

static void unmark(__u16 *state)
{
	if ((*state & RND_STATE_MASK) == SEEN)
		*state = *state == SEEN_FREE ?
				 0 :
				 (__u16)(*state ^ SEEN ^ RND_SLOT_FREED);
}

/* Tests that an entry names a waiting slot of this CPU, for the first time */
static void check_entry(struct check *c, const struct rnd_pclass *pl, __u32 n)
{
	void *slot = rnd_pclass_slot(pl, n);
	struct rnd_place p;

	if (!rnd_pagemap_find(&c->h->pm, slot, &p) || p.region != pl->region ||
	    p.n != n)
		complain(c, "broken reference to", slot);
	else if (p.slab->owner != pl->cpu)
		complain(c, "slot held by a stranger", slot);
	else if ((*p.state & RND_STATE_MASK) == SEEN)
		complain(c, c->again, slot);
	else if (*p.state & RND_SLOT_TAKEN ||
		 is_in_bitmap(p.slab, rnd_place_slot(&p)))
		complain(c, "state (S3) of slot", slot);
	else
		mark(p.state);
}

typedef void (*entry_func)(struct check *c, const struct rnd_pclass *pl,
			   __u32 n);

static void foreach_entry(struct check *c, const struct rnd_pclass *pl,
			  entry_func fn)
{
	const struct rnd_quarantine *q = &pl->q;
	__u32 i;

	c->again = "twice in a pool (P1)";
	for (i = 0; i < pl->pool_cnt; i++)
		fn(c, pl, pl->pool[i]);
	c->again = "in pool and quarantine (S3)";
	for (i = 0; i < q->rand_len; i++)
		if (q->rand[i] != RND_QUARANTINE_NONE)
			fn(c, pl, q->rand[i]);
	for (i = 0; i < q->ring_len; i++)
		if (q->fifo[i] != RND_QUARANTINE_NONE)
			fn(c, pl, q->fifo[i]);
}

/* Slots of this class in the common quarantine of its CPU */
static __u32 foreach_bulk(struct check *c, const struct rnd_pclass *pl,
			  entry_func fn)
{
	const struct rnd_bulk_entry *e;
	__u32 i, cnt = 0;

	for (i = 0; pl->bulk && i < pl->bulk->cnt; i++) {
		e = rnd_bulk_entry(pl->bulk, i);
		if (e->sc != pl->region->sc)
			continue;
		fn(c, pl, e->n);
		cnt++;
	}

	return cnt;
}

static void unmark_entry(struct check *c, const struct rnd_pclass *pl, __u32 n)
{
	struct rnd_place p;

	if (rnd_pagemap_find(&c->h->pm, rnd_pclass_slot(pl, n), &p))
		unmark(p.state);
}

static void check_entries(struct check *c, const struct rnd_pclass *pl)
{
	if (pl->pool_cnt > pl->pool_high || pl->pool_min > pl->choice)
		complain(c, "size of pool", pl);
	if (!rnd_quarantine_is_valid(&pl->q))
		complain(c, "quarantine (Q1, Q4)", &pl->q);

	foreach_entry(c, pl, check_entry);
	c->held.waiting += foreach_bulk(c, pl, check_entry);
	foreach_entry(c, pl, unmark_entry);
	foreach_bulk(c, pl, unmark_entry);
	c->held.waiting += pl->pool_cnt + rnd_quarantine_count(&pl->q);
}

/* A part that nobody has used: malloc() and free() find nothing in it (P5) */
static void check_unused(struct check *c, const struct rnd_pclass *pl)
{
	if (pl->pool_cnt || pl->pool_min || pl->end || pl->bulk ||
	    pl->active_cnt || pl->partial || pl->empty_cnt)
		complain(c, "unused part (P5)", pl);
}

static void check_pcpu_class(struct check *c, const struct rnd_pcpu *pc,
			     unsigned int sc)
{
	const struct rnd_pclass *pl = &pc->cls[sc];
	const struct rnd_slab *s;
	__u32 empty = 0;

	if (!pl->region) {
		check_unused(c, pl);
		return;
	}

	check_entries(c, pl);
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
	const struct rnd_region *r;
	const struct rnd_slab *s;
	__u32 i;

	for (i = 0; i < pc->out_cnt; i++) {
		s = pc->out[i].slab;
		r = rnd_pagemap_region(&c->h->pm, s->sc);
		if ((rnd_region_states(r, s)[pc->out[i].slot] &
		     RND_STATE_MASK) != RND_SLOT_REMOTE)
			complain(c, "batch (S3) with slab", (void *)s->base);
	}
	c->remote_held += pc->out_cnt;
}

/* B1 */
static void check_bulk(struct check *c, const struct rnd_bulk *b)
{
	__sz bytes = 0;
	__u32 i, sc;

	for (i = 0; i < b->cnt; i++) {
		sc = rnd_bulk_entry(b, i)->sc;
		if (sc < RND_CLASS_COUNT)
			bytes += rnd_sizeclass[sc].slot_len;
	}
	if (bytes != b->bytes)
		complain(c, "bytes (B1) of common quarantine", b);
}

/* The next state that exists, counting from *i */
static const struct rnd_pcpu *next_pcpu(struct rnd_heap *h, __u32 *i)
{
	const struct rnd_pcpu *pc = RND_PCPU_NONE;

	while (pc == RND_PCPU_NONE && *i < RND_CPU_COUNT)
		pc = rnd_cpus_used(&h->dyn->cpus, (*i)++);

	return pc == RND_PCPU_NONE ? __NULL : pc;
}

static void check_class(struct check *c, unsigned int sc)
{
	const struct rnd_region *r = rnd_pagemap_region(&c->h->pm, sc);
	__u32 i, cnt = rnd_region_opened(r), slabs = 0;
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

	if (c->slots.waiting != c->held.waiting)
		complain(c, "lost slots (S3) of region", (void *)r->base);
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
	while ((pc = next_pcpu(dyn->heap, &i)) != __NULL) {
		check_batch(&c, pc);
		check_bulk(&c, &pc->bulk);
	}
	if (c.remote_slots != c.remote_held)
		complain(&c, "lost slots between CPUs of heap", dyn->heap);

	/* A broken table leads to memory that is not there */
	if (!rnd_large_is_valid(&dyn->large))
		complain(&c, "table (G1, G2) of large objects", &dyn->large);
	else
		rnd_large_foreach(&dyn->large, check_span, &c);
	if (RND_OPT_SAMPLE && !rnd_sampler_is_valid(&dyn->sampler))
		complain(&c, "records (M1) of samples", &dyn->sampler);

	return c.bad;
}
