/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of pcpu.c: one thread that plays all CPUs
 *
 * links: lib/ukallocrnd/pagemap.c lib/ukallocrnd/pclass.c
 *	lib/ukallocrnd/pclass_free.c lib/ukallocrnd/pclass_list.c
 *	lib/ukallocrnd/pclass_purge.c
 *	lib/ukallocrnd/region.c lib/ukallocrnd/quarantine.c
 *	lib/ukallocrnd/report.c lib/ukallocrnd/format.c
 *	lib/ukallocrnd/slab.c lib/ukallocrnd/sizeclass.c
 *	lib/ukallocrnd/vspace.c lib/ukallocrnd/rng.c
 *	lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c lib/ukallocrnd/fill.c
 *	tests/unit/fake_port.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>

#include "fake_port.h"
#include "pcpu.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define SC 6

static struct rnd_vspace vs;
static struct rnd_pagemap pm;
static struct rnd_region_dyn dyn[RND_CLASS_COUNT];
static struct rnd_cpus cpus;

static int setup(void **state)
{
	(void)state;
	fake_port_reset(11);
	memset(&pm, 0, sizeof(pm));
	memset(dyn, 0, sizeof(dyn));
	memset(&cpus, 0, sizeof(cpus));
	rnd_world_stopped = 0;
	rnd_vspace_init(&vs, __SZ_MAX);
	return rnd_pagemap_init(&pm, dyn, &vs) ||
	       rnd_cpus_init(&cpus, &pm, &vs);
}

static int teardown(void **state)
{
	(void)state;
	rnd_world_stopped = 0;
	fake_port_reset(11);
	return 0;
}

/* Enters as a CPU; its state exists afterwards */
static struct rnd_ctx enter(__u32 cpu)
{
	fake_port_set_cpu(cpu);
	return rnd_ctx_enter(&cpus);
}

static void leave(struct rnd_ctx ctx)
{
	rnd_ctx_leave(&cpus, ctx);
}

/* The CPU of ctx may enter again as the fast paths do */
static __bool enter_fast(void)
{
	return rnd_pcpu_enter(rnd_cpus_own(cpus.table));
}

/* Allocates a slot of a CPU that is inside */
static __u32 pop_of(struct rnd_pcpu *pc, unsigned int sc)
{
	struct rnd_pclass *pl = rnd_pcpu_class(&cpus, pc, sc);
	__u32 n;

	if (!rnd_pclass_can_draw(pl))
		assert_true(rnd_pclass_refill(pl));
	if (!rnd_rng_has16(&pc->rng))
		rnd_rng_refill(&pc->rng);
	n = (__u32)rnd_pclass_draw(pl, &pc->rng);
	pl->states[n] =
		rnd_state_live(pl->slot_len, pc->idx, RND_KIND_MALLOC, 8);
	return n;
}

static __u32 pop(struct rnd_pcpu *pc)
{
	return pop_of(pc, SC);
}

/* Frees it again */
static void push_of(struct rnd_pcpu *pc, unsigned int sc, __u32 n)
{
	struct rnd_pclass *pl = &pc->cls[sc];

	pl->states[n] = pl->freed;
	rnd_pclass_quarantine(pl, n);
}

static struct rnd_place place_of(__u32 n)
{
	const struct rnd_region *r = rnd_pagemap_region(&pm, SC);
	struct rnd_place p = { .n = 0 };

	if (!rnd_pagemap_find(&pm, rnd_region_slot(r, n), &p) || p.n != n) {
		fail_msg("%u is not a slot", n);
		abort();
	}
	return p;
}

/* Frees a slot of another CPU as pc */
static void free_remote(struct rnd_pcpu *pc, __u32 n)
{
	struct rnd_place p = place_of(n);

	*p.state = rnd_state_freed(RND_SLOT_REMOTE, pc->idx);
	rnd_pcpu_free_remote(&cpus, pc, p.slab, rnd_place_slot(&p));
}

static __bool is_marked(const struct rnd_place *p)
{
	__u32 slot = rnd_place_slot(p);

	return rnd_slab_remote_bits(p->slab)[slot / 64] >> (slot % 64) & 1;
}

