/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of pcpu.c: one thread that plays all CPUs
 *
 * links: lib/ukallocrnd/pagemap.c lib/ukallocrnd/pclass.c
 *	lib/ukallocrnd/region.c lib/ukallocrnd/quarantine.c
 *	lib/ukallocrnd/report.c lib/ukallocrnd/format.c
 *	lib/ukallocrnd/slab.c lib/ukallocrnd/sizeclass.c
 *	lib/ukallocrnd/vspace.c lib/ukallocrnd/rng.c
 *	lib/ukallocrnd/chacha.c tests/unit/fake_port.c
 *	tests/unit/fake_assert.c
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

/* Allocates a slot of CPU cpu, which is inside */
static __u64 pop(struct rnd_pcpu *pc)
{
	struct rnd_pclass *pl = &pc->cls[SC];
	__u64 ref;

	if (!pl->mag_cnt)
		assert_true(rnd_pclass_refill(pl));
	ref = pl->mag[--pl->mag_cnt];
	*rnd_ref_state(pl, ref) = rnd_state_live(RND_KIND_MALLOC, 8);
	return ref;
}

static struct rnd_place place_of(struct rnd_pcpu *pc, __u64 ref)
{
	struct rnd_place p = { .slot = 0 };

	if (!rnd_pagemap_find(&pm, rnd_ref_slot(&pc->cls[SC], ref), &p)) {
		fail_msg("reference %#lx is not a slot", ref);
		abort();
	}
	return p;
}

/* Frees a slot of owner as pc */
static void free_remote(struct rnd_pcpu *pc, struct rnd_pcpu *owner, __u64 ref)
{
	struct rnd_place p = place_of(owner, ref);

	*p.state = rnd_state_freed(RND_SLOT_REMOTE, pc->idx);
	rnd_pcpu_free_remote(&cpus, pc, p.slab, p.slot);
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
	assert_null(rnd_pcpu_enter(&cpus));
	fake_port_set_cpu(0);
	assert_null(rnd_pcpu_enter(&cpus));
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
	unsigned int sc;

	(void)state;
	assert_ptr_equal(cpus.table[3], ctx.pc);
	assert_int_equal(3, ctx.pc->idx);
	assert_int_equal(1, ctx.pc->busy);
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		assert_int_equal(3, ctx.pc->cls[sc].cpu);
		assert_ptr_equal(rnd_pagemap_region(&pm, sc),
				 ctx.pc->cls[sc].region);
	}
	leave(ctx);
	assert_int_equal(0, ctx.pc->busy);
	assert_false(rnd_lock_is_taken(&cpus.shared_lock));
	assert_ptr_equal(ctx.pc, rnd_pcpu_enter(&cpus));
	rnd_pcpu_leave(ctx.pc);
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

static void pcpu_nested_entry_falls_back_to_shared_c1(void **state)
{
	struct rnd_ctx outer = enter(1), inner;

	(void)state;
	assert_null(rnd_pcpu_enter(&cpus));
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
		assert_null(rnd_pcpu_enter(&cpus));
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
	rnd_cpus_wait(&cpus, RND_CPU_COUNT);
	assert_int_equal(0, fake_port.yields);
	(void)enter(5);
	cpus.shared->busy = 1;
	fake_port.on_yield = last_one_leaves;
	rnd_cpus_wait(&cpus, RND_CPU_COUNT);
	assert_int_equal(4, fake_port.yields);
}

static void pcpu_batch_is_flushed_when_full_c2(void **state)
{
	struct rnd_ctx a = enter(1), b;
	__u64 refs[RND_OUT_LEN];
	struct rnd_place p;
	__u32 i;

	(void)state;
	for (i = 0; i < RND_OUT_LEN; i++)
		refs[i] = pop(a.pc);
	leave(a);

	b = enter(2);
	for (i = 0; i + 1 < RND_OUT_LEN; i++)
		free_remote(b.pc, a.pc, refs[i]);
	assert_int_equal(RND_OUT_LEN - 1, b.pc->out_cnt);
	assert_null(a.pc->inbox);
	free_remote(b.pc, a.pc, refs[i]);
	assert_int_equal(0, b.pc->out_cnt);
	assert_int_equal(RND_OUT_LEN, b.pc->remote_frees);
	assert_null(b.pc->inbox);
	assert_null(cpus.shared->inbox);
	leave(b);

	/* Each slab once, each slot as a bit, no visitor left */
	if (RND_OPT_RANDOM_SLOTS)
		assert_true(inbox_len(a.pc) > 1);
	for (i = 0; i < RND_OUT_LEN; i++) {
		p = place_of(a.pc, refs[i]);
		assert_int_equal(RND_SLAB_IN_INBOX, p.slab->visit);
		assert_true((rnd_slab_remote_bits(p.slab)[p.slot / 64] >>
			     (p.slot % 64)) &
			    1);
	}
	assert_true(inbox_len(a.pc) <= dyn[SC].slab_cnt);
}

