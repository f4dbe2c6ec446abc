/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of heap.c
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

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define HEAPS 3

static int setup(void **state)
{
	(void)state;
	fake_port_reset(19);
	fake_port_set_cpu(1);
	return 0;
}

static void remember_heap(struct rnd_heap *h, void *arg)
{
	*(struct rnd_heap **)arg = h;
}

/* A test has to give back what it took; one that fails cannot */
static int teardown(void **state)
{
	int rc = fake_port.reserved || fake_port.committed ? -1 : 0;
	struct rnd_heap *last = NULL;

	(void)state;
	for (;;) {
		rnd_heap_foreach(remember_heap, &last);
		if (!last)
			break;
		rnd_heap_destroy(last);
		last = NULL;
	}
	fake_port_reset(19);
	return rc;
}

static struct rnd_heap *create(__sz limit)
{
	struct rnd_heap *h = rnd_heap_create(limit);

	assert_non_null(h);
	return h;
}

static void *alloc(struct rnd_heap *h, __sz size)
{
	return home_malloc(h, size, RND_KIND_MALLOC);
}

static void flush_and_purge(struct rnd_heap *h)
{
	struct rnd_ctx ctx = rnd_ctx_enter(&h->dyn->cpus);

	rnd_pcpu_flush(&h->dyn->cpus, ctx.pc);
	rnd_pcpu_purge(ctx.pc);
	rnd_ctx_leave(&h->dyn->cpus, ctx);
	rnd_large_purge(&h->dyn->large);
	(void)rnd_large_unpark(&h->dyn->large);
}

static void heap_destroy_gives_everything_back(void **state)
{
	struct rnd_heap *h = create(0);
	__sz size;

	(void)state;
	for (size = 0; size < 200000; size = size * 3 / 2 + 1)
		assert_non_null(alloc(h, size));
	home_free(h, alloc(h, 100000), RND_KIND_MALLOC);
	assert_true((h->dyn->vs.user + h->dyn->vs.meta) * RND_PAGE_LEN ==
		    fake_port.committed);
	rnd_heap_destroy(h);
	assert_true(fake_port.reserved == 0);
	assert_true(fake_port.committed == 0);
}

static void heap_constants_are_sealed(void **state)
{
	struct rnd_heap *h = create(0);

	(void)state;
	assert_true(fake_port.sealed ==
		    ALIGN_UP(sizeof(struct rnd_heap), RND_PAGE_LEN));
	assert_true(fake_port_can_read(h));
	assert_false(fake_port_can_write(h));
	assert_false(fake_port_can_write((char *)(h + 1) - 1));
	assert_true(fake_port_can_write(h->dyn));
	/* Guards on both sides of both parts */
	assert_false(fake_port_can_read((char *)h - 1));
	assert_false(fake_port_can_read((char *)h->dyn - 1));
	assert_false(fake_port_can_read(
		(char *)ALIGN_UP((__uptr)(h + 1), RND_PAGE_LEN)));
	assert_false(fake_port_can_read(
		(char *)ALIGN_UP((__uptr)(h->dyn + 1), RND_PAGE_LEN)));
	rnd_heap_destroy(h);
}

static void heap_lives_without_a_seal(void **state)
{
	struct rnd_heap *h;

	(void)state;
	fake_port_fail_at(FAKE_SEAL, 1);
	h = create(0);
	assert_int_equal(0, fake_port.sealed);
	home_free(h, alloc(h, 10), RND_KIND_MALLOC);
	rnd_heap_destroy(h);
}

/* All calls of the port from the n-th on fail, for every n there is */
static void heap_create_fails_without_a_trace(void **state)
{
	struct rnd_heap *h = NULL;
	unsigned int n, seals = 0;

	(void)state;
	for (n = 1; !seals; n++) {
		fake_port_reset(19);
		fake_port_fail_from(FAKE_ANY, n);
		h = rnd_heap_create(0);
		seals = fake_port.calls[FAKE_SEAL];
		if (h)
			break;
		assert_true(fake_port.reserved == 0);
		assert_true(fake_port.committed == 0);
	}
	assert_true(n > 2 * RND_CLASS_COUNT);
	/* Only the seal may fail */
	assert_int_equal(1, seals);
	assert_non_null(h);
	rnd_heap_destroy(h);
}