static __u32 inbox_len(const struct rnd_pcpu *pc)
{
	const struct rnd_slab *s;
	__u32 n = 0;

	for (s = pc->inbox; s; s = s->inbox_next) {
		assert_true(s->visit & RND_SLAB_IN_INBOX);
		n++;
	}

	return n;
}

static void pcpu_begins_with_the_shared_state_only(void **state)
{
	__u32 i;

	(void)state;
	assert_non_null(cpus.shared);
	assert_int_equal(0, cpus.shared->idx);
	for (i = 0; i < RND_CPU_COUNT; i++)
		assert_ptr_equal(RND_PCPU_NONE, cpus.table[i]);
	fake_port_set_cpu(1);
	assert_false(enter_fast());
	fake_port_set_cpu(0);
	assert_false(enter_fast());
}

static void pcpu_init_failure_changes_nothing(void **state)
{
	struct rnd_cpus other;
	__sz reserved = fake_port.reserved, committed = fake_port.committed;

	(void)state;
	fake_port_fail_at(FAKE_RESERVE, 1);
	assert_int_equal(-ENOMEM, rnd_cpus_init(&other, &pm, &vs));
	fake_port_fail_at(FAKE_COMMIT, 1);
	assert_int_equal(-ENOMEM, rnd_cpus_init(&other, &pm, &vs));
	assert_true(fake_port.reserved == reserved);
	assert_true(fake_port.committed == committed);

	rnd_cpus_destroy(&cpus);
	rnd_pagemap_destroy(&pm);
	assert_int_equal(0, fake_port.reserved);
}

static void pcpu_makes_a_state_for_its_cpu(void **state)
{
	struct rnd_ctx ctx = enter(3);

	(void)state;
	assert_ptr_equal(cpus.table[3], ctx.pc);
	assert_int_equal(3, ctx.pc->idx);
	assert_int_equal(1, ctx.pc->busy);
	leave(ctx);
	assert_int_equal(0, ctx.pc->busy);
	assert_false(rnd_lock_is_taken(&cpus.shared_lock));
	assert_true(enter_fast());
	assert_int_equal(1, ctx.pc->busy);
	assert_false(enter_fast());
	rnd_pcpu_leave(ctx.pc);
	assert_int_equal(0, ctx.pc->busy);
}

/* P5: who uses one class does not pay for the others */
static void pcpu_makes_a_part_when_it_is_first_used(void **state)
{
	struct rnd_ctx ctx = enter(3);
	struct rnd_pclass *pl;
	unsigned int sc, other;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		for (other = sc; other < RND_CLASS_COUNT; other++)
			assert_null(ctx.pc->cls[other].region);
		pl = rnd_pcpu_class(&cpus, ctx.pc, sc);
		assert_ptr_equal(&ctx.pc->cls[sc], pl);
		assert_int_equal(3, pl->cpu);
		assert_ptr_equal(rnd_pagemap_region(&pm, sc), pl->region);
		assert_ptr_equal(&ctx.pc->rng, pl->rng);
		assert_memory_equal(&pm.key, &pl->key, sizeof(pm.key));
		/* Once */
		pl->refills = 5;
		assert_ptr_equal(pl, rnd_pcpu_class(&cpus, ctx.pc, sc));
		assert_true(pl->refills == 5);
	}
	assert_int_equal(0, vs.user);
	leave(ctx);
}

/* Unused parts are in the way of nothing */
static void pcpu_flushes_and_purges_unused_parts(void **state)
{
	struct rnd_ctx ctx = enter(3);

	(void)state;
	rnd_pcpu_flush(&cpus, ctx.pc);
	assert_int_equal(0, rnd_pcpu_purge(ctx.pc));
	(void)pop(ctx.pc);
	rnd_pcpu_flush(&cpus, ctx.pc);
	assert_true(rnd_pcpu_purge(ctx.pc) > 0);
	assert_int_equal(1, dyn[SC].slab_cnt);
	leave(ctx);
}

/* Free slabs of several classes, as many of each */
static void make_free_slabs(struct rnd_pcpu *pc, const unsigned int *sc,
			    __u32 cnt)
{
	static __u32 slots[3000];
	__u32 i, j, n;

	for (i = 0; i < cnt; i++) {
		n = 20U * rnd_sizeclass[sc[i]].slots;
		for (j = 0; j < MIN(n, ARRAY_SIZE(slots)); j++)
			slots[j] = pop_of(pc, sc[i]);
		while (j)
			push_of(pc, sc[i], slots[--j]);
	}
	rnd_pcpu_flush(&cpus, pc);
}

