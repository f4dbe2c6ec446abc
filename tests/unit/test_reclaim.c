/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of reclaim.c
 *
 * links: lib/ukallocrnd/heap.c lib/ukallocrnd/sample.c
 *	lib/ukallocrnd/slow.c lib/ukallocrnd/slow_free.c
 *	lib/ukallocrnd/reclaim.c
 *	lib/ukallocrnd/diag.c
 *	lib/ukallocrnd/check.c lib/ukallocrnd/large.c lib/ukallocrnd/span.c
 *	lib/ukallocrnd/large_park.c lib/ukallocrnd/large_free.c
 *	lib/ukallocrnd/large_move.c
 *	lib/ukallocrnd/park.c
 *	lib/ukallocrnd/pcpu.c lib/ukallocrnd/pclass.c
 *	lib/ukallocrnd/pclass_free.c lib/ukallocrnd/pclass_list.c
 *	lib/ukallocrnd/pclass_purge.c
 *	lib/ukallocrnd/nearest.c lib/ukallocrnd/pagemap.c
 *	lib/ukallocrnd/region.c
 *	lib/ukallocrnd/quarantine.c lib/ukallocrnd/report.c
 *	lib/ukallocrnd/format.c lib/ukallocrnd/slab.c
 *	lib/ukallocrnd/sizeclass.c lib/ukallocrnd/vspace.c
 *	lib/ukallocrnd/rng.c lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c
 *	lib/ukallocrnd/fill.c
 *	tests/unit/fake_port.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/allocrnd.h>

#include "fake_home.h"
#include "fake_port.h"
#include "fixture_heap.h"
#include "reclaim.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define OBJECTS 1000U

static void *object[OBJECTS];

static struct rnd_pcpu *own(void)
{
	return rnd_cpus_own(h->dyn->cpus.table);
}

static __sz user(void)
{
	return h->dyn->vs.user * RND_PAGE_LEN;
}

static void take(__sz size, __u32 cnt)
{
	__u32 i;

	for (i = 0; i < cnt; i++) {
		object[i] = alloc(size);
		assert_non_null(object[i]);
	}
}

static void give(__u32 cnt)
{
	while (cnt)
		release(object[--cnt]);
}

/* Nothing may be committed beyond what is now */
static void set_full(void)
{
	h->dyn->vs.limit = h->dyn->vs.user + h->dyn->vs.meta;
}

/* A pass to the end, nothing helps; how many tries that were */
static __u32 reclaim_to_the_end(struct rnd_reclaim *rc)
{
	struct rnd_ctx ctx = rnd_ctx_enter(&h->dyn->cpus);
	__u32 tries = 0;

	while (rnd_reclaim(h, ctx.pc, rc)) {
		tries++;
		assert_in_range(tries, 1, 100);
	}
	assert_false(rnd_reclaim(h, ctx.pc, rc));
	rnd_ctx_leave(&h->dyn->cpus, ctx);

	return tries;
}

/* Free slabs of long slots, and nothing of them in quarantines */
static void slabs_free_up(void)
{
	take(60000, 400);
	give(400);
	home_flush(h);
}

/* Each class gets what it needs from the free slabs of another one, and not
 * much more: the others stay for later calls
 */
static void reclaim_stops_when_there_is_enough(void **state)
{
	static const __sz sizes[] = { 50, 500, 3000, 8192, 40000 };
	__sz before, pool;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		rnd_heap_destroy(h);
		assert_int_equal(0, setup(state));
		slabs_free_up();
		/* Metadata of the other class, and nothing else of it */
		release(alloc(sizes[i]));
		home_flush(h);
		rnd_pclass_purge(&own()->cls[rnd_sizeclass_of(sizes[i])]);
		before = user();
		set_full();

		assert_non_null(alloc(sizes[i]));
		pool = RND_CHOICE_BYTES + 8 * RND_SLAB_LEN_MAX;
		assert_true(user() <= before);
		assert_true(before - user() <= 2 * pool);
		assert_true(before > 5 * pool);
		assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
	}
}

