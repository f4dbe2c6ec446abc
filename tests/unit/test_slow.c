/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of slow.c, through both halves of malloc and free
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
#include "fast_remote.h"
#include "fixture_heap.h"
#include "reclaim.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static __sz check(void)
{
	return uk_allocrnd_check(&h->dyn->a);
}

static void flush(void)
{
	home_flush(h);
}

/* The part of a CPU that serves a size */
static struct rnd_pclass *part_of(__u32 cpu, __sz size)
{
	return &h->dyn->cpus.table[cpu]->cls[rnd_sizeclass_of(size)];
}

static unsigned int state_of(const void *ptr)
{
	return *home_place(h, ptr).state & RND_STATE_MASK;
}

static void slow_sizes_around_every_class(void **state)
{
	unsigned int sc;
	__sz size;
	char *p;
	int d;

	(void)state;
	for (sc = 1; sc < RND_CLASS_COUNT; sc++)
		for (d = -9; d <= 9; d++) {
			size = rnd_sizeclass[sc].slot_len + (__sz)d;
			p = alloc(size);
			assert_non_null(p);
			assert_int_equal(0, (__uptr)p % 16);
			if (RND_OPT_ZERO) {
				assert_int_equal(0, p[0]);
				assert_int_equal(0, p[size - 1]);
			}
			memset(p, 0xa5, size);
			release(p);
		}
	assert_int_equal(0, check());
}

static void slow_calloc_overflows_to_nothing(void **state)
{
	static const __sz pairs[][2] = {
		{ ~0UL, 2 },	  { 2, ~0UL },	       { 1UL << 32, 1UL << 32 },
		{ 1UL << 63, 2 }, { ~0UL / 3 + 1, 3 }, { ~0UL, ~0UL },
		{ 1UL << 62, 1 }, { ~0UL, 1 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_null(rnd_calloc(h, pairs[i][0], pairs[i][1], 0));
	assert_int_equal(0, h->dyn->vs.user);
}

static void slow_calloc_clears_used_memory(void **state)
{
	static const __sz sizes[] = { 1, 24, 100, 1000, 20000, 66000, 200000 };
	unsigned int i, round;
	char *p;
	__sz at;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (round = 0; round < 200; round++) {
			p = rnd_calloc(h, sizes[i], 1, 0);
			assert_non_null(p);
			for (at = 0; at < sizes[i]; at += 1 + sizes[i] / 50)
				assert_int_equal(0, p[at]);
			assert_int_equal(0, p[sizes[i] - 1]);
			memset(p, 0xff, sizes[i]);
			release(p);
			if (round % 10 == 0)
				flush();
		}
}

static void slow_memalign_every_alignment(void **state)
{
	static const __sz sizes[] = {
		0,    1,    8,	  16,	17,    100,   120,   500,   1000,
		4088, 4096, 4097, 8000, 20000, 33000, 66552, 66553, 200000
	};
	__sz align;
	unsigned int i;
	char *p;

	(void)state;
	for (align = 8; align <= 1UL << 20; align <<= 1)
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			p = rnd_memalign(h, align, sizes[i], RND_KIND_MALLOC,
					 0);
			assert_non_null(p);
			assert_int_equal(0, (__uptr)p % align);
			if (sizes[i])
				memset(p, 0x5a, sizes[i]);
			assert_int_equal(0, check());
			release(p);
		}
	assert_int_equal(0, check());
}

static void slow_empty_objects_are_distinct_and_inaccessible(void **state)
{
	static char *p[5000];
	__sz i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = alloc(0);
		assert_non_null(p[i]);
		assert_int_equal(0, (__uptr)p[i] % 16);
		assert_int_equal(RND_SLOT_LIVE_EMPTY, state_of(p[i]));
	}
	for (i = 0; i < 200; i++) {
		assert_false(fake_port_can_read(p[i * 25]));
		for (j = 0; j < ARRAY_SIZE(p); j++)
			assert_true(j == i * 25 || p[j] != p[i * 25]);
	}
	assert_int_equal(0, h->dyn->vs.user);
	assert_int_equal(0, check());
	for (i = 0; i < ARRAY_SIZE(p); i++)
		release(p[i]);
	assert_int_equal(0, check());
	flush();
	assert_int_equal(0, check());
}

/* Nobody can end the quarantine of all objects with a call that must fail */
static void slow_impossible_sizes_keep_the_quarantine(void **state)
{
	struct rnd_pclass *pl;
	unsigned int i;
	__u32 before;

	(void)state;
	for (i = 0; i < 10; i++)
		release(alloc(64));
	pl = part_of(rnd_port_cpu(), 64);
	before = rnd_quarantine_count(&pl->q);
	assert_true(!RND_OPT_QUARANTINE || before == 10);

	assert_null(alloc(1UL << 45));
	assert_null(alloc(~0UL));
	assert_null(rnd_palloc(h, 1UL << 40, 0));
	/* Possible, but there is no memory and the quarantine cannot help */
	fake_port_fail_from(FAKE_COMMIT, 1);
	assert_null(alloc(RND_RECLAIM_MAX + 1));
	fake_port_fail_from(FAKE_COMMIT, 0);
	assert_int_equal(before, rnd_quarantine_count(&pl->q));
}