/* Those of the longest slots come first, and no more than are wanted */
static void pcpu_trims_what_is_wanted(void **state)
{
	static const unsigned int sc[] = { 20, 40, RND_CLASS_COUNT - 1 };
	const __sz len = vs.user * RND_PAGE_LEN;
	struct rnd_ctx ctx = enter(1);
	__u32 i, before, cnt;
	__sz most;

	(void)state;
	assert_int_equal(0, rnd_pcpu_trim(ctx.pc, __SZ_MAX));
	make_free_slabs(ctx.pc, sc, ARRAY_SIZE(sc));
	for (i = ARRAY_SIZE(sc); i--;) {
		before = dyn[sc[0]].slab_cnt;
		cnt = dyn[sc[i]].slab_cnt;
		most = (__sz)rnd_sizeclass[sc[i]].slot_len *
		       rnd_sizeclass[sc[i]].slots;
		assert_true(rnd_pcpu_trim(ctx.pc, most + 1) == 2 * most);
		assert_int_equal(cnt - 2, dyn[sc[i]].slab_cnt);
		assert_true(rnd_pcpu_trim(ctx.pc, (cnt - 2) * most) ==
			    (cnt - 2) * most);
		assert_int_equal(0, dyn[sc[i]].slab_cnt);
		assert_true(!i || dyn[sc[0]].slab_cnt == before);
	}
	assert_int_equal(0, rnd_pcpu_trim(ctx.pc, __SZ_MAX));
	assert_true(vs.user * RND_PAGE_LEN == len);
	leave(ctx);
}

/* The rest goes by and by, a bit at each slow path, until there is none */
static void pcpu_trim_goes_on_when_time_passes(void **state)
{
	static const unsigned int sc[] = { 20, 40, RND_CLASS_COUNT - 1 };
	struct rnd_ctx ctx = enter(1);
	__sz before;
	__u32 i;

	(void)state;
	make_free_slabs(ctx.pc, sc, ARRAY_SIZE(sc));
	assert_true(rnd_pcpu_trim(ctx.pc, 1) > 0);
	for (i = 0; vs.user && i < 200; i++) {
		before = vs.user;
		rnd_pcpu_age(ctx.pc);
		assert_true(before - vs.user <=
			    (RND_EMPTY_LEN + RND_SLAB_LEN_MAX) / RND_PAGE_LEN);
	}
	assert_int_equal(0, vs.user);
	assert_in_range(i, 20, 199);
	leave(ctx);
}

/* Neighbours, and the ends, with a page between them that faults */
static void pcpu_states_are_between_guards(void **state)
{
	static const __u32 idx[] = { 1, 2, RND_CPU_COUNT - 1 };
	__uptr start, end;
	struct rnd_ctx ctx;
	__u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(idx); i++) {
		ctx = enter(idx[i]);
		leave(ctx);
		start = (__uptr)ctx.pc;
		end = ALIGN_UP((__uptr)(ctx.pc + 1), RND_PAGE_LEN);
		assert_true(fake_port_is_committed(start, end - start));
		assert_true(fake_port_is_reserved(
			start - RND_PAGE_LEN, end - start + 2 * RND_PAGE_LEN));
		assert_false(fake_port_can_read((void *)(start - 1)));
		assert_false(fake_port_can_read((void *)end));
	}
}

/* Its memory is not touched before that, its generator not used */
static void pcpu_shared_state_is_seeded_when_it_is_entered(void **state)
{
	static const __u8 zero[sizeof(struct rnd_pcpu)];
	__u8 key[RND_CHACHA_KEY_LEN];
	struct rnd_ctx own, ctx;

	(void)state;
	own = enter(1);
	assert_memory_equal(cpus.shared, zero, sizeof(zero));
	ctx = enter(1);
	assert_ptr_equal(cpus.shared, ctx.pc);
	memcpy(key, ctx.pc->rng.key, sizeof(key));
	assert_memory_not_equal(key, zero, sizeof(key));
	assert_memory_not_equal(key, own.pc->rng.key, sizeof(key));
	assert_true(rnd_rng_has16(&ctx.pc->rng));
	leave(ctx);
	/* Once */
	ctx = enter(1);
	assert_memory_equal(key, ctx.pc->rng.key, sizeof(key));
	leave(ctx);
	leave(own);
}