/* As much to choose from as with memory to spare */
static void reclaim_leaves_the_choice(void **state)
{
	unsigned int sc = rnd_sizeclass_of(3000);
	const struct rnd_pclass *pl;

	(void)state;
	slabs_free_up();
	release(alloc(3000));
	home_flush(h);
	rnd_pclass_purge(&own()->cls[sc]);
	set_full();
	assert_non_null(alloc(3000));
	pl = &own()->cls[sc];
	assert_int_equal(pl->choice, pl->pool_min);
	assert_in_range(pl->pool_cnt, pl->choice, pl->pool_max - 1);
}

/* Who can be served from free slabs does not end a quarantine */
static void reclaim_keeps_quarantines_if_it_can(void **state)
{
	const struct rnd_pclass *pl;
	__u32 before;

	(void)state;
	slabs_free_up();
	take(64, 30);
	give(30);
	release(alloc(200000));
	(void)rnd_large_unpark(&h->dyn->large);
	pl = &own()->cls[rnd_sizeclass_of(64)];
	before = rnd_quarantine_count(&pl->q);
	set_full();
	assert_non_null(alloc(3000));
	assert_non_null(alloc(3000000));
	assert_int_equal(before, rnd_quarantine_count(&pl->q));
	if (RND_OPT_QUARANTINE)
		assert_int_equal(1, rnd_quarantine_count(&h->dyn->large.q));
}

/* Neither does who can have the pages of a large object that is gone */
static void reclaim_begins_with_parked_objects(void **state)
{
	const struct rnd_pclass *pl;
	__u32 before;

	(void)state;
	release(alloc(500));
	home_flush(h);
	rnd_pclass_purge(&own()->cls[rnd_sizeclass_of(500)]);
	take(64, 30);
	give(30);
	release(alloc(200000));
	if (!rnd_large_parked(&h->dyn->large))
		skip();
	pl = &own()->cls[rnd_sizeclass_of(64)];
	before = rnd_quarantine_count(&pl->q);
	set_full();
	assert_non_null(alloc(500));
	assert_int_equal(0, rnd_large_parked(&h->dyn->large));
	assert_int_equal(before, rnd_quarantine_count(&pl->q));
}

/* Slots that wait come back before addresses that wait do */
static void reclaim_ends_with_addresses(void **state)
{
	const struct rnd_pclass *pl;

	(void)state;
	if (!RND_OPT_QUARANTINE)
		skip();
	take(64, 30);
	give(30);
	release(alloc(200000));
	(void)rnd_large_unpark(&h->dyn->large);
	pl = &own()->cls[rnd_sizeclass_of(64)];
	set_full();
	while (rnd_quarantine_count(&pl->q))
		assert_non_null(alloc(64));
	assert_int_equal(1, rnd_quarantine_count(&h->dyn->large.q));
	while (alloc(64))
		;
	assert_int_equal(0, rnd_quarantine_count(&h->dyn->large.q));
}

/* Pools, quarantines, parked objects, free slabs: nothing of them is left */
static void reclaim_ends_with_nothing_e1(void **state)
{
	static const __sz sizes[] = { 0, 20, 300, 5000, 60000, 100000, 300000 };
	struct rnd_reclaim rc = { .want = RND_PAGE_LEN, .all = 1 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		take(sizes[i], 300);
		give(300);
	}
	assert_true(user() > 0);
	(void)reclaim_to_the_end(&rc);
	assert_int_equal(0, user());
	assert_int_equal(0, rnd_quarantine_count(&h->dyn->large.q));
	assert_int_equal(0, own()->bulk.cnt);
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
}

/* At last those pages of slabs in use go that only free slots touch */
static void reclaim_discards_pages_e1(void **state)
{
	struct rnd_reclaim rc = { .want = RND_PAGE_LEN, .all = 1 };
	__u32 i;

	(void)state;
	take(8192, 300);
	for (i = 0; i < 300; i++)
		if (i % 10)
			release(object[i]);
	assert_int_equal(0, fake_port.discards);
	(void)reclaim_to_the_end(&rc);
	assert_true(user() > 30 * 8192UL);
	assert_true(!RND_PORT_DISCARDS ||
		    user() - fake_port.discarded < 60 * 8192UL);
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
}