/* A single call fails; the regions get along with that */
static void heap_create_survives_or_leaves_no_trace(void **state)
{
	unsigned int n, failures = 0;
	struct rnd_heap *h;

	(void)state;
	for (n = 1;; n++) {
		fake_port_reset(19);
		fake_port_fail_at(FAKE_ANY, n);
		h = rnd_heap_create(0);
		if (h) {
			assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
			rnd_heap_destroy(h);
		} else {
			failures++;
		}
		assert_true(fake_port.reserved == 0);
		assert_true(fake_port.committed == 0);
		if (fake_port_fail_pending())
			break;
	}
	/* Both parts and states: address and memory each; large table.
	 * An address that was in use already takes one more call.
	 */
	assert_in_range(failures, 7, 10);
}

static void count_heap(struct rnd_heap *h, void *arg)
{
	struct rnd_heap **seen = arg;

	while (*seen)
		seen++;
	*seen = h;
}

static void heap_foreach_visits_all(void **state)
{
	struct rnd_heap *h[HEAPS], *seen[HEAPS + 2] = { NULL };
	unsigned int i;

	(void)state;
	for (i = 0; i < HEAPS; i++)
		h[i] = create(0);
	rnd_heap_foreach(count_heap, seen);
	for (i = 0; i < HEAPS; i++)
		assert_ptr_equal(h[HEAPS - 1 - i], seen[i]);
	assert_null(seen[HEAPS]);

	rnd_heap_destroy(h[1]);
	memset(seen, 0, sizeof(seen));
	rnd_heap_foreach(count_heap, seen);
	assert_ptr_equal(h[2], seen[0]);
	assert_ptr_equal(h[0], seen[1]);
	assert_null(seen[2]);

	rnd_heap_destroy(h[2]);
	rnd_heap_destroy(h[0]);
	memset(seen, 0, sizeof(seen));
	rnd_heap_foreach(count_heap, seen);
	assert_null(seen[0]);
}

struct foreign {
	struct rnd_heap *h;
	void *ptr;
};

static void free_foreign(void *arg)
{
	struct foreign *f = arg;

	home_free(f->h, f->ptr, RND_KIND_MALLOC);
}

static void heaps_are_independent(void **state)
{
	static const __sz sizes[] = { 0, 40, 1000, 200000 };
	struct rnd_heap *h[HEAPS];
	void *p[HEAPS][ARRAY_SIZE(sizes)];
	struct foreign f;
	unsigned int i, j;

	(void)state;
	for (i = 0; i < HEAPS; i++) {
		h[i] = create(0);
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			p[i][j] = alloc(h[i], sizes[j]);
			assert_non_null(p[i][j]);
			if (sizes[j])
				memset(p[i][j], (int)i + 1, sizes[j]);
		}
	}
	for (j = 0; j < ARRAY_SIZE(sizes); j++) {
		f = (struct foreign){ h[0], p[1][j] };
		assert_non_null(strstr(fake_port_abort_text(free_foreign, &f),
				       "BUG: invalid free: "));
	}
	rnd_heap_destroy(h[1]);
	for (i = 0; i < HEAPS; i += 2) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			if (sizes[j])
				assert_int_equal(i + 1, *(char *)p[i][j]);
			home_free(h[i], p[i][j], RND_KIND_MALLOC);
		}
		assert_int_equal(0, uk_allocrnd_check(&h[i]->dyn->a));
		rnd_heap_destroy(h[i]);
	}
}

#define OBJECTS 30000

/* Objects until there is no more; how many */
static unsigned int fill(struct rnd_heap *h, void **ptr, __sz size, __sz step,
			 __sz limit)
{
	const struct rnd_vspace *vs = &h->dyn->vs;
	unsigned int cnt;

	for (cnt = 0; cnt < OBJECTS; cnt++) {
		ptr[cnt] = alloc(h, size + cnt * step % 50000);
		assert_true(vs->user + vs->meta <= limit);
		if (!ptr[cnt])
			break;
	}
	assert_in_range(cnt, 1, OBJECTS - 1);

	return cnt;
}