static void pcpu_nested_entry_falls_back_to_shared_c1(void **state)
{
	struct rnd_ctx outer = enter(1), inner;

	(void)state;
	assert_false(enter_fast());
	inner = rnd_ctx_enter(&cpus);
	assert_ptr_equal(cpus.shared, inner.pc);
	assert_int_equal(1, inner.pc->busy);
	assert_true(rnd_lock_is_taken(&cpus.shared_lock));
	leave(inner);
	assert_int_equal(0, inner.pc->busy);
	assert_false(rnd_lock_is_taken(&cpus.shared_lock));
	/* The outer one is still inside */
	assert_int_equal(1, outer.pc->busy);
	leave(outer);
}

static void pcpu_leases_an_index_or_shares(void **state)
{
	struct rnd_ctx ctx;

	(void)state;
	ctx = enter(0);
	assert_ptr_equal(cpus.shared, ctx.pc);
	leave(ctx);
	fake_port.lease = 7;
	ctx = enter(0);
	assert_ptr_equal(cpus.table[7], ctx.pc);
	leave(ctx);
}

static void pcpu_without_memory_uses_the_shared_state(void **state)
{
	struct rnd_ctx ctx;
	__sz meta = vs.meta;

	(void)state;
	fake_port_fail_at(FAKE_COMMIT, 1);
	ctx = enter(1);
	assert_ptr_equal(cpus.shared, ctx.pc);
	leave(ctx);
	assert_ptr_equal(RND_PCPU_NONE, cpus.table[1]);
	assert_true(vs.meta == meta);
	ctx = enter(1);
	assert_ptr_equal(cpus.table[1], ctx.pc);
	leave(ctx);
}

static void pcpu_generators_differ(void **state)
{
	struct rnd_ctx a = enter(1), b;

	(void)state;
	leave(a);
	b = enter(2);
	leave(b);
	assert_true(rnd_rng_u64(&a.pc->rng) != rnd_rng_u64(&b.pc->rng));
}

static void world_starts(void)
{
	if (fake_port.yields == 3)
		rnd_world_stopped = 0;
}

static void pcpu_stays_out_of_a_stopped_world(void **state)
{
	struct rnd_ctx ctx = enter(1);

	(void)state;
	leave(ctx);
	rnd_world_stopped = 1;
	if (RND_PORT_CAN_STOP)
		assert_false(enter_fast());
	assert_int_equal(0, ctx.pc->busy);

	fake_port.on_yield = world_starts;
	ctx = rnd_ctx_enter(&cpus);
	assert_int_equal(3, fake_port.yields);
	assert_ptr_equal(cpus.table[1], ctx.pc);
	leave(ctx);
}

static void last_one_leaves(void)
{
	if (fake_port.yields == 2)
		rnd_pcpu_leave(cpus.table[5]);
	if (fake_port.yields == 4)
		rnd_pcpu_leave(cpus.shared);
}

static void pcpu_wait_returns_when_all_have_left(void **state)
{
	(void)state;
	assert_true(rnd_cpus_wait(&cpus, 1000));
	assert_int_equal(0, fake_port.yields);
	(void)enter(5);
	cpus.shared->busy = 1;
	fake_port.on_yield = last_one_leaves;
	rnd_host_cpu = 6;
	assert_true(rnd_cpus_wait(&cpus, 1000));
	assert_int_equal(4, fake_port.yields);
}

/* As a signal handler finds it, which forks */
static void pcpu_wait_is_not_for_what_the_caller_interrupted(void **state)
{
	struct rnd_ctx own = enter(5), shared;

	(void)state;
	shared = rnd_ctx_enter(&cpus);
	assert_ptr_equal(shared.pc, cpus.shared);
	assert_true(rnd_cpus_is_interrupted(&cpus, 5));
	assert_true(rnd_cpus_is_interrupted(&cpus, 0));
	assert_false(rnd_cpus_is_interrupted(&cpus, 6));
	assert_true(rnd_cpus_wait(&cpus, 1000));
	assert_int_equal(0, fake_port.yields);

	rnd_ctx_leave(&cpus, shared);
	assert_false(rnd_cpus_is_interrupted(&cpus, 0));
	cpus.shared->busy = 1;
	assert_false(rnd_cpus_is_interrupted(&cpus, 0));
	/* And not for ever, if the caller does not want that */
	assert_false(rnd_cpus_wait(&cpus, 7));
	assert_int_equal(7, fake_port.yields);
	cpus.shared->busy = 0;
	leave(own);
	assert_false(rnd_cpus_is_interrupted(&cpus, 5));
}

