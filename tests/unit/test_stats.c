/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of stats.c: the numbers after histories that are known
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
#include "fast.h"
#include "fixture_heap.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static struct uk_allocrnd_stats stats(void)
{
	struct uk_allocrnd_stats st;

	memset(&st, 0xff, sizeof(st));
	uk_allocrnd_stats_get(&h->dyn->a, &st);
	assert_true(st.committed + st.metadata == fake_port.committed);
	return st;
}

static void stats_of_an_unused_heap(void **state)
{
	struct uk_allocrnd_stats st = stats();

	(void)state;
	assert_int_equal(0, st.committed);
	assert_int_equal(0, st.live_slots);
	assert_int_equal(0, st.live_bytes);
	assert_int_equal(0, st.quarantine_slots);
	assert_int_equal(0, st.pool_slots);
	assert_int_equal(0, st.large_live);
	assert_int_equal(0, st.slabs);
	assert_int_equal(0, st.refills);
	assert_int_equal(0, st.remote_frees);
	/* Most of it are regions; guards and heap parts are not counted */
	assert_in_range(st.reserved, fake_port.reserved / 10 * 9,
			fake_port.reserved);
}

static void stats_follow_small_objects(void **state)
{
	struct uk_allocrnd_stats st;
	void *p[100];
	__sz i, bytes = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = home_malloc(h, i, RND_KIND_MALLOC);
		bytes += i;
		st = stats();
		assert_int_equal(i + 1, st.live_slots);
		assert_int_equal(bytes, st.live_bytes);
	}
	assert_true(st.slabs * (1UL << 15) >= st.committed);
	assert_int_equal(0, st.quarantine_slots);
	assert_true(st.refills >= 8);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		home_free(h, p[i], RND_KIND_MALLOC);
		bytes -= i;
		st = stats();
		assert_int_equal(ARRAY_SIZE(p) - 1 - i, st.live_slots);
		assert_int_equal(bytes, st.live_bytes);
		if (RND_OPT_QUARANTINE)
			assert_int_equal(i + 1, st.quarantine_slots);
	}
	assert_int_equal(0, st.remote_frees);
}

static void stats_count_a_pool(void **state)
{
	struct uk_allocrnd_stats st;
	void *p = home_malloc(h, 50, RND_KIND_MALLOC);
	struct rnd_pclass *pl;

	(void)state;
	pl = &h->dyn->cpus.table[1]->cls[rnd_sizeclass_of(50)];
	st = stats();
	assert_int_equal(1, st.refills);
	assert_int_equal(pl->pool_cnt, st.pool_slots);
	assert_in_range(st.pool_slots, pl->choice, pl->pool_max - 1);
	assert_int_equal(pl->region->dyn->slab_cnt, st.slabs);
	assert_true(st.committed == st.slabs * pl->region->slab_len);
	home_free(h, p, RND_KIND_MALLOC);
	assert_int_equal(pl->pool_cnt, stats().pool_slots);
	/* A second class counts as well */
	home_free(h, home_malloc(h, 500, RND_KIND_MALLOC), RND_KIND_MALLOC);
	assert_int_equal(2, stats().refills);
	assert_true(stats().pool_slots > st.pool_slots);
	/* And a slot that waits in the common quarantine */
	home_free(h, home_malloc(h, 5000, RND_KIND_MALLOC), RND_KIND_MALLOC);
	assert_int_equal(RND_OPT_QUARANTINE ? 3 : 0, stats().quarantine_slots);
	home_flush(h);
	assert_int_equal(0, stats().pool_slots);
	assert_int_equal(0, stats().quarantine_slots);
}

static void stats_follow_large_objects(void **state)
{
	struct uk_allocrnd_stats before = stats(), st;
	void *p = home_malloc(h, 198000, RND_KIND_MALLOC);
	void *q = rnd_palloc(h, 5, 0);
	const __sz parked = 49 + (RND_OPT_LARGE_KEEP ? 0 : 5);

	(void)state;
	st = stats();
	assert_int_equal(2, st.large_live);
	assert_int_equal(2, st.live_slots);
	assert_int_equal(198000 + 5 * RND_PAGE_LEN, st.live_bytes);
	assert_int_equal((49 + 5) * RND_PAGE_LEN, st.committed);
	assert_true(st.reserved - before.reserved >
		    (49 + 5 + 4) * RND_PAGE_LEN - 1);
	home_free(h, p, RND_KIND_MALLOC);
	rnd_pfree(h, q, 5, 0);
	st = stats();
	assert_int_equal(0, st.large_live);
	assert_int_equal(0, st.live_bytes);
	/* The pages are parked, and their places count */
	assert_int_equal(parked * RND_PAGE_LEN, st.committed);
	assert_true(st.reserved - before.reserved >
		    ((parked + 2) * RND_PAGE_LEN - 1) *
			    (1 + RND_OPT_QUARANTINE));
	assert_int_equal(parked * RND_PAGE_LEN,
			 rnd_large_unpark(&h->dyn->large));
	st = stats();
	assert_int_equal(0, st.committed);
	assert_int_equal(RND_OPT_QUARANTINE, st.reserved > before.reserved);
	rnd_large_purge(&h->dyn->large);
	assert_true(stats().reserved == before.reserved);
}

static void stats_count_remote_frees_of_all_cpus(void **state)
{
	void *p[30];
	__u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = home_malloc(h, 50, RND_KIND_MALLOC);
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		/* CPU 0 is the shared state, CPU 1 the owner */
		fake_port_set_cpu(i % 3);
		home_free(h, p[i], RND_KIND_MALLOC);
	}
	assert_int_equal(20, stats().remote_frees);
	assert_int_equal(0, stats().live_slots);
}

struct map_seen {
	unsigned int lines, regions, objects;
};

static void see_line(void *arg, const char *name, __uptr base, __sz len)
{
	struct map_seen *seen = arg;

	assert_true(fake_port_is_reserved(base, len));
	seen->lines++;
	seen->regions += strncmp(name, "slots of ", 9) == 0;
	seen->objects += strcmp(name, "large object") == 0;
	if (strcmp(name, "slots of 4160") == 0)
		assert_true(base == h->pm.region[rnd_sizeclass_of(4100)].base);
}

static void map_names_every_place(void **state)
{
	struct map_seen seen = { 0, 0, 0 };

	(void)state;
	(void)rnd_palloc(h, 3, 0);
	home_free(h, home_malloc(h, 200000, RND_KIND_MALLOC), RND_KIND_MALLOC);
	uk_allocrnd_map(&h->dyn->a, see_line, &seen);
	assert_int_equal(RND_CLASS_COUNT, seen.regions);
	assert_int_equal(1, seen.objects);
	/* Slots and metadata of each class; records of samples */
	assert_int_equal(4 + 2 * RND_CLASS_COUNT + 1 + RND_OPT_SAMPLE,
			 seen.lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(stats_of_an_unused_heap),
		UNIT_TEST(stats_follow_small_objects),
		UNIT_TEST(stats_count_a_pool),
		UNIT_TEST(stats_follow_large_objects),
		UNIT_TEST(stats_count_remote_frees_of_all_cpus),
		UNIT_TEST(map_names_every_place),
	};

	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