/* Before anything is emptied, free slabs go, half of what there is at a time */
static void reclaim_takes_few_tries_e2(void **state)
{
	struct rnd_reclaim rc = { .want = 1, .all = 1 };

	(void)state;
	take(60000, OBJECTS);
	give(OBJECTS);
	home_flush(h);
	assert_true(user() > 50UL << 20);
	/* Twice to 2^26, and the steps without an end */
	assert_in_range(reclaim_to_the_end(&rc), 8, 40);
	assert_int_equal(0, user());
}

/* Whether the quarantine of a class is kept when so much is asked for */
static __bool is_kept(const struct rnd_pclass *pl, __sz req)
{
	struct rnd_reclaim rc = { .want = req, .req = req, .all = 1 };
	__u32 before = rnd_quarantine_count(&pl->q) + pl->pool_cnt;

	assert_true(before > 0);
	(void)reclaim_to_the_end(&rc);
	return rnd_quarantine_count(&pl->q) + pl->pool_cnt == before;
}

/* Who asks for more than there is does not end quarantines, but gets all that
 * is free; neither does who asks for what cannot be, by size or alignment
 */
static void reclaim_keeps_quarantines_of_large_requests(void **state)
{
	const struct rnd_pclass *pl;
	__sz idle, left;

	(void)state;
	slabs_free_up();
	take(64, 30);
	give(30);
	pl = &own()->cls[rnd_sizeclass_of(64)];
	assert_int_equal(0, rnd_pcpu_live(own()));
	set_full();
	/* Free slabs are given back, what slots are in stays */
	assert_true(is_kept(pl, RND_RECLAIM_MAX + 1));
	left = rnd_vspace_available(&h->dyn->vs) << RND_PAGE_SHIFT;
	idle = user();
	assert_true(left > 0 && idle > 0);
	assert_true(idle <= RND_ACTIVE_MAX * RND_SLAB_LEN_MAX);
	assert_true(is_kept(pl, left + idle + 1));
	assert_false(is_kept(pl, left + idle));
}

/* As a process with a limit that the port does not know of */
static void reclaim_keeps_quarantines_where_memory_is_free(void **state)
{
	const struct rnd_pclass *pl;
	void *live;

	(void)state;
	take(64, 30);
	live = alloc(100);
	give(30);
	pl = &own()->cls[rnd_sizeclass_of(64)];
	assert_int_equal(112, rnd_pcpu_live(own()));
	assert_true(is_kept(pl, 2 * (user() - 112) + 1));
	assert_false(is_kept(pl, 2 * (user() - 112)));
	release(live);
}

/* The shared state, and that of a thread that has ended; not one in use */
static void reclaim_takes_from_other_states(void **state)
{
	static const __u32 cpus[] = { 0, 2, 3 };
	struct rnd_reclaim rc = { .want = 1, .all = 1 };
	unsigned int i, sc = rnd_sizeclass_of(60000);
	const struct rnd_pclass *pl;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cpus); i++) {
		fake_port_set_cpu(cpus[i]);
		take(60000, 40);
		give(40);
	}
	fake_port_set_cpu(1);
	fake_port.unleased = 2;
	(void)reclaim_to_the_end(&rc);
	fake_port.unleased = 0;
	for (i = 0; i < ARRAY_SIZE(cpus); i++) {
		pl = &rnd_cpus_get(&h->dyn->cpus, cpus[i])->cls[sc];
		assert_int_equal(cpus[i] == 3, pl->pool_cnt > 0);
	}
	assert_true(user() > 0);
	fake_port_set_cpu(3);
	rc = (struct rnd_reclaim){ .want = 1, .all = 1 };
	(void)reclaim_to_the_end(&rc);
	assert_int_equal(0, user());
	assert_false(rnd_lock_is_taken(&h->dyn->cpus.shared_lock));
}