static void pcpu_batch_is_flushed_when_full_c2(void **state)
{
	struct rnd_ctx a = enter(1), b;
	__u32 slots[RND_OUT_LEN];
	struct rnd_place p;
	__u32 i;

	(void)state;
	for (i = 0; i < RND_OUT_LEN; i++)
		slots[i] = pop(a.pc);
	leave(a);

	b = enter(2);
	for (i = 0; i + 1 < RND_OUT_LEN; i++)
		free_remote(b.pc, slots[i]);
	assert_int_equal(RND_OUT_LEN - 1, b.pc->out_cnt);
	assert_null(a.pc->inbox);
	free_remote(b.pc, slots[i]);
	assert_int_equal(0, b.pc->out_cnt);
	assert_int_equal(RND_OUT_LEN, b.pc->remote_frees);
	assert_null(b.pc->inbox);
	assert_null(cpus.shared->inbox);
	leave(b);

	/* Each slab once, each slot as a bit, no visitor left */
	if (RND_OPT_RANDOM_SLOTS)
		assert_true(inbox_len(a.pc) > 1);
	for (i = 0; i < RND_OUT_LEN; i++) {
		p = place_of(slots[i]);
		assert_int_equal(RND_SLAB_IN_INBOX, p.slab->visit);
		assert_true(is_marked(&p));
	}
	assert_true(inbox_len(a.pc) <= dyn[SC].slab_cnt);
}

/* Every slot of a batch is in another slab: each is visited and delivered once,
 * whatever their addresses have in common
 */
static void pcpu_batch_of_many_slabs(void **state)
{
	struct rnd_slab *slab[RND_OUT_LEN];
	struct rnd_ctx a = enter(1), b;
	__u32 i, n;

	(void)state;
	(void)rnd_pcpu_class(&cpus, a.pc, SC);
	for (i = 0; i < RND_OUT_LEN; i++) {
		slab[i] = rnd_region_take(rnd_pagemap_region(&pm, SC), &vs, 1);
		assert_non_null(slab[i]);
		/* All are taken by others, for this test */
		for (n = 0; n < RND_SLAB_WORDS(slab[i]->slots); n++)
			rnd_slab_free_bits(slab[i])[n] = 0;
		slab[i]->free_cnt = 0;
	}
	leave(a);

	b = enter(2);
	for (i = 0; i < RND_OUT_LEN; i++)
		free_remote(b.pc, slab[i]->idx * slab[i]->slots + i);
	assert_int_equal(0, b.pc->out_cnt);
	leave(b);
	assert_int_equal(RND_OUT_LEN, inbox_len(a.pc));
	for (i = 0; i < RND_OUT_LEN; i++) {
		assert_int_equal(RND_SLAB_IN_INBOX, slab[i]->visit);
		assert_true(rnd_slab_remote_bits(slab[i])[i / 64] ==
			    1UL << (i % 64));
	}

	a = enter(1);
	assert_int_equal(RND_OUT_LEN, rnd_pcpu_drain_inbox(a.pc));
	rnd_pcpu_flush(&cpus, a.pc);
	for (i = 0; i < RND_OUT_LEN; i++) {
		assert_int_equal(0, slab[i]->visit);
		assert_int_equal(1, slab[i]->free_cnt);
		assert_int_equal(1, slab[i]->listed);
	}
	leave(a);
}

