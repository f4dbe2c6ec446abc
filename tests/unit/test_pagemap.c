/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of pagemap.c and of the look-up in pagemap.h
 *
 * links: lib/ukallocrnd/region.c lib/ukallocrnd/slab.c
 *	lib/ukallocrnd/sizeclass.c lib/ukallocrnd/vspace.c
 *	lib/ukallocrnd/rng.c lib/ukallocrnd/chacha.c
 *	tests/unit/fake_port.c lib/ukallocrnd/report.c
 *	lib/ukallocrnd/format.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "config.h"
#include "fake_port.h"
#include "pagemap.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static struct rnd_vspace vs;
static struct rnd_pagemap pm;
static struct rnd_region_dyn dyn[RND_CLASS_COUNT];

static int setup(void **state)
{
	(void)state;
	fake_port_reset(3);
	memset(&pm, 0, sizeof(pm));
	memset(dyn, 0, sizeof(dyn));
	rnd_vspace_init(&vs, __SZ_MAX);
	return rnd_pagemap_init(&pm, dyn, &vs);
}

static int teardown(void **state)
{
	(void)state;
	fake_port_reset(3);
	return 0;
}

static __bool find(__uptr addr, struct rnd_place *p)
{
	return rnd_pagemap_find(&pm, (const void *)addr, p);
}

static struct rnd_place place_of(__uptr addr)
{
	struct rnd_place p = { .slot = 0 };

	if (!find(addr, &p)) {
		fail_msg("%#lx is not a slot", addr);
		abort();
	}
	return p;
}

static void assert_not_found(__uptr addr)
{
	struct rnd_place p = { .slot = 0 };

	assert_false(find(addr, &p));
}

static void pagemap_has_a_region_for_each_class(void **state)
{
	const struct rnd_region *r, *q;
	unsigned int sc, other;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		r = rnd_pagemap_region(&pm, sc);
		assert_int_equal(sc, r->sc);
		assert_int_equal(rnd_sizeclass[sc].slot_len, r->slot_len);
		assert_int_equal(sc + 1,
				 pm.window[r->base >> RND_WINDOW_SHIFT]);
		for (other = 0; other < sc; other++) {
			q = rnd_pagemap_region(&pm, other);
			assert_true(r->base >> RND_WINDOW_SHIFT !=
				    q->base >> RND_WINDOW_SHIFT);
		}
	}
	assert_true(pm.key.mul & 1);
	assert_true(pm.key.add != 0);
}

/* Every address of a slab: found exactly if it is the start of a slot, or of
 * the unused rest, whose word never says live
 */
static void check_slab(const struct rnd_region *r, struct rnd_slab *s)
{
	struct rnd_place p;
	__uptr in;

	for (in = 0; in < 1UL << r->slab_shift; in++) {
		if (in % r->slot_len) {
			assert_not_found(s->base + in);
			continue;
		}
		p = place_of(s->base + in);
		assert_ptr_equal(r, p.region);
		assert_ptr_equal(s, p.slab);
		assert_int_equal(in / r->slot_len, p.slot);
		assert_ptr_equal(rnd_slab_states(s) + p.slot, p.state);
		if (p.slot == s->slots)
			assert_int_equal(0, *p.state);
	}
}

static void pagemap_accepts_starts_of_slots_and_nothing_else(void **state)
{
	static const unsigned int classes[] = { 0,  1,	3,  8,	14, 15,
						22, 23, 30, 31, 38, 43 };
	const struct rnd_region *r;
	struct rnd_slab *s;
	unsigned int i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		r = rnd_pagemap_region(&pm, classes[i]);
		for (n = 0; n < 2; n++) {
			s = rnd_region_take(r, &vs, 1);
			assert_non_null(s);
			check_slab(r, s);
		}
	}
}

/* A guard slab, or one that is not committed yet, has a descriptor that says
 * that nothing is live
 */
static void pagemap_slots_of_other_slabs_are_not_live(void **state)
{
	const struct rnd_region *r = rnd_pagemap_region(&pm, 5);
	struct rnd_slab *s = rnd_region_take(r, &vs, 1);
	struct rnd_place p;
	__u32 idx, slot;

	(void)state;
	for (idx = 0; idx < RND_REGION_GROUP; idx++) {
		if (idx == s->idx)
			continue;
		for (slot = 0; slot < r->slots; slot++) {
			p = place_of(r->base + ((__uptr)idx << r->slab_shift) +
				     (__uptr)slot * r->slot_len);
			assert_true((*p.state & RND_STATE_MASK) <
				    RND_SLOT_LIVE);
		}
	}
}

static void pagemap_rejects_what_is_beyond_the_end(void **state)
{
	const struct rnd_region *r = rnd_pagemap_region(&pm, 5);
	struct rnd_place p = { .slot = 0 };
	__uptr end;

	(void)state;
	/* Nothing opened yet */
	assert_not_found(r->base);
	assert_non_null(rnd_region_take(r, &vs, 1));
	end = r->base + r->dyn->end;
	assert_true(find(r->base, &p));
	assert_not_found(end);
	assert_not_found(end + (1UL << r->slab_shift));
	assert_not_found(r->base - r->slot_len);
	assert_not_found(r->base - 1);
	assert_not_found(r->base + ((__uptr)r->slab_max << r->slab_shift));
}