/* What a thread left behind goes by hand, too; quarantines stay */
static void purge_takes_from_other_states(void **state)
{
	struct rnd_pcpu *ended;
	struct rnd_ctx ctx;
	__sz before;

	(void)state;
	fake_port_set_cpu(2);
	slabs_free_up();
	ended = own();
	take(64, 30);
	give(30);
	fake_port_set_cpu(1);
	take(64, 1);
	before = user();
	fake_port.unleased = 2;
	ctx = rnd_ctx_enter(&h->dyn->cpus);
	assert_true(rnd_reclaim_purge(h, ctx.pc) > 300 * 60000UL);
	rnd_ctx_leave(&h->dyn->cpus, ctx);
	fake_port.unleased = 0;
	assert_true(before - user() > 300 * 60000UL);
	assert_int_equal(
		RND_OPT_QUARANTINE ? 30 : 0,
		rnd_quarantine_count(&ended->cls[rnd_sizeclass_of(64)].q));
	give(1);
}

#ifdef RND_TEST_SLOW
#define ROUNDS 1000U
#else
#define ROUNDS 15000U
#endif

/* Any history: who gets nothing would get nothing after all was given back by
 * hand, too
 */
static void reclaim_fails_only_when_nothing_is_left_e1(void **state)
{
	struct rnd_ctx ctx;
	__u32 i, round, at, fails = 0;
	__sz size = 1;

	(void)state;
	h->dyn->vs.limit = 1500;
	memset(object, 0, sizeof(object));
	for (round = 0; round < ROUNDS; round++) {
		size = size * 1103515245UL + 12345;
		at = (__u32)(size >> 33) % 200;
		release(object[at]);
		/* Sizes of one class for a while, then of another one */
		i = (__u32)(size >> 16) %
		    (1U << (4 + round / (ROUNDS / 50) % 15));
		object[at] = alloc(i);
		if (object[at])
			continue;
		fails++;
		ctx = rnd_ctx_enter(&h->dyn->cpus);
		rnd_pcpu_flush(&h->dyn->cpus, ctx.pc);
		rnd_pcpu_purge(ctx.pc);
		rnd_ctx_leave(&h->dyn->cpus, ctx);
		assert_int_equal(0, rnd_large_unpark(&h->dyn->large));
		assert_null(alloc(i));
	}
	assert_true(fails > 100);
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
	give(200);
}

/* Slab by slab it may take some calls */
static void alloc_all(void *size)
{
	while (alloc(*(__sz *)size))
		;
}

/* What was written after it was freed is found before it is forgotten */
static void reclaim_verifies_what_it_gives_back(void **state)
{
	static __sz sizes[] = { 3000, 70000, 3000000 };
	const char *text;
	unsigned int i;
	char *p;

	(void)state;
	if (!RND_OPT_WAF)
		return;
	take(60000, 100);
	p = object[50];
	give(100);
	home_flush(h);
	set_full();
	p[1234] = 1;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		text = fake_port_abort_text(alloc_all, &sizes[i]);
		assert_ptr_equal(text, strstr(text, "ukallocrnd: BUG: write "
						    "after free: "));
		assert_non_null(strstr(text, "found by purge()"));
		assert_non_null(strstr(text, "first changed byte: offset "
					     "1234\n"));
	}
	p[1234] = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(reclaim_stops_when_there_is_enough),
		UNIT_TEST(reclaim_leaves_the_choice),
		UNIT_TEST(reclaim_keeps_quarantines_if_it_can),
		UNIT_TEST(reclaim_begins_with_parked_objects),
		UNIT_TEST(reclaim_ends_with_addresses),
		UNIT_TEST(reclaim_ends_with_nothing_e1),
		UNIT_TEST(reclaim_discards_pages_e1),
		UNIT_TEST(reclaim_takes_few_tries_e2),
		UNIT_TEST(reclaim_keeps_quarantines_of_large_requests),
		UNIT_TEST(reclaim_keeps_quarantines_where_memory_is_free),
		UNIT_TEST(reclaim_takes_from_other_states),
		UNIT_TEST(purge_takes_from_other_states),
		UNIT_TEST(reclaim_fails_only_when_nothing_is_left_e1),
		UNIT_TEST(reclaim_verifies_what_it_gives_back),
	};

	return cmocka_run_group_tests_name("reclaim", tests, NULL, NULL);
}