/* An owner whose thread has ended would not look into its inbox for long */
static void pcpu_batch_for_nobody_is_taken_at_once(void **state)
{
	struct rnd_ctx a = enter(1), b;
	__u32 slots[RND_OUT_LEN];
	struct rnd_pcpu *owner = a.pc;
	__u32 i;

	(void)state;
	for (i = 0; i < RND_OUT_LEN; i++)
		slots[i] = pop(owner);
	leave(a);

	fake_port.unleased = 1;
	b = enter(2);
	for (i = 0; i < RND_OUT_LEN; i++)
		free_remote(b.pc, slots[i]);
	leave(b);
	fake_port.unleased = 0;
	assert_null(owner->inbox);
	for (i = 0; i < RND_OUT_LEN; i++)
		assert_true((*place_of(slots[i]).state & RND_STATE_MASK) !=
			    RND_SLOT_REMOTE);
}

static void pcpu_drain_takes_everything_once(void **state)
{
	struct rnd_ctx a = enter(1), b;
	struct rnd_place p;
	__u32 slots[100];
	__u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		slots[i] = pop(a.pc);
	leave(a);
	b = enter(2);
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		free_remote(b.pc, slots[i]);
	rnd_pcpu_flush_out(&cpus, b.pc);
	leave(b);

	a = enter(1);
	assert_int_equal(ARRAY_SIZE(slots), rnd_pcpu_drain_inbox(a.pc));
	assert_null(a.pc->inbox);
	assert_int_equal(0, rnd_pcpu_drain_inbox(a.pc));
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		p = place_of(slots[i]);
		assert_int_equal(0, p.slab->visit);
		assert_int_equal(rnd_state_freed(RND_SLOT_FREED, 2), *p.state);
		assert_false(is_marked(&p));
	}
	rnd_pcpu_flush(&cpus, a.pc);
	rnd_pcpu_purge(a.pc);
	leave(a);
	assert_int_equal(0, dyn[SC].slab_cnt);
	assert_int_equal(0, vs.user);
}

/* Several batches for the same slab: it is in the inbox once */
static void pcpu_slab_is_in_the_inbox_once(void **state)
{
	struct rnd_ctx a = enter(1), b;
	__u32 slots[30];
	__u32 i, len = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		slots[i] = pop(a.pc);
	leave(a);
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		b = enter(2 + i % 3);
		free_remote(b.pc, slots[i]);
		rnd_pcpu_flush_out(&cpus, b.pc);
		leave(b);
		len = inbox_len(a.pc);
	}
	assert_in_range(len, 1, dyn[SC].slab_cnt);
	a = enter(1);
	assert_int_equal(ARRAY_SIZE(slots), rnd_pcpu_drain_inbox(a.pc));
	leave(a);
}

static void pcpu_sorts_a_batch_by_owner(void **state)
{
	struct rnd_ctx ctx[4];
	__u32 slots[4][10];
	__u32 i, j;

	(void)state;
	for (i = 0; i < 4; i++) {
		/* 0 is the shared state */
		ctx[i] = enter(i);
		for (j = 0; j < 10; j++)
			slots[i][j] = pop(ctx[i].pc);
		leave(ctx[i]);
	}
	ctx[3] = enter(3);
	for (j = 0; j < 10; j++)
		for (i = 0; i < 3; i++)
			free_remote(ctx[3].pc, slots[i][j]);
	rnd_pcpu_flush_out(&cpus, ctx[3].pc);
	leave(ctx[3]);
	for (i = 0; i < 3; i++) {
		ctx[i] = enter(i);
		assert_int_equal(10, rnd_pcpu_drain_inbox(ctx[i].pc));
		leave(ctx[i]);
	}
	assert_null(ctx[3].pc->inbox);
}

/* A slab that becomes free while it is in the inbox, or while somebody sets
 * bits, stays; after that it goes
 */
static void pcpu_purges_nothing_with_a_visitor_c3(void **state)
{
	struct rnd_ctx a = enter(1);
	struct rnd_place p;
	__u32 slot = pop(a.pc);

	(void)state;
	p = place_of(slot);
	*p.state = rnd_state_freed(RND_SLOT_REMOTE, 2);
	/* CPU 2 has set the bit, but not put the slab into the inbox yet */
	p.slab->visit += RND_SLAB_VISITOR;
	assert_true(rnd_slab_mark_remote(p.slab, rnd_place_slot(&p)));
	assert_int_equal(1, rnd_pclass_take_remote(&a.pc->cls[SC], p.slab));
	rnd_pcpu_flush(&cpus, a.pc);
	rnd_pcpu_purge(a.pc);
	assert_int_equal(1, p.slab->committed);

	/* Now it is in the inbox, with no bit left */
	p.slab->visit += RND_SLAB_IN_INBOX;
	p.slab->visit -= RND_SLAB_VISITOR;
	p.slab->inbox_next = __NULL;
	a.pc->inbox = p.slab;
	rnd_pcpu_purge(a.pc);
	assert_int_equal(1, p.slab->committed);

	assert_int_equal(0, rnd_pcpu_drain_inbox(a.pc));
	rnd_pcpu_purge(a.pc);
	assert_int_equal(0, p.slab->committed);
	leave(a);
}