static void slow_impossible_sizes_fail(void **state)
{
	static const __sz sizes[] = { ~0UL,	 ~0UL - 7,  ~0UL - 4096,
				      1UL << 63, 1UL << 62, (1UL << 62) - 1,
				      1UL << 47 };
	unsigned int i;
	__sz align;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_null(alloc(sizes[i]));
		for (align = 8; align; align <<= 1)
			assert_null(rnd_memalign(h, align, sizes[i],
						 RND_KIND_MALLOC, 0));
		assert_null(rnd_palloc(h, sizes[i] / RND_PAGE_LEN, 0));
		assert_null(rnd_palloc(h, sizes[i], 0));
	}
	/* An alignment that no address has */
	assert_null(rnd_memalign(h, 1UL << 47, 1, RND_KIND_MALLOC, 0));
	assert_null(rnd_memalign(h, 1UL << 63, 1, RND_KIND_MALLOC, 0));
	assert_null(rnd_palloc(h, 0, 0));
	rnd_pfree(h, NULL, 1, 0);
	release(NULL);
	assert_int_equal(0, h->dyn->vs.user);
	assert_int_equal(0, check());
}

static void slow_pages(void **state)
{
	char *p;
	__sz n;

	(void)state;
	for (n = 1; n < 50; n++) {
		p = rnd_palloc(h, n, 0);
		assert_non_null(p);
		assert_int_equal(0, (__uptr)p % RND_PAGE_LEN);
		memset(p, 0xff, n * RND_PAGE_LEN);
		if (n > 2) {
			rnd_pfree(h, p + RND_PAGE_LEN, 1, 0);
			assert_false(fake_port_can_read(p + RND_PAGE_LEN));
			rnd_pfree(h, p + 2 * RND_PAGE_LEN, n - 2, 0);
			rnd_pfree(h, p, 1, 0);
		} else {
			rnd_pfree(h, p, n, 0);
		}
		assert_int_equal(0, check());
	}
	(void)rnd_large_unpark(&h->dyn->large);
	assert_int_equal(0, h->dyn->vs.user);
}

/* A CPU frees what another one owns; the owner gets it back */
static void slow_frees_for_another_cpu(void **state)
{
	static const __sz sizes[] = { 0, 50, 3000 };
	void *p[300];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = alloc(sizes[i % 3]);
	fake_port_set_cpu(2);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		release(p[i]);
		assert_int_equal(RND_SLOT_REMOTE, state_of(p[i]));
		if (i % 50 == 0)
			assert_int_equal(0, check());
	}
	assert_int_equal(ARRAY_SIZE(p), h->dyn->cpus.table[2]->remote_frees);
	flush();
	assert_int_equal(0, check());
	fake_port_set_cpu(1);
	flush();
	for (i = 0; i < ARRAY_SIZE(p); i++)
		assert_int_equal(RND_SLOT_FREED, state_of(p[i]));
	assert_int_equal(0, check());
}

/* Who says a size has to be right, without a way round through the slow path */
static void slow_frees_sized_for_another_cpu(void **state)
{
	static const __sz sizes[] = { 1, 50, 120, 121, 3000, 60000 };
	struct rnd_pcpu *pc;
	unsigned int i;
	void *p;

	(void)state;
	release(alloc(1));
	fake_port_set_cpu(2);
	release(alloc(1));
	pc = h->dyn->cpus.table[2];
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fake_port_set_cpu(1);
		p = alloc(sizes[i]);
		fake_port_set_cpu(2);
		assert_false(rnd_free_remote(h, pc, p, sizes[i] + 1,
					     RND_KIND_MALLOC));
		assert_false(rnd_free_remote(h, pc, p, sizes[i] - 1,
					     RND_KIND_MALLOC));
		assert_false(
			rnd_free_remote(h, pc, p, sizes[i], RND_KIND_NEW) &&
			RND_OPT_KIND);
		if (RND_OPT_KIND)
			assert_true(rnd_free_remote(h, pc, p, sizes[i],
						    RND_KIND_MALLOC));
		assert_int_equal(RND_SLOT_REMOTE, state_of(p));
		assert_int_equal(i + 1, pc->remote_frees);
	}
	flush();
	assert_int_equal(0, check());
}