/* An owner whose thread has ended would not look into its inbox for long */
static void pcpu_batch_for_nobody_is_taken_at_once(void **state)
{
	struct rnd_ctx a = enter(1), b;
	__u64 refs[RND_OUT_LEN];
	struct rnd_pcpu *owner = a.pc;
	__u32 i;

	(void)state;
	for (i = 0; i < RND_OUT_LEN; i++)
		refs[i] = pop(owner);
	leave(a);

	fake_port.unleased = 1;
	b = enter(2);
	for (i = 0; i < RND_OUT_LEN; i++)
		free_remote(b.pc, owner, refs[i]);
	leave(b);
	fake_port.unleased = 0;
	assert_null(owner->inbox);
	for (i = 0; i < RND_OUT_LEN; i++)
		assert_true((*place_of(owner, refs[i]).state &
			     RND_STATE_MASK) != RND_SLOT_REMOTE);
}

static void pcpu_drain_takes_everything_once(void **state)
{
	struct rnd_ctx a = enter(1), b;
	struct rnd_place p;
	__u64 refs[100];
	__u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		refs[i] = pop(a.pc);
	leave(a);
	b = enter(2);
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		free_remote(b.pc, a.pc, refs[i]);
	rnd_pcpu_flush_out(&cpus, b.pc);
	leave(b);

	a = enter(1);
	assert_int_equal(ARRAY_SIZE(refs), rnd_pcpu_drain_inbox(a.pc));
	assert_null(a.pc->inbox);
	assert_int_equal(0, rnd_pcpu_drain_inbox(a.pc));
	for (i = 0; i < ARRAY_SIZE(refs); i++) {
		p = place_of(a.pc, refs[i]);
		assert_int_equal(0, p.slab->visit);
		assert_int_equal(rnd_state_freed(RND_OPT_QUARANTINE ?
							 RND_SLOT_QUARANTINED :
							 RND_SLOT_FREE,
						 2),
				 *p.state);
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
	__u64 refs[30];
	__u32 i, len = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		refs[i] = pop(a.pc);
	leave(a);
	for (i = 0; i < ARRAY_SIZE(refs); i++) {
		b = enter(2 + i % 3);
		free_remote(b.pc, a.pc, refs[i]);
		rnd_pcpu_flush_out(&cpus, b.pc);
		leave(b);
		len = inbox_len(a.pc);
	}
	assert_in_range(len, 1, dyn[SC].slab_cnt);
	a = enter(1);
	assert_int_equal(ARRAY_SIZE(refs), rnd_pcpu_drain_inbox(a.pc));
	leave(a);
}

static void pcpu_sorts_a_batch_by_owner(void **state)
{
	struct rnd_ctx ctx[4];
	__u64 refs[4][10];
	__u32 i, j;

	(void)state;
	for (i = 0; i < 4; i++) {
		/* 0 is the shared state */
		ctx[i] = enter(i);
		for (j = 0; j < 10; j++)
			refs[i][j] = pop(ctx[i].pc);
		leave(ctx[i]);
	}
	ctx[3] = enter(3);
	for (j = 0; j < 10; j++)
		for (i = 0; i < 3; i++)
			free_remote(ctx[3].pc, ctx[i].pc, refs[i][j]);
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
	__u64 ref = pop(a.pc);

	(void)state;
	p = place_of(a.pc, ref);
	*p.state = rnd_state_freed(RND_SLOT_REMOTE, 2);
	/* CPU 2 has set the bit, but not put the slab into the inbox yet */
	p.slab->visit += RND_SLAB_VISITOR;
	assert_true(rnd_slab_mark_remote(p.slab, p.slot));
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

struct twice {
	struct rnd_pcpu *first, *second, *owner;
	__u64 ref;
};

static void free_twice(void *arg)
{
	struct twice *t = arg;

	free_remote(t->first, t->owner, t->ref);
	free_remote(t->second, t->owner, t->ref);
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
	t = (struct twice){ ctx[1].pc, ctx[2].pc, ctx[0].pc, pop(ctx[0].pc) };
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
		UNIT_TEST(pcpu_states_are_between_guards),
		UNIT_TEST(pcpu_nested_entry_falls_back_to_shared_c1),
		UNIT_TEST(pcpu_leases_an_index_or_shares),
		UNIT_TEST(pcpu_without_memory_uses_the_shared_state),
		UNIT_TEST(pcpu_generators_differ),
		UNIT_TEST(pcpu_stays_out_of_a_stopped_world),
		UNIT_TEST(pcpu_wait_returns_when_all_have_left),
		UNIT_TEST(pcpu_batch_is_flushed_when_full_c2),
		UNIT_TEST(pcpu_batch_for_nobody_is_taken_at_once),
		UNIT_TEST(pcpu_drain_takes_everything_once),
		UNIT_TEST(pcpu_slab_is_in_the_inbox_once),
		UNIT_TEST(pcpu_sorts_a_batch_by_owner),
		UNIT_TEST(pcpu_purges_nothing_with_a_visitor_c3),
		UNIT_TEST(pcpu_second_remote_bit_is_reported),
	};

	return cmocka_run_group_tests_name("pcpu", tests, NULL, NULL);
}