/*
 * The common quarantine of long slots
 */

static void pcpu_long_slots_share_a_quarantine(void **state)
{
	struct rnd_ctx ctx = enter(1);
	__bool is_long;
	unsigned int sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		is_long = RND_OPT_QUARANTINE &&
			  rnd_sizeclass[sc].slot_len > RND_BULK_SLOT_MIN;
		assert_ptr_equal(is_long ? &ctx.pc->bulk : __NULL,
				 rnd_pcpu_class(&cpus, ctx.pc, sc)->bulk);
	}
	leave(ctx);
}

/* B1 and B2; what is in there is FREED, and no more than has to be */
static void assert_bulk(const struct rnd_pcpu *pc)
{
	const struct rnd_bulk_entry *e;
	__sz bytes = 0;
	__u32 i;

	for (i = 0; i < pc->bulk.cnt; i++) {
		e = rnd_bulk_entry(&pc->bulk, i);
		assert_ptr_equal(&pc->bulk, pc->cls[e->sc].bulk);
		assert_int_equal(RND_SLOT_FREED,
				 pc->cls[e->sc].states[e->n] & RND_STATE_MASK);
		bytes += pc->cls[e->sc].slot_len;
	}
	assert_true(bytes == pc->bulk.bytes);
	assert_true(bytes <= RND_QUARANTINE_BYTES);
	assert_true(pc->bulk.cnt < RND_BULK_LEN);
}

static __bool is_in_bulk(const struct rnd_pcpu *pc, unsigned int sc, __u32 n)
{
	__u32 i;

	for (i = 0; i < pc->bulk.cnt; i++)
		if (rnd_bulk_entry(&pc->bulk, i)->sc == sc &&
		    rnd_bulk_entry(&pc->bulk, i)->n == n)
			return 1;

	return 0;
}

/* A slot stays until as many bytes were freed after it as are held back, by
 * slots of any class; then it leaves
 */
static void check_long_slot(struct rnd_pcpu *pc, unsigned int first_sc)
{
	unsigned int sc = first_sc;
	__u32 n, first = pop_of(pc, sc);
	__sz bytes = pc->cls[sc].slot_len;

	push_of(pc, sc, first);
	do {
		assert_true(is_in_bulk(pc, first_sc, first));
		sc = sc + 1 < RND_CLASS_COUNT ?
			     sc + 1 :
			     rnd_sizeclass_of(RND_BULK_SLOT_MIN);
		n = pop_of(pc, sc);
		assert_true(n != first || sc != first_sc);
		push_of(pc, sc, n);
		assert_bulk(pc);
		bytes += pc->cls[sc].slot_len;
	} while (bytes <= RND_QUARANTINE_BYTES);
	assert_false(is_in_bulk(pc, first_sc, first));
}

static void pcpu_long_slot_waits_for_bytes_b1(void **state)
{
	struct rnd_ctx ctx = enter(1);
	unsigned int sc;

	(void)state;
	if (!RND_OPT_QUARANTINE)
		skip();
	for (sc = rnd_sizeclass_of(RND_BULK_SLOT_MIN); sc < RND_CLASS_COUNT;
	     sc++)
		check_long_slot(ctx.pc, sc);
	leave(ctx);
}

