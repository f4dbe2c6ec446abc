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
 *	lib/ukallocrnd/chacha_wide.c
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
	struct rnd_place p = { .n = 0 };

	if (!find(addr, &p)) {
		fail_msg("%#lx is not a slot", addr);
		abort();
	}
	return p;
}

static void assert_not_found(__uptr addr)
{
	struct rnd_place p = { .n = 0 };

	assert_false(find(addr, &p));
}

static const struct rnd_region *region(unsigned int sc)
{
	return rnd_pagemap_region(&pm, sc);
}

static struct rnd_slab *take(unsigned int sc)
{
	struct rnd_slab *s = rnd_region_take(region(sc), &vs, 1);

	assert_non_null(s);
	return s;
}

static void pagemap_has_a_region_for_each_class(void **state)
{
	const struct rnd_region *r;
	unsigned int sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		r = region(sc);
		assert_int_equal(sc, r->sc);
		assert_int_equal(rnd_sizeclass[sc].slot_len, r->slot_len);
		assert_ptr_equal(&dyn[sc], r->dyn);
	}
	assert_true(pm.key.mul & 1);
	assert_true(pm.key.add != 0);
	assert_true(pm.key.odd == RND_CANARY_ODD);
}

/* Both tables agree with the regions in all of their windows */
static void pagemap_windows_select_the_class(void **state)
{
	__u8 sc_of[RND_WINDOW_COUNT] = { 0 };
	__u8 is_taken[RND_WINDOW_COUNT] = { 0 };
	unsigned int sc, cnt = 0;
	__uptr w, addr;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		w = region(sc)->base >> RND_WINDOW_SHIFT;
		assert_int_equal(0, is_taken[w]);
		is_taken[w] = 1;
		sc_of[w] = (__u8)sc;
	}
	for (w = 0; w < RND_WINDOW_COUNT; w++) {
		assert_int_equal(sc_of[w], pm.window[w]);
		sc = rnd_sizeclass[sc_of[w]].slot_len <= RND_SHORT_LEN ?
			     sc_of[w] :
			     0;
		cnt += sc != 0;
		assert_int_equal(sc, pm.window_short[w]);

		/* First and last address, with bits that no address has */
		addr = w << RND_WINDOW_SHIFT;
		assert_int_equal(sc_of[w],
				 rnd_window_class(pm.window, (void *)addr));
		addr += (1UL << RND_WINDOW_SHIFT) - 1;
		assert_int_equal(sc_of[w],
				 rnd_window_class(pm.window, (void *)addr));
		addr |= 0xffff800000000000UL;
		assert_int_equal(sc_of[w],
				 rnd_window_class(pm.window, (void *)addr));
	}
	assert_int_equal(RND_SHORT_LEN / RND_SLOT_ALIGN, cnt);
}

/* Quotient and answer for one distance, against the processor's division */
static void check_divide(const struct rnd_sizeclass *geo, __uptr off)
{
	__uptr n = ~0UL;
	__bool is_start = rnd_region_divide(off, geo->inverse, &n);

	assert_int_equal(off % geo->slot_len == 0, is_start);
	assert_true(n == off / geo->slot_len);
}

/* The first slots; then around slots at ever greater distances, and all of the
 * last ones below 2^48, where the errors are greatest
 */
static void pagemap_divides_any_distance(void **state)
{
	const struct rnd_sizeclass *geo;
	unsigned int bit, k;
	__uptr off, start;
	__u32 sc;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		geo = &rnd_sizeclass[sc];
		for (off = 0; off < 3UL * geo->slot_len; off++) {
			check_divide(geo, off);
			check_divide(geo, (1UL << 48) - 1 - off);
		}
		for (bit = 16; bit < 48; bit++)
			for (k = 0; k < 20; k++) {
				start = ((1UL << bit) / geo->slot_len + k) *
					geo->slot_len;
				check_divide(geo, start - 1);
				check_divide(geo, start);
				check_divide(geo, start + 1);
				check_divide(geo, start + 8);
				check_divide(geo, start + geo->slot_len / 2);
			}
	}
}

/* Every address of a slab: found exactly if it is the start of a slot */
static void check_slab(const struct rnd_region *r, struct rnd_slab *s)
{
	struct rnd_place p;
	__uptr in;
	__u32 n;

	for (in = 0; in < r->slab_len; in++) {
		if (in % r->slot_len) {
			assert_not_found(s->base + in);
			continue;
		}
		p = place_of(s->base + in);
		n = (__u32)(in / r->slot_len);
		assert_ptr_equal(r, p.region);
		assert_ptr_equal(s, p.slab);
		assert_int_equal(s->idx * r->slots + n, p.n);
		assert_int_equal(n, rnd_place_slot(&p));
		assert_ptr_equal(rnd_region_states(r, s) + n, p.state);
		assert_ptr_equal((void *)(s->base + in),
				 rnd_region_slot(r, p.n));
	}
}

static void pagemap_accepts_starts_of_slots_and_nothing_else(void **state)
{
#ifdef RND_TEST_SLOW
	const unsigned int step = 6;
#else
	const unsigned int step = 1;
#endif
	unsigned int sc, i;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc += step)
		for (i = 0; i < 2; i++)
			check_slab(region(sc), take(sc));
}