static void heap_keeps_to_its_limit_v1(void **state)
{
	static void *ptr[OBJECTS];
	static const struct {
		__sz limit, size, step;
	} runs[] = {
		{ 3000, 700, 0 },   { 5000, 1, 977 },	{ 3000, 4000, 0 },
		{ 3000, 34000, 0 }, { 3000, 66000, 0 }, { 3000, 80000, 0 },
	};
	struct rnd_heap *h;
	unsigned int i, cnt, again;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		h = create(runs[i].limit);
		cnt = fill(h, ptr, runs[i].size, runs[i].step, runs[i].limit);
		assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
		again = cnt;
		while (cnt)
			home_free(h, ptr[--cnt], RND_KIND_MALLOC);
		assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
		flush_and_purge(h);
		assert_int_equal(0, h->dyn->vs.user);
		assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
		assert_true(h->dyn->vs.meta * RND_PAGE_LEN ==
			    fake_port.committed);

		/* The second time there is as much, but for metadata */
		cnt = fill(h, ptr, runs[i].size, runs[i].step, runs[i].limit);
		assert_true(cnt >= again * 9 / 10);
		rnd_heap_destroy(h);
	}
}

/* What lies in quarantines, pools and free slabs of one class serves
 * another one before an allocation fails
 */
static void heap_reclaims_before_it_fails(void **state)
{
	static void *ptr[OBJECTS];
	struct rnd_heap *h = create(3000);
	unsigned int cnt = fill(h, ptr, 3000, 0, 3000);

	(void)state;
	/* What is too little for a slab of this class may do for a smaller
	 * one, or for a slot that nobody uses
	 */
	while ((ptr[cnt] = alloc(h, 500)))
		cnt++;
	assert_null(alloc(h, 500000));
	while (cnt)
		home_free(h, ptr[--cnt], RND_KIND_MALLOC);
	cnt = fill(h, ptr, 500, 0, 3000);
	assert_true(cnt > 2000 * RND_PAGE_LEN / 528);
	while (cnt)
		home_free(h, ptr[--cnt], RND_KIND_MALLOC);
	ptr[0] = alloc(h, 2000 * RND_PAGE_LEN);
	assert_non_null(ptr[0]);
	home_free(h, ptr[0], RND_KIND_MALLOC);
	/* The pages of the large object are free at once */
	assert_non_null(alloc(h, 2000 * RND_PAGE_LEN));
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
	rnd_heap_destroy(h);
}

static void assert_description(__uptr addr, const char *expected)
{
	fake_port.text_len = 0;
	fake_port.text[0] = 0;
	rnd_heap_describe(addr);
	if (!strstr(fake_port.text, expected))
		fail_msg("\"%s\" is not in \"%s\"", expected, fake_port.text);
}

static void heap_describes_addresses(void **state)
{
	struct rnd_heap *h = create(0), *other = create(0);
	char *p = alloc(h, 100), *l = alloc(h, 200000);
	const struct rnd_region *r;

	(void)state;
	assert_description((__uptr)p + 7, "heap: byte 7 of slot ");
	assert_description((__uptr)p, ", size class 112, live\n");
	r = rnd_pagemap_region(&h->pm, rnd_sizeclass_of(100));
	assert_description(r->base + r->dyn->end, "guard or unused slab of "
						  "size class 112");
	assert_description(r->base + r->dyn->end,
			   " bytes after the object at 0x");
	if (RND_OPT_GUARD_SLABS)
		assert_description(r->base + r->slab_len,
				   "guard or unused slab of size class 112");
	assert_description((__uptr)l + 5, "inside of a live large object of "
					  "200000 bytes at ");
	assert_description(ALIGN_DOWN((__uptr)l, RND_PAGE_LEN) - 1,
			   "guard of a live large object");
	home_free(h, l, RND_KIND_MALLOC);
	if (RND_OPT_QUARANTINE)
		assert_description((__uptr)l, "inside of a freed large object");
	home_free(h, p, RND_KIND_MALLOC);
	assert_description((__uptr)p, ", size class 112, free\n");

	fake_port.text_len = 0;
	rnd_heap_describe(0x1000);
	rnd_heap_describe(~0UL);
	assert_int_equal(0, fake_port.text_len);
	rnd_heap_destroy(other);
	rnd_heap_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(heap_destroy_gives_everything_back),
		UNIT_TEST(heap_constants_are_sealed),
		UNIT_TEST(heap_lives_without_a_seal),
		UNIT_TEST(heap_create_fails_without_a_trace),
		UNIT_TEST(heap_create_survives_or_leaves_no_trace),
		UNIT_TEST(heap_foreach_visits_all),
		UNIT_TEST(heaps_are_independent),
		UNIT_TEST(heap_keeps_to_its_limit_v1),
		UNIT_TEST(heap_reclaims_before_it_fails),
		UNIT_TEST(heap_describes_addresses),
	};

	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