/* The shortest of the long slots take the most entries */
static void pcpu_ring_of_long_slots_has_room_b2(void **state)
{
	const unsigned int sc = rnd_sizeclass_of(RND_BULK_SLOT_MIN);
	static __u32 n[2 * RND_BULK_LEN];
	struct rnd_ctx ctx = enter(1);
	struct rnd_bulk *bulk = &ctx.pc->bulk;
	__u32 i;

	(void)state;
	if (!RND_OPT_QUARANTINE)
		skip();
	for (i = 0; i < ARRAY_SIZE(n); i++)
		n[i] = pop_of(ctx.pc, sc);
	for (i = 0; i < ARRAY_SIZE(n); i++) {
		push_of(ctx.pc, sc, n[i]);
		/* First in, first out */
		if (bulk->cnt)
			assert_int_equal(n[i + 1 - bulk->cnt],
					 rnd_bulk_entry(bulk, 0)->n);
	}
	assert_bulk(ctx.pc);
	assert_int_equal(RND_QUARANTINE_BYTES / rnd_sizeclass[sc].slot_len,
			 bulk->cnt);

	rnd_pcpu_flush(&cpus, ctx.pc);
	assert_int_equal(0, bulk->cnt);
	assert_true(bulk->bytes == 0);
	rnd_pcpu_purge(ctx.pc);
	assert_int_equal(0, vs.user);
	leave(ctx);
}

struct twice {
	struct rnd_pcpu *first, *second;
	__u32 slot;
};

static void free_twice(void *arg)
{
	struct twice *t = arg;

	free_remote(t->first, t->slot);
	free_remote(t->second, t->slot);
	rnd_pcpu_flush_out(&cpus, t->first);
	if (t->second != t->first)
		rnd_pcpu_flush_out(&cpus, t->second);
	_exit(2);
}

/* Two CPUs, or one batch, with the same slot */
static void pcpu_second_remote_bit_is_reported(void **state)
{
	struct rnd_ctx ctx[3];
	struct twice t;
	const char *text;
	__u32 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		ctx[i] = enter(i + 1);
		leave(ctx[i]);
	}
	t = (struct twice){ ctx[1].pc, ctx[2].pc, pop(ctx[0].pc) };
	text = fake_port_abort_text(free_twice, &t);
	assert_ptr_equal(text, strstr(text, "ukallocrnd: BUG: double free: "));
	assert_non_null(strstr(text, "class=96 "));
	t.second = t.first;
	text = fake_port_abort_text(free_twice, &t);
	assert_ptr_equal(text, strstr(text, "ukallocrnd: BUG: double free: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pcpu_begins_with_the_shared_state_only),
		UNIT_TEST(pcpu_init_failure_changes_nothing),
		UNIT_TEST(pcpu_makes_a_state_for_its_cpu),
		UNIT_TEST(pcpu_makes_a_part_when_it_is_first_used),
		UNIT_TEST(pcpu_flushes_and_purges_unused_parts),
		UNIT_TEST(pcpu_trims_what_is_wanted),
		UNIT_TEST(pcpu_trim_goes_on_when_time_passes),
		UNIT_TEST(pcpu_states_are_between_guards),
		UNIT_TEST(pcpu_shared_state_is_seeded_when_it_is_entered),
		UNIT_TEST(pcpu_nested_entry_falls_back_to_shared_c1),
		UNIT_TEST(pcpu_leases_an_index_or_shares),
		UNIT_TEST(pcpu_without_memory_uses_the_shared_state),
		UNIT_TEST(pcpu_generators_differ),
		UNIT_TEST(pcpu_stays_out_of_a_stopped_world),
		UNIT_TEST(pcpu_wait_returns_when_all_have_left),
		UNIT_TEST(pcpu_wait_is_not_for_what_the_caller_interrupted),
		UNIT_TEST(pcpu_batch_is_flushed_when_full_c2),
		UNIT_TEST(pcpu_batch_of_many_slabs),
		UNIT_TEST(pcpu_batch_for_nobody_is_taken_at_once),
		UNIT_TEST(pcpu_drain_takes_everything_once),
		UNIT_TEST(pcpu_slab_is_in_the_inbox_once),
		UNIT_TEST(pcpu_sorts_a_batch_by_owner),
		UNIT_TEST(pcpu_purges_nothing_with_a_visitor_c3),
		UNIT_TEST(pcpu_long_slots_share_a_quarantine),
		UNIT_TEST(pcpu_long_slot_waits_for_bytes_b1),
		UNIT_TEST(pcpu_ring_of_long_slots_has_room_b2),
		UNIT_TEST(pcpu_second_remote_bit_is_reported),
	};

	return cmocka_run_group_tests_name("pcpu", tests, NULL, NULL);
}