static void pagemap_rejects_foreign_and_impossible_addresses(void **state)
{
	const struct rnd_region *r = rnd_pagemap_region(&pm, 5);
	__uptr addr, w;
	unsigned int bit;

	(void)state;
	assert_non_null(rnd_region_take(r, &vs, 1));
	for (w = 0; w < RND_WINDOW_COUNT; w++) {
		if (pm.window[w] == 6)
			continue;
		/* The same place in another window */
		addr = (r->base & ((1UL << RND_WINDOW_SHIFT) - 1)) |
		       w << RND_WINDOW_SHIFT;
		assert_not_found(addr);
		assert_not_found(w << RND_WINDOW_SHIFT);
	}
	/* The same bits with one of those set that addresses do not have */
	for (bit = 47; bit < 64; bit++) {
		assert_not_found(r->base | 1UL << bit);
		assert_not_found(1UL << bit);
	}
	assert_not_found(r->base | 0xffff800000000000UL);
	assert_not_found(0);
	assert_not_found(16);
	assert_not_found(~0UL);
	assert_not_found(~15UL);
}

static void pagemap_locates_any_address_of_a_region(void **state)
{
	const struct rnd_region *r = rnd_pagemap_region(&pm, 9);
	struct rnd_slab *s = rnd_region_take(r, &vs, 1);
	struct rnd_place p = { .slot = 0 };
	__uptr in;

	(void)state;
	for (in = 0; in < 1UL << r->slab_shift; in += 3) {
		assert_true(
			rnd_pagemap_locate(&pm, (void *)(s->base + in), &p));
		assert_ptr_equal(r, p.region);
		assert_ptr_equal(s, p.slab);
		assert_int_equal(in / r->slot_len, p.slot);
		assert_int_equal(in % r->slot_len, p.inside);
		assert_ptr_equal(rnd_slab_states(s) + p.slot, p.state);
	}

	/* No descriptor there */
	assert_true(
		rnd_pagemap_locate(&pm, (void *)(r->base + r->dyn->end), &p));
	assert_ptr_equal(r, p.region);
	assert_null(p.slab);
	in = r->base + ((__uptr)r->slab_max << r->slab_shift);
	assert_true(rnd_pagemap_locate(&pm, (void *)(in - 1), &p));
	assert_false(rnd_pagemap_locate(&pm, (void *)in, &p));
	assert_false(rnd_pagemap_locate(&pm, (void *)(r->base - 1), &p));
	assert_false(rnd_pagemap_locate(&pm, (void *)16, &p));
	assert_false(
		rnd_pagemap_locate(&pm, (void *)(r->base | 1UL << 47), &p));
	assert_false(rnd_pagemap_locate(&pm, (void *)~0UL, &p));
}

static void pagemap_bases_differ_between_heaps(void **state)
{
	struct rnd_pagemap other;
	unsigned int sc, same = 0;

	(void)state;
	if (!RND_OPT_RANDOM_BASES)
		skip();
	memset(&other, 0, sizeof(other));
	memset(dyn, 0, sizeof(dyn));
	assert_int_equal(0, rnd_pagemap_init(&other, dyn, &vs));
	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		same += (rnd_pagemap_region(&other, sc)->base &
			 ((1UL << RND_WINDOW_SHIFT) - 1)) ==
			(rnd_pagemap_region(&pm, sc)->base &
			 ((1UL << RND_WINDOW_SHIFT) - 1));
	assert_int_equal(0, same);
	assert_true(other.key.add != pm.key.add);
	assert_true(other.key.mul != pm.key.mul);
}

static void pagemap_init_failure_gives_all_back(void **state)
{
	unsigned int n, reserves = fake_port.calls[FAKE_RESERVE];

	(void)state;
	rnd_pagemap_destroy(&pm);
	assert_int_equal(0, fake_port.reserved);
	for (n = 1; n <= reserves; n++) {
		/* The same random places, up to the failure */
		fake_port_reset(3);
		rnd_vspace_init(&vs, __SZ_MAX);
		memset(&pm, 0, sizeof(pm));
		memset(dyn, 0, sizeof(dyn));
		fake_port_fail_from(FAKE_RESERVE, n);
		assert_int_equal(-ENOMEM, rnd_pagemap_init(&pm, dyn, &vs));
		fake_port_fail_from(FAKE_RESERVE, 0);
		assert_int_equal(0, fake_port.reserved);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pagemap_has_a_region_for_each_class),
		UNIT_TEST(pagemap_accepts_starts_of_slots_and_nothing_else),
		UNIT_TEST(pagemap_slots_of_other_slabs_are_not_live),
		UNIT_TEST(pagemap_rejects_what_is_beyond_the_end),
		UNIT_TEST(pagemap_rejects_foreign_and_impossible_addresses),
		UNIT_TEST(pagemap_locates_any_address_of_a_region),
		UNIT_TEST(pagemap_bases_differ_between_heaps),
		UNIT_TEST(pagemap_init_failure_gives_all_back),
	};

	return cmocka_run_group_tests_name("pagemap", tests, NULL, NULL);
}