/* A guard slab, or one that is not committed yet, has state words that say
 * that nothing is live; numbers go on through it
 */
static void pagemap_slots_of_other_slabs_are_not_live(void **state)
{
	const struct rnd_region *r;
	struct rnd_place p;
	unsigned int sc;
	__u32 n, mine;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc += 5) {
		r = region(sc);
		mine = take(sc)->idx;
		for (n = 0; n < RND_REGION_GROUP * (__u32)r->slots; n++) {
			p = place_of(r->base + (__uptr)n * r->slot_len);
			assert_int_equal(n, p.n);
			assert_ptr_equal(rnd_region_slab(r, n / r->slots),
					 p.slab);
			if (n / r->slots != mine)
				assert_int_equal(RND_SLOT_FREE, *p.state);
		}
	}
}

static void pagemap_rejects_what_is_beyond_the_end(void **state)
{
	const struct rnd_region *r;
	struct rnd_place p = { .n = 0 };
	unsigned int sc, i;
	__uptr end;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		r = region(sc);
		/* Nothing opened yet */
		assert_not_found(r->base);
		(void)take(sc);
		end = r->base + r->dyn->end;
		assert_true(find(r->base, &p));
		assert_true(find(end - r->slot_len, &p));
		assert_int_equal(RND_REGION_GROUP * r->slots - 1U, p.n);
		assert_not_found(end);
		for (i = 1; i < 100; i++) {
			assert_not_found(end + (__uptr)i * r->slot_len);
			assert_not_found(r->base - (__uptr)i * r->slot_len);
		}
		assert_not_found(end + r->slab_len);
		assert_not_found(r->base - 1);
		assert_not_found(r->base + (__uptr)r->slab_max * r->slab_len);
	}
}

static void pagemap_rejects_foreign_and_impossible_addresses(void **state)
{
	const __uptr window_len = 1UL << RND_WINDOW_SHIFT;
	const struct rnd_region *r = region(5);
	unsigned int bit;
	__uptr w;

	(void)state;
	(void)take(5);
	for (w = 0; w < RND_WINDOW_COUNT; w++) {
		if (pm.window[w] == 5)
			continue;
		/* The same place in another window */
		assert_not_found((r->base & (window_len - 1)) |
				 w << RND_WINDOW_SHIFT);
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

/* Any 64 bits, with all regions open: found exactly if a slot is there */
static void pagemap_finds_only_slots_among_random_words(void **state)
{
	const struct rnd_region *r;
	struct rnd_place p = { .n = 0 };
	unsigned int i, sc, hits = 0;
	__uptr addr, off;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++)
		(void)take(sc);
	for (i = 0; i < 400000; i++) {
		addr = rnd_vspace_draw(&vs, __U64_MAX);
		/* Most of them near a region, some with all bits random */
		r = region((unsigned int)(addr >> 40) % RND_CLASS_COUNT);
		if (i % 8)
			addr = r->base + addr % (2 * r->dyn->end);
		if (i % 4 > 1)
			addr &= ~15UL;
		off = addr - r->base;
		if (!find(addr, &p)) {
			assert_true(off >= r->dyn->end || off % r->slot_len);
			continue;
		}
		hits++;
		assert_ptr_equal(r, p.region);
		assert_true(off < r->dyn->end && off % r->slot_len == 0);
		assert_int_equal(off / r->slot_len, p.n);
	}
	assert_true(hits > 1000);
}

static void pagemap_locates_any_address_of_a_region(void **state)
{
	const struct rnd_region *r = region(9);
	struct rnd_slab *s = take(9);
	struct rnd_place p = { .n = 0 };
	__uptr in;

	(void)state;
	for (in = 0; in < r->slab_len; in += 3) {
		assert_true(
			rnd_pagemap_locate(&pm, (void *)(s->base + in), &p));
		assert_ptr_equal(r, p.region);
		assert_ptr_equal(s, p.slab);
		assert_int_equal(in / r->slot_len, rnd_place_slot(&p));
		assert_int_equal((__uptr)s->idx * r->slots + in / r->slot_len,
				 p.n);
		assert_int_equal(in % r->slot_len, p.inside);
		assert_ptr_equal(r->states + p.n, p.state);
	}

	/* No descriptor there */
	assert_true(
		rnd_pagemap_locate(&pm, (void *)(r->base + r->dyn->end), &p));
	assert_ptr_equal(r, p.region);
	assert_null(p.slab);
	assert_null(p.state);
	in = r->base + (__uptr)r->slab_max * r->slab_len;
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
		UNIT_TEST(pagemap_windows_select_the_class),
		UNIT_TEST(pagemap_divides_any_distance),
		UNIT_TEST(pagemap_accepts_starts_of_slots_and_nothing_else),
		UNIT_TEST(pagemap_slots_of_other_slabs_are_not_live),
		UNIT_TEST(pagemap_rejects_what_is_beyond_the_end),
		UNIT_TEST(pagemap_rejects_foreign_and_impossible_addresses),
		UNIT_TEST(pagemap_finds_only_slots_among_random_words),
		UNIT_TEST(pagemap_locates_any_address_of_a_region),
		UNIT_TEST(pagemap_bases_differ_between_heaps),
		UNIT_TEST(pagemap_init_failure_gives_all_back),
	};

	return cmocka_run_group_tests_name("pagemap", tests, NULL, NULL);
}