/* A refill takes what others have freed */
static void slow_refill_drains_the_inbox(void **state)
{
	void *p[200];
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = alloc(50);
	fake_port_set_cpu(2);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		release(p[i]);
	flush();
	fake_port_set_cpu(1);
	assert_non_null(h->dyn->cpus.table[1]->inbox);
	for (i = 0; i <= RND_POOL_LEN; i++)
		assert_non_null(alloc(50));
	assert_null(h->dyn->cpus.table[1]->inbox);
	assert_int_equal(0, check());
}

/* Who frees as much as he allocates never refills. What others have freed must
 * come back all the same: a write after free is found by then, and memory can
 * be given back
 */
static void slow_balance_takes_what_others_freed(void **state)
{
	void *p[200];
	unsigned int i;

	(void)state;
	if (!RND_OPT_RANDOM_SLOTS)
		skip();
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = alloc(50);
	for (i = 0; i < 3000; i++)
		release(alloc(50));
	fake_port_set_cpu(2);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		release(p[i]);
	flush();
	fake_port_set_cpu(1);
	assert_non_null(h->dyn->cpus.table[1]->inbox);
	for (i = 0; i < 3000; i++)
		release(alloc(50));
	assert_null(h->dyn->cpus.table[1]->inbox);
	assert_int_equal(0, check());
}

/* An interrupt in the middle of an operation, C1 */
static void slow_works_while_its_cpu_is_inside(void **state)
{
	struct rnd_pcpu *pc;
	void *p = alloc(50), *q, *l;

	(void)state;
	pc = rnd_cpus_own(h->dyn->cpus.table);
	assert_true(rnd_pcpu_enter(pc));
	q = alloc(50);
	l = alloc(200000);
	assert_non_null(q);
	assert_non_null(l);
	release(p);
	assert_int_equal(RND_SLOT_REMOTE, state_of(p));
	release(q);
	release(l);
	assert_int_equal(1, pc->busy);
	rnd_pcpu_leave(pc);
	assert_int_equal(0, check());
}

/* Any history of small, large, aligned, freed; NULL is a fine answer */
static void work(void)
{
	void *p[40] = { NULL };
	unsigned int i;
	__sz size = 1;

	for (i = 0; i < 400; i++) {
		if (p[i % 40] && i % 40 >= 36)
			rnd_pfree(h, p[i % 40], 3, 0);
		else
			release(p[i % 40]);
		size = size * 7 % 50021;
		if (i % 40 >= 36)
			p[i % 40] = rnd_palloc(h, 3, 0);
		else if (i % 3)
			p[i % 40] = alloc(i % 17 ? size : 0);
		else
			p[i % 40] =
				rnd_memalign(h, 256, size, RND_KIND_MALLOC, 0);
	}
}

/* One call of the port fails, each fifth of them */
static void slow_survives_every_failure(void **state)
{
	unsigned int n, step = 5;

	(void)state;
#ifdef RND_TEST_SLOW
	step = 97;
#endif
	for (n = 1;; n += step) {
		rnd_heap_destroy(h);
		assert_int_equal(0, setup(state));
		fake_port_fail_at(FAKE_ANY, n);
		work();
		assert_int_equal(0, check());
		assert_true((h->dyn->vs.user + h->dyn->vs.meta) *
				    RND_PAGE_LEN ==
			    fake_port.committed);
		if (fake_port_fail_pending())
			break;
	}
	print_message("%u calls of the port\n", n);
	assert_true(n > 100);
}

/* From some call on nothing succeeds; then everything again */
static void slow_survives_lasting_failure(void **state)
{
	unsigned int n;

	(void)state;
	for (n = 1; n < 200; n += 23) {
		rnd_heap_destroy(h);
		assert_int_equal(0, setup(state));
		fake_port_fail_from(FAKE_ANY, n);
		work();
		assert_int_equal(0, check());
		fake_port_fail_from(FAKE_ANY, 0);
		work();
		assert_int_equal(0, check());
		assert_non_null(alloc(1000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(slow_sizes_around_every_class),
		UNIT_TEST(slow_calloc_overflows_to_nothing),
		UNIT_TEST(slow_calloc_clears_used_memory),
		UNIT_TEST(slow_memalign_every_alignment),
		UNIT_TEST(slow_empty_objects_are_distinct_and_inaccessible),
		UNIT_TEST(slow_impossible_sizes_fail),
		UNIT_TEST(slow_impossible_sizes_keep_the_quarantine),
		UNIT_TEST(slow_pages),
		UNIT_TEST(slow_frees_for_another_cpu),
		UNIT_TEST(slow_frees_sized_for_another_cpu),
		UNIT_TEST(slow_refill_drains_the_inbox),
		UNIT_TEST(slow_balance_takes_what_others_freed),
		UNIT_TEST(slow_works_while_its_cpu_is_inside),
		UNIT_TEST(slow_survives_every_failure),
		UNIT_TEST(slow_survives_lasting_failure),
	};

	return cmocka_run_group_tests_name("slow", tests, NULL, NULL);
}
