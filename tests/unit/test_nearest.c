/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of nearest.c against a search through everything
 *
 * links: lib/ukallocrnd/heap.c lib/ukallocrnd/sample.c
 *	lib/ukallocrnd/slow.c lib/ukallocrnd/slow_free.c
 *	lib/ukallocrnd/reclaim.c
 *	lib/ukallocrnd/diag.c
 *	lib/ukallocrnd/large.c lib/ukallocrnd/span.c
 *	lib/ukallocrnd/park.c
 *	lib/ukallocrnd/large_park.c lib/ukallocrnd/large_free.c
 *	lib/ukallocrnd/large_move.c
 *	lib/ukallocrnd/pcpu.c lib/ukallocrnd/pclass.c
 *	lib/ukallocrnd/pclass_free.c lib/ukallocrnd/pclass_list.c
 *	lib/ukallocrnd/pclass_purge.c
 *	lib/ukallocrnd/pagemap.c lib/ukallocrnd/region.c
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

#include <cmocka.h>

#include "fake_home.h"
#include "fake_port.h"
#include "nearest.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define OBJECTS 60U
#define ASKED	2000U

static struct rnd_heap *h;
static struct {
	__uptr ptr;
	__sz req;
} obj[OBJECTS];

static int setup(void **state)
{
	(void)state;
	fake_port_reset(23);
	fake_port_set_cpu(1);
	h = rnd_heap_create(0);
	return h ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	rnd_heap_destroy(h);
	fake_port_reset(23);
	return 0;
}

static __uptr alloc(__sz size)
{
	return (__uptr)home_malloc(h, size, RND_KIND_MALLOC);
}

static void release(__uptr ptr)
{
	home_free(h, (void *)ptr, RND_KIND_MALLOC);
}

static struct rnd_nearest find(__uptr addr)
{
	struct rnd_nearest best = { .obj = NULL };

	rnd_nearest_find(&h->pm, &h->dyn->large, addr, &best);

	return best;
}

static __sz gap(__uptr addr, __uptr ptr, __sz req)
{
	if (addr < ptr)
		return ptr - addr;

	return addr < ptr + req ? 0 : addr - ptr - req + 1;
}

static void nothing_is_near_in_an_empty_heap(void **state)
{
	__uptr p;

	(void)state;
	assert_null(find(0x1234).obj);
	p = alloc(100);
	release(p);
	assert_null(find(p).obj);
}

/* Few objects, far from each other and side by side; any address */
static void nearest_agrees_with_a_search_through_all(void **state)
{
	struct rnd_nearest best;
	__sz least;
	__uptr addr;
	unsigned int i, n;

	(void)state;
	for (i = 0; i < OBJECTS; i++) {
		obj[i].req = i % 5 == 4 ? 70000 + i : i % 5 == 3 ? 0 : 37 * i;
		obj[i].ptr = alloc(obj[i].req);
		assert_true(obj[i].ptr != 0);
	}
	for (n = 0; n < ASKED; n++) {
		rnd_port_entropy(&addr, sizeof(addr));
		if (n % 2)
			addr = obj[n % OBJECTS].ptr + addr % 8192 - 4096;
		else
			addr >>= n % 24;
		best = find(addr);
		assert_non_null(best.obj);
		least = __SZ_MAX;
		for (i = 0; i < OBJECTS; i++)
			least = MIN(least, gap(addr, obj[i].ptr, obj[i].req));
		assert_true(best.gap == least);
		assert_true(gap(addr, (__uptr)best.obj, best.req) == least);
	}
}

static void nearest_forgets_what_was_freed(void **state)
{
	__uptr p = alloc(100), l = alloc(100000);

	(void)state;
	assert_ptr_equal((void *)l, find(l - 1).obj);
	assert_int_equal(1, find(l - 1).gap);
	assert_int_equal(0, find(l + 99999).gap);
	assert_int_equal(1, find(l + 100000).gap);
	release(l);
	assert_ptr_equal((void *)p, find(l).obj);
	assert_int_equal(100, find(l).req);
}

/* Behind an object, but closer to the next one */
static void nearest_may_be_in_the_next_slot(void **state)
{
	static __uptr p[2000];
	unsigned int i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = alloc(50);
		for (j = 0; j < i; j++)
			if (p[j] == p[i] + 64)
				break;
		if (j < i)
			break;
	}
	assert_true(i < ARRAY_SIZE(p));
	/* cppcheck does not know that assertions do not return */
	if (i == ARRAY_SIZE(p))
		return;
	assert_ptr_equal((void *)p[i], find(p[i] + 55).obj);
	assert_int_equal(6, find(p[i] + 55).gap);
	assert_ptr_equal((void *)p[j], find(p[i] + 61).obj);
	assert_int_equal(3, find(p[i] + 61).gap);
}

/* No slot beyond the reach, none outside the region */
static void nearest_slot_keeps_within_its_reach(void **state)
{
	__uptr p = alloc(100);
	struct rnd_place at = home_place(h, (void *)p);
	struct rnd_nearest best = { .obj = NULL };
	__u32 cnt = (__u32)(at.region->dyn->end / at.region->slot_len);

	(void)state;
	rnd_nearest_slot(at.region, p, at.n + 3, 2, &best);
	assert_null(best.obj);
	if (at.n > 2)
		rnd_nearest_slot(at.region, p, at.n - 3, 2, &best);
	assert_null(best.obj);
	rnd_nearest_slot(at.region, p, at.n + 3, 3, &best);
	assert_ptr_equal((void *)p, best.obj);
	assert_int_equal(0, best.gap);
	best.obj = NULL;
	rnd_nearest_slot(at.region, p, cnt, 0, &best);
	assert_null(best.obj);
	rnd_nearest_slot(at.region, p, 0, cnt, &best);
	assert_ptr_equal((void *)p, best.obj);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(nothing_is_near_in_an_empty_heap),
		UNIT_TEST(nearest_agrees_with_a_search_through_all),
		UNIT_TEST(nearest_forgets_what_was_freed),
		UNIT_TEST(nearest_may_be_in_the_next_slot),
		UNIT_TEST(nearest_slot_keeps_within_its_reach),
	};

	return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
